"""The site's folder of certificates, and what follows when one is revoked."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509

from hub.broker.users import disconnect
from hub.clock import JST
from hub.compose.broker import administrator
from hub.compose.ledger import open_ledger, witness_place_fault
from hub.errors import SiteError
from hub.ledger.acts import Act, act
from hub.ledger.model import Kind
from hub.message import AccessItems
from hub.pki.authority import ENCRYPTION
from hub.pki.check import check
from hub.pki.store import Store
from hub.pki.trust import account_of, unit_of
from hub.site import HUB_USER, Site


def store_of(site: Site, authority_key: Path | None = None) -> Store:
    """Open the site's folder of certificates; the authority's key may be kept elsewhere.

    Raises:
        SiteError: the site names no folder for them.
    """
    if site.tls.folder is None:
        message = 'the site has no folder for certificates: write folder = "pki" under [tls]'
        raise SiteError(message)
    return Store.of(site.tls.folder, site.broker.vhost, authority_key)


def faults_here(path: Path, site: Site) -> None:
    """Look at what of a site is on this machine: certificates, the place of the ledger's head.

    Raises:
        SiteError: something is wrong with them, or ends soon; all of it is named.
    """
    lines: list[str] = []
    if fault := witness_place_fault(site):
        lines.append(f"  {fault}: run renkei site init")
    if site.tls.folder is not None:
        found = check(site, site.tls.folder, dt.datetime.now(dt.UTC), here=True)
        lines += (f"  {one.name}: {one.text}" for one in found)
    if lines:
        raise SiteError("\n".join([f"{path} cannot be used:", *lines]))


def cut_off(site: Site, accounts: Sequence[str]) -> dict[str, int]:
    """Close the broker's connections of accounts; say how many of whom.

    Who has another certificate, as the hub's other workers, connects again by that.

    Raises:
        BrokerError: the broker cannot be reached, or refused.
        SiteError: the administrator's password cannot be read.
    """
    known = {HUB_USER, site.broker.admin_user, *site.systems}
    with administrator(site) as management:
        return disconnect(management, [one for one in accounts if one in known])


def record_revoked(
    site: Site, access: AccessItems, certificates: Sequence[x509.Certificate]
) -> None:
    """Write into the ledger which certificates were revoked, by whom and why.

    Raises:
        LedgerError: it cannot be written.
        SiteError: its secrets cannot be read.
    """
    named = (_named(one) for one in certificates)
    entry = act(
        Kind.OPERATOR_ACTION,
        access,
        dt.datetime.now(JST),
        code=Act.CERTIFICATE_REVOKED,
        detail="; ".join(named),
    )
    ledger = open_ledger(site)
    try:
        ledger.append([entry])
    finally:
        ledger.close()


def _named(one: x509.Certificate) -> str:
    unit = unit_of(one)
    whose = f"{account_of(one)}, {unit}" if unit == ENCRYPTION else unit
    return f"{whose}, serial {one.serial_number:x}"
