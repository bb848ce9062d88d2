"""Writes and reads the PEM files of the folder of certificates; each is written whole or not."""

import os
import secrets
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hub.errors import SiteError
from hub.site import read_secret

PUBLIC_MODE, SECRET_MODE = 0o644, 0o600
_FOLDER_MODE = 0o755
_MOST_BYTES = 16 * 1024 * 1024
_END = b"-----END X509 CRL-----"


def write(path: Path, content: bytes, mode: int = PUBLIC_MODE) -> None:
    """Write a file so that a reader meets the old one or the new one.

    What root writes into an account's folder belongs to that account.

    Raises:
        SiteError: it cannot be written.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        make_folder(path.parent)
        owner = path.parent.stat()
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, mode)  # whatever the umask takes away
            if os.geteuid() == 0:
                os.fchown(handle, owner.st_uid, owner.st_gid)
            file.write(content)
            file.flush()
            os.fsync(handle)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        message = f"{path} cannot be written: {error.strerror}"
        raise SiteError(message) from error


def make_folder(folder: Path) -> None:
    """Make a folder that everybody may look into, and nobody else may write to.

    What root makes belongs to whom its parent belongs: the site's account has to write there too.

    Raises:
        OSError: it cannot be made.
    """
    for one in reversed((folder, *folder.parents)):
        if not one.is_dir():
            one.mkdir(exist_ok=True)
            one.chmod(_FOLDER_MODE)
            if os.geteuid() == 0:
                above = one.parent.stat()
                os.chown(one, above.st_uid, above.st_gid)


def write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """Write a private key for its owner alone.

    Raises:
        SiteError: it cannot be written.
    """
    content = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write(path, content, SECRET_MODE)


def read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Read a private key that nobody else may read.

    Raises:
        SiteError: it is missing, damaged, of another kind, or open to others.
    """
    text = read_secret(path).get_secret_value()
    try:
        key = serialization.load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError):
        message = f"the key {path} is damaged, or has a password"
        raise SiteError(message) from None
    if not is_p256(key.public_key()):
        message = f"the key {path} is not of the kind that is used here (P-256)"
        raise SiteError(message)
    return cast("ec.EllipticCurvePrivateKey", key)


def is_p256(key: object) -> bool:
    """Tell whether a public key is of the one kind that is made and used here."""
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)


def write_certificates(path: Path, certificates: Sequence[x509.Certificate]) -> None:
    """Write certificates, the first one's own before those that lead to the authority.

    Raises:
        SiteError: they cannot be written.
    """
    write(path, b"".join(pem(one) for one in certificates))


def pem(one: x509.Certificate | x509.CertificateRevocationList) -> bytes:
    """Write as text."""
    return one.public_bytes(serialization.Encoding.PEM)


def read_certificates(path: Path) -> list[x509.Certificate]:
    """Read all certificates of a file.

    Raises:
        SiteError: it is missing or damaged.
    """
    try:
        return x509.load_pem_x509_certificates(_read(path))
    except ValueError:
        message = f"{path} is damaged: it is no certificate"
        raise SiteError(message) from None


def read_lists(path: Path) -> list[x509.CertificateRevocationList]:
    """Read all revocation lists of a file.

    Raises:
        SiteError: it is missing or damaged.
    """
    parts = [part + _END for part in _read(path).split(_END)[:-1]]
    try:
        found = [x509.load_pem_x509_crl(part.strip()) for part in parts]
    except ValueError:
        found = []
    if not found:
        message = f"{path} is damaged: it is no revocation list"
        raise SiteError(message)
    return found


def _opened(path: str, flags: int) -> int:
    """Open without waiting: in an account's own folder there may be a pipe that nobody fills."""
    return os.open(path, flags | os.O_NONBLOCK)


def _read(path: Path) -> bytes:
    try:
        with open(path, "rb", opener=_opened) as file:
            facts = os.fstat(file.fileno())
            if stat.S_ISREG(facts.st_mode) and facts.st_size <= _MOST_BYTES:
                return file.read(_MOST_BYTES)
        message = f"{path} is damaged: it is no file, or has more than {_MOST_BYTES} bytes"
        raise SiteError(message)
    except FileNotFoundError:
        message = f"{path} is not there: run renkei pki init, or bring it from where that ran"
        raise SiteError(message) from None
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise SiteError(message) from error
