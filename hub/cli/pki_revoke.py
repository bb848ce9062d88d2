"""``renkei pki revoke``."""

import datetime as dt
import json
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.ledger.common import DepartmentOption, ReasonOption, StaffOption, asked_by
from hub.cli.options import SiteOption
from hub.cli.pki import AuthorityKeyOption, JsonOption, app, opened_store
from hub.errors import RenkeiError
from hub.message import AccessItems

__all__ = ["app", "revoke"]

if TYPE_CHECKING:
    from cryptography import x509

    from hub.site import Site


@app.command("revoke")
def revoke(  # noqa: PLR0913 - the options of a command
    site: SiteOption,
    names: Annotated[
        list[str],
        typer.Argument(
            help="A process: all its certificates, and its account's encryption keys; or a "
            "serial number, as renkei pki list shows it.",
        ),
    ],
    *,
    ca_key: AuthorityKeyOption = None,
    offline: Annotated[
        bool,
        typer.Option(
            "--offline", help="Write the list only: close no connection, and record nothing."
        ),
    ] = False,
    staff: StaffOption = "",
    department: DepartmentOption = "",
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Revoke certificates: nobody gets in by them any more, and who is in is cut off.

    Example: renkei pki revoke tax --reason "the adapter's disk was stolen" --site site.toml

    The list is written first, then the account's connections to the broker are closed (its
    other certificates connect again), then the ledger gets an entry. Where the broker or the
    database reads its list from another machine, bring trust/ and crls/ there and run this
    again: it closes the connections once more. Exit status: 0 done; 1 something of it could not
    be done, and the text says what. With --json: {"revoked", "closed"}.
    """
    from hub.pki.rounds import said, serials_of  # noqa: PLC0415 - see hub.cli.main
    from hub.pki.trust import account_of  # noqa: PLC0415

    store, settings = opened_store(site, ca_key)
    now = dt.datetime.now(dt.UTC)
    with store.alone():
        serials = set(serials_of(store, names, now))
        fresh = store.revoke(serials, now)
    rows = [said(one) for one in fresh]
    if not as_json:
        for row in rows:
            typer.echo(f"revoked: {row['process']} ({row['use']}), serial {row['serial']}")
        if not rows:
            typer.echo("all of these are revoked already")
    closed: dict[str, int] = {}
    failed: list[str] = []
    if not offline:
        whose = {account_of(one) for one in store.issued() if one.serial_number in serials}
        access = asked_by(staff, department, reason, "revoke certificates")
        closed, failed = _follow(settings, access, fresh, sorted(whose))
    if as_json:
        typer.echo(json.dumps({"revoked": rows, "closed": closed}, ensure_ascii=False))
    else:
        for account, count in closed.items():
            typer.echo(f"closed: {count} connections of {account}")
    if failed:
        raise RenkeiError("\n".join(["the revocation list is written, but", *failed]))


def _follow(
    site: "Site", access: AccessItems, fresh: "list[x509.Certificate]", accounts: list[str]
) -> tuple[dict[str, int], list[str]]:
    """Cut off and record; say how many connections of whom were closed, and what failed."""
    from hub.compose.certificates import (  # noqa: PLC0415 - see hub.cli.main
        cut_off,
        record_revoked,
    )

    closed: dict[str, int] = {}
    failed: list[str] = []
    try:
        closed = cut_off(site, accounts)
    except RenkeiError as error:
        failed.append(f"connections to the broker could not be closed: {error}")
    try:
        if fresh:
            record_revoked(site, access, fresh)
    except RenkeiError as error:
        failed.append(f"the ledger has no entry of it: {error}")
    return closed, failed
