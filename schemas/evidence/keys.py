"""The keys of signed notes and of checkpoint cosignatures (Ed25519).

Sources: https://c2sp.org/signed-note and https://c2sp.org/tlog-cosignature (``cosignature/v1``);
the text of a private key is that of Go's ``golang.org/x/mod/sumdb/note``.
"""

from typing import Generic, Self, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.evidence.verifiers import (
    COSIGNATURE_V1,
    DASH,
    ED25519,
    ID_BYTES,
    KEY_BYTES,
    MAX_TIME,
    TIME_BYTES,
    CosignerVerifier,
    NoteError,
    PublicKey,
    RetiredVerifier,
    Verifier,
    check_name,
    check_text,
    cosigned_text,
    decode_base64,
    encode_base64,
    key_text,
    log_verifier,
    parse_key,
    signature_line,
)

__all__ = [
    "COSIGNATURE_V1",
    "DASH",
    "ED25519",
    "ID_BYTES",
    "Cosigner",
    "CosignerVerifier",
    "NoteError",
    "RetiredVerifier",
    "Signer",
    "Verifier",
    "check_name",
    "check_text",
    "decode_base64",
    "encode_base64",
    "log_verifier",
    "signature_line",
]

_PRIVATE = "PRIVATE+KEY+"

KeyT = TypeVar("KeyT", bound=PublicKey)


class _PrivateKey(Generic[KeyT]):
    """A named Ed25519 private key; its ``repr`` does not show it."""

    _public: type[KeyT]

    def __init__(self, text: str) -> None:
        name, key_id, kind, seed = parse_key(text.removeprefix(_PRIVATE))
        if not text.startswith(_PRIVATE) or kind != self._public.KIND or len(seed) != KEY_BYTES:
            raise NoteError(f"not a private key: {_PRIVATE}<name>+<hash>+<base64> is needed")
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self._verifier: KeyT = self._public(name, self._key.public_key().public_bytes_raw())
        if self._verifier.key_id != key_id:
            raise NoteError(f"the private key of {name} does not fit its hash; restore it")

    @classmethod
    def generate(cls, name: str) -> Self:
        """Make a new key.

        Raises:
            NoteError: the name is empty, or has a space or a plus sign.
        """
        key = Ed25519PrivateKey.generate()
        verifier = cls._public(name, key.public_key().public_bytes_raw())
        seed = key.private_bytes_raw()
        return cls(_PRIVATE + key_text(name, verifier.key_id, cls._public.KIND, seed))

    @property
    def name(self) -> str:
        """The key's name."""
        return self._verifier.name

    @property
    def verifier(self) -> KeyT:
        """What checks this key's signatures."""
        return self._verifier

    def text(self) -> str:
        """Write the private key. It is secret: whoever has it can sign."""
        seed = self._key.private_bytes_raw()
        return _PRIVATE + key_text(self.name, self._verifier.key_id, self._public.KIND, seed)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    def _line(self, signature: bytes) -> str:
        return signature_line(self.name, self._verifier.key_id, signature)


class Signer(_PrivateKey[Verifier]):
    """Signs notes as a log does.

    The text is a private key; each line after it is a retired verifier key of the same log.

    Raises:
        NoteError: the text is not that.
    """

    _public = Verifier

    def __init__(self, text: str) -> None:
        key, *lines = text.split("\n")
        super().__init__(key)
        retired = map(RetiredVerifier.parse, lines)
        self._verifier = Verifier.with_retired([self._verifier, *retired])
        if any(one.key == self._verifier.key for one in self._verifier.retired):
            raise NoteError(f"the key of {self.name} is in use, and cannot be a retired one too")

    def in_place_of(self, old: "Signer", last: int) -> "Signer":
        """Give this key with the one before it, and all before that, retired.

        ``last`` is the size of the tree that the old one has signed last.

        Raises:
            NoteError: they are not of one log.
        """
        retired = RetiredVerifier(old.name, old.verifier.key, last=last)
        lines = (one.text() for one in (retired, *old.verifier.retired))
        return Signer("\n".join([super().text(), *lines]))

    def text(self) -> str:
        """Write the private key, and the retired ones. It is secret: whoever has it can sign."""
        return "\n".join([super().text(), *(one.text() for one in self._verifier.retired)])

    def sign(self, text: str) -> str:
        """Give the signature line for a note text.

        Raises:
            NoteError: it is no note text.
        """
        check_text(text)
        return self._line(self._key.sign(text.encode()))


class Cosigner(_PrivateKey[CosignerVerifier]):
    """Signs checkpoints as a second party does, with the time.

    Raises:
        NoteError: the text is not such a private key.
    """

    _public = CosignerVerifier

    def sign(self, text: str, at: int) -> str:
        """Give the cosignature line for a checkpoint's text; check its consistency before.

        ``at`` is the time in seconds since 1970-01-01T00:00Z.

        Raises:
            NoteError: it is no note text, or no time.
        """
        check_text(text)
        if not 0 <= at <= MAX_TIME:
            raise NoteError("the time of a cosignature is beyond what can be written")
        return self._line(at.to_bytes(TIME_BYTES, "big") + self._key.sign(cosigned_text(text, at)))
