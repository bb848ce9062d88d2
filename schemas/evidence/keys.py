"""The keys of signed notes and of checkpoint cosignatures (Ed25519).

Sources: https://c2sp.org/signed-note and https://c2sp.org/tlog-cosignature (``cosignature/v1``);
the text of a private key is that of Go's ``golang.org/x/mod/sumdb/note``.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import ClassVar, Generic, Self, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = 0x01
"""The signature type of a note's Ed25519 signature."""
COSIGNATURE_V1 = 0x04
"""The signature type of a timestamped Ed25519 cosignature."""

_PRIVATE = "PRIVATE+KEY+"
DASH = "\u2014 "
"""What a signature line begins with."""
ID_BYTES = 4
_KEY_BYTES = 32
_TIME_BYTES = 8
_ED25519_BYTES = 64
_MAX_TIME = (1 << 63) - 1


class NoteError(ValueError):
    """A note or a key is not well-formed, or a signature does not verify."""


@dataclass(frozen=True)
class _PublicKey:
    """A named Ed25519 key; ``KIND`` is the signature type."""

    name: str
    key: bytes
    KIND: ClassVar[int]

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.key) != _KEY_BYTES:
            raise NoteError(f"an Ed25519 key has {_KEY_BYTES} bytes")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a verifier key (vkey), ``<name>+<hash>+<base64>``.

        Raises:
            NoteError: it is not the verifier key of this kind of Ed25519 key.
        """
        name, _, kind, key = _parse_key(text)
        if kind != cls.KIND:
            raise NoteError(f"the key of {name} has signature type {kind}, not {cls.KIND}")
        found = cls(name, key)
        if found.text() != text:
            raise NoteError(f"the key of {name} does not fit its hash; ask for it again")
        return found

    @property
    def key_id(self) -> int:
        """The key's 32-bit id."""
        hashed = hashlib.sha256(self.name.encode() + b"\n" + bytes([self.KIND]) + self.key)
        return int.from_bytes(hashed.digest()[:ID_BYTES], "big")

    def text(self) -> str:
        """Write the verifier key, which may be made public."""
        return _key_text(self.name, self.key_id, self.KIND, self.key)

    def _verifies(self, message: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, message)
        except InvalidSignature:
            return False
        return True


class Verifier(_PublicKey):
    """Checks a log's signatures: Ed25519 over the note's text."""

    KIND = ED25519

    def verify(self, text: str, signature: bytes) -> bool:
        """Say whether the signature is this key's over this note text."""
        return self._verifies(text.encode(), signature)


class CosignerVerifier(_PublicKey):
    """Checks a second party's cosignatures (``cosignature/v1``)."""

    KIND = COSIGNATURE_V1

    def verify(self, text: str, signature: bytes) -> bool:
        """Say whether the time and signature are this cosigner's over this checkpoint text."""
        if len(signature) != _TIME_BYTES + _ED25519_BYTES:
            return False
        at = self.time(signature)
        message = _cosigned(text, at)
        return at <= _MAX_TIME and self._verifies(message, signature[_TIME_BYTES:])

    @staticmethod
    def time(signature: bytes) -> int:
        """Give the time that a cosignature states, in seconds since 1970-01-01T00:00Z."""
        return int.from_bytes(signature[:_TIME_BYTES], "big")


KeyT = TypeVar("KeyT", bound=_PublicKey)


class _PrivateKey(Generic[KeyT]):
    """A named Ed25519 private key; its ``repr`` does not show it."""

    _public: type[KeyT]

    def __init__(self, text: str) -> None:
        name, key_id, kind, seed = _parse_key(text.removeprefix(_PRIVATE))
        if not text.startswith(_PRIVATE) or kind != self._public.KIND or len(seed) != _KEY_BYTES:
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
        return cls(_PRIVATE + _key_text(name, verifier.key_id, cls._public.KIND, seed))

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
        return _PRIVATE + _key_text(self.name, self._verifier.key_id, self._public.KIND, seed)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    def _line(self, signature: bytes) -> str:
        return signature_line(self.name, self._verifier.key_id, signature)


class Signer(_PrivateKey[Verifier]):
    """Signs notes as a log does.

    Raises:
        NoteError: the text is not such a private key.
    """

    _public = Verifier

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
        if not 0 <= at <= _MAX_TIME:
            raise NoteError("the time of a cosignature is beyond what can be written")
        return self._line(at.to_bytes(_TIME_BYTES, "big") + self._key.sign(_cosigned(text, at)))


def check_text(text: str) -> None:
    """Check that a text can be a note's.

    Raises:
        NoteError: it does not end in a newline, or has another control character.
    """
    if not text.endswith("\n"):
        raise NoteError("a note's text ends in a newline")
    if any(char < " " and char != "\n" for char in text):
        raise NoteError("a note's text has a control character")


def check_name(name: str) -> None:
    """Check that a text can be a key's name.

    Raises:
        NoteError: it is empty, or has a space, a plus sign or a control character.
    """
    if not name or "+" in name or any(char.isspace() or char < " " for char in name):
        raise NoteError("a key's name is not empty and has no space and no plus sign")


def signature_line(name: str, key_id: int, signature: bytes) -> str:
    """Write a signature line of a note, with its newline."""
    return f"{DASH}{name} {encode_base64(key_id.to_bytes(ID_BYTES, 'big') + signature)}\n"


def encode_base64(data: bytes) -> str:
    """Write bytes in base64 (RFC 4648 section 4)."""
    return base64.b64encode(data).decode("ascii")


def decode_base64(text: str) -> bytes:
    """Read base64 in its one canonical form.

    Raises:
        NoteError: it is not that.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteError("not base64") from None
    if encode_base64(data) != text:
        raise NoteError("not canonical base64")
    return data


def _cosigned(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def _parse_key(text: str) -> tuple[str, int, int, bytes]:
    """Read ``<name>+<hash>+<base64>``: name, id, signature type, key."""
    name, _, rest = text.partition("+")
    written, _, encoded = rest.partition("+")
    check_name(name)
    try:
        key_id = int.from_bytes(bytes.fromhex(written), "big")
        raw = decode_base64(encoded)
    except ValueError:
        raise NoteError("not a key: <name>+<hash>+<base64> is needed") from None
    if f"{key_id:08x}" != written or not raw:
        raise NoteError("not a key: <name>+<hash>+<base64> is needed")
    return name, key_id, raw[0], raw[1:]


def _key_text(name: str, key_id: int, kind: int, key: bytes) -> str:
    return f"{name}+{key_id:08x}+{encode_base64(bytes([kind]) + key)}"
