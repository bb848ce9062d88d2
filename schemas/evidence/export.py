"""Holds the tiles and bundles of an export to one another, from the first entry on."""

from collections.abc import Callable, Sequence
from pathlib import Path

from schemas.evidence.folder import FileFault, read_file
from schemas.evidence.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    TILE_HEIGHT,
    TILE_WIDTH,
    leaf_hashes,
    subtree_root,
)
from schemas.evidence.tiles import (
    MAX_BUNDLE_BYTES,
    MAX_TILE_BYTES,
    Tile,
    split_bundle,
    tile_hashes,
    tile_width,
)

Range = tuple[int, int]
"""The first and the last entry of a range, counted from 1."""
Progress = Callable[[int], None]
"""Is told how many entries are verified so far."""


class EntryFault(ValueError):
    """Something of the export is wrong from the entry ``first_bad`` on, where one is known."""

    def __init__(self, first_bad: int | None, text: str) -> None:
        super().__init__(text)
        self.first_bad = first_bad


class TreeReader:
    """Reads the tiles once, from the first entry on, and holds each to its parent."""

    def __init__(
        self,
        folder: Path,
        size: int,
        destroyed: Sequence[Range] | None,
        progress: Progress | None,
    ) -> None:
        self.folder = folder
        self.size = size
        self.hash_only: list[Range] = []
        self.rows: list[list[bytes]] = []
        """The last tile of each level, for the tree's root."""
        self._destroyed = destroyed
        self._progress = progress

    def tiles(self) -> None:
        """Check every tile against the entries, and against the tile above it.

        Raises:
            EntryFault, FileFault: the first entry that is bad, and where.
        """
        for index in range(-(-self.size // TILE_WIDTH)):
            tile = Tile(0, index, tile_width(self.size, 0, index))
            hashes = self.read(tile)
            self._entries(tile.bundle(), hashes)
            self._last(0, hashes)
            if tile.width == TILE_WIDTH:
                self._carry(1, index, subtree_root(hashes))
            if self._progress is not None:
                self._progress(tile.start + tile.width)

    def read(self, tile: Tile) -> list[bytes]:
        """Read the hashes of a tile that must be there."""
        data = read_file(self.folder, tile.path, MAX_TILE_BYTES)
        if data is None:
            raise FileFault(tile.path, "missing")
        if len(data) != tile.width * HASH_BYTES:
            raise FileFault(tile.path, f"{len(data)} bytes instead of {tile.width * HASH_BYTES}")
        return tile_hashes(data)

    def _carry(self, level: int, index: int, root: bytes) -> None:
        """Hold the root of a full tile to its place in the tile above, and so on up."""
        number, place = divmod(index, TILE_WIDTH)
        tile = Tile(level, number, tile_width(self.size, level, number))
        if place == 0:
            self._last(level, self.read(tile))
        hashes = self.rows[level]
        if hashes[place] != root:
            first = (index << (TILE_HEIGHT * level)) + 1
            below = Tile(level - 1, index).path
            raise EntryFault(first, f"{tile.path}: hash {place} is not the root of {below}")
        if place == TILE_WIDTH - 1:
            self._carry(level + 1, number, subtree_root(hashes))

    def _last(self, level: int, hashes: list[bytes]) -> None:
        if level == len(self.rows):
            self.rows.append([])
        self.rows[level] = hashes

    def _entries(self, bundle: Tile, hashes: list[bytes]) -> None:
        """Hold the entries of a bundle to their hashes; none where they were destroyed."""
        data = read_file(self.folder, bundle.path, MAX_BUNDLE_BYTES)
        if data is None:
            self._absent(bundle)
            return
        entries, rest = split_bundle(data, bundle.width)
        found = leaf_hashes(entries)
        if found == hashes and not rest:
            return
        for place, (one, wanted) in enumerate(zip(found, hashes, strict=False), bundle.start + 1):
            if one != wanted:
                raise EntryFault(place, f"{bundle.path}: entry {place} does not have its hash")
        if len(entries) < bundle.width:
            place = bundle.start + len(entries) + 1
            raise EntryFault(place, f"{bundle.path}: ends before or within entry {place}")
        raise FileFault(bundle.path, f"goes on {rest} bytes after its {bundle.width} entries")

    def _absent(self, bundle: Tile) -> None:
        first, last = bundle.start + 1, bundle.start + bundle.width
        if self._destroyed is not None and not any(
            begin <= last and first <= end for begin, end in self._destroyed
        ):
            raise FileFault(bundle.path, "missing, and none of its entries is said to be destroyed")
        if self.hash_only and self.hash_only[-1][1] == first - 1:
            first = self.hash_only.pop()[0]
        self.hash_only.append((first, last))

    def root(self) -> bytes:
        """Give the root of the tree, from the last tiles."""
        above: list[bytes] = []
        for level, hashes in enumerate(self.rows):
            full = self.size >> (TILE_HEIGHT * level)
            # A full last tile is a hash of the tile above already.
            row = [*(hashes if full % TILE_WIDTH else ()), *above]
            above = [subtree_root(row)] if row else []
        return above[0] if above else EMPTY_ROOT
