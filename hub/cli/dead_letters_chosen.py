"""The options that choose dead letters, and what is done with one or with several."""

import datetime as dt
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.ledger.addressee import day
from hub.cli.shelf import tell_request
from hub.clock import midnight

if TYPE_CHECKING:
    from hub.desks.dead_letters import DeadLetters
    from hub.ledger.asides import Wanted
    from hub.message import AccessItems


class Status(StrEnum):
    """Which dead letters are listed."""

    OPEN = "open"
    REQUESTED = "requested"
    RELEASED = "released"
    SENDING = "sending"
    MOVED = "moved"
    DISCARDED = "discarded"
    REFUSED = "refused"
    ALL = "all"


MaybeNumber = Annotated[
    int | None,
    typer.Argument(
        metavar="[ID]",
        help="The number, as list shows it; or choose several by the options below.",
        show_default=False,
    ),
]
FlowOption = Annotated[
    str, typer.Option("--flow", help="Copies of this flow, such as M1b.", show_default=False)
]
ReceiverOption = Annotated[
    str, typer.Option("--receiver", help="Copies for this system.", show_default=False)
]
SenderOption = Annotated[
    str, typer.Option("--sender", help="Those that this system sent.", show_default=False)
]
CodeOption = Annotated[
    str,
    typer.Option("--code", help="Those of this error, such as not-taken.", show_default=False),
]
StepOption = Annotated[
    str,
    typer.Option(
        "--step",
        help="Those that failed there: take (in the hub), send (to the receiver's queue), receive "
        "(out of it).",
        show_default=False,
    ),
]
SinceOption = Annotated[
    dt.date | None,
    typer.Option(
        "--since",
        metavar="DATE",
        parser=day,
        help="Those of this day in Japan and later, as 2026-04-01.",
        show_default=False,
    ),
]


def wanted_by(  # noqa: PLR0913, PLR0917 - one for each option
    flow: str, receiver: str, sender: str, code: str, step: str, since: dt.date | None
) -> "Wanted":
    """Say which dead letters the options choose.

    Raises:
        typer.BadParameter: there is no such step.
    """
    from hub.ledger.asides import Wanted  # noqa: PLC0415 - see hub.cli.main
    from hub.ledger.beside import Shelf, Step  # noqa: PLC0415

    if step and step not in set(Step):
        message = f"there is no step {step}: {', '.join(Step)}"
        raise typer.BadParameter(message, param_hint="--step")
    begin = None if since is None else midnight(since)
    return Wanted(
        Shelf.DEAD_LETTER,
        sender=sender,
        code=code,
        flow=flow,
        receiver=receiver,
        step=step,
        since=begin,
    )


def settled(
    desk: "DeadLetters",
    number: int | None,
    wanted: "Wanted",
    access: "AccessItems",
    *,
    discard: bool,
) -> int | None:
    """Decide about one dead letter and give its number; of several, make a request and say so.

    That is done, too, where the site wants a second person for one.

    Raises:
        typer.BadParameter: neither a number nor an option that chooses is given, or both.
    """
    from hub.ledger.asides import Wanted  # noqa: PLC0415 - see hub.cli.main
    from hub.ledger.beside import Shelf, State  # noqa: PLC0415

    is_filtered = wanted != Wanted(Shelf.DEAD_LETTER)
    if (number is None) != is_filtered:
        raise typer.BadParameter("give either an ID or at least one of the options that choose")
    if number is None:
        rows = desk.chosen(wanted)
        if len(rows) > 1:
            now = State.DISCARDED if discard else State.RELEASED
            request = desk.request(rows, access, now)
            tell_request(request, "dead-letters", f"{len(rows)} dead letters")
            return None
        number = rows[0].id
    request = desk.discard(number, access) if discard else desk.replay(number, access)
    if request:
        tell_request(request, "dead-letters", f"dead letter {number}")
        return None
    return number
