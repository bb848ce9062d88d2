"""Checkpoints, the signed heads of a log's tree (https://c2sp.org/tlog-checkpoint)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from schemas.evidence.keys import (
    NoteError,
    Verifier,
    check_text,
    decode_base64,
    encode_base64,
)
from schemas.evidence.merkle import EMPTY_ROOT, HASH_BYTES
from schemas.evidence.note import SignedNote

MAX_SIZE = (1 << 63) - 1

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_LEAST_LINES = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log states: of ``origin``, the tree of ``size`` entries has this root.

    Raises:
        NoteError: such a checkpoint cannot be written.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for line in (self.origin, *self.extensions):
            if not line or "\n" in line:
                raise NoteError("a line of a checkpoint is empty or broken")
        check_text(self.text())
        if not 0 <= self.size <= MAX_SIZE:
            raise NoteError("a checkpoint cannot state this size")
        if len(self.root) != HASH_BYTES:
            raise NoteError(f"a checkpoint's root is {HASH_BYTES} bytes long")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise NoteError("the root of a tree without entries is SHA-256 of nothing")

    def text(self) -> str:
        """Write the note text that is signed."""
        lines = (self.origin, str(self.size), encode_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a note's text; only the one way to write it is accepted.

        Raises:
            NoteError: it is not a checkpoint's.
        """
        lines = text.split("\n")
        if lines.pop() or len(lines) < _LEAST_LINES:
            raise NoteError("not a checkpoint: origin, tree size and root hash are needed")
        origin, size, root, *extensions = lines
        if _SIZE.fullmatch(size) is None:
            raise NoteError("the second line of a checkpoint is the tree size in digits")
        return cls(origin, int(size), decode_base64(root), tuple(extensions))


def open_checkpoint(note: SignedNote, verifiers: Iterable[Verifier]) -> Checkpoint:
    """Give the checkpoint of a note that one of these log keys has signed.

    Only a key whose name is the checkpoint's origin counts: a key that is trusted for one log
    must not vouch for another.

    Raises:
        NoteError: none has signed it, a signature does not verify, or it is no checkpoint.
    """
    signed_by = note.verified(verifiers)
    checkpoint = Checkpoint.parse(note.text)
    if all(one.name != checkpoint.origin for one in signed_by):
        raise NoteError(f"no key that was given has signed a checkpoint of {checkpoint.origin}")
    return checkpoint
