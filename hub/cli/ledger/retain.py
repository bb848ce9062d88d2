"""``renkei ledger retain`` and ``erase``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.ledger.common import (
    DepartmentOption,
    ReasonOption,
    StaffOption,
    StateOption,
    opened,
    site_file,
)
from hub.cli.ledger.steps import ordered, size_said, steps
from hub.cli.options import MaybeSiteOption

if TYPE_CHECKING:
    from hub.ledger.store import DatabaseLedger
    from hub.ledger.years.retention import Destroyed, Due


def retain(  # noqa: PLR0913 - the options of a command
    *,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Destroy nothing; say what would be.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="The folder of the certificates; default: certificates beside the site file.",
            show_default=False,
        ),
    ] = None,
    staff: StaffOption = "",
    department: DepartmentOption = "",
    reason: ReasonOption = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Destroy the months whose time (hub.retention_years) is over, unless a legal hold stands.

    It comes first as an entry and a signed certificate for each month, which is printed and kept
    in a folder; the hashes stay, so the ledger still verifies. What was cut off is gone on with
    by the next run. It cannot be undone. Exit status: 0 done, or nothing is due; 1 it could not
    be done, or was not confirmed; 2 the command line is wrong.
    """
    folder = out or site_file(site, state).resolve().parent / "certificates"
    with opened(site, state) as (settings, ledger), steps() as step:
        from hub.ledger.years.pruning import give_back  # noqa: PLC0415 - see hub.cli.main
        from hub.ledger.years.retention import destroy  # noqa: PLC0415

        what = _due(ledger, settings.hub.retention_years)
        typer.echo(_planned(what), err=as_json)
        todo = [one for one in what if not one.kept]
        if dry_run or not todo:
            if as_json:
                typer.echo(json.dumps([_due_facts(one) for one in what]))
            return
        if not yes:
            typer.confirm("destroy them?", abort=True)
        order = ordered(settings, staff, department, reason, "ledger retain")
        before = _file_bytes(ledger)
        done = [destroy(ledger, one, folder, order, step) for one in todo]
        whole = give_back(ledger.engine, step)
        after = _file_bytes(ledger)
    typer.echo(json.dumps([_facts(one) for one in done]) if as_json else _said(done))
    if before:
        typer.echo(
            f"the ledger's file: {size_said(before)} before, {size_said(after)} now", err=True
        )
    if not whole:
        typer.echo("the file shrinks once nobody reads in it any more", err=True)


def _due(ledger: "DatabaseLedger", years: int) -> "list[Due]":
    from hub.clock import today  # noqa: PLC0415 - see hub.cli.main
    from hub.ledger.schema import ledger_errors  # noqa: PLC0415
    from hub.ledger.years.retention import due  # noqa: PLC0415

    with ledger_errors("be read"), ledger.engine.connect() as connection:
        return due(connection, years, today())


def _planned(what: "list[Due]") -> str:
    lines = []
    for one in what:
        holds = ", ".join(hold.name for hold in one.holds)
        if one.kept:
            lines.append(f"{one.month.said()}: kept by the legal hold {holds}")
        elif one.number:
            lines.append(f"{one.month.said()}: begun by entry {one.number}, the rest is to go")
        elif one.month.archive:
            lines.append(f"{one.month.said()}: to be destroyed; it was archived")
        else:
            lines.append(f"{one.month.said()}: to be destroyed; WARNING: it was never archived")
    return "\n".join(lines) or "no month is past its time"


def _due_facts(one: "Due") -> dict[str, object]:
    return {
        "month": one.month.month.month,
        "entries": [one.month.first, one.month.last],
        "holds": [hold.name for hold in one.holds],
        "archived": bool(one.month.archive),
        "begun_by": one.number or None,
    }


def _facts(one: "Destroyed") -> dict[str, object]:
    return {
        "month": one.month.month.month,
        "entries": [one.month.first, one.month.last],
        "entry": one.number,
        "certificate": str(one.certificate),
    }


def _said(done: "list[Destroyed]") -> str:
    parts = []
    for one in done:
        text = one.certificate.read_text(encoding="utf-8") if one.certificate.exists() else ""
        parts.append(
            f"{one.month.said()}: destroyed by entry {one.number}; {one.certificate}\n{text}"
        )
    return "\n".join(parts)


def _file_bytes(ledger: "DatabaseLedger") -> int:
    from hub.ledger.schema import sqlite_path  # noqa: PLC0415 - see hub.cli.main

    path = sqlite_path(ledger.engine)
    return path.stat().st_size if path else 0


def erase_salts(  # noqa: PLR0913 - the options of a command
    *,
    message: Annotated[
        str, typer.Option("--message", metavar="ID", help="The message's id.", show_default=False)
    ],
    sender: Annotated[
        str, typer.Option("--sender", metavar="SYSTEM", help="Its sender.", show_default=False)
    ],
    reason: Annotated[
        str, typer.Option("--reason", help="Why, for the ledger; no names.", show_default=False)
    ],
    site: MaybeSiteOption = None,
    state: StateOption = None,
    staff: StaffOption = "",
    department: DepartmentOption = "",
) -> None:
    """Erase the salts of a message: its digests are of no body any more.

    The entries stay and the ledger still verifies; an entry says which salts are gone. Backups
    and archives from before still have them. It cannot be undone. Exit status: 0 erased; 1 the
    message has no salts, or it could not be done; 2 the command line is wrong.
    """
    with opened(site, state) as (settings, ledger):
        from hub.ledger.years.erasure import erase  # noqa: PLC0415 - see hub.cli.main
        from hub.message import MessageKey  # noqa: PLC0415

        order = ordered(settings, staff, department, reason, "ledger erase")
        numbers = erase(ledger, MessageKey(sender, message), order)
    typer.echo(f"erased the salts of entries {', '.join(map(str, numbers))}")
