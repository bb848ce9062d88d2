"""``renkei review``."""

import datetime as dt
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.ledger.common import (
    DepartmentOption,
    ReasonOption,
    StaffOption,
    StateOption,
    asked_by,
    opened,
)
from hub.cli.options import MaybeSiteOption
from hub.cli.tables import print_table
from hub.clock import JST

if TYPE_CHECKING:
    from hub.desks.review import Review

_WIDE = 120
_TITLES = {
    "attempts": "refused attempts",
    "unusual": "sent at night (22:00 to 6:00) and on days of rest",
    "decisions": "decisions",
    "views": "looks at the ledger",
    "exports": "written out",
    "logins": "logins",
    "operations": "other operations",
    "unreconciled": "days not reconciled",
    "accounts": "changes of accounts",
    "catalogue": "changes of the catalogue",
    "refusals": "other refusals",
}


def review(  # noqa: PLR0913 - a command's options
    month: Annotated[
        str,
        typer.Option(
            "--month",
            metavar="MONTH",
            help="As 2026-11, in Japan; by default the month before this one.",
            show_default=False,
        ),
    ] = "",
    *,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    staff: StaffOption = "",
    department: DepartmentOption = "",
    reason: ReasonOption = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as it is signed, as JSON.")
    ] = False,
) -> None:
    """Tell what a month of the ledger had, refused attempts first, for the administrator (III.5).

    Who was refused, what was sent at night and on days of rest, what members of staff decided,
    looked at and wrote out, which days are not reconciled, what changed. That it is looked at is
    recorded first. An administrator signs it as read on the console's page Review.

    Exit status: 0 told; 1 the ledger cannot be read or added to, and nothing is shown; 2 that is
    no month.
    """
    from hub.desks.review import look_at, signed  # noqa: PLC0415 - see hub.cli.main
    from hub.ledger.schema import ledger_errors  # noqa: PLC0415

    now = dt.datetime.now(JST)
    month = month or f"{now.replace(day=1) - dt.timedelta(days=1):%Y-%m}"
    access = asked_by(staff, department, reason, "renkei review")
    with opened(site, state) as (settings, ledger):
        report = look_at(ledger, month, settings.watch, access, now)
        with ledger_errors("be read"), ledger.engine.connect() as connection:
            entry = signed(connection, month)
    if as_json:
        sys.stdout.write(report.document().decode())
        return
    for name, title in _TITLES.items():
        _print(report, name, title)
    by = f"read by {entry.access.staff}" if entry is not None else "not signed as read yet"
    typer.echo(f"{report.month}: {by}; SHA-256 {report.digest()}")


def _print(report: "Review", name: str, title: str) -> None:
    rows = getattr(report, name)
    if not rows:
        typer.echo(f"{title}: none")
        return
    cells = [tuple(map(str, row)) for row in rows]
    print_table(rows[0]._fields, cells, unwatched=_WIDE, title=title)
