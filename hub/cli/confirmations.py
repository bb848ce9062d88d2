"""``renkei confirmations``: look at the confirmation list (確認リスト), release or reject."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.confirmations_shown import HEADS, cells, facts, lines, shown_facts
from hub.cli.ledger.common import (
    DepartmentOption,
    ReasonOption,
    StaffOption,
    StateOption,
    asked_by,
    opened,
)
from hub.cli.options import MaybeSiteOption
from hub.cli.shelf import (
    MOST,
    DeciderOption,
    JsonOption,
    NumberArgument,
    RequestArgument,
    WhyOption,
    at_desk,
    decider,
    print_list,
    tell_request,
    why,
)

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from hub.desks.confirmations import Desk

app = typer.Typer(
    help="The confirmation list (確認リスト): messages that wait for a person.\n\n"
    "A message with another 個人番号 than the known one, or a doubt of its sender's, goes to "
    "nobody until staff decide: one person, or two where the site file says so (second_person)."
)


class Status(StrEnum):
    """Which messages are listed."""

    OPEN = "open"
    REQUESTED = "requested"
    RELEASED = "released"
    MOVED = "moved"
    REJECTED = "rejected"
    REFUSED = "refused"
    ALL = "all"


@app.callback()
def _confirmations() -> None:
    pass


def _desk(site: Path | None, state: Path | None) -> "AbstractContextManager[Desk]":
    from hub.desks.confirmations import Desk  # noqa: PLC0415 - see hub.cli.main

    return at_desk(site, state, Desk)


@app.command("list")
def list_confirmations(  # noqa: PLR0913 - the options of a command
    *,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    status: Annotated[
        Status, typer.Option("--status", help="Those that stand like this.")
    ] = Status.OPEN,
    system: Annotated[
        str, typer.Option("--system", help="Those that this system sent.", show_default=False)
    ] = "",
    code: Annotated[
        str,
        typer.Option(
            "--code", help="Those that wait for this, such as binding-differs.", show_default=False
        ),
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """List messages that wait for a person, the oldest first. Nobody's data is shown.

    Exit status: 0 listed, also where there is none; 1 the ledger cannot be read; 2 the command
    line is wrong.
    """
    from hub.desks.confirmations import listed  # noqa: PLC0415 - see hub.cli.main
    from hub.ledger.beside import State  # noqa: PLC0415

    wanted = None if status is Status.ALL else State(status.value)
    with opened(site, state) as (_, ledger):
        found = listed(ledger, wanted, system, code, MOST + 1)
    print_list(
        found,
        facts=facts,
        heads=HEADS,
        cells=cells,
        none="nothing waits for a person (確認待ちの電文はありません)",
        narrower="a --system or a --code",
        as_json=as_json,
    )


@app.command("show")
def show_confirmation(  # noqa: PLR0913 - the options of a command
    number: NumberArgument,
    *,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    staff: StaffOption = "",
    department: DepartmentOption = "",
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show a message and whom it is about; that you look is recorded in the ledger.

    個人番号 are never shown. Exit status: 0 shown; 1 it cannot be read, or the look could not be
    recorded; 2 there is no such confirmation, or the command line is wrong.
    """
    with _desk(site, state) as desk:
        shown = desk.show(number, asked_by(staff, department, reason, "confirmations show"))
    if as_json:
        typer.echo(json.dumps(shown_facts(shown), ensure_ascii=False))
        return
    for line in lines(shown):
        typer.echo(line)


@app.command("release")
def release_confirmation(  # noqa: PLR0913 - the options of a command
    number: NumberArgument,
    *,
    reason: WhyOption,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    staff: StaffOption = "",
    department: DepartmentOption = "",
) -> None:
    """Let a message go its way. The known 個人番号 stays what it is.

    Today's rules judge it; nothing moves that is older than what was accepted meanwhile. The hub
    sends it within seconds; `--status released` lists what still waits for that. Where the site
    wants a second person, this makes a request, which another person approves with approve. Exit
    status: 0 released or requested; 1 it may not move, or was decided about; 2 there is no such
    confirmation, or the command line is wrong.
    """
    access = asked_by(staff, department, why(reason), "confirmations release")
    with _desk(site, state) as desk:
        if desk.is_for_two:
            decider(staff)
        request = desk.release(number, access)
    if request:
        tell_request(request, "confirmations", f"confirmation {number}")
    else:
        typer.echo(f"{number} is released (送付を決定しました)")


@app.command("reject")
def reject_confirmation(  # noqa: PLR0913 - the options of a command
    number: NumberArgument,
    *,
    reason: WhyOption,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    staff: StaffOption = "",
    department: DepartmentOption = "",
) -> None:
    """Decide that a message goes nowhere; its body is deleted, the facts stay in the ledger.

    Where the site wants a second person, this makes a request, which another person approves with
    approve. Exit status: 0 rejected or requested; 1 it was decided about already; 2 there is no
    such confirmation, or the command line is wrong.
    """
    access = asked_by(staff, department, why(reason), "confirmations reject")
    with _desk(site, state) as desk:
        if desk.is_for_two:
            decider(staff)
        request = desk.reject(number, access)
    if request:
        tell_request(request, "confirmations", f"confirmation {number}")
    else:
        typer.echo(f"{number} is rejected (却下しました)")


@app.command("approve")
def approve_request(  # noqa: PLR0913 - the options of a command
    number: RequestArgument,
    *,
    staff: DeciderOption,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    department: DepartmentOption = "",
    reason: ReasonOption = "",
) -> None:
    """Approve what another person asked for a message; --staff is another one's.

    `renkei confirmations list --status requested` shows which; today's rules judge it once more.
    Exit status: 0 done; 1 it is your own request, it may not move, or somebody was faster; 2 no
    such request waits, or the command line is wrong.
    """
    with _desk(site, state) as desk:
        access = asked_by(decider(staff), department, reason, "confirmations approve")
        _, now = desk.approve(number, access)
    said = "rejected (却下しました)" if now == "rejected" else "released (送付を決定しました)"
    typer.echo(f"request {number} is approved: its message is {said}")


@app.command("decline")
def decline_request(  # noqa: PLR0913 - the options of a command
    number: RequestArgument,
    *,
    staff: DeciderOption,
    reason: WhyOption,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    department: DepartmentOption = "",
) -> None:
    """Decline a request, or take your own back: its message is open again.

    Exit status: 0 done; 1 somebody was faster; 2 no such request waits, or the command line is
    wrong.
    """
    with _desk(site, state) as desk:
        access = asked_by(decider(staff), department, why(reason), "confirmations decline")
        desk.decline(number, access)
    typer.echo(f"request {number} is declined: its message is open (申請を却下しました)")
