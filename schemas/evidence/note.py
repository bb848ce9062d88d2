"""Signed notes: a text and the signatures of some keys (https://c2sp.org/signed-note)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from schemas.evidence.keys import (
    DASH,
    ID_BYTES,
    Cosigner,
    CosignerVerifier,
    NoteError,
    Signer,
    Verifier,
    check_name,
    check_text,
    decode_base64,
    signature_line,
)

__all__ = [
    "MAX_NOTE_BYTES",
    "AnyVerifier",
    "Cosignature",
    "Cosigner",
    "CosignerVerifier",
    "NoteError",
    "Signature",
    "SignedNote",
    "Signer",
    "Verifier",
    "written",
]

MAX_NOTE_BYTES = 1 << 18
"""More is not read: room for dozens of signatures of any assigned type."""
MAX_SIGNATURES = 100

VerifierT = TypeVar("VerifierT", bound="AnyVerifier")


class AnyVerifier(Protocol):
    """What checks the signatures of one key."""

    @property
    def name(self) -> str:
        """The key's name."""
        ...

    @property
    def key_id(self) -> int:
        """The key's 32-bit id."""
        ...

    @property
    def keys(self) -> "Sequence[AnyVerifier]":
        """This key, and those that its owner had before."""
        ...

    def verify(self, text: str, signature: bytes) -> bool:
        """Say whether the bytes after the key id sign this note text."""
        ...


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: the key's name and id, and the bytes that follow the id."""

    name: str
    key_id: int
    signature: bytes

    def line(self) -> str:
        """Write the line, with its newline."""
        return signature_line(self.name, self.key_id, self.signature)

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read a line (without its newline).

        Raises:
            NoteError: it is not a signature line.
        """
        name, space, text = line.removeprefix(DASH).partition(" ")
        if not line.startswith(DASH) or not space:
            raise NoteError("a line after the note's text is not a signature line")
        check_name(name)
        raw = decode_base64(text)
        if len(raw) <= ID_BYTES:
            raise NoteError(f"the signature line of {name} has no signature")
        return cls(name, int.from_bytes(raw[:ID_BYTES], "big"), raw[ID_BYTES:])


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A cosignature that verified; ``at`` is in seconds since 1970-01-01T00:00Z."""

    name: str
    at: int


def written(text: str, lines: Sequence[str]) -> str:
    """Write a note of a text and its signature lines, which are taken as they are."""
    return f"{text}\n{''.join(lines)}"


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A text and its signatures. Ignore the text until ``verified`` names a key you trust."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, data: bytes | str) -> Self:
        """Read a note; nothing but the one way to write it is accepted.

        Raises:
            NoteError: it is not a well-formed signed note.
        """
        whole = _decode(data)
        text, blank, lines = whole.rpartition("\n\n")
        if not blank or not lines.endswith("\n"):
            raise NoteError("not a signed note: text, an empty line, signature lines")
        check_text(f"{text}\n")
        signatures = tuple(Signature.parse(line) for line in lines[:-1].split("\n"))
        if len(signatures) > MAX_SIGNATURES:
            raise NoteError(f"the note has more than {MAX_SIGNATURES} signatures")
        return cls(f"{text}\n", signatures)

    @classmethod
    def signed(cls, text: str, lines: Sequence[str]) -> Self:
        """Put a text and the lines that ``Signer.sign`` and ``Cosigner.sign`` gave together."""
        return cls.parse(written(text, lines))

    def with_line(self, line: str) -> Self:
        """Give the note with one more signature line, such as a cosignature."""
        added = Signature.parse(line.removesuffix("\n"))
        return type(self)(self.text, (*self.signatures, added))

    def encode(self) -> bytes:
        """Write the note."""
        return f"{self.text}\n{''.join(one.line() for one in self.signatures)}".encode()

    def verified(self, verifiers: Iterable[VerifierT]) -> list[VerifierT]:
        """Give the verifiers whose signature stands, in their order; none may be known.

        The signature of a key that a verifier had before counts as its own.

        Signatures of other keys are ignored, as the specification says.

        Raises:
            NoteError: a signature of one of these keys does not verify.
        """
        return [one for one in verifiers if self._signatures_of_owner(one)]

    def cosigned(self, verifiers: Iterable[CosignerVerifier]) -> list[Cosignature]:
        """Give the cosignatures of these cosigners, each with its latest time.

        Raises:
            NoteError: a signature of one of these keys does not verify.
        """
        found = ((one.name, self._signatures_of(one)) for one in verifiers)
        return [
            Cosignature(name, max(CosignerVerifier.time(one.signature) for one in signatures))
            for name, signatures in found
            if signatures
        ]

    def _signatures_of_owner(self, verifier: AnyVerifier) -> list[Signature]:
        return [one for key in verifier.keys for one in self._signatures_of(key)]

    def _signatures_of(self, verifier: AnyVerifier) -> list[Signature]:
        of_key = [
            one
            for one in self.signatures
            if (one.name, one.key_id) == (verifier.name, verifier.key_id)
        ]
        for one in of_key:
            if not verifier.verify(self.text, one.signature):
                raise NoteError(f"the signature of {verifier.name} does not verify")
        return of_key


def _decode(data: bytes | str) -> str:
    if len(data) > MAX_NOTE_BYTES:
        raise NoteError(f"the note is longer than {MAX_NOTE_BYTES} bytes")
    try:
        raw = data.encode("utf-8") if isinstance(data, str) else data
        return raw.decode("utf-8")
    except UnicodeError:
        raise NoteError("the note is not UTF-8") from None
