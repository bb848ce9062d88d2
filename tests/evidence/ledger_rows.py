"""A copy of a ledger's file, opened behind the ledger's back: its tables, rows and keys."""

import random
import sqlite3
from pathlib import Path


class editing:  # noqa: N801 - used as a function
    """Open a copy for SQL; what the database itself refuses to write stays undone."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)

    def __enter__(self) -> sqlite3.Connection:
        return self._database

    def __exit__(self, _kind: object, error: object, _trace: object) -> bool:
        self._database.close()
        return isinstance(error, sqlite3.IntegrityError)


def tables_of(database: sqlite3.Connection) -> list[str]:
    rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return [name for (name,) in rows if not name.startswith("sqlite_")]


def columns_of(database: sqlite3.Connection, table: str) -> dict[str, tuple[str, int]]:
    """Give each column's type, and its place in the primary key or 0."""
    rows = database.execute(f"PRAGMA table_info({table})")
    return {name: (kind, key) for _, name, kind, _, _, key in rows}


def keys_of(database: sqlite3.Connection, table: str) -> tuple[str, list[tuple[object, ...]]]:
    """Give the condition that names a row, and the keys of all rows."""
    names = [name for name, (_, key) in columns_of(database, table).items() if key]
    names = names or ["version_num"]
    rows = database.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY 1")  # noqa: S608
    return " AND ".join(f"{name} = ?" for name in names), rows.fetchall()


def some_table(rng: random.Random, database: sqlite3.Connection, least: int = 1) -> str:
    """Pick a table that has so many rows; all tables alike."""
    return rng.choice([t for t in tables_of(database) if len(keys_of(database, t)[1]) >= least])


def months_of(database: sqlite3.Connection) -> list[str]:
    return [name for name in tables_of(database) if name.startswith("ledger_entries_")]


UNIQUE = "SELECT name, sql FROM sqlite_master WHERE sql LIKE 'CREATE UNIQUE INDEX%'"


def drop_unique(database: sqlite3.Connection) -> None:
    """Put the unique indexes aside, so that rows may be alike for a moment."""
    database.execute("CREATE TEMP TABLE aside AS " + UNIQUE)
    for (name,) in database.execute("SELECT name FROM aside").fetchall():
        database.execute(f"DROP INDEX {name}")


def restore_unique(database: sqlite3.Connection) -> None:
    for (sql,) in database.execute("SELECT sql FROM aside").fetchall():
        try:
            database.execute(sql)
        except sqlite3.IntegrityError:
            database.execute(sql.replace("UNIQUE", ""))


def dump(path: Path) -> object:
    """Give all that SQL can read, with the types; or that it cannot."""
    database = sqlite3.connect(path)
    database.text_factory = lambda content: ("text", bytes(content))
    try:
        ((said,),) = database.execute("PRAGMA integrity_check(1)")
        objects = database.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"
        ).fetchall()
        tables = [name[1].decode() for kind, name, *_ in objects if kind[1] == b"table"]
        return (
            said,
            [
                (*names, sql[1].split() if isinstance(sql, tuple) else sql)
                for *names, sql in objects
            ],
            [repr(sorted(map(repr, database.execute(f'SELECT * FROM "{t}"')))) for t in tables],  # noqa: S608
        )
    except (sqlite3.Error, UnicodeDecodeError):
        return None
    finally:
        database.close()
