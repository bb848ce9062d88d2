"""Until when what a process needs of the certificates holds."""

import datetime as dt
from collections.abc import Callable

from hub.errors import SiteError
from hub.pki.files import read_certificates
from hub.pki.parties import load_parties
from hub.pki.trust import load_trust
from hub.tls import Identity

Ends = Callable[[], dt.datetime]
"""Reads when something ends, an aware time; raises ``SiteError`` where it cannot be read."""


def ends_of(identity: Identity, accounts: tuple[str, ...]) -> dict[str, Ends]:
    """Give what reads anew, each time, when each of these ends: the first where they are several.

    ``own`` is the process's certificate, ``authority`` and ``revocation-list`` are what it trusts,
    ``encryption`` are the newest keys of those accounts for which it encrypts.
    """
    folder = identity.folder

    def own() -> dt.datetime:
        return read_certificates(identity.certificate)[0].not_valid_after_utc

    def authority() -> dt.datetime:
        return min(one.not_valid_after_utc for one in load_trust(folder).authorities)

    def revocation_list() -> dt.datetime:
        ends = [one.next_update_utc for one in load_trust(folder).lists]
        known = [one for one in ends if one is not None]
        if not known:
            message = f"{identity.crl} has no list of an authority of {identity.ca}"
            raise SiteError(message)
        return min(known)

    def encryption() -> dt.datetime:
        now = dt.datetime.now(dt.UTC)
        newest = {one.account: one.until for one in load_parties(folder, now)}  # oldest first
        missing = [account for account in accounts if account not in newest]
        if missing:
            names = ", ".join(missing)
            message = f"nobody can encrypt for {names}: renkei pki issue {' '.join(missing)}"
            raise SiteError(message)
        return min(newest[account] for account in accounts)

    found = {"own": own, "authority": authority, "revocation-list": revocation_list}
    return found | ({"encryption": encryption} if accounts else {})
