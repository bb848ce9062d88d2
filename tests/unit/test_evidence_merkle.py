"""The Merkle tree: the vectors that RFC 6962 implementations share, and every size and place."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.evidence.merkle import (
    EMPTY_ROOT,
    Node,
    Peaks,
    ProofError,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    leaf_hashes,
    node_hash,
    subtree_root,
    verify_consistency,
    verify_inclusion,
)
from tests.evidence.exports import mth

pytestmark = pytest.mark.unit

ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
MOST = 600
LEAVES = leaf_hashes([b"%d" % number for number in range(MOST)])

sizes = st.integers(1, MOST)


def roots_of(leaves: list[bytes]) -> Callable[[int, int], bytes]:
    return lambda begin, end: mth(leaves[begin:end])


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_the_tree_of_the_shared_vectors_has_their_roots(size: int) -> None:
    peaks = Peaks()
    peaks.extend(leaf_hashes(ENTRIES[:size]))
    assert peaks.root().hex() == ROOTS[size]
    assert (subtree_root(leaf_hashes(ENTRIES[:size])) if size else EMPTY_ROOT) == peaks.root()


@pytest.mark.parametrize(
    ("index", "size", "proof"),
    [
        (0, 1, []),
        (0, 8, [A, B, C]),
        (5, 8, [D, E, ROOTS[4]]),
        (2, 3, [ROOTS[2]]),
        (1, 5, [ROOTS[1], B, D]),
    ],
)
def test_inclusion_proofs_of_the_shared_vectors(index: int, size: int, proof: list[str]) -> None:
    made = inclusion_proof(index, size, roots_of(leaf_hashes(ENTRIES)))
    assert [one.hex() for one in made] == proof
    verify_inclusion(leaf_hash(ENTRIES[index]), index, size, made, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(
    ("first", "second", "proof"),
    [
        (1, 1, []),
        (1, 8, [A, B, C]),
        (6, 8, [F, E, ROOTS[4]]),
        (2, 5, [B, D]),
    ],
)
def test_consistency_proofs_of_the_shared_vectors(
    first: int, second: int, proof: list[str]
) -> None:
    made = consistency_proof(first, second, roots_of(leaf_hashes(ENTRIES)))
    assert [one.hex() for one in made] == proof
    roots = [bytes.fromhex(ROOTS[size]) for size in (first, second)]
    verify_consistency(first, roots[0], second, roots[1], made)


def test_every_size_has_the_root_that_the_definition_gives() -> None:
    peaks = Peaks()
    for size in range(MOST):
        assert peaks.size == size
        assert peaks.root() == mth(LEAVES[:size])
        assert len(peaks.hashes) == size.bit_count()
        if 1 <= size <= 256:
            assert subtree_root(LEAVES[:size]) == peaks.root()
        peaks.extend(LEAVES[size : size + 1])


@given(sizes, st.lists(st.integers(1, 300), max_size=8))
@settings(max_examples=60)
def test_batches_of_any_sizes_give_the_same_tree(size: int, batches: list[int]) -> None:
    peaks, completed, at = Peaks(), [], 0
    for batch in [*batches, size]:
        part = LEAVES[at : min(size, at + batch)]
        at += len(part)
        peaks = Peaks(peaks.size, peaks.hashes)  # as when it was stored meanwhile
        completed += peaks.extend(part)
    assert peaks.root() == mth(LEAVES[:size])
    assert completed == [
        Node(8, index, mth(LEAVES[index * 256 : index * 256 + 256])) for index in range(size // 256)
    ]


def test_subtrees_of_height_16_come_after_those_of_height_8() -> None:
    leaves = [leaf_hash(b"")] * (1 << 16)
    completed = Peaks().extend(leaves)
    assert [(one.height, one.index) for one in completed] == [
        *((8, index) for index in range(256)),
        (16, 0),
    ]
    assert completed[-1].hash == subtree_root([one.hash for one in completed[:-1]])


def test_a_copy_is_extended_alone() -> None:
    peaks = Peaks()
    peaks.extend(LEAVES[:5])
    peaks.copy().extend(LEAVES[5:9])
    assert (peaks.size, peaks.root()) == (5, mth(LEAVES[:5]))


def test_every_entry_of_every_size_up_to_70_is_proved_and_nothing_else() -> None:
    for size in range(1, 71):
        root = mth(LEAVES[:size])
        for index in range(size):
            proof = inclusion_proof(index, size, roots_of(LEAVES))
            verify_inclusion(LEAVES[index], index, size, proof, root)
            for other in (index - 1, index + 1, size):
                with pytest.raises(ProofError):
                    verify_inclusion(LEAVES[index], other, size, proof, root)


def test_every_pair_of_sizes_up_to_70_is_consistent_and_no_other_root_is() -> None:
    roots = [mth(LEAVES[:size]) for size in range(71)]
    for second in range(71):
        for first in range(second + 1):
            proof = consistency_proof(first, second, roots_of(LEAVES))
            verify_consistency(first, roots[first], second, roots[second], proof)
            with pytest.raises(ProofError):
                verify_consistency(first, LEAVES[99], second, roots[second], proof)
            if first:  # an empty tree says nothing about the later one
                with pytest.raises(ProofError):
                    verify_consistency(first, roots[first], second, LEAVES[99], proof)


@given(sizes, st.data())
@settings(max_examples=150)
def test_an_altered_inclusion_proof_fails(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    root = mth(LEAVES[:size])
    proof = inclusion_proof(index, size, roots_of(LEAVES))
    verify_inclusion(LEAVES[index], index, size, proof, root)
    whole = [LEAVES[index], *proof, root]
    for altered in altered_lists(whole, data.draw(st.randoms(use_true_random=False))):
        with pytest.raises(ProofError):
            verify_inclusion(altered[0], index, size, altered[1:-1], altered[-1])


@given(sizes, st.data())
@settings(max_examples=150)
def test_an_altered_consistency_proof_fails(second: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, second))
    proof = consistency_proof(first, second, roots_of(LEAVES))
    whole = [mth(LEAVES[:first]), *proof, mth(LEAVES[:second])]
    verify_consistency(first, whole[0], second, whole[-1], proof)
    for altered in altered_lists(whole, data.draw(st.randoms(use_true_random=False))):
        with pytest.raises(ProofError):
            verify_consistency(first, altered[0], second, altered[-1], altered[1:-1])


def altered_lists(whole: list[bytes], chance: random.Random) -> list[list[bytes]]:
    """Give a list with each hash altered, one left out, one put in, and one cut."""
    found = []
    for place, one in enumerate(whole):
        bit = chance.randrange(len(one) * 8)
        flipped = bytearray(one)
        flipped[bit // 8] ^= 1 << bit % 8
        found.append([*whole[:place], bytes(flipped), *whole[place + 1 :]])
    place = chance.randrange(1, len(whole))
    found.append([*whole[:place], chance.randbytes(32), *whole[place:]])
    found.append([*whole[:place], whole[place][:31], *whole[place + 1 :]])
    if len(whole) > 2:
        place = chance.randrange(1, len(whole) - 1)
        found.append([*whole[:place], *whole[place + 1 :]])
    return found


@pytest.mark.parametrize("proof", [[], [LEAVES[0]] * 70])
def test_a_proof_of_the_wrong_length_fails(proof: list[bytes]) -> None:
    with pytest.raises(ProofError, match=r"too (few|many) hashes"):
        verify_inclusion(LEAVES[0], 0, 8, proof, mth(LEAVES[:8]))
    with pytest.raises(ProofError, match=r"too (few|many) hashes"):
        verify_consistency(3, mth(LEAVES[:3]), 8, mth(LEAVES[:8]), proof)


def test_what_no_tree_has_is_refused() -> None:
    with pytest.raises(ValueError, match="no entry at index 8"):
        inclusion_proof(8, 8, node_hash_of_nothing)
    with pytest.raises(ValueError, match="cannot begin"):
        consistency_proof(9, 8, node_hash_of_nothing)
    with pytest.raises(ProofError, match="cannot begin"):
        verify_consistency(9, EMPTY_ROOT, 8, EMPTY_ROOT, [])
    with pytest.raises(ProofError, match="SHA-256 of nothing"):
        verify_consistency(0, LEAVES[0], 8, mth(LEAVES[:8]), [])
    with pytest.raises(ProofError, match="two different roots"):
        verify_consistency(8, LEAVES[0], 8, LEAVES[1], [])
    with pytest.raises(ValueError, match="3 peaks"):
        Peaks(8, LEAVES[:3])
    with pytest.raises(ValueError, match="32 bytes"):
        Peaks(1, [b"short"])
    for number in (0, 257):
        with pytest.raises(ValueError, match="1 to 256"):
            subtree_root(LEAVES[:number])


def test_a_bad_leaf_appends_nothing() -> None:
    peaks = Peaks()
    with pytest.raises(ValueError, match="32 bytes"):
        peaks.extend([LEAVES[0], b"short"])
    assert (peaks.size, peaks.root()) == (0, EMPTY_ROOT)


def node_hash_of_nothing(begin: int, end: int) -> bytes:
    raise AssertionError((begin, end))


def test_leaves_and_nodes_are_told_apart() -> None:
    assert leaf_hash(LEAVES[0] + LEAVES[1]) != node_hash(LEAVES[0], LEAVES[1])
