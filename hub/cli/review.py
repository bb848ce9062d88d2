"""``renkei review``."""

import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.ledger.common import (
    DepartmentOption,
    ReasonOption,
    StaffOption,
    StateOption,
    asked_by,
    opened,
    site_file,
)
from hub.cli.options import MaybeSiteOption
from hub.cli.tables import print_table
from hub.clock import JST

if TYPE_CHECKING:
    from hub.desks.review import Review
    from hub.ledger.leaf import Recorded

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


_ENDINGS = (".pdf", ".html", ".json")


def _with_ending(out: Path | None) -> Path | None:
    """See that a file's ending says what it is to be.

    Raises:
        typer.BadParameter: it is none of those.
    """
    if out is not None and not out.is_dir() and out.suffix.lower() not in _ENDINGS:
        message = f"end the file's name with {', '.join(_ENDINGS)}, or name a folder that there is"
        raise typer.BadParameter(message, param_hint="--out")
    return out


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
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            callback=_with_ending,
            help="Write it into a new file, in Japanese, in place of printing it: of its ending, "
            "pdf, html or json. In a folder that there is, it is review-MONTH.pdf.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Tell what a month of the ledger had, refused attempts first, for the administrator (III.5).

    Who was refused, what was sent at night and on days of rest, what members of staff decided,
    looked at and wrote out, which days are not reconciled, what changed. That it is looked at is
    recorded first. An administrator signs it as read on the console's page Review. A file is for
    this account alone; that it is written is recorded with its SHA-256.

    Exit status: 0 told or written; 1 the ledger cannot be read or added to, and nothing is shown,
    or the file is there already; 2 that is no month, or no form of a file.
    """
    from hub.desks.review import look_at, signed  # noqa: PLC0415 - see hub.cli.main
    from hub.desks.review_file import write_review  # noqa: PLC0415
    from hub.ledger.schema import ledger_errors  # noqa: PLC0415

    now = dt.datetime.now(JST)
    month = month or f"{now.replace(day=1) - dt.timedelta(days=1):%Y-%m}"
    access = asked_by(staff, department, reason, "renkei review")
    with opened(site, state) as (settings, ledger):
        report = look_at(ledger, month, settings.watch, access, now)
        with ledger_errors("be read"), ledger.engine.connect() as connection:
            entry = signed(connection, month)
        if out is not None:
            path = out / f"review-{month}.pdf" if out.is_dir() else out
            content = _written(report, entry, path, site_file(site, state))
            digest = write_review(ledger, month, content, path, access=access, now=now)
            typer.echo(f"{path}: SHA-256 {digest}")
            return
    if as_json:
        sys.stdout.write(report.document().decode())
        return
    for name, title in _TITLES.items():
        _print(report, name, title)
    by = f"read by {entry.access.staff}" if entry is not None else "not signed as read yet"
    typer.echo(f"{report.month}: {by}; SHA-256 {report.digest()}")


def _written(report: "Review", by: "Recorded | None", path: Path, site: Path) -> bytes:
    """Give a report as the file of this ending has it."""
    from hub.compose.checked import load_checked  # noqa: PLC0415 - see hub.cli.main
    from monitoring.console.reviewed import WRITERS  # noqa: PLC0415
    from monitoring.console.shown import Say  # noqa: PLC0415
    from monitoring.console.words import Words  # noqa: PLC0415

    _, catalogue = load_checked(site, ())
    say = Say(Words("ja"), catalogue)
    return WRITERS[path.suffix.lower().removeprefix(".")](report, by, say, dt.datetime.now(JST))


def _print(report: "Review", name: str, title: str) -> None:
    rows = getattr(report, name)
    if not rows:
        typer.echo(f"{title}: none")
        return
    cells = [tuple(map(str, row)) for row in rows]
    print_table(rows[0]._fields, cells, unwatched=_WIDE, title=title)
