"""Encrypts archives and backups to public keys with age (https://age-encryption.org/v1).

The hub knows the recipients only: it writes what it cannot read. age seals the content in
chunks of 64 KiB, so files of any length are encrypted and decrypted in little memory.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self

import pyrage

from hub.errors import LedgerError
from hub.site import read_secret

_MAGIC = b"age-encryption.org/v1\n"
_PRIVATE = "AGE-SECRET-KEY-"


class Identity:
    """The private half of a key; its ``repr`` does not show it.

    Raises:
        LedgerError: the text (``AGE-SECRET-KEY-1…``) is none.
    """

    def __init__(self, text: str) -> None:
        try:
            self._key = pyrage.x25519.Identity.from_str(text)
        except pyrage.IdentityError:
            raise LedgerError("the identity is damaged: use its copy") from None

    @classmethod
    def fresh(cls) -> Self:
        """Make a new key."""
        return cls(str(pyrage.x25519.Identity.generate()))

    @property
    def recipient(self) -> str:
        """The public half, ``age1…``."""
        return str(self._key.to_public())

    def text(self) -> str:
        """Write the identity file. It is secret: whoever has it can read the archives."""
        return f"# public key: {self.recipient}\n{self._key}\n"

    def decrypt(self, source: BinaryIO, target: BinaryIO) -> None:
        """Decrypt; trust nothing of ``target`` before this has returned.

        Raises:
            LedgerError: it is not for this identity, is not whole, or was changed.
        """
        with _failures("be decrypted"):
            pyrage.decrypt_io(source, target, [self._key])


def read_identity(path: Path) -> Identity:
    """Read an identity file, as ``age-keygen`` or ``renkei ledger archive-key`` wrote it.

    Raises:
        SiteError: it cannot be read, or others can read it.
        LedgerError: it has no identity.
    """
    lines = read_secret(path).get_secret_value().splitlines()
    found = [line.strip() for line in lines if line.startswith(_PRIVATE)]
    if len(found) != 1:
        raise LedgerError(f"{path} is no identity file: it should have one line {_PRIVATE}…")
    return Identity(found[0])


def is_encrypted(path: Path) -> bool:
    """Say whether a file is encrypted with age.

    Raises:
        LedgerError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError as error:
        raise LedgerError(f"{path} cannot be read: {error.strerror}") from None


def encrypt(source: BinaryIO, target: BinaryIO, recipients: Sequence[str]) -> None:
    """Encrypt to recipients (``age1…``).

    Raises:
        LedgerError: there are none, one is damaged, or the reading or writing failed.
    """
    if not recipients:
        message = (
            "the site names nobody who can read it: make a key with 'renkei ledger archive-key' "
            "and put its public key into hub.archive_recipients of the site file"
        )
        raise LedgerError(message)
    with _failures("be encrypted"):
        keys = [pyrage.x25519.Recipient.from_str(one) for one in recipients]
        pyrage.encrypt_io(source, target, keys)


@contextmanager
def _failures(doing: str) -> Iterator[None]:
    try:
        yield
    except (pyrage.EncryptError, pyrage.DecryptError, pyrage.RecipientError, OSError) as error:
        cause = error.__cause__ or error
        if isinstance(cause, LedgerError):
            raise cause from None
        said = (getattr(error, "strerror", None) or str(error)).splitlines()
        raise LedgerError(f"it could not {doing}: {said[0] if said else 'no reason'}") from None


class Pieces(io.RawIOBase):
    """Bytes that are made while they are read.

    What the pieces' maker raises is kept: ``check`` raises it again, since the reader in between
    turns it into an error of its own.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = memoryview(b"")
        self._failure: Exception | None = None

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Give up to ``size`` bytes; none at the end."""
        try:
            while not self._rest:
                piece = next(self._pieces, None)
                if piece is None:
                    return b""
                self._rest = memoryview(piece)
        except Exception as error:
            self._failure = error
            raise
        taken = self._rest if size < 0 else self._rest[:size]
        self._rest = self._rest[len(taken) :]
        return bytes(taken)

    def check(self) -> None:
        """Raise what the pieces' maker raised, if it did."""
        if self._failure is not None:
            raise self._failure


def encrypt_pieces(pieces: Iterable[bytes], target: BinaryIO, recipients: Sequence[str]) -> None:
    """Encrypt what is made meanwhile; as ``encrypt``, and raises what the maker raises."""
    source = Pieces(pieces)
    try:
        encrypt(source, target, recipients)  # type: ignore[arg-type]  # age only reads it
    except LedgerError:
        source.check()
        raise
