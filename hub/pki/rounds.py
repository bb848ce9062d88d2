"""What is done for a whole site: all its certificates made, those that end soon made anew."""

import datetime as dt
from collections.abc import Iterable

from cryptography import x509

from hub.errors import SiteError
from hub.near import near
from hub.pki.authority import ENCRYPTION
from hub.pki.files import read_certificates
from hub.pki.names import Profile, accounts, profiles
from hub.pki.parties import PARTIES
from hub.pki.store import Store, is_of
from hub.pki.trust import account_of, load_trust, unit_of
from hub.site import Site

ONE_DAY = dt.timedelta(days=1)


def issue_missing(store: Store, site: Site, now: dt.datetime) -> list[x509.Certificate]:
    """Make each certificate of the site that is not there yet; renew the revocation list.

    Raises:
        SiteError: the authority is not here, or a file cannot be written.
    """
    made = [
        store.issue(one, now)
        for one in profiles(site).values()
        if not (store.folder / one.process / "tls.pem").exists()
    ]
    have = {account_of(one) for one in parties(store)}
    made += [store.issue_encryption(one, now) for one in accounts(site) if one not in have]
    store.renew_list(now)
    return made


def issue_for(
    store: Store, site: Site, names: Iterable[str], now: dt.datetime
) -> list[x509.Certificate]:
    """Make new certificates of processes, and new encryption keys where they are accounts too.

    Those of before hold until they end or are revoked. The revocation list is renewed as well.

    Raises:
        SiteError: the site has no such process; the authority is not here; or a file cannot be
            written.
    """
    wanted = [profile_of(site, name) for name in names]
    made = [store.issue(one, now) for one in wanted]
    with_keys = accounts(site)
    made += [store.issue_encryption(one.process, now) for one in wanted if one.process in with_keys]
    store.renew_list(now)
    return made


def renew_due(store: Store, site: Site, now: dt.datetime) -> list[x509.Certificate]:
    """Make anew what ends within the site's ``renew_days``, and the revocation list.

    Raises:
        SiteError: the authority is not here, or a file cannot be written; or, once all else is
            done, a certificate that is there cannot be read.
    """
    soon = now + site.tls.renew_days * ONE_DAY
    trust = load_trust(store.folder)
    store.renew_list(now)  # first: without it nobody could connect, whatever else is damaged

    def is_due(found: Iterable[x509.Certificate]) -> bool:
        """Tell whether the last of those that are not revoked ends soon; where all are, not.

        Whose certificate was revoked gets a new one from a person, not from a timer.
        """
        ends = [one.not_valid_after_utc for one in found if not trust.is_revoked(one)]
        return bool(ends) and max(ends) < soon

    made: list[x509.Certificate] = []
    faults: list[str] = []
    for one in profiles(site).values():
        own = store.folder / one.process / "tls.pem"
        try:
            found = read_certificates(own)[:1] if own.exists() else []
        except SiteError as error:  # of that process: all the others are renewed nevertheless
            faults.append(str(error))
            continue
        if is_due(found):
            made.append(store.issue(one, now))
    known = parties(store)
    made += [
        store.issue_encryption(account, now)
        for account in accounts(site)
        if is_due(one for one in known if account_of(one) == account)
    ]
    if faults:
        raise SiteError("\n".join(["all else was renewed, but:", *faults]))
    return made


def parties(store: Store) -> list[x509.Certificate]:
    """Give the encryption certificates that lie there for everybody.

    Raises:
        SiteError: one is damaged.
    """
    return [read_certificates(path)[0] for path in sorted((store.folder / PARTIES).glob("*.pem"))]


def profile_of(site: Site, name: str) -> Profile:
    """Give what the certificate of a process says.

    Raises:
        SiteError: the site has no such process; the text names the nearest.
    """
    known = profiles(site)
    if name not in known:
        meant = near(name, known)
        hint = f"did you mean {meant}?" if meant else f"it has {', '.join(known)}"
        message = f"the site has no process {name}; {hint}"
        raise SiteError(message)
    return known[name]


def serials_of(store: Store, names: Iterable[str], now: dt.datetime) -> list[int]:
    """Give the serial numbers of all certificates in force by the names of their owners.

    A serial number, in hexadecimal digits, stands for itself.

    Raises:
        SiteError: nothing was ever signed for one of them.
    """
    issued = store.issued()
    known = {f"{one.serial_number:x}": one.serial_number for one in issued}
    found: list[int] = []
    for name in names:
        if name.lower() in known:
            found.append(known[name.lower()])
            continue
        own = [one for one in issued if is_of(one, name)]
        if not own:
            message = f"nothing was signed here for {name}: renkei pki list shows what was"
            raise SiteError(message)
        found += [one.serial_number for one in own if one.not_valid_after_utc >= now]
    return found


def said(certificate: x509.Certificate) -> dict[str, str]:
    """Give what is shown of a certificate, as texts by name."""
    unit, account = unit_of(certificate), account_of(certificate)
    return {
        "process": account if unit == ENCRYPTION else unit,
        "account": account,
        "use": ENCRYPTION if unit == ENCRYPTION else "connections",
        "serial": f"{certificate.serial_number:x}",
        "from": certificate.not_valid_before_utc.isoformat(),
        "until": certificate.not_valid_after_utc.isoformat(),
    }


def list_ends(store: Store) -> dt.datetime | None:
    """Say until when the revocation lists hold, the first that ends.

    Raises:
        SiteError: a file is missing or damaged.
    """
    ends = [one.next_update_utc for one in load_trust(store.folder).lists]
    return min((one for one in ends if one is not None), default=None)
