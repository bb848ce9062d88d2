"""Tiles and entry bundles as C2SP tlog-tiles lays them out (https://c2sp.org/tlog-tiles)."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from schemas.evidence.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    TILE_HEIGHT,
    TILE_WIDTH,
    node_hash,
    subtree_root,
)

ENTRIES = -1
"""The level of an entry bundle, whose entries are those of the level 0 tile of its index."""
MAX_ENTRY_BYTES = 0xFFFF
MAX_TILE_BYTES = TILE_WIDTH * HASH_BYTES
MAX_BUNDLE_BYTES = TILE_WIDTH * (2 + MAX_ENTRY_BYTES)
MAX_LEVEL = 63

_PREFIX_BYTES = 2
_TILES_KEPT = 512
_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)"
    r"/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)

ReadTile = Callable[[int, int, int], bytes]
"""Gives the bytes of a tile from its level, index and width."""


class TileError(ValueError):
    """Bytes or a path are not a tile or an entry bundle."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile, or (level ``ENTRIES``) an entry bundle: ``width`` of its 256 places are taken."""

    level: int
    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """Where it lies below the export's folder: ``tile/0/x001/x234/067.p/8``."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{level}/{_encode_index(self.index)}{partial}"

    @property
    def start(self) -> int:
        """The index of the first entry that it covers."""
        return self.index << (TILE_HEIGHT * (max(self.level, 0) + 1))

    def bundle(self) -> "Tile":
        """Give the entry bundle of a level 0 tile."""
        return Tile(ENTRIES, self.index, self.width)


def parse_path(path: str) -> Tile:
    """Read a path below an export's folder; only the one way to write it is accepted.

    Raises:
        TileError: it is not the path of a tile or an entry bundle.
    """
    found = _PATH.fullmatch(path)
    if found is None:
        raise TileError("not the path of a tile or an entry bundle")
    level = ENTRIES if found["level"] == "entries" else int(found["level"])
    index = int(found["index"].replace("x", "").replace("/", ""))
    tile = Tile(level, index, int(found["width"] or TILE_WIDTH))
    if tile.path != path or level > MAX_LEVEL or tile.width > TILE_WIDTH:
        raise TileError("not the path of a tile or an entry bundle")
    return tile


def tile_width(size: int, level: int, index: int) -> int:
    """Give how many hashes a tile of a tree of this size has: 0 where there is no such tile."""
    hashes = size >> (TILE_HEIGHT * max(level, 0))
    return max(0, min(TILE_WIDTH, hashes - index * TILE_WIDTH))


def tiles_of(size: int) -> Iterator[Tile]:
    """Give every tile of a tree, level 0 first; the level 0 tiles name the bundles, too."""
    level, hashes = 0, size
    while hashes:
        full, partial = divmod(hashes, TILE_WIDTH)
        for index in range(full):
            yield Tile(level, index)
        if partial:
            yield Tile(level, full, partial)
        level, hashes = level + 1, full


def tile_hashes(data: bytes) -> list[bytes]:
    """Cut the bytes of a tile into its hashes.

    Raises:
        TileError: they are not 1 to 256 hashes of 32 bytes.
    """
    if not data or len(data) % HASH_BYTES or len(data) > MAX_TILE_BYTES:
        raise TileError(f"{len(data)} bytes are not a tile")
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """Write entries, each after its length in two bytes (big-endian).

    Raises:
        TileError: there are none, more than 256, or one is longer than 65,535 bytes.
    """
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise TileError(f"an entry of {len(entry)} bytes; at most {MAX_ENTRY_BYTES} can be")
        parts += (len(entry).to_bytes(_PREFIX_BYTES, "big"), entry)
    if not 1 <= len(parts) // 2 <= TILE_WIDTH:
        raise TileError(f"a bundle has 1 to {TILE_WIDTH} entries, not {len(parts) // 2}")
    return b"".join(parts)


def decode_bundle(data: bytes, width: int) -> list[bytes]:
    """Read the entries of a bundle.

    Raises:
        TileError: the bytes are not exactly ``width`` entries.
    """
    entries, rest = split_bundle(data, width)
    if len(entries) != width:
        raise TileError(f"the bundle ends within entry {len(entries) + 1} of {width}")
    if rest:
        raise TileError(f"the bundle goes on {rest} bytes after its {width} entries")
    return entries


def split_bundle(data: bytes, width: int) -> tuple[list[bytes], int]:
    """Read whole entries, ``width`` at most; give them and how many bytes are left over."""
    entries: list[bytes] = []
    at, length = 0, len(data)
    while at + _PREFIX_BYTES <= length and len(entries) < width:
        begin = at + _PREFIX_BYTES
        end = begin + (data[at] << 8 | data[at + 1])
        if end > length:
            break
        entries.append(data[begin:end])
        at = end
    return entries, length - at


class HashReader:
    """Range roots of a tree, from its tiles: what the proofs of ``merkle`` are made with.

    ``read`` is asked once for each tile, as long as some hundreds of tiles are in use. The tiles
    are taken as they are: check a root that this gives against a signed one.
    """

    def __init__(self, size: int, read: ReadTile) -> None:
        self._size = size
        self._read = read
        self._tile = lru_cache(maxsize=_TILES_KEPT)(self._read_tile)

    def root(self) -> bytes:
        """Give the root of the whole tree."""
        return self.range_root(0, self._size)

    def range_root(self, begin: int, end: int) -> bytes:
        """Give MTH(D[begin:end]) for a range that is a subtree of some tree.

        Raises:
            ValueError: the range is beyond the tree, or no subtree.
            TileError: a tile does not have the length that it must have.
        """
        if not 0 <= begin <= end <= self._size:
            raise ValueError(f"entries {begin} to {end} are not in a tree of {self._size}")
        if begin == end:
            return EMPTY_ROOT
        if begin % (1 << (end - begin - 1).bit_length()):
            raise ValueError(f"entries {begin} to {end} are not a subtree")
        peaks: list[bytes] = []
        while begin < end:
            height = (end - begin).bit_length() - 1
            peaks.append(self._perfect(height, begin >> height))
            begin += 1 << height
        root = peaks.pop()
        while peaks:
            root = node_hash(peaks.pop(), root)
        return root

    def _perfect(self, height: int, index: int) -> bytes:
        """Give the root of a perfect subtree."""
        level, inside = divmod(height, TILE_HEIGHT)
        first = index << inside
        tile, place = divmod(first, TILE_WIDTH)
        return subtree_root(self._tile(level, tile)[place : place + (1 << inside)])

    def _read_tile(self, level: int, index: int) -> list[bytes]:
        width = tile_width(self._size, level, index)
        hashes = tile_hashes(self._read(level, index, width))
        if len(hashes) != width:
            raise TileError(f"{Tile(level, index, width).path} has {len(hashes)} hashes")
        return hashes


def _encode_index(index: int) -> str:
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    *first, last = (digits[at : at + 3] for at in range(0, len(digits), 3))
    return "/".join([*(f"x{part}" for part in first), last])
