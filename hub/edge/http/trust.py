"""Whom a caller trusts, and as whom it comes: files that the system's operator gave, TLS >= 1.2."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from hub.errors import EdgeError, RenkeiError
from hub.secret import read_secret

Stamp = tuple[tuple[int, int] | None, ...]


@dataclass(frozen=True, slots=True)
class Trust:
    """The certificates that are trusted, if not the machine's, and a client's certificate."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    def context(self, url: str) -> ssl.SSLContext:
        """Make a context for connections to ``url``.

        Raises:
            EdgeError: a file cannot be used, or the key is open to others.
        """
        if not url.startswith("https:"):
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody, and reads no files
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            raise EdgeError(
                f"the certificates in {self.ca_file} cannot be {_why(error)}"
            ) from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.cert_file is None or self.key_file is None:
            return context
        try:
            # OpenSSL would take a key that everybody can read.
            read_secret(self.key_file, given=True)
            context.load_cert_chain(self.cert_file, self.key_file)
        except RenkeiError as error:
            raise EdgeError(str(error)) from error
        except OSError as error:
            said = f"the certificate {self.cert_file} with its key cannot be {_why(error)}"
            raise EdgeError(said) from error
        return context

    def stamp(self) -> Stamp:
        """Give what changes with the files: one that was exchanged counts at the next call."""
        return tuple(map(_stamp_of, (self.ca_file, self.cert_file, self.key_file)))


def _why(error: OSError) -> str:
    reason = getattr(error, "reason", None) or error.strerror or type(error).__name__
    return f"used: {reason}"


def _stamp_of(file: Path | None) -> tuple[int, int] | None:
    try:
        found = file.stat() if file is not None else None
    except OSError:
        return None  # named when it is read
    return None if found is None else (found.st_ctime_ns, found.st_ino)
