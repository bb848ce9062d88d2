"""Tiles: their paths and widths, bundles, and ranges read from them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.evidence.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    verify_consistency,
    verify_inclusion,
)
from schemas.evidence.tiles import (
    ENTRIES,
    HashReader,
    Tile,
    TileError,
    decode_bundle,
    encode_bundle,
    parse_path,
    split_bundle,
    tile_hashes,
    tile_width,
    tiles_of,
)
from tests.evidence.exports import MadeLog, mth, sample_entries

pytestmark = pytest.mark.unit

LOG = MadeLog(sample_entries(70_000))

entry_lists = st.lists(st.binary(max_size=300), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(1, 999, 8), "tile/1/999.p/8"),
        (Tile(0, 1000), "tile/0/x001/000"),
        (Tile(63, 1234067), "tile/63/x001/x234/067"),
        (Tile(ENTRIES, 1234067, 255), "tile/entries/x001/x234/067.p/255"),
    ],
)
def test_paths_are_those_of_the_specification(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert parse_path(path) == tile


@given(st.integers(ENTRIES, 63), st.integers(0, 10**12) | st.integers(0, 2000), st.integers(1, 256))
def test_paths_round_trip(level: int, index: int, width: int) -> None:
    tile = Tile(level, index, width)
    assert parse_path(tile.path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "checkpoint",
        "tile/0/0",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/x000/000",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/300",
        "tile/0/000/",
        "tile/0/000\n",
        "tile/0/\u0660\u0660\u0660",
        "tile/data/000",
        "/tile/0/000",
    ],
)
def test_other_paths_are_refused(path: str) -> None:
    with pytest.raises(TileError):
        parse_path(path)


def test_the_tiles_of_the_specifications_examples() -> None:
    tiles = list(tiles_of(70_000))
    assert tiles[:273] == [Tile(0, index) for index in range(273)]
    assert tiles[273:] == [Tile(0, 273, 112), Tile(1, 0), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert list(tiles_of(256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles_of(0)) == []


@given(st.integers(0, 200_000))
def test_a_tile_has_the_width_that_its_tree_gives_it(size: int) -> None:
    tiles = list(tiles_of(size))
    assert all(tile_width(size, one.level, one.index) == one.width for one in tiles)
    assert all(
        tile_width(size, level, sum(one.level == level for one in tiles)) == 0 for level in range(5)
    )
    assert sum(one.width for one in tiles if one.level == 0) == size


def test_where_a_tile_begins() -> None:
    assert Tile(0, 3).start == 768
    assert Tile(ENTRIES, 3).start == 768
    assert Tile(2, 1).start == 1 << 24


@given(entry_lists)
def test_bundles_round_trip(entries: list[bytes]) -> None:
    assert decode_bundle(encode_bundle(entries), len(entries)) == entries


@given(entry_lists, st.data())
def test_a_bundle_that_is_cut_or_goes_on_is_refused(
    entries: list[bytes], data: st.DataObject
) -> None:
    whole = encode_bundle(entries)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(TileError, match="ends within"):
        decode_bundle(whole[:cut], len(entries))
    read, rest = split_bundle(whole[:cut], len(entries))
    assert read == entries[: len(read)]
    assert sum(2 + len(entry) for entry in read) + rest == cut
    with pytest.raises(TileError, match="goes on 1 bytes"):
        decode_bundle(whole + b"\0", len(entries))


def test_what_no_bundle_can_hold_is_refused() -> None:
    assert decode_bundle(encode_bundle([b"x" * 65_535]), 1) == [b"x" * 65_535]
    with pytest.raises(TileError, match="65536 bytes"):
        encode_bundle([b"x" * 65_536])
    for count in (0, 257):
        with pytest.raises(TileError, match=f"not {count}"):
            encode_bundle([b""] * count)


@pytest.mark.parametrize("length", [0, 31, 33, 257 * 32])
def test_bytes_that_are_no_tile_are_refused(length: int) -> None:
    with pytest.raises(TileError):
        tile_hashes(bytes(length))


def test_a_tile_is_cut_into_its_hashes() -> None:
    assert tile_hashes(LOG.tile(0, 273, 112)) == LOG.rows[0][-112:]


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 600, 65_535, 65_536, 65_537, 70_000])
def test_a_reader_gives_the_root_of_the_tree(size: int) -> None:
    reader = HashReader(size, LOG.tile)
    assert reader.root() == LOG.root(size)
    assert reader.range_root(0, 0) == EMPTY_ROOT


@given(st.integers(1, 70_000), st.data())
@settings(max_examples=100)
def test_proofs_from_tiles_verify(size: int, data: st.DataObject) -> None:
    reader = HashReader(size, LOG.tile)
    index, first = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    root = LOG.root(size)
    proof = inclusion_proof(index, size, reader.range_root)
    verify_inclusion(LOG.rows[0][index], index, size, proof, root)
    grown = consistency_proof(first, size, reader.range_root)
    verify_consistency(first, LOG.root(first), size, root, grown)


def test_a_range_is_what_the_definition_says() -> None:
    reader = HashReader(600, LOG.tile)
    for begin, end in [(0, 600), (512, 600), (256, 512), (592, 600), (0, 1), (599, 600)]:
        assert reader.range_root(begin, end) == mth(LOG.rows[0][begin:end])


def test_a_tile_is_read_once() -> None:
    asked: list[tuple[int, int, int]] = []

    def read(level: int, index: int, width: int) -> bytes:
        asked.append((level, index, width))
        return LOG.tile(level, index, width)

    reader = HashReader(70_000, read)
    for _ in range(3):
        inclusion_proof(69_999, 70_000, reader.range_root)
    assert sorted(asked) == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]


def test_a_range_that_is_not_in_the_tree_or_no_subtree_is_refused() -> None:
    reader = HashReader(600, LOG.tile)
    with pytest.raises(ValueError, match="not in a tree of 600"):
        reader.range_root(0, 601)
    with pytest.raises(ValueError, match="not a subtree"):
        reader.range_root(1, 3)


def test_a_tile_of_another_length_is_refused() -> None:
    reader = HashReader(600, lambda level, index, width: LOG.tile(level, index, width)[:-32])
    with pytest.raises(TileError, match=r"tile/0/002\.p/88 has 87 hashes"):
        reader.range_root(512, 600)
