"""The public keys of signed notes and of checkpoint cosignatures (Ed25519).

Sources: https://c2sp.org/signed-note and https://c2sp.org/tlog-cosignature (``cosignature/v1``).
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519 = 0x01
"""The signature type of a note's Ed25519 signature."""
COSIGNATURE_V1 = 0x04
"""The signature type of a timestamped Ed25519 cosignature."""

DASH = "\u2014 "
"""What a signature line begins with."""
ID_BYTES = 4
KEY_BYTES = 32
TIME_BYTES = 8
_ED25519_BYTES = 64
MAX_TIME = _MAX_SIZE = (1 << 63) - 1
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
"""What no note's text has: control characters other than the newline."""


class NoteError(ValueError):
    """A note or a key is not well-formed, or a signature does not verify."""


@dataclass(frozen=True)
class PublicKey:
    """A named Ed25519 key; ``KIND`` is the signature type."""

    name: str
    key: bytes
    KIND: ClassVar[int]

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.key) != KEY_BYTES:
            raise NoteError(f"an Ed25519 key has {KEY_BYTES} bytes")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a verifier key (vkey), ``<name>+<hash>+<base64>``.

        Raises:
            NoteError: it is not the verifier key of this kind of Ed25519 key.
        """
        name, _, kind, key = parse_key(text)
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
        return key_text(self.name, self.key_id, self.KIND, self.key)

    def _verifies(self, message: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class Verifier(PublicKey):
    """Checks a log's signatures: Ed25519 over the note's text.

    ``retired`` are the keys that the log had before, whose signatures of their time stand.
    """

    retired: "tuple[RetiredVerifier, ...]" = ()
    KIND: ClassVar[int] = ED25519

    @property
    def keys(self) -> "tuple[Verifier, ...]":
        """This key, and those before it."""
        return (self, *self.retired)

    @staticmethod
    def with_retired(keys: "Sequence[Verifier]") -> "Verifier":
        """Put the keys of one log together: the one in use, and any number of retired ones.

        Raises:
            NoteError: not just one is in use, or they are not of one log.
        """
        retired = tuple(one for one in keys if isinstance(one, RetiredVerifier))
        in_use = [one for one in keys if one not in retired]
        if len(in_use) != 1:
            raise NoteError("of a log's keys, just one is in use: those with @ are retired")
        if any(one.name != in_use[0].name for one in retired):
            raise NoteError(f"a retired key is not of the log {in_use[0].name}")
        return replace(in_use[0], retired=retired)

    def verify(self, text: str, signature: bytes) -> bool:
        """Say whether the signature is this key's over this note text."""
        return self._verifies(text.encode(), signature)


@dataclass(frozen=True)
class RetiredVerifier(Verifier):
    """Checks the signatures that a log's key made before another took its place.

    ``last`` is the size of the tree that it signed last: a checkpoint of more entries is not its
    own, whoever has got hold of it since. Certificates state no size, and are its own still.
    """

    last: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.last <= _MAX_SIZE:
            raise NoteError("a retired key has signed a tree of some size last")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a retired verifier key, ``<vkey>@<size>``.

        Raises:
            NoteError: it is not that.
        """
        written, _, size = text.rpartition("@")
        if _SIZE.fullmatch(size) is None:
            raise NoteError("not a retired key: <name>+<hash>+<base64>@<size> is needed")
        known = Verifier.parse(written)
        return cls(known.name, known.key, last=int(size))

    def text(self) -> str:
        """Write the retired verifier key, which may be made public."""
        return f"{super().text()}@{self.last}"

    def verify(self, text: str, signature: bytes) -> bool:
        """Say whether the signature is this key's over this note text, from its time.

        Raises:
            NoteError: it signs a checkpoint of a tree that is larger than that of its time.
        """
        said = text.split("\n", 2)[1:2]
        if said and _SIZE.fullmatch(said[0]) and int(said[0]) > self.last:
            raise NoteError(
                f"the key {super().text()} was retired after {self.last} entries, and signs "
                "nothing later"
            )
        return super().verify(text, signature)


def log_verifier(text: str) -> Verifier:
    """Read a log's verifier key, also a retired one (``<vkey>@<size>``).

    Raises:
        NoteError: it is neither.
    """
    is_retired = text.rpartition("@")[2].isdecimal()
    return RetiredVerifier.parse(text) if is_retired else Verifier.parse(text)


class CosignerVerifier(PublicKey):
    """Checks a second party's cosignatures (``cosignature/v1``)."""

    KIND = COSIGNATURE_V1

    @property
    def keys(self) -> "tuple[CosignerVerifier]":
        """This key alone."""
        return (self,)

    def verify(self, text: str, signature: bytes) -> bool:
        """Say whether the time and signature are this cosigner's over this checkpoint text."""
        if len(signature) != TIME_BYTES + _ED25519_BYTES:
            return False
        at = self.time(signature)
        message = cosigned_text(text, at)
        return at <= MAX_TIME and self._verifies(message, signature[TIME_BYTES:])

    @staticmethod
    def time(signature: bytes) -> int:
        """Give the time that a cosignature states, in seconds since 1970-01-01T00:00Z."""
        return int.from_bytes(signature[:TIME_BYTES], "big")


def check_text(text: str) -> None:
    """Check that a text can be a note's.

    Raises:
        NoteError: it does not end in a newline, or has another control character.
    """
    if not text.endswith("\n"):
        raise NoteError("a note's text ends in a newline")
    if _CONTROL.search(text):
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


def cosigned_text(text: str, at: int) -> bytes:
    """Give what a cosigner signs: the time, and the text of a checkpoint."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def parse_key(text: str) -> tuple[str, int, int, bytes]:
    """Read ``<name>+<hash>+<base64>``: name, id, signature type, key.

    Raises:
        NoteError: it is not that.
    """
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


def key_text(name: str, key_id: int, kind: int, key: bytes) -> str:
    """Write ``<name>+<hash>+<base64>``."""
    return f"{name}+{key_id:08x}+{encode_base64(bytes([kind]) + key)}"
