"""The options that choose dead letters, and what is done with one or with several."""

import datetime as dt
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from hub.cli.ledger.addressee import day
from hub.cli.shelf import decider, tell_request
from hub.clock import midnight
from hub.errors import QuestionError
from hub.limits import GREATEST_NUMBER
from hub.message import AccessItems

if TYPE_CHECKING:
    from hub.desks.dead_letters import DeadLetters
    from hub.ledger.asides import Wanted
    from hub.ledger.beside import Shelved


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
        min=1,
        max=GREATEST_NUMBER,
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


class Asked(NamedTuple):
    """What is asked for dead letters: a replay, or ``is_discard``; who asks is in ``access``.

    ``is_named`` says that they gave their name. With ``only_movable`` those of several stay that
    today's rules do not let go.
    """

    access: AccessItems
    is_named: bool
    is_discard: bool = False
    only_movable: bool = False


def settled(desk: "DeadLetters", number: int | None, wanted: "Wanted", asked: Asked) -> int | None:
    """Decide about one dead letter and give its number; of several, make a request and say so.

    That is done, too, where the site wants a second person for one.

    Raises:
        typer.BadParameter: neither a number nor an option that chooses is given, or both; or two
            persons decide, and the first gave no name.
        QuestionError: there is none like this, or none of them may move.
    """
    from hub.ledger.asides import Wanted  # noqa: PLC0415 - see hub.cli.main
    from hub.ledger.beside import Shelf, State  # noqa: PLC0415

    if (number is None) != (wanted != Wanted(Shelf.DEAD_LETTER)):
        raise typer.BadParameter("give either an ID or at least one of the options that choose")
    if number is not None and asked.only_movable:
        raise typer.BadParameter("--movable goes with the options that choose, not with an ID")
    rows = _chosen(desk, wanted, asked) if number is None else []
    if len(rows) > 1 or desk.is_for_two:
        decider(asked.access.staff if asked.is_named else "")
    if len(rows) > 1:
        now = State.DISCARDED if asked.is_discard else State.RELEASED
        request = desk.request(rows, asked.access, now)
        tell_request(request, "dead-letters", f"{len(rows)} dead letters")
        return None
    number = rows[0].id if number is None else number
    decide = desk.discard if asked.is_discard else desk.replay
    request = decide(number, asked.access)
    if request:
        tell_request(request, "dead-letters", f"dead letter {number}")
        return None
    return number


def _chosen(desk: "DeadLetters", wanted: "Wanted", asked: Asked) -> "list[Shelved]":
    """Give the dead letters that the options choose; say how many of them have to stay."""
    rows = desk.chosen(wanted)
    if not asked.only_movable:
        return rows
    moving = desk.movable(rows)
    if not moving:
        raise QuestionError(f"none of these {len(rows)} dead letters may move by today's rules")
    if len(moving) < len(rows):
        left = len(rows) - len(moving)
        typer.echo(f"{left} of {len(rows)} may not move by today's rules, and stay", err=True)
    return moving
