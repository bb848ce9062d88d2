"""What somebody may rewrite in a ledger with fresh hashes, but without the hub's key."""

import random
import sqlite3
from pathlib import Path

from hub.ledger.edge import Edge
from hub.ledger.head import Head
from hub.ledger.leaf import FROM_SQL, LEAF_SQL
from schemas.evidence.merkle import leaf_hash
from schemas.evidence.note import Signer
from tests.evidence.ledger_rows import editing, keys_of, months_of
from tests.samples import SIGNER

FOREIGN = Signer.generate(SIGNER.name)


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
