"""Certificates that a city's own authority signs: what it is asked, and what it gave.

A request's new key waits beside the process's own until the certificate for it comes, so that
nothing is disturbed meanwhile.
"""

import datetime as dt
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from hub.errors import SiteError
from hub.pki.authority import ENCRYPTION, alternative_names, new_key, subject, uri, usage
from hub.pki.check import connection_fault
from hub.pki.files import read_certificates, read_key, write, write_certificates, write_key
from hub.pki.names import Profile
from hub.pki.parties import ENCRYPTION_FOLDER, PARTIES, purpose_fault
from hub.pki.trust import account_of, kid_of, load_trust

REQUEST, WAITING = "request.pem", "request.key"


def make_request(folder: Path, site: str, profile: Profile, *, encryption: bool = False) -> Path:
    """Make a key and a request (PKCS #10) for a process, or for its account's encryption.

    Returns:
        The file of the request, which is no secret.

    Raises:
        SiteError: a file cannot be written.
    """
    key = new_key()
    unit = ENCRYPTION if encryption else profile.process
    names = alternative_names(() if encryption else profile.hosts, uri(site, profile.process))
    use = usage(key_agreement=True) if encryption else usage(digital_signature=True)
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject(profile.account, unit))
        .add_extension(use, critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    own = _folder(folder, profile, encryption=encryption)
    write_key(own / WAITING, key)
    write(own / REQUEST, request.public_bytes(serialization.Encoding.PEM))
    return own / REQUEST


def take(folder: Path, profile: Profile, file: Path, now: dt.datetime) -> x509.Certificate:
    """Put in place what a city's authority made of a request, with the key that waited.

    ``file`` has the certificate, and behind it those that lead to an authority of ``ca.pem``.

    Raises:
        SiteError: it is not for a key that waits, not for this process, or signed by nobody whom
            the site trusts; then nothing is changed.
    """
    chain = read_certificates(file)
    encryption = not purpose_fault(chain[0])
    own = _folder(folder, profile, encryption=encryption)
    key = read_key(own / WAITING)
    why = load_trust(folder).fault(chain, now)
    if not why and key.public_key() != chain[0].public_key():
        why = f"it is not for the key of {own / REQUEST}"
    if not why and encryption and account_of(chain[0]) != profile.account:
        why = f"its common name has to be {profile.account!r}"
    if not why and not encryption:
        why = connection_fault(profile, chain[0])
    if why:
        message = f"{file} cannot be used for {profile.process}: {why}"
        raise SiteError(message)
    if encryption:
        kid = kid_of(chain[0])
        write_key(own / f"{kid}.key", key)
        write_certificates(own / f"{kid}.pem", chain)
        write_certificates(folder / PARTIES / f"{kid}.pem", chain)
    else:
        write_key(own / "tls.key", key)
        write_certificates(own / "tls.pem", chain)
    for done in (REQUEST, WAITING):
        (own / done).unlink(missing_ok=True)
    return chain[0]


def _folder(folder: Path, profile: Profile, *, encryption: bool) -> Path:
    own = folder / profile.process
    return own / ENCRYPTION_FOLDER if encryption else own
