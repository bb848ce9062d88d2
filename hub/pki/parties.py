"""The encryption keys of a site's accounts: everybody's public ones, an account's own private ones.

Public ones lie in ``parties``, one certificate a file, and are brought to every machine as the
routes are. An account's private ones stay where it works, the old ones too: what was encrypted to
them may still lie in a queue or wait for a person.
"""

import datetime as dt
import logging
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from hub.errors import SiteError
from hub.pki.files import is_p256, read_certificates, read_key
from hub.pki.trust import account_of, kid_of, load_trust
from hub.tls import CA, CRL, shared

log = logging.getLogger(__name__)

PARTIES = "parties"
ENCRYPTION_FOLDER = "enc"
KEPT_DAYS = 400
"""So long after its certificate has ended a private key is kept at least."""


@dataclass(frozen=True, slots=True)
class Party:
    """The public encryption key of an account; ``kid`` names it, from when until when it holds."""

    kid: str
    account: str
    key: ec.EllipticCurvePublicKey = field(repr=False)
    since: dt.datetime
    until: dt.datetime


def load_parties(folder: Path, now: dt.datetime) -> list[Party]:
    """Read the encryption keys that may be used at this moment, an aware time; oldest first.

    A certificate that no authority of the site signed, that is revoked, does not hold now, or is
    not for encryption is left out, and logged where it should not lie there. A revocation list
    counts also when it is too old: it stops connections, and what it says is no less true.

    Raises:
        SiteError: authorities or revocation lists cannot be read.
    """
    trust = load_trust(folder)
    found: list[Party] = []
    for path in sorted((folder / PARTIES).glob("*.pem")):
        try:
            chain = read_certificates(path)
        except SiteError as error:
            log.warning("%s", error)
            continue
        why = trust.fault(chain, now) or purpose_fault(chain[0])
        if why:
            # One that was renewed or revoked stays there; what nobody here signed does not belong.
            usual = chain[0].not_valid_after_utc < now or trust.is_revoked(chain[0])
            level = logging.DEBUG if usual else logging.WARNING
            log.log(level, "the encryption certificate %s is left out: %s", path.name, why)
            continue
        found.append(party_of(chain[0]))
    return sorted(found, key=lambda one: (one.since, one.kid))


def party_of(certificate: x509.Certificate) -> Party:
    """Give the key of an encryption certificate."""
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)  # noqa: S101 - purpose_fault was asked
    since, until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return Party(kid_of(certificate), account_of(certificate), key, since, until)


def purpose_fault(certificate: x509.Certificate) -> str:
    """Say why nothing can be encrypted to a certificate; empty where it is for that."""
    if not account_of(certificate):
        return "it names no account"
    if not is_p256(certificate.public_key()):
        return "its key is not of the kind that is used here (P-256)"
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return "it does not say what it is for"
    return "" if usage.key_agreement else "it is not for encryption"


def own_keys(folder: Path, account: str) -> dict[str, ec.EllipticCurvePrivateKey]:
    """Read an account's private encryption keys by their names, also those of ended certificates.

    Raises:
        SiteError: one cannot be read, or is open to others.
    """
    mine = folder / account / ENCRYPTION_FOLDER
    return {path.stem: read_key(path) for path in sorted(mine.glob("*.key"))}


def stamp_of(folder: Path, account: str) -> object:
    """Give something that is another whenever the keys for this account may be others."""
    places = (
        shared(folder, CA),
        shared(folder, CRL),
        *sorted((folder / PARTIES).glob("*.pem")),
        *sorted((folder / account / ENCRYPTION_FOLDER).glob("*.key")),
    )
    return tuple((str(path), _changed(path)) for path in places)


def _changed(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None  # gone since it was listed; the next look sees another list
    return found.st_mtime_ns, found.st_size, found.st_ino
