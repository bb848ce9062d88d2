"""TLS contexts of the site's own processes: who they are, whom they trust, who is revoked.

A process is known by one certificate and key in the folder of ``[tls]``. A client's context is made
anew for each connection, and a server's whenever a file has changed, so that a renewed certificate
or a newer revocation list counts at the very next connection, and nothing has to be stopped.
"""

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Literal

from hub.errors import SiteError
from hub.site import Site, read_secret

MakeContext = Callable[[], ssl.SSLContext]
"""Gives the context for the next connection."""
MinVersion = Literal["1.2", "1.3"]
CA, CRL, TRUST = "ca.pem", "crl.pem", "trust"
"""Whom everybody trusts and who is revoked, and the folder of both. It can be shown to a process as
a whole: a file that is shown by itself stays the old one when it is written anew."""
TRIES = 5
"""A certificate and its key are two files: who meets a renewal between them looks again."""
TRY_AGAIN_SECONDS = 0.05
_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2: with forward secrecy and authenticated encryption only; 1.3 has no others."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The files of one process, by its name, in the folder that ``renkei pki`` keeps."""

    folder: Path
    process: str
    min_version: MinVersion = "1.2"

    @property
    def certificate(self) -> Path:
        """Its certificate, with those between it and the authority."""
        return self.folder / self.process / "tls.pem"

    @property
    def key(self) -> Path:
        """Its private key."""
        return self.folder / self.process / "tls.key"

    @property
    def ca(self) -> Path:
        """The certificates of the authorities that are trusted."""
        return shared(self.folder, CA)

    @property
    def crl(self) -> Path:
        """The revocation lists of those authorities."""
        return shared(self.folder, CRL)


def shared(folder: Path, name: str) -> Path:
    """Give the place of ``CA`` or ``CRL`` in a folder of certificates.

    Before there was ``trust`` they lay in the folder itself: ``renkei pki`` moves them, and until
    then, and on the machines to which that was not brought, they are found there.
    """
    new, old = folder / TRUST / name, folder / name
    return old if old.exists() and not new.exists() else new


def two_of(folder: Path, name: str) -> str:
    """Say that a file lies in both places, each with something else; empty where it does not.

    Which of them is newer nobody can tell here, and an older list lets in who was revoked.
    """
    new, old = folder / TRUST / name, folder / name
    if not (new.exists() and old.exists()) or new.read_bytes() == old.read_bytes():
        return ""
    return (
        f"{old} and {new} differ, and only the second is read: move the newer one there, and "
        "take the other away"
    )


def identity_of(site: Site, process: str) -> Identity | None:
    """Say by which certificate a process of the site is known; none where connections are plain.

    Raises:
        SiteError: the site names no folder of certificates; ``load_site`` says so before.
    """
    if site.tls.plain_loopback:
        return None
    if site.tls.folder is None:
        message = "tls.folder is missing in the site file"
        raise SiteError(message)
    return Identity(site.tls.folder, process, site.tls.min_version)


def client_context(identity: Identity) -> ssl.SSLContext:
    """Make a context for one connection to a server of the site, whose name is checked.

    Raises:
        SiteError: a file is missing or damaged, or the key is open to others.
    """
    return _with_files(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), identity)


def server_context(identity: Identity, *, browsers: bool = False) -> ssl.SSLContext:
    """Make a context for connections from clients of the site; each needs a certificate.

    Only ``browsers`` may do without: who uses one logs in on a page. ``ServerContexts`` gives one
    that is up to date.

    Raises:
        SiteError: a file is missing or damaged, or the key is open to others.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if not browsers:
        context.verify_mode = ssl.CERT_REQUIRED
    # A session that is taken up again would go past the revocation list.
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET
    return _with_files(context, identity)


class ServerContexts:
    """Gives a server's context for each accept: made anew once one of its files has changed.

    A revocation list that is added to a living context takes no effect, hence a new one.
    """

    def __init__(self, identity: Identity, *, browsers: bool = False) -> None:
        """Take whose files they are, and whether clients need none; nothing is read yet."""
        self._identity = identity
        self._browsers = browsers
        self._lock = Lock()
        self._made: tuple[object, ssl.SSLContext] | None = None

    def current(self) -> ssl.SSLContext:
        """Give the context for the next connection.

        Raises:
            SiteError: a file is missing or damaged, or the key is open to others.
        """
        with self._lock:
            stamp = _stamp(self._identity)
            if self._made is None or self._made[0] != stamp:
                made = server_context(self._identity, browsers=self._browsers)
                self._made = (stamp, made)
            return self._made[1]


def _with_files(context: ssl.SSLContext, identity: Identity) -> ssl.SSLContext:
    context.minimum_version = _VERSIONS[identity.min_version]
    context.set_ciphers(_CIPHERS)
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    _trust(context, identity.ca)
    _trust(context, identity.crl)
    if not identity.key.exists():
        raise _missing(identity.key, identity.process)
    read_secret(identity.key)  # OpenSSL would take a key that everybody can read
    for remaining in reversed(range(TRIES)):
        try:
            context.load_cert_chain(identity.certificate, identity.key)
        except FileNotFoundError:
            raise _missing(identity.certificate, identity.process) from None
        except (OSError, ssl.SSLError) as error:  # an SSLError is an OSError without strerror
            if isinstance(error, ssl.SSLError) and remaining:
                time.sleep(TRY_AGAIN_SECONDS)
                continue
            message = (
                f"the certificate {identity.certificate} cannot be used with its key: "
                f"{getattr(error, 'reason', None) or error.strerror}; run renkei pki check"
            )
            raise SiteError(message) from error
        return context
    raise AssertionError  # the last of the tries has returned or raised


def _trust(context: ssl.SSLContext, file: Path) -> None:
    try:
        context.load_verify_locations(file)
    except FileNotFoundError:
        message = f"{file} is not there: run renkei pki init, or bring it from where that ran"
        raise SiteError(message) from None
    except OSError as error:
        why = getattr(error, "reason", None) or error.strerror
        message = f"{file} cannot be read: {why}; run renkei pki check"
        raise SiteError(message) from error


def _missing(file: Path, process: str) -> SiteError:
    return SiteError(f"{file} is not there: run renkei pki issue {process}")


def _stamp(identity: Identity) -> tuple[tuple[int, int, int] | None, ...]:
    files = (identity.ca, identity.crl, identity.certificate, identity.key)
    return tuple(map(_stamp_of, files))


def _stamp_of(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None  # what is missing is named when it is read
    return found.st_mtime_ns, found.st_size, found.st_ino
