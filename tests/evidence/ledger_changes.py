"""What somebody may do to a ledger's rows and tables through SQL."""

import random
from pathlib import Path

from tests.evidence.ledger_rows import (
    columns_of,
    drop_unique,
    editing,
    keys_of,
    months_of,
    restore_unique,
    some_table,
    tables_of,
)


def changed(rng: random.Random, value: object) -> object:
    """Give another value, of the same type or not."""
    if rng.random() < 0.1:
        return rng.choice([b"\x00", "x", 7, 7.5, "", b""])
    if isinstance(value, int):
        return value + rng.choice([-256, -2, -1, 1, 2, 256, 10**6])
    if isinstance(value, str):
        as_other = rng.choice(
            [value + " ", value[:-1], value.swapcase(), value.encode(), value * 2]
        )
        at = rng.randrange(len(value) + 1)
        return rng.choice([as_other, value[:at] + rng.choice('0aZ/"\\ 名') + value[at + 1 :]])
    if isinstance(value, bytes) and value:
        at = rng.randrange(len(value))
        one = bytes([value[at] ^ (1 << rng.randrange(8))])
        return rng.choice([value[:at] + one + value[at + 1 :], value[:-1], value + b"\x00", None])
    return rng.choice([b"0123456789abcdef", b"\x00"])


def change_a_value(rng: random.Random, path: Path) -> None:
    with editing(path) as database:
        table = some_table(rng, database)
        where, keys = keys_of(database, table)
        key = rng.choice(keys)
        column = rng.choice(list(columns_of(database, table)))
        ((value,),) = database.execute(f"SELECT {column} FROM {table} WHERE {where}", key)  # noqa: S608
        database.execute(
            f"UPDATE {table} SET {column} = ? WHERE {where}",  # noqa: S608
            (changed(rng, value), *key),
        )


def swap_rows(rng: random.Random, path: Path) -> None:
    """Let two rows change their places, whole or in one column."""
    with editing(path) as database:
        drop_unique(database)
        table = some_table(rng, database, 2)
        where, keys = keys_of(database, table)
        one, other = rng.sample(keys, 2)
        names = [name for name, (_, key) in columns_of(database, table).items() if not key]
        if rng.random() < 0.5:
            names = [rng.choice(names)]
        read = f"SELECT {', '.join(names)} FROM {table} WHERE {where}"  # noqa: S608
        of_one, of_other = (database.execute(read, key).fetchone() for key in (one, other))
        write = f"UPDATE {table} SET {', '.join(f'{name} = ?' for name in names)} WHERE {where}"  # noqa: S608
        database.execute(write, (*of_other, *one))
        database.execute(write, (*of_one, *other))
        restore_unique(database)


def drop_rows(rng: random.Random, path: Path) -> None:
    """Take a row away, or some together."""
    with editing(path) as database:
        table = some_table(rng, database)
        where, keys = keys_of(database, table)
        start = rng.randrange(len(keys))
        database.executemany(
            f"DELETE FROM {table} WHERE {where}",  # noqa: S608
            keys[start : start + rng.choice([1, 1, 1, 5])],
        )


def insert_a_row(rng: random.Random, path: Path) -> None:
    """Put in a copy of a row under a new key, at the end or in a gap that is made for it."""
    with editing(path) as database:
        drop_unique(database)
        table = some_table(rng, database)
        columns = columns_of(database, table)
        where, keys = keys_of(database, table)
        row = list(database.execute(f"SELECT * FROM {table} WHERE {where}", rng.choice(keys)))[0]  # noqa: S608, RUF015
        place = max((at for at, (_, key) in enumerate(columns.values()) if key), default=0)
        number = keys[-1][-1]
        new = [*row]
        new[place] = number + rng.choice([1, 1, 2, 90]) if isinstance(number, int) else "0004"
        if rng.random() < 0.3 and isinstance(number, int):
            new[place] = rng.choice([0, -1, -5])
        marks = ", ".join("?" for _ in new)
        database.execute(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", new)  # noqa: S608
        restore_unique(database)


def exchange_references(rng: random.Random, path: Path) -> None:
    """Number two messages, terms, access items or cases the other way round, everywhere."""
    with editing(path) as database:
        drop_unique(database)
        table, key, users = rng.choice(
            [
                ("ledger_messages", "no", [(t, "message_no") for t in months_of(database)]),
                ("ledger_cases", "id", [(t, "case_id") for t in months_of(database)]),
                ("ledger_terms", "id", [("ledger_cases", "terms_id")]),
                ("ledger_access", "id", [("ledger_cases", "access_id")]),
            ]
        )
        keys = [number for (number,) in keys_of(database, table)[1]]
        one, other = rng.sample(keys[: rng.choice([3, len(keys)])], 2)
        for where, column in [(table, key), *users]:
            for old, new in ((one, -7), (other, one), (-7, other)):
                database.execute(f"UPDATE {where} SET {column} = ? WHERE {column} = ?", (new, old))  # noqa: S608
        restore_unique(database)


def move_salts(rng: random.Random, path: Path) -> None:
    """Take salts away, put others in their place, or both with a check that fits."""
    with editing(path) as database:
        read = "SELECT seq, salt, salt_check FROM {} WHERE salt NOTNULL"
        salted = {table: database.execute(read.format(table)) for table in months_of(database)}
        by_table = {table: rows.fetchall() for table, rows in salted.items()}
        table = rng.choice([table for table, rows in by_table.items() if len(rows) > 1])
        (seq, *_), (_, salt, check) = rng.sample(by_table[table], 2)
        update = rng.choice(
            [
                ("salt = NULL", ()),
                ("salt = NULL, salt_check = ''", ()),
                ("salt = ?", (salt,)),
                ("salt = ?, salt_check = ?", (salt, check)),
                ("salt = x''", ()),
                ("salt_check = ''", ()),
            ]
        )
        database.execute(f"UPDATE {table} SET {update[0]} WHERE seq = ?", (*update[1], seq))  # noqa: S608


def change_the_tables(rng: random.Random, path: Path) -> None:
    """Drop, add or rename tables and what belongs to them."""
    with editing(path) as database:
        month = rng.choice(months_of(database))
        index = rng.choice(
            database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'index' AND sql NOTNULL"
            ).fetchall()
        )[0]
        statement = rng.choice(
            [
                f"DROP TABLE {rng.choice(tables_of(database))}",
                f"DROP INDEX {index}",
                f"ALTER TABLE {month} RENAME TO ledger_entries_202601",
                f"CREATE TABLE ledger_entries_202701 AS SELECT * FROM {month}",  # noqa: S608
                "CREATE TABLE ledger_notes (id INTEGER)",
                "CREATE VIEW ledger_view AS SELECT * FROM ledger_messages",
                f"CREATE TRIGGER quiet BEFORE INSERT ON {month} BEGIN SELECT 1; END",
                f"ALTER TABLE {month} ADD COLUMN extra TEXT",
                "ALTER TABLE ledger_messages RENAME COLUMN resident TO residents",
            ]
        )
        database.execute(statement)


def destroy_a_month(rng: random.Random, path: Path) -> None:
    """Say that a month was destroyed, or that it was not, or by something else."""
    with editing(path) as database:
        (size,) = database.execute("SELECT size FROM ledger_head").fetchone()
        months = database.execute("SELECT month, destroyed FROM ledger_months").fetchall()
        month, destroyed = rng.choice(months)
        number = rng.choice([0, size, size - 1, rng.randrange(1, size + 1)])
        database.execute("UPDATE ledger_months SET destroyed = ? WHERE month = ?", (number, month))
        if not destroyed and rng.random() < 0.7:
            database.execute(f"DROP TABLE ledger_entries_{month}")
