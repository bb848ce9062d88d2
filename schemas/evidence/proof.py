"""Self-contained proof files: that an entry is in the log, and that a log only grew.

An inclusion proof has the form ``c2sp.org/tlog-proof@v1`` (https://c2sp.org/tlog-proof). The
entry itself stands in its ``extra`` line; it is proved, since its hash is what the proof is for::

    c2sp.org/tlog-proof@v1
    extra <the entry, base64>
    index <its number, counted from 0>
    <hash, base64>        any number of lines
                          an empty line
    <checkpoint>

C2SP has no file for consistency. This one has two checkpoints of the same log, earlier first::

    renkei-hub/tlog-consistency@v1
    <hash, base64>        any number of lines
                          an empty line
    <earlier checkpoint>
                          an empty line
    <later checkpoint>
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from schemas.evidence.checkpoint import Checkpoint, open_checkpoint
from schemas.evidence.keys import CosignerVerifier, NoteError, decode_base64, encode_base64
from schemas.evidence.merkle import (
    HASH_BYTES,
    ProofError,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from schemas.evidence.note import MAX_NOTE_BYTES, Cosignature, SignedNote, Verifier
from schemas.evidence.tiles import MAX_ENTRY_BYTES

__all__ = [
    "ConsistencyProof",
    "InclusionProof",
    "ProofError",
    "ProvedConsistency",
    "ProvedInclusion",
]

INCLUSION = "c2sp.org/tlog-proof@v1"
CONSISTENCY = "renkei-hub/tlog-consistency@v1"
MAX_FILE_BYTES = 2 * MAX_NOTE_BYTES + 2 * MAX_ENTRY_BYTES
MAX_HASHES = 64
"""More than this no tree of up to 2**63 entries needs."""

_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)
_CONSISTENCY_PARTS = 5


@dataclass(frozen=True, slots=True)
class ProvedInclusion:
    """What an inclusion proof proved: the entry stands at ``index`` (from 0) of the log."""

    checkpoint: Checkpoint
    index: int
    entry: bytes
    cosignatures: tuple[Cosignature, ...]


@dataclass(frozen=True, slots=True)
class ProvedConsistency:
    """What a consistency proof proved: the later tree begins with the whole earlier one."""

    first: Checkpoint
    second: Checkpoint
    cosignatures: tuple[Cosignature, ...]
    """Those of the later checkpoint."""


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """A proof that an entry is in the log; ``entry`` may be left out and be given to check."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: SignedNote
    entry: bytes | None

    def encode(self) -> bytes:
        """Write the file; its name should end in ``.tlog-proof``."""
        extra = [] if self.entry is None else [f"extra {encode_base64(self.entry)}"]
        lines = [INCLUSION, *extra, f"index {self.index}", *_written(self.hashes), "", ""]
        return "\n".join(lines).encode() + self.checkpoint.encode()

    @classmethod
    def parse(cls, data: bytes | str) -> Self:
        """Read a file; only the one way to write it is accepted.

        Raises:
            ProofError: it is no inclusion proof.
        """
        head, blank, rest = _decode(data).partition("\n\n")
        first, *lines = head.split("\n")
        if first != INCLUSION or not blank:
            raise ProofError(f"not an inclusion proof: its first line is not {INCLUSION}")
        entry = None
        if lines and lines[0].startswith("extra "):
            entry = _base64(lines.pop(0).removeprefix("extra "), "the extra line")
        index = _INDEX.fullmatch(lines.pop(0)) if lines else None
        if index is None:
            raise ProofError("the proof has no index line")
        return cls(int(index[1]), _hashes(lines), _note(rest), entry)

    def check(
        self,
        verifiers: Iterable[Verifier],
        cosigners: Iterable[CosignerVerifier] = (),
        entry: bytes | None = None,
    ) -> ProvedInclusion:
        """Check everything, and give what is proved.

        ``cosigners`` are the second parties that are known; their cosignatures must verify where
        they stand, but need not be there. ``entry`` is needed where the file has none.

        Raises:
            ProofError: it is not proved; the text says why.
        """
        proved = self.entry if entry is None else entry
        if proved is None:
            raise ProofError("the proof does not hold its entry; give the entry to check it")
        if self.entry not in (None, proved):
            raise ProofError("the proof holds another entry than the one that was given")
        checkpoint, cosignatures = _opened(self.checkpoint, verifiers, cosigners)
        leaf = leaf_hash(proved)
        verify_inclusion(leaf, self.index, checkpoint.size, self.hashes, checkpoint.root)
        return ProvedInclusion(checkpoint, self.index, proved, cosignatures)


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """A proof that the tree of ``second`` begins with the whole tree of ``first``."""

    first: SignedNote
    second: SignedNote
    hashes: tuple[bytes, ...]

    def encode(self) -> bytes:
        """Write the file."""
        head = "\n".join([CONSISTENCY, *_written(self.hashes), "", ""]).encode()
        return head + self.first.encode() + b"\n" + self.second.encode()

    @classmethod
    def parse(cls, data: bytes | str) -> Self:
        """Read a file; only the one way to write it is accepted.

        Raises:
            ProofError: it is no consistency proof.
        """
        # A checkpoint's text has no empty line, so each note has exactly one.
        parts = _decode(data).split("\n\n")
        name, *lines = parts[0].split("\n")
        if name != CONSISTENCY or len(parts) != _CONSISTENCY_PARTS:
            raise ProofError(f"not a consistency proof: its first line is not {CONSISTENCY}")
        first, second = _note("\n\n".join(parts[1:3]) + "\n"), _note("\n\n".join(parts[3:]))
        return cls(first, second, _hashes(lines))

    def check(
        self, verifiers: Sequence[Verifier], cosigners: Sequence[CosignerVerifier] = ()
    ) -> ProvedConsistency:
        """Check everything, and give what is proved; ``cosigners`` as for an inclusion proof.

        Raises:
            ProofError: it is not proved; the text says why.
        """
        first, _ = _opened(self.first, verifiers, cosigners)
        second, cosignatures = _opened(self.second, verifiers, cosigners)
        if first.origin != second.origin:
            raise ProofError("the two checkpoints are of different logs")
        verify_consistency(first.size, first.root, second.size, second.root, self.hashes)
        return ProvedConsistency(first, second, cosignatures)


def _opened(
    note: SignedNote, verifiers: Iterable[Verifier], cosigners: Iterable[CosignerVerifier]
) -> tuple[Checkpoint, tuple[Cosignature, ...]]:
    try:
        return open_checkpoint(note, verifiers), tuple(note.cosigned(cosigners))
    except NoteError as error:
        raise ProofError(f"the proof's checkpoint cannot be trusted: {error}") from error


def _decode(data: bytes | str) -> str:
    if len(data) > MAX_FILE_BYTES:
        raise ProofError(f"the proof is longer than {MAX_FILE_BYTES} bytes")
    try:
        return data if isinstance(data, str) else data.decode("utf-8")
    except UnicodeDecodeError:
        raise ProofError("the proof is not UTF-8") from None


def _written(hashes: Sequence[bytes]) -> list[str]:
    return [encode_base64(one) for one in hashes]


def _hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    if len(lines) > MAX_HASHES:
        raise ProofError(f"the proof has more than {MAX_HASHES} hashes")
    hashes = tuple(_base64(line, "a hash") for line in lines)
    if any(len(one) != HASH_BYTES for one in hashes):
        raise ProofError(f"a hash of the proof is not {HASH_BYTES} bytes long")
    return hashes


def _base64(text: str, what: str) -> bytes:
    try:
        return decode_base64(text)
    except NoteError as error:
        raise ProofError(f"{what} of the proof is {error}") from error


def _note(text: str) -> SignedNote:
    try:
        return SignedNote.parse(text)
    except NoteError as error:
        raise ProofError(f"a checkpoint of the proof cannot be read: {error}") from error
