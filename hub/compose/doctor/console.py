"""The console's accounts: set up, in use, and not in one person's hand alone."""

import datetime as dt
from collections.abc import Iterator
from contextlib import nullcontext

from hub.compose.doctor.model import Patient, Said, fail, ok, warn
from hub.errors import SiteError
from hub.ledger.acts import Act
from hub.message import AccessItems
from hub.site import read_secret
from monitoring.console.accounts import Account, Accounts, Damaged
from monitoring.console.rights import Role
from monitoring.console.store import NAME, Store

ADMINISTRATORS = 2
"""With fewer, nobody can help the one who has lost their phone."""


def look_at_console(patient: Patient) -> Iterator[Said]:
    """Look at the accounts, where the site has a console that was ever used."""
    console = patient.site.console
    if console is None or not (console.folder / NAME).exists():
        return
    store = Store(console.folder, read_secret(console.key_file))
    try:
        accounts = list(Accounts(store, _never, nullcontext).all())
    finally:
        store.close()
    yield from accounts_said(accounts, dt.datetime.now(dt.UTC))


def accounts_said(accounts: list[Account | Damaged], now: dt.datetime) -> Iterator[Said]:
    """Say what is wrong with accounts, by their ids."""
    known = [one for one in accounts if isinstance(one, Account)]
    for one in accounts:
        if isinstance(one, Damaged):
            yield fail(
                f"the account {one.id} was changed by somebody else, or with another key",
                f"find out by whom; renkei console account remove {one.id}",
            )
    new = [one.id for one in known if not one.is_enrolled]
    if new:
        yield warn(
            f"these accounts have no password and second factor yet: {', '.join(new)}",
            "have each set up with its one-time code; renkei console account reset gives another",
        )
    locked = [one.id for one in known if one.is_enrolled and one.is_locked(now)]
    if locked:
        yield warn(
            f"these accounts are locked, or nobody used them for long: {', '.join(locked)}",
            "renkei console account unlock, or remove",
        )
    able = [one for one in known if one.is_enrolled and not one.is_locked(now)]
    administrators = [one for one in able if Role.ADMINISTRATOR in one.roles]
    if len(administrators) < ADMINISTRATORS:
        yield warn(
            f"administrators who can log in: {len(administrators)}",
            "renkei console account add: two, so that one can help the other",
        )
    yield ok(f"{len(able)} of {len(accounts)} accounts of the console can log in")


def _never(code: Act, access: AccessItems, detail: str) -> None:
    raise SiteError(f"nothing is changed by looking: {code}, {access.operation}, {detail}")
