"""Ten thousand tamperings (``--long``; some hundred otherwise): verification finds each of them.

Each round takes a fresh copy of a small ledger, does one thing to it that somebody with the
database or the disk, but without the hub's key, could do, and verifies. What changes nothing that
SQL can read, and no page, is no tampering: the round is done again.
"""

import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.errors import LedgerError
from hub.ledger.edge import Edge
from hub.ledger.head import Head
from hub.ledger.leaf import FROM_SQL, LEAF_SQL
from hub.message import MessageKey
from schemas.evidence.audit import audit
from schemas.evidence.merkle import leaf_hash
from schemas.evidence.note import Signer
from schemas.evidence.tiles import encode_bundle, tiles_of
from tests.samples import REGISTRY, SIGNER
from tests.servers.ledger_to_verify import destroy_november, erase_salts, filled, verified
from tests.servers.ledgers import opened

pytestmark = pytest.mark.fault

LONG = 10_000
SHORT = 210
SHORT_EXPORT = 100
SEED = 20261120
FOREIGN = Signer.generate(SIGNER.name)

Tampering = Callable[[random.Random, Path], None]


# -- what is done through SQL ----------------------------------------------------------------


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


def months_of(database: sqlite3.Connection) -> list[str]:
    return [name for name in tables_of(database) if name.startswith("ledger_entries_")]


def cut_the_end_off(rng: random.Random, path: Path) -> None:
    """Truncate the entries, and sometimes all that hangs on them, to an earlier size."""
    with editing(path) as database:
        (size,) = database.execute("SELECT size FROM ledger_head").fetchone()
        end = rng.choice([size - 1, rng.randrange(1, size)])
        for table in months_of(database):
            database.execute(f"DELETE FROM {table} WHERE seq > ?", (end,))  # noqa: S608
        if rng.random() < 0.7:
            fresh_tree(database)
            database.execute("DELETE FROM ledger_checkpoints WHERE size > ?", (end,))
            fresh_head(rng, database)


def rewrite_the_tail(rng: random.Random, path: Path) -> None:
    """Change entries and give them fresh hashes, tiles and numbers, but not the hub's signature."""
    with editing(path) as database:
        table = rng.choice(months_of(database))
        key = rng.choice(keys_of(database, table)[1])
        column, value = rng.choice([("detail", '"another"'), ("digest", "00"), ("at", 1)])
        database.execute(f"UPDATE {table} SET {column} = ? WHERE seq >= ?", (value, *key))  # noqa: S608
        fresh_tree(database)
        fresh_head(rng, database)


def rewrite_a_tile(rng: random.Random, path: Path) -> None:
    """Change an entry and give it and its tile fresh hashes, but not those above."""
    with editing(path) as database:
        table = rng.choice(months_of(database))
        ((seq,),) = rng.sample(keys_of(database, table)[1], 1)
        database.execute(f"UPDATE {table} SET at = at + 1 WHERE seq = ?", (seq,))  # noqa: S608
        query = f"SELECT {LEAF_SQL} {FROM_SQL.format(entries=table)} WHERE e.seq = ?"
        ((content,),) = database.execute(query, (seq,))
        number, place = divmod(seq - 1, 256)
        read = "SELECT hashes FROM ledger_tiles WHERE level = 0 AND n = ?"
        ((hashes,),) = database.execute(read, (number,))
        hashes = hashes[: place * 32] + leaf_hash(content.encode()) + hashes[place * 32 + 32 :]
        write = "UPDATE ledger_tiles SET hashes = ? WHERE level = 0 AND n = ?"
        database.execute(write, (hashes, number))


def fresh_tree(database: sqlite3.Connection) -> None:
    """Hash all entries that there are anew; a destroyed month keeps its hashes."""
    (head, *_) = database.execute("SELECT * FROM ledger_head")
    kept = months_of(database)
    first = min(database.execute(f"SELECT min(seq) FROM {t}").fetchone()[0] or 1 for t in kept)  # noqa: S608
    old = database.execute("SELECT hashes FROM ledger_tiles WHERE level = 0 ORDER BY n").fetchall()
    hashes = b"".join(tile for (tile,) in old)[: (first - 1) * 32]
    leaves = [hashes[at : at + 32] for at in range(0, len(hashes), 32)]
    for table in kept:
        query = f"SELECT {LEAF_SQL} {FROM_SQL.format(entries=table)} ORDER BY e.seq"
        leaves += [leaf_hash(content.encode()) for (content,) in database.execute(query)]
    edge, rows = Edge().extended(leaves)
    database.execute("DELETE FROM ledger_tiles")
    database.executemany("INSERT INTO ledger_tiles VALUES (?, ?, ?)", rows)
    sealed = Head(len(leaves), *head[2:7], "").sealed(edge.root(), FOREIGN)
    database.execute("UPDATE ledger_head SET size = ?, seal = ?", (sealed.size, sealed.seal))


def fresh_head(rng: random.Random, database: sqlite3.Connection) -> None:
    """Put something that looks like a seal in the head: a stranger's, or an older one."""
    (newest,) = database.execute("SELECT max(note) FROM ledger_checkpoints").fetchone() or ("",)
    (seal,) = database.execute("SELECT seal FROM ledger_head").fetchone()
    if rng.random() < 0.5 and newest:
        signature = newest.partition("\n\n")[2]
        seal = rng.choice([newest, f"{seal.partition(chr(10) * 2)[0]}\n\n{signature}", ""])
    database.execute("UPDATE ledger_head SET seal = ?", (seal,))


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


# -- what is done to the file ----------------------------------------------------------------


def flip_bytes(rng: random.Random, path: Path) -> None:
    data = bytearray(path.read_bytes())
    start = rng.randrange(len(data))
    for at in range(start, min(start + rng.choice([1, 1, 1, 4]), len(data))):
        data[at] ^= rng.randrange(1, 256)
    path.write_bytes(data)


def flip_a_bit_of_content(rng: random.Random, path: Path) -> None:
    """Flip one bit where there is content: most bytes of a file are not zero for a reason."""
    data = bytearray(path.read_bytes())
    at = rng.choice([at for at in rng.sample(range(len(data)), 200) if data[at]])
    data[at] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def harm_pages(rng: random.Random, path: Path) -> None:
    """Cut the file, or blank, copy or exchange pages of it."""
    data = path.read_bytes()
    page = int.from_bytes(data[16:18], "big")
    pages = [data[at : at + page] for at in range(0, len(data), page)]
    one, other = rng.sample(range(len(pages)), 2)
    match rng.randrange(4):
        case 0:
            pages = pages[: max(other, 1)]
        case 1:
            pages[one] = bytes(page)
        case 2:
            pages[one] = pages[other]
        case _:
            pages[one], pages[other] = pages[other], pages[one]
    path.write_bytes(b"".join(pages))


TAMPERINGS: tuple[Tampering, ...] = (
    change_a_value,
    change_a_value,
    swap_rows,
    drop_rows,
    insert_a_row,
    exchange_references,
    cut_the_end_off,
    rewrite_the_tail,
    rewrite_a_tile,
    move_salts,
    change_the_tables,
    destroy_a_month,
    flip_bytes,
    flip_a_bit_of_content,
    harm_pages,
)


class editing:  # noqa: N801 - used as a function
    """Open a copy for SQL; what the database itself refuses to write stays undone."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)

    def __enter__(self) -> sqlite3.Connection:
        return self._database

    def __exit__(self, _kind: object, error: object, _trace: object) -> bool:
        self._database.close()
        return isinstance(error, sqlite3.IntegrityError)


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


@pytest.fixture(scope="module")
def ledgers(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Give a whole ledger, and one with a destroyed month and erased salts."""
    folder = tmp_path_factory.mktemp("ledgers")
    paths = [folder / "whole.sqlite3", folder / "after-retention.sqlite3"]
    for path in paths:
        filled(f"sqlite:///{path}")
    erase_salts(f"sqlite:///{paths[1]}", MessageKey(REGISTRY, "file-1.150"))
    destroy_november(f"sqlite:///{paths[1]}", folder)
    for path in paths:
        assert verified(f"sqlite:///{path}").fault == ""
    return paths


def seeded(number: int, again: int) -> random.Random:
    return random.Random(f"{SEED} {number} {again}")  # noqa: S311 - to be had again, not secret


def remove(path: Path) -> None:
    for one in path.parent.glob(f"{path.name}*"):
        one.unlink()


def found(path: Path) -> str:
    """Say how verification found it; empty where it did not."""
    try:
        said = verified(f"sqlite:///{path}")
    except LedgerError:
        return "refused"
    return "entry" if said.first_bad else "fault" if said.fault else "halted" if said.halted else ""


def test_every_tampering_of_the_database_is_found(
    ledgers: list[Path], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    rounds = LONG if request.config.getoption("--long") else SHORT
    dumps = {path: dump(path) for path in ledgers}
    tally: Counter[tuple[str, str]] = Counter()
    missed = []
    for number in range(rounds):
        tampering = TAMPERINGS[number % len(TAMPERINGS)]
        # After a destruction nobody can say any more in which order old rows were first used.
        whole = tampering is exchange_references or number // len(TAMPERINGS) % 2 == 0
        source = ledgers[0 if whole else 1]
        for again in range(200):
            copy = tmp_path / "copy.sqlite3"
            remove(copy)
            shutil.copyfile(source, copy)
            tampering(seeded(number, again), copy)
            if dump(copy) != dumps[source]:
                break
        else:
            pytest.fail(f"{tampering.__name__} never changed anything")
        how = found(copy)
        tally[tampering.__name__, how or "MISSED"] += 1
        if not how:
            missed.append((number, again, tampering.__name__, source.name))
    sizes = "\n".join(f"{name:24} {how:8} {n}" for (name, how), n in sorted(tally.items()))
    print(f"\n{rounds} tamperings\n{sizes}")  # noqa: T201 - the figures of the drill
    assert not missed, f"number, again, what, where: {missed[:20]}"


# -- the files of an export ------------------------------------------------------------------


@pytest.fixture(scope="module")
def export(ledgers: list[Path]) -> Path:
    """Write an export of the whole ledger."""
    folder = ledgers[0].parent / "export"
    with opened(f"sqlite:///{ledgers[0]}") as ledger:
        files = dict(exported(sqlite3.connect(ledgers[0]), ledger.checkpoint(), ledger.size()))
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    assert audit(folder, [SIGNER.verifier]).good
    return folder


def exported(database: sqlite3.Connection, note: str, size: int) -> Iterator[tuple[str, bytes]]:
    leaves = []
    for table in months_of(database):
        query = f"SELECT {LEAF_SQL} {FROM_SQL.format(entries=table)} ORDER BY e.seq"
        leaves += [content.encode() for (content,) in database.execute(query)]
    yield "checkpoint", note.encode()
    for tile in tiles_of(size):
        ((hashes,),) = database.execute(
            "SELECT hashes FROM ledger_tiles WHERE level = ? AND n = ?", (tile.level, tile.index)
        )
        yield tile.path, hashes
        if tile.level == 0:
            yield tile.bundle().path, encode_bundle(leaves[tile.start : tile.start + tile.width])
    database.close()


def tamper_with_export(rng: random.Random, folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    path, other = rng.sample(files, 2)
    data, others = path.read_bytes(), other.read_bytes()
    at, to = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    what = rng.choice(["flip", "flip", "cut", "drop", "insert", "swap", "copy", "add", "append"])
    match what:
        case "flip":
            at = rng.randrange(len(data))
            one = bytes([data[at] ^ rng.randrange(1, 256)])
            path.write_bytes(data[:at] + one + data[at + 1 :])
        case "cut":
            path.write_bytes(data[:at])
        case "drop":
            path.unlink()
        case "insert":
            path.write_bytes(data[:at] + data[at:to] + data[at:])
        case "swap":
            path.write_bytes(others)
            other.write_bytes(data)
        case "copy":
            path.write_bytes(others)
        case "add":
            (path.parent / f"{rng.randrange(1000):03d}").write_bytes(data)
        case _:
            path.write_bytes(data + bytes([rng.randrange(256)]))
    return what


def test_every_tampering_of_an_export_is_found(
    export: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    rounds = LONG // 4 if request.config.getoption("--long") else SHORT_EXPORT
    before = contents(export)
    tally: Counter[str] = Counter()
    missed = []
    copy = tmp_path / "export"
    for number in range(rounds):
        for again in range(20):
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(export, copy)
            what = tamper_with_export(seeded(number, again), copy)
            if contents(copy) != before:
                break
        else:
            pytest.fail("nothing was ever changed")
        tally[what] += 1
        if audit(copy, [SIGNER.verifier]).good:
            missed.append((number, again, what))
    print(f"\n{rounds} tamperings of an export: {dict(tally)}")  # noqa: T201 - the drill's figures
    assert not missed, f"number, again, what, where: {missed[:20]}"


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
