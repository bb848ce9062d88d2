"""The folder of certificates where the authority's key is: makes, renews and revokes.

::

    trust/ca.pem  trust/crl.pem         whom to trust, and who is revoked; for everybody
    crls/<hash>.r0                      the same lists, as RabbitMQ reads them
    ca/ca.key                           the authority's own; may be kept elsewhere
    issued/<serial>.pem                 all that was ever signed here, so that it can be revoked
    <process>/tls.pem  tls.key          of one process
    <account>/enc/<kid>.pem  .key       of one account, to decrypt with; old ones stay
    parties/<kid>.pem                   the public halves of those; for everybody
"""

import datetime as dt
import fcntl
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from hub.errors import SiteError
from hub.pki.authority import ENCRYPTION, Authority, new_authority, new_key, revoked
from hub.pki.files import (
    make_folder,
    pem,
    read_certificates,
    read_key,
    read_lists,
    write,
    write_certificates,
    write_key,
)
from hub.pki.hashes import list_name
from hub.pki.names import Profile
from hub.pki.parties import ENCRYPTION_FOLDER, KEPT_DAYS, PARTIES
from hub.pki.trust import account_of, kid_of, unit_of
from hub.tls import CA, CRL, TRUST, shared, two_of

KEPT = dt.timedelta(days=KEPT_DAYS)
AUTHORITY, ISSUED, CRLS = Path("ca", "ca.key"), "issued", "crls"


@dataclass(frozen=True, slots=True)
class Store:
    """The folder, the site's name in its certificates, and the file of the authority's key."""

    folder: Path
    site: str
    authority_key: Path

    @classmethod
    def of(cls, folder: Path, site: str, authority_key: Path | None = None) -> "Store":
        """Open a folder; the authority's key is in it unless it is kept elsewhere."""
        return cls(folder, site, authority_key or folder / AUTHORITY)

    def init(self, now: dt.datetime) -> None:
        """Make an authority and its first, empty revocation list.

        Raises:
            SiteError: there is one already, or a file cannot be written.
        """
        for path in (shared(self.folder, CA), self.authority_key):
            if path.exists():
                message = f"{path} is there already: this site has an authority"
                raise SiteError(message)
        authority = new_authority(f"Renkei Hub {self.site} {secrets.token_hex(4)}", now)
        if not self.authority_key.parent.is_dir():
            self.authority_key.parent.mkdir(mode=0o700, parents=True)
        write_key(self.authority_key, authority.key)
        write_certificates(shared(self.folder, CA), [authority.certificate])
        self._write_list(authority, [], now)

    def issue(self, profile: Profile, now: dt.datetime) -> x509.Certificate:
        """Give a process a new key and certificate; that of before holds until it ends.

        Raises:
            SiteError: the authority is not here, or a file cannot be written.
        """
        authority, key = self.authority(), new_key()
        made = authority.for_connections(profile, key.public_key(), self.site, now)
        self._keep(made)
        folder = self.folder / profile.process
        write_key(folder / "tls.key", key)
        write_certificates(folder / "tls.pem", [made])
        return made

    def issue_encryption(self, account: str, now: dt.datetime) -> x509.Certificate:
        """Give an account a new key to decrypt with; those of before stay where they are.

        Raises:
            SiteError: the authority is not here, or a file cannot be written.
        """
        authority, key = self.authority(), new_key()
        made = authority.for_encryption(account, key.public_key(), self.site, now)
        self._keep(made)
        folder, kid = self.folder / account / ENCRYPTION_FOLDER, kid_of(made)
        write_key(folder / f"{kid}.key", key)  # before anybody can encrypt to it
        write_certificates(folder / f"{kid}.pem", [made])
        write_certificates(self.folder / PARTIES / f"{kid}.pem", [made])
        return made

    def revoke(self, serials: Iterable[int], now: dt.datetime) -> list[x509.Certificate]:
        """Revoke certificates; give those that were not revoked before.

        Raises:
            SiteError: one was not signed here, the authority is not, or a file cannot be written.
        """
        known = {one.serial_number: one for one in self.issued()}
        wanted, authority = list(dict.fromkeys(serials)), self.authority()
        for serial in wanted:
            if serial not in known:
                message = f"this authority has signed no certificate {serial:x}"
                raise SiteError(message)
            if known[serial].issuer != authority.certificate.subject:
                message = f"another authority has signed {serial:x}: say with --ca-key its key"
                raise SiteError(message)
        before = {one.serial_number for one in self._revoked(authority)}
        fresh = [serial for serial in wanted if serial not in before]
        self._write_list(authority, [revoked(serial, now) for serial in fresh], now)
        return [known[serial] for serial in fresh]

    def renew_list(self, now: dt.datetime) -> None:
        """Sign the revocation list anew, with all that it names.

        Raises:
            SiteError: the authority is not here, or a file cannot be written.
        """
        self._write_list(self.authority(), [], now)

    def issued(self) -> list[x509.Certificate]:
        """Give all certificates that were signed here, the oldest first.

        Raises:
            SiteError: one is damaged.
        """
        found = [read_certificates(path)[0] for path in (self.folder / ISSUED).glob("*.pem")]
        return sorted(found, key=lambda one: (one.not_valid_before_utc, one.serial_number))

    def forget_old_keys(self, now: dt.datetime) -> list[Path]:
        """Delete private keys that nothing is encrypted to any more; give their files.

        Their certificates have ended so long ago that whatever was encrypted has been destroyed.

        Raises:
            SiteError: a certificate is damaged.
        """
        gone: list[Path] = []
        # What was issued here says which; an account's own folder is that account's to write in.
        for one in self.issued():
            if unit_of(one) != ENCRYPTION or one.not_valid_after_utc + KEPT >= now:
                continue
            own = self.folder / account_of(one) / ENCRYPTION_FOLDER / f"{kid_of(one)}.pem"
            if own.exists():
                for old in (own.with_suffix(".key"), own, self.folder / PARTIES / own.name):
                    old.unlink(missing_ok=True)
                gone.append(own.with_suffix(".key"))
        return gone

    def authority(self) -> Authority:
        """Read the authority with its key.

        Raises:
            SiteError: it is not here, or is another one than the folder's.
        """
        if not self.authority_key.exists():
            todo = (
                "say with --ca-key where it is kept"
                if shared(self.folder, CA).exists()
                else "run renkei pki init for a new site"
            )
            message = (
                f"the authority's key {self.authority_key} is not here: {todo}. A city's own "
                "authority signs what renkei pki request writes"
            )
            raise SiteError(message)
        key = read_key(self.authority_key)
        public = key.public_key()
        for one in read_certificates(shared(self.folder, CA)):
            if one.public_key() == public:
                return Authority(one, key)
        message = f"the key {self.authority_key} is none of those of {shared(self.folder, CA)}"
        raise SiteError(message)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let no other command change the folder meanwhile.

        Raises:
            SiteError: one is doing so.
        """
        try:
            make_folder(self.folder)
            handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            message = f"{self.folder} cannot be used: {error.strerror}"
            raise SiteError(message) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._into_trust()
            yield
        except BlockingIOError:
            message = f"another renkei pki is at work in {self.folder}: wait until it has ended"
            raise SiteError(message) from None
        finally:
            os.close(handle)

    def _into_trust(self) -> None:
        """Move what lay in the folder itself before there was a folder for it."""
        for name in (CA, CRL):
            if fault := two_of(self.folder, name):
                raise SiteError(fault)
            old = self.folder / name
            if not old.exists():
                continue
            try:
                make_folder(self.folder / TRUST)
                old.replace(self.folder / TRUST / name)  # where there is one, it is the same
            except OSError as error:
                message = f"{old} cannot be moved into {TRUST}: {error.strerror}"
                raise SiteError(message) from error

    def _keep(self, made: x509.Certificate) -> None:
        write_certificates(self.folder / ISSUED / f"{made.serial_number:x}.pem", [made])

    def _revoked(self, authority: Authority) -> list[x509.RevokedCertificate]:
        return [
            entry
            for one in self._lists()
            if one.issuer == authority.certificate.subject
            for entry in one
        ]

    def _lists(self) -> list[x509.CertificateRevocationList]:
        path = shared(self.folder, CRL)
        if path.exists() or not (self.folder / ISSUED).is_dir():
            return read_lists(path) if path.exists() else []
        message = (
            f"{path} is not there: a new list would let in who is revoked. Bring it back from a "
            f"copy, or from another machine of the site; {self.folder / CRLS} has the same list"
        )
        raise SiteError(message)

    def _write_list(
        self, authority: Authority, more: list[x509.RevokedCertificate], now: dt.datetime
    ) -> None:
        """Sign the list anew, with those of before and more; lists of others stay as they are."""
        mine = authority.certificate.subject
        others = [one for one in self._lists() if one.issuer != mine]
        # Seconds since 1970: greater each time, whatever became of the list of before.
        number = int(now.timestamp())
        made = authority.revocation_list([*self._revoked(authority), *more], number, now)
        write(self.folder / CRLS / list_name(made.issuer), pem(made))
        write(shared(self.folder, CRL), b"".join(map(pem, [made, *others])))


def is_of(certificate: x509.Certificate, name: str) -> bool:
    """Tell whether a certificate is that of a process, or an account's for encryption."""
    unit = unit_of(certificate)
    return unit == name or (unit == ENCRYPTION and account_of(certificate) == name)
