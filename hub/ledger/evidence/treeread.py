"""Reads the tree as it was at an earlier size, from the tiles that are there now.

A tile only grows: what it was when the tree had fewer entries is how it begins.
"""

from sqlalchemy import Connection, select

from hub.errors import LedgerError
from hub.ledger.edge import HASH, WIDTH, Edge
from hub.ledger.tables import tiles
from schemas.evidence.tiles import HashReader


def tile(connection: Connection, level: int, number: int, width: int) -> bytes:
    """Give the first ``width`` hashes of a tile.

    Raises:
        LedgerError: it does not have as many.
    """
    query = select(tiles.c.hashes).where(tiles.c.level == level, tiles.c.n == number)
    found = bytes(connection.execute(query).scalar_one_or_none() or b"")
    if len(found) < width * HASH:
        raise LedgerError(f"tile {number} of level {level} is not whole: run renkei ledger verify")
    return found[: width * HASH]


def edge_at(connection: Connection, size: int) -> Edge:
    """Give the unfinished tiles of the tree of this size.

    Raises:
        LedgerError: a tile is not whole.
    """
    levels: list[bytes] = []
    count = size
    while count:
        number, width = divmod(count, WIDTH)
        levels.append(tile(connection, len(levels), number, width) if width else b"")
        count = number
    return Edge(size, tuple(levels))


def leaf_hashes_of(connection: Connection, begin: int, end: int) -> bytes:
    """Give leaf hashes, one after another; ``begin``, counted from 0, is where a tile begins.

    Raises:
        LedgerError: some are missing.
    """
    first, after = begin // WIDTH, -(-end // WIDTH)
    query = (
        select(tiles.c.hashes)
        .where(tiles.c.level == 0, tiles.c.n >= first, tiles.c.n < after)
        .order_by(tiles.c.n)
    )
    found = b"".join(bytes(row) for row in connection.execute(query).scalars())
    if len(found) < (end - begin) * HASH:
        raise LedgerError(f"hashes from entry {begin + 1} on are gone: run renkei ledger verify")
    return found[: (end - begin) * HASH]


def hash_reader(connection: Connection, size: int) -> HashReader:
    """Give what proofs in the tree of this size are made with; raises ``LedgerError`` as above."""
    return HashReader(size, lambda level, number, width: tile(connection, level, number, width))
