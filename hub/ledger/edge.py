"""The right edge of the tree: what an append needs of the tiles before it.

The tree is kept as C2SP tiles (tlog-tiles): level 0 has the leaf hashes, 256 to a tile, and
each level above has the roots of the full tiles below. The edge is the last, unfinished tile of
each level.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter

from sqlalchemy import Connection, select

from hub.errors import LedgerError
from hub.ledger.tables import tiles
from schemas.evidence.merkle import TILE_HEIGHT, Peaks, subtree_root

HASH = 32
WIDTH = 256
FULL = HASH * WIDTH

TileRow = tuple[int, int, bytes]
"""Level, number, and the hashes one after another."""


@dataclass(frozen=True, slots=True)
class Edge:
    """The unfinished tiles, from level 0 up, of a tree of ``size`` leaves."""

    size: int = 0
    levels: tuple[bytes, ...] = ()
    _known: Peaks | None = field(default=None, compare=False)

    def extended(self, hashes: Sequence[bytes]) -> tuple["Edge", list[TileRow]]:
        """Give the edge after more leaf hashes, and the tiles that are new or longer."""
        peaks = self._peaks().copy()
        new = [b"".join(hashes)]
        for _, nodes in groupby(peaks.extend(hashes), key=attrgetter("height")):
            new.append(b"".join(node.hash for node in nodes))
        levels = [*self.levels, *[b""] * (len(new) - len(self.levels))]
        rows: list[TileRow] = []
        for level, grown in enumerate(new):
            number = self.size >> TILE_HEIGHT * (level + 1)
            whole, levels[level] = _cut(levels[level] + grown)
            rows += [(level, number + place, tile) for place, tile in enumerate(whole)]
            if levels[level]:
                rows.append((level, number + len(whole), levels[level]))
        return Edge(peaks.size, tuple(levels), peaks), rows

    def root(self) -> bytes:
        """Give the tree's root (RFC 9162, 2.1.1)."""
        return self._peaks().root()

    def _peaks(self) -> Peaks:
        if self._known is not None:
            return self._known
        found: list[bytes] = []
        for level in reversed(self.levels):
            hashes = split(level)
            found += [subtree_root(hashes[begin:end]) for begin, end in _perfect(len(hashes))]
        return Peaks(self.size, found)


def _cut(hashes: bytes) -> tuple[list[bytes], bytes]:
    """Give the full tiles, and what is left."""
    end = len(hashes) - len(hashes) % FULL
    return [hashes[at : at + FULL] for at in range(0, end, FULL)], hashes[end:]


def split(hashes: bytes) -> list[bytes]:
    """Give the single hashes of a tile."""
    return [hashes[at : at + HASH] for at in range(0, len(hashes), HASH)]


def _perfect(count: int) -> list[tuple[int, int]]:
    """Give the perfect subtrees that a tile's hashes make up, the largest first."""
    found, begin = [], 0
    for power in reversed(range(count.bit_length())):
        if count >> power & 1:
            found.append((begin, begin + (1 << power)))
            begin += 1 << power
    return found


def load_edge(connection: Connection, size: int) -> Edge:
    """Read the unfinished tiles.

    Raises:
        LedgerError: one is missing or has another number of hashes.
    """
    levels: list[bytes] = []
    level, count = 0, size
    while count:
        number, width = divmod(count, WIDTH)
        found = b""
        if width:
            query = select(tiles.c.hashes).where(tiles.c.level == level, tiles.c.n == number)
            found = bytes(connection.execute(query).scalar_one_or_none() or b"")
        if len(found) != width * HASH:
            raise LedgerError(f"tile {number} of level {level} is not whole: run ledger verify")
        levels.append(found)
        level, count = level + 1, number
    return Edge(size, tuple(levels))


def goes_on(connection: Connection, known: Edge, size: int) -> bool:
    """Say whether a tree of this size, whose edge was checked, begins with a known one."""
    if size < known.size:
        return False
    count = known.size
    for level, hashes in enumerate(known.levels):
        number = count // WIDTH
        if hashes:
            query = select(tiles.c.hashes).where(tiles.c.level == level, tiles.c.n == number)
            found = bytes(connection.execute(query).scalar_one_or_none() or b"")
            if found[: len(hashes)] != hashes:
                return False
        count = number
    return True
