"""``renkei dead-letters``: look at the dead letters (配信不能電文), replay or discard them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.dead_letters_chosen import (
    Asked,
    CodeOption,
    FlowOption,
    MaybeNumber,
    ReceiverOption,
    SenderOption,
    SinceOption,
    Status,
    StepOption,
    settled,
    wanted_by,
)
from hub.cli.dead_letters_shown import HEADS, STATUS_JA, cells, facts, lines
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
    why,
)
from hub.limits import GREATEST_NUMBER

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from hub.desks.dead_letters import DeadLetters

app = typer.Typer(
    help="The dead letters (配信不能電文): messages and copies that could not be delivered.\n\n"
    "Nothing is lost and nothing moves until staff replay or discard it. One message is decided "
    "about by one person; several together need a second person's approval, and so does each where "
    "the site file says so (second_person)."
)


@app.callback()
def _dead_letters() -> None:
    pass


def _desk(site: Path | None, state: Path | None) -> "AbstractContextManager[DeadLetters]":
    from hub.desks.dead_letters import DeadLetters  # noqa: PLC0415 - see hub.cli.main

    return at_desk(site, state, DeadLetters)


@app.command("list")
def list_dead_letters(  # noqa: PLR0913 - the options of a command
    *,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    status: Annotated[
        Status, typer.Option("--status", help="Those that stand like this.")
    ] = Status.OPEN,
    flow: FlowOption = "",
    receiver: ReceiverOption = "",
    sender: SenderOption = "",
    code: CodeOption = "",
    step: StepOption = "",
    since: SinceOption = None,
    request: Annotated[
        int,
        typer.Option(
            "--request",
            help="Those that this request is about.",
            show_default=False,
            min=0,
            max=GREATEST_NUMBER,
        ),
    ] = 0,
    as_json: JsonOption = False,
) -> None:
    """List dead letters, the oldest first. Nobody's data is shown.

    Exit status: 0 listed, also where there is none; 1 the ledger cannot be read; 2 the command
    line is wrong.
    """
    from dataclasses import replace  # noqa: PLC0415 - see hub.cli.main

    from hub.desks.shelf import listed  # noqa: PLC0415
    from hub.ledger.beside import State  # noqa: PLC0415

    everything = status is Status.ALL or (request and status is Status.OPEN)
    wanted = replace(
        wanted_by(flow, receiver, sender, code, step, since),
        state=None if everything else State(status.value),
        request=request,
    )
    with opened(site, state) as (_, ledger):
        found = listed(ledger, wanted, MOST + 1)
    said = "" if everything else f" ({STATUS_JA[status.value]})"
    print_list(
        found,
        facts=facts,
        heads=HEADS,
        cells=cells,
        none=f"there are none like this{said} (該当する配信不能電文はありません)",
        narrower="a --receiver, a --code or a day",
        as_json=as_json,
    )


@app.command("show")
def show_dead_letter(  # noqa: PLR0913 - the options of a command
    number: NumberArgument,
    *,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    staff: StaffOption = "",
    department: DepartmentOption = "",
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show where a message failed, why, and all that the ledger says of it; you are recorded.

    Its body is never shown, nor whom it is about. Exit status: 0 shown; 1 it cannot be read, or
    the look could not be recorded; 2 there is no such dead letter, or the command line is wrong.
    """
    with _desk(site, state) as desk:
        dossier = desk.show(number, asked_by(staff, department, reason, "dead-letters show"))
    if as_json:
        typer.echo(json.dumps(facts(dossier.row, dossier), ensure_ascii=False))
        return
    for line in lines(dossier):
        typer.echo(line)


@app.command("replay")
def replay_dead_letters(  # noqa: PLR0913 - the options of a command
    number: MaybeNumber = None,
    *,
    reason: WhyOption,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    flow: FlowOption = "",
    receiver: ReceiverOption = "",
    sender: SenderOption = "",
    code: CodeOption = "",
    step: StepOption = "",
    since: SinceOption = None,
    movable: Annotated[
        bool,
        typer.Option(
            "--movable",
            help="Of those that the options choose, only what today's rules let go.",
        ),
    ] = False,
    staff: StaffOption = "",
    department: DepartmentOption = "",
) -> None:
    """Let a dead letter go its way once more, or ask it for several.

    Today's rules judge it; nothing moves that is older than what was accepted meanwhile, and each
    goes once only. One goes at once, unless the site wants a second person. Several make a request,
    which another person approves with approve; they are judged when that is asked for and when it
    is approved. What two persons decide needs --staff. Exit status: 0 released or requested; 1 one
    may not move, or was decided about; 2 there is none like this, or the command line is wrong.
    """
    wanted = wanted_by(flow, receiver, sender, code, step, since)
    access = asked_by(staff, department, why(reason), "dead-letters replay")
    with _desk(site, state) as desk:
        asked = Asked(access, is_named=bool(staff), only_movable=movable)
        one = settled(desk, number, wanted, asked)
    if one is not None:
        typer.echo(f"{one} is released (再送を決定しました)")


@app.command("discard")
def discard_dead_letters(  # noqa: PLR0913 - the options of a command
    number: MaybeNumber = None,
    *,
    reason: WhyOption,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    flow: FlowOption = "",
    receiver: ReceiverOption = "",
    sender: SenderOption = "",
    code: CodeOption = "",
    step: StepOption = "",
    since: SinceOption = None,
    staff: StaffOption = "",
    department: DepartmentOption = "",
) -> None:
    """Decide that a dead letter goes nowhere, or ask it for several; its body is deleted.

    The facts stay in the ledger. One is discarded at once, unless the site wants a second person.
    Several make a request, which another person approves with approve. What two persons decide
    needs --staff. Exit status: 0 discarded or requested; 1 it was decided about already; 2 there is
    none like this, or the command line is wrong.
    """
    wanted = wanted_by(flow, receiver, sender, code, step, since)
    access = asked_by(staff, department, why(reason), "dead-letters discard")
    with _desk(site, state) as desk:
        one = settled(desk, number, wanted, Asked(access, is_named=bool(staff), is_discard=True))
    if one is not None:
        typer.echo(f"{one} is discarded (廃棄しました)")


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
    """Approve what another person asked for dead letters; --staff is another one's.

    `renkei dead-letters list --request NUMBER` shows which. Exit status: 0 done; 1 it is your own
    request, or somebody was faster; 2 no such request waits, or the command line is wrong.
    """
    with _desk(site, state) as desk:
        access = asked_by(decider(staff), department, reason, "dead-letters approve")
        count, now = desk.approve(number, access)
    said = "discarded (廃棄しました)" if now == "discarded" else "released (再送を決定しました)"
    typer.echo(f"request {number} is approved: {count} dead letters are {said}")


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
    """Decline a request, or take your own back: its dead letters are open again.

    Exit status: 0 done; 1 somebody was faster; 2 no such request waits, or the command line is
    wrong.
    """
    with _desk(site, state) as desk:
        access = asked_by(decider(staff), department, why(reason), "dead-letters decline")
        count = desk.decline(number, access)
    typer.echo(f"request {number} is declined: {count} dead letters are open (申請を却下しました)")
