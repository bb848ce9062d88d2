"""The Merkle tree of RFC 6962 section 2.1 (RFC 9162 section 2.1) with SHA-256.

Entries are leaves, counted from 0. ``MTH(D[begin:end])`` of the RFCs is called a range root.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

HASH_BYTES = 32
TILE_HEIGHT = 8
"""Subtrees of this height, and of its multiples, are entries of tlog-tiles tiles."""
TILE_WIDTH = 1 << TILE_HEIGHT

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of the tree that has no entry."""

_LEAF = b"\x00"
_NODE = b"\x01"

RangeRoot = Callable[[int, int], bytes]
"""Gives the root of the entries ``begin`` (counted from 0) to ``end`` (exclusive)."""


class ProofError(ValueError):
    """A proof does not prove what it should."""


@dataclass(frozen=True, slots=True)
class Node:
    """A perfect subtree: the entries ``index << height`` to ``(index + 1) << height``."""

    height: int
    index: int
    hash: bytes


def leaf_hash(entry: bytes) -> bytes:
    """Give the hash of an entry: SHA-256(0x00 || entry)."""
    return hashlib.sha256(_LEAF + entry).digest()


def leaf_hashes(entries: Sequence[bytes]) -> list[bytes]:
    """Give the hash of each entry; what ``leaf_hash`` gives, quicker for many."""
    sha256, leaf = hashlib.sha256, _LEAF
    return [sha256(leaf + entry).digest() for entry in entries]


def node_hash(left: bytes, right: bytes) -> bytes:
    """Give the hash of an inner node: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(_NODE + left + right).digest()


class Peaks:
    """The roots of the perfect subtrees that a tree from entry 0 consists of.

    This is all that is needed to append. ``hashes`` are largest first, one for each bit that is
    set in ``size``.

    Raises:
        ValueError: the hashes cannot be those of a tree of this size.
    """

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if size < 0 or len(hashes) != size.bit_count():
            raise ValueError(f"a tree of {size} entries does not have {len(hashes)} peaks")
        _check_lengths(hashes)
        heights = [height for height in range(size.bit_length()) if size >> height & 1]
        self._size = size
        self._peaks = dict(zip(reversed(heights), hashes, strict=True))

    @property
    def size(self) -> int:
        """The number of entries."""
        return self._size

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """The roots of the perfect subtrees, largest first."""
        return tuple(self._peaks[height] for height in sorted(self._peaks, reverse=True))

    def copy(self) -> "Peaks":
        """Give peaks that can be extended without changing these."""
        return Peaks(self._size, self.hashes)

    def extend(self, leaves: Sequence[bytes]) -> list[Node]:
        """Append leaf hashes, at the cost of about one hash each.

        Gives each subtree of height 8, 16, 24 … that they complete, lower ones first, then in
        order: the hash at ``index`` of level ``height // 8`` of tlog-tiles.

        Raises:
            ValueError: a leaf is not 32 bytes long; then nothing was appended.
        """
        _check_lengths(leaves)
        completed: list[Node] = []
        row = list(leaves)
        height = 0
        while row:
            before = self._size >> height
            if height and height % TILE_HEIGHT == 0:
                completed += [Node(height, index, one) for index, one in enumerate(row, before)]
            if before & 1:
                row.insert(0, self._peaks.pop(height))
            if len(row) & 1:
                self._peaks[height] = row.pop()
            row = _parents(row)
            height += 1
        self._size += len(leaves)
        return completed

    def root(self) -> bytes:
        """Give the root of the tree."""
        hashes = self.hashes
        return _fold(hashes) if hashes else EMPTY_ROOT


def subtree_root(hashes: Sequence[bytes]) -> bytes:
    """Give the root above 1 to 256 hashes of perfect subtrees of one height.

    The last one may be the root of fewer entries than the others.

    Raises:
        ValueError: there are none, or more than 256, or one is not 32 bytes long.
    """
    if not 1 <= len(hashes) <= TILE_WIDTH:
        raise ValueError(f"1 to {TILE_WIDTH} hashes are needed, not {len(hashes)}")
    _check_lengths(hashes)
    row = list(hashes)
    while len(row) > 1:
        # A last one without a partner goes up as it is: the same as the RFC's split.
        odd = row[-1:] if len(row) & 1 else []
        row = _parents(row) + odd
    return row[0]


def inclusion_proof(index: int, size: int, range_root: RangeRoot) -> list[bytes]:
    """Prove that an entry is in a tree: PATH(m, D[n]) of RFC 9162 section 2.1.3.1.

    Raises:
        ValueError: the tree has no such entry.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} entries has no entry at index {index}")
    begin, end = 0, size
    path: list[bytes] = []
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append(range_root(middle, end))
            end = middle
        else:
            path.append(range_root(begin, middle))
            begin = middle
    return path[::-1]


def consistency_proof(first: int, second: int, range_root: RangeRoot) -> list[bytes]:
    """Prove that a tree begins with an earlier one: PROOF(m, D[n]), RFC 9162 section 2.1.4.1.

    It is empty for equal trees, and for an earlier tree that was empty.

    Raises:
        ValueError: the sizes are not in order.
    """
    if not 0 <= first <= second:
        raise ValueError(f"a tree of {second} entries cannot begin with one of {first}")
    if first == 0:
        return []
    begin, end = 0, second
    path: list[bytes] = []
    while first != end:
        middle = begin + _split(end - begin)
        if first <= middle:
            path.append(range_root(middle, end))
            end = middle
        else:
            path.append(range_root(begin, middle))
            begin = middle
    if begin:
        path.append(range_root(begin, end))
    return path[::-1]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that a leaf hash stands at an index of a tree (RFC 9162 section 2.1.3.2).

    Raises:
        ProofError: it is not proved.
    """
    if not 0 <= index < size:
        raise ProofError(f"a tree of {size} entries has no entry at index {index}")
    _check_proof((leaf, *proof, root))
    fn, sn = index, size - 1
    found = leaf
    for one in proof:
        if sn == 0:
            raise ProofError("the inclusion proof has too many hashes")
        if fn & 1 or fn == sn:
            found = node_hash(one, found)
            fn, sn = _to_odd(fn, sn)
        else:
            found = node_hash(found, one)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise ProofError("the inclusion proof has too few hashes")
    _same(found, root, f"{size} entries")


def verify_consistency(
    first: int, first_root: bytes, second: int, second_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that a tree begins with an earlier one (RFC 9162 section 2.1.4.2).

    Raises:
        ProofError: it is not proved.
    """
    if not 0 <= first <= second:
        raise ProofError(f"a tree of {second} entries cannot begin with one of {first}")
    _check_proof((first_root, *proof, second_root))
    if first in (0, second):
        _verify_without_hashes(first, first_root, second, second_root, proof)
        return
    path = (first_root, *proof) if first.bit_count() == 1 else tuple(proof)
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    found_first = found_second = path[0] if path else first_root
    for one in path[1:]:
        if sn == 0:
            raise ProofError("the consistency proof has too many hashes")
        if fn & 1 or fn == sn:
            found_first = node_hash(one, found_first)
            found_second = node_hash(one, found_second)
            fn, sn = _to_odd(fn, sn)
        else:
            found_second = node_hash(found_second, one)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise ProofError("the consistency proof has too few hashes")
    _same(found_first, first_root, f"the first {first} entries")
    _same(found_second, second_root, f"{second} entries")


def _verify_without_hashes(
    first: int, first_root: bytes, second: int, second_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check the two cases that need no hash: from the empty tree, and to the same tree."""
    if proof:
        raise ProofError("the consistency proof has too many hashes")
    for size, root in ((first, first_root), (second, second_root)):
        if size == 0 and root != EMPTY_ROOT:
            raise ProofError("the root of a tree without entries is not SHA-256 of nothing")
    if first == second and first_root != second_root:
        raise ProofError(f"two different roots for the same {first} entries")


def _to_odd(fn: int, sn: int) -> tuple[int, int]:
    while fn and not fn & 1:
        fn, sn = fn >> 1, sn >> 1
    return fn, sn


def _same(found: bytes, root: bytes, what: str) -> None:
    if found != root:
        raise ProofError(f"the proof does not lead to the root of {what}")


def _parents(row: Sequence[bytes]) -> list[bytes]:
    """Hash pairs; a last one without a partner is left out."""
    sha256, node = hashlib.sha256, _NODE
    pairs = iter(row)
    return [sha256(node + left + right).digest() for left, right in zip(pairs, pairs, strict=False)]


def _fold(hashes: Sequence[bytes]) -> bytes:
    """Give the root above peaks that come largest first."""
    *larger, root = hashes
    for one in reversed(larger):
        root = node_hash(one, root)
    return root


def _split(size: int) -> int:
    """Give the largest power of two that is smaller than the size."""
    return 1 << ((size - 1).bit_length() - 1)


def _check_lengths(hashes: Sequence[bytes]) -> None:
    if set(map(len, hashes)) - {HASH_BYTES}:
        raise ValueError(f"a hash is not {HASH_BYTES} bytes long")


def _check_proof(hashes: Sequence[bytes]) -> None:
    if set(map(len, hashes)) - {HASH_BYTES}:
        raise ProofError(f"a hash of the proof is not {HASH_BYTES} bytes long")
