"""Everything that is wrong with the certificates of a site, or soon will be."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from hub.errors import SiteError
from hub.pki.files import read_certificates, read_key
from hub.pki.hashes import list_name
from hub.pki.names import Profile, accounts, profiles
from hub.pki.parties import ENCRYPTION_FOLDER, PARTIES, purpose_fault
from hub.pki.store import AUTHORITY, CRLS
from hub.pki.trust import Trust, account_of, kid_of, load_trust
from hub.site import Site
from hub.tls import CA, CRL, client_context, identity_of, two_of

LIST_DAYS_LEFT = 7
"""A revocation list that ends sooner is too old: without a valid one nobody can connect."""
ONE_DAY = dt.timedelta(days=1)


class Finding(NamedTuple):
    """What is wrong, or soon will be, and with which certificate or file."""

    name: str
    text: str


def check(site: Site, folder: Path, now: dt.datetime, *, here: bool = False) -> list[Finding]:
    """Look at all certificates, keys and lists of a site.

    With ``here`` those that are missing are no fault: they are on other machines.
    """
    try:
        trust = load_trust(folder)
    except SiteError as error:
        return [Finding(CA, str(error))]
    soon = now + site.tls.renew_days * ONE_DAY
    found = list(_authorities(folder, trust, now, soon))
    found += (Finding(name, fault) for name in (CA, CRL) if (fault := two_of(folder, name)))
    for profile in profiles(site).values():
        own = folder / profile.process / "tls.pem"
        if own.exists() or not here:
            texts = _connection(profile, own, trust, now, soon)
            found += (Finding(profile.process, text) for text in texts)
    parties, faults = _parties(folder, trust, now)
    found += faults
    for account in accounts(site):
        private = folder / account / ENCRYPTION_FOLDER
        public = parties.get(account, [])
        texts = _encryption(account, private, public, soon, here=here)
        found += (Finding(f"{account} (encryption)", text) for text in texts)
    return found


def key_here(folder: Path) -> str:
    """Say that the authority's key lies in the folder; empty where it does not.

    That is no fault, and whoever gets it can be everybody.
    """
    key = folder / AUTHORITY
    if not key.exists():
        return ""
    return (
        f"the authority's key {key} lies on this machine, and whoever reads it can be any process "
        "of the site: move it elsewhere, and renew there (renkei pki renew --ca-key FILE)"
    )


def unusable(site: Site, processes: Iterable[str]) -> list[str]:
    """Say, each reason once, why processes of a site could connect to nobody.

    Where a site's connections are plain, nothing is in their way.
    """
    found: dict[str, None] = {}
    for process in processes:
        identity = identity_of(site, process)
        if identity is None:
            break
        try:
            client_context(identity)
        except SiteError as error:
            found[str(error)] = None
    return list(found)


def ended_by(certificate: x509.Certificate, soon: dt.datetime) -> str:
    """Say that a certificate ends before a moment; empty where it does not."""
    until = certificate.not_valid_after_utc
    return f"it ends on {until:%Y-%m-%d}" if until < soon else ""


def connection_fault(profile: Profile, certificate: x509.Certificate) -> str:
    """Say what a process's certificate lacks of its profile; empty where it lacks nothing."""
    if account_of(certificate) != profile.account:
        return f"its common name is {account_of(certificate)!r}, and has to be {profile.account!r}"
    usages = _usages(certificate)
    if profile.client and ExtendedKeyUsageOID.CLIENT_AUTH not in usages:
        return "it is not for a client"
    if profile.hosts and ExtendedKeyUsageOID.SERVER_AUTH not in usages:
        return "it is not for a server"
    known = _hosts(certificate)
    missing = [host for host in profile.hosts if host.lower() not in known]
    return f"it does not name the host {', '.join(missing)}" if missing else ""


def _authorities(
    folder: Path, trust: Trust, now: dt.datetime, soon: dt.datetime
) -> Iterator[Finding]:
    for one in trust.authorities:
        if text := ended_by(one, soon):
            yield Finding(CA, f"the authority {one.subject.rfc4514_string()}: {text}")
        lists = [found for found in trust.lists if found.issuer == one.subject]
        until = max((found.next_update_utc or now for found in lists), default=None)
        if until is None:
            yield Finding(CRL, f"{one.subject.rfc4514_string()} has no revocation list in it")
        elif until < now + LIST_DAYS_LEFT * ONE_DAY:
            ends = f"{until:%Y-%m-%d %H:%M} UTC"
            yield Finding(CRL, f"the revocation list ends at {ends}: run renkei pki renew")
        hashed = folder / CRLS / list_name(one.subject)
        if lists and not hashed.exists():
            yield Finding(str(Path(CRLS, hashed.name)), "it is not there: RabbitMQ reads it")
    key = folder / AUTHORITY
    if key.exists():
        yield from (Finding(str(AUTHORITY), text) for text in _key_fault(key))


def _connection(
    profile: Profile, own: Path, trust: Trust, now: dt.datetime, soon: dt.datetime
) -> Iterator[str]:
    try:
        chain = read_certificates(own)
    except SiteError:
        yield f"there is none: run renkei pki issue {profile.process}"
        return
    text = trust.fault(chain, now) or connection_fault(profile, chain[0])
    if text or (text := ended_by(chain[0], soon)):
        yield f"{text}: run renkei pki issue {profile.process}"
    key = own.with_name("tls.key")
    yield from _key_fault(key, chain[0])


def _key_fault(file: Path, certificate: x509.Certificate | None = None) -> Iterator[str]:
    try:
        key = read_key(file)
    except SiteError as error:
        yield str(error)
        return
    if certificate is not None and key.public_key() != certificate.public_key():
        yield f"the key {file} is not that of its certificate"


def _parties(
    folder: Path, trust: Trust, now: dt.datetime
) -> tuple[dict[str, list[x509.Certificate]], list[Finding]]:
    """Give the encryption certificates in force by account, and what is wrong with the others."""
    good: dict[str, list[x509.Certificate]] = {}
    found: list[Finding] = []
    for path in sorted((folder / PARTIES).glob("*.pem")):
        name = str(Path(PARTIES, path.name))
        try:
            chain = read_certificates(path)
        except SiteError as error:
            found.append(Finding(name, str(error)))
            continue
        # An ended or revoked one may lie there; what nobody here signed may not.
        if chain[0].not_valid_after_utc < now or trust.is_revoked(chain[0]):
            continue
        if text := trust.fault(chain, now) or purpose_fault(chain[0]):
            found.append(Finding(name, text))
        else:
            good.setdefault(account_of(chain[0]), []).append(chain[0])
    return good, found


def _encryption(
    account: str,
    private: Path,
    own: Sequence[x509.Certificate],
    soon: dt.datetime,
    *,
    here: bool,
) -> Iterator[str]:
    if not own:
        yield f"nobody can encrypt for {account}: run renkei pki issue {account}"
        return
    newest = max(own, key=lambda one: one.not_valid_before_utc)
    if text := ended_by(newest, soon):
        yield f"{text}: run renkei pki renew"
    if here and not private.exists():
        return
    for one in own:
        yield from _key_fault(private / f"{kid_of(one)}.key", one)


def _usages(certificate: x509.Certificate) -> list[x509.ObjectIdentifier]:
    try:
        return list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return []


def _hosts(certificate: x509.Certificate) -> set[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    names = {one.lower() for one in found.get_values_for_type(x509.DNSName)}
    return names | {str(one) for one in found.get_values_for_type(x509.IPAddress)}
