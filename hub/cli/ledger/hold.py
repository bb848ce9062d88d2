"""``renkei ledger hold add|lift|list``."""

import datetime as dt
import json
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.ledger.addressee import (
    UNKNOWN_NUMBER,
    AddresseeFileOption,
    AddresseeOption,
    addressee_number,
    residents_meant,
)
from hub.cli.ledger.common import DepartmentOption, StaffOption, StateOption, asked_by, opened
from hub.cli.ledger.steps import month_of_text
from hub.cli.options import MaybeSiteOption
from hub.errors import LedgerError

if TYPE_CHECKING:
    from hub.ledger.store import DatabaseLedger
    from hub.ledger.years.holds import Hold

app = typer.Typer(help="Legal holds: months of the ledger that may not be destroyed.")

WhyOption = Annotated[
    str,
    typer.Option(
        "--reason",
        help="Which proceedings, on whose order; no names. It stands in the ledger.",
        show_default=False,
    ),
]


@app.command("add")
def add_hold(  # noqa: PLR0913 - the options of a command
    *,
    reason: WhyOption,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    first: Annotated[
        str,
        typer.Option(
            "--from", metavar="MONTH", help="The first month, as 2019-01.", show_default=False
        ),
    ] = "",
    last: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="MONTH",
            help="The last month; default: the first one.",
            show_default=False,
        ),
    ] = "",
    addressee: AddresseeOption = None,
    addressee_file: AddresseeFileOption = None,
    staff: StaffOption = "",
    department: DepartmentOption = "",
) -> None:
    """Keep months from being destroyed, whatever their age; prints the hold's name.

    With a resident's 宛名番号 instead of months, every month with an entry about them is kept.

    Exit status: 0 the hold stands; 1 it could not be entered; 2 the command line is wrong.
    """
    number = addressee_number(addressee, addressee_file)
    if bool(first) == (number is not None):
        raise typer.BadParameter("give either --from or --addressee-file (or --addressee)")
    unknown = False
    with opened(site, state) as (settings, ledger):
        from hub.clock import JST  # noqa: PLC0415 - see hub.cli.main
        from hub.compose.ledger import pseudonyms  # noqa: PLC0415
        from hub.ledger.search.ask import knows  # noqa: PLC0415
        from hub.ledger.years.holds import hold_months, hold_resident  # noqa: PLC0415

        access, now = asked_by(staff, department, reason, "ledger hold add"), dt.datetime.now(JST)
        if number is not None:
            resident, *former = residents_meant(ledger, pseudonyms(settings), number)
            unknown = not knows(ledger, [resident, *former])
            name, entry = hold_resident(resident, reason, access, now, former)
        else:
            begin, end = month_of_text(first), month_of_text(last or first)
            name, entry = hold_months(begin, end, reason, access, now)
        ledger.append([entry])
        gone = _destroyed(ledger)
    typer.echo(name)
    if unknown:
        typer.echo(f"the ledger has no entry about this number yet. {UNKNOWN_NUMBER}", err=True)
    if gone:
        typer.echo(f"destroyed already, and not to be held: {', '.join(gone)}", err=True)


def _destroyed(ledger: "DatabaseLedger") -> list[str]:
    from hub.ledger.months import all_months  # noqa: PLC0415 - see hub.cli.main
    from hub.ledger.schema import ledger_errors  # noqa: PLC0415
    from hub.ledger.years.records import dashed  # noqa: PLC0415

    with ledger_errors("be read"), ledger.engine.connect() as connection:
        return [dashed(one.month) for one in all_months(connection) if one.destroyed]


@app.command("lift")
def lift_hold(  # noqa: PLR0913 - the options of a command
    name: Annotated[str, typer.Argument(help="The hold, as list names it.", show_default=False)],
    *,
    reason: WhyOption,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    staff: StaffOption = "",
    department: DepartmentOption = "",
) -> None:
    """End a hold.

    Exit status: 0 it is lifted; 1 no such hold stands, or it could not be entered; 2 the
    command line is wrong.
    """
    with opened(site, state) as (_, ledger):
        from hub.clock import JST  # noqa: PLC0415 - see hub.cli.main
        from hub.ledger.years.holds import lifted  # noqa: PLC0415

        holds = {hold.name: hold for hold in _standing(ledger)}
        if name not in holds:
            known = ", ".join(holds) or "none"
            raise LedgerError(f"no hold {name} stands; those that do: {known}")
        access = asked_by(staff, department, reason, "ledger hold lift")
        ledger.append([lifted(holds[name], reason, access, dt.datetime.now(JST))])
    typer.echo(f"{name} is lifted")


@app.command("list")
def list_holds(
    *,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """List the holds that stand, as the ledger's entries say.

    Exit status: 0 listed; 1 the ledger cannot be read.
    """
    with opened(site, state) as (_, ledger):
        holds = _standing(ledger)
    if as_json:
        typer.echo(json.dumps([_facts(hold) for hold in holds], ensure_ascii=False))
        return
    for hold in holds:
        typer.echo(
            f"{hold.name} {hold.scope()}, entry {hold.number} of {hold.at:%Y-%m-%d}: {hold.reason}"
        )
    if not holds:
        typer.echo("no legal hold stands", err=True)


def _standing(ledger: "DatabaseLedger") -> "list[Hold]":
    from hub.ledger.schema import ledger_errors  # noqa: PLC0415
    from hub.ledger.years.holds import standing  # noqa: PLC0415 - see hub.cli.main

    with ledger_errors("be read"), ledger.engine.connect() as connection:
        return standing(connection)


def _facts(hold: "Hold") -> dict[str, object]:
    return {
        "hold": hold.name,
        "first": hold.first or None,
        "last": hold.last or None,
        "resident": hold.resident or None,
        "entry": hold.number,
        "at": hold.at.isoformat(),
        "reason": hold.reason,
    }
