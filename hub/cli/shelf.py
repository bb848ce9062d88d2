"""What the commands about the lists that wait for a person have in common."""

import datetime as dt
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from hub.cli.ledger.common import opened, site_file
from hub.cli.tables import print_table
from hub.clock import JST
from hub.limits import GREATEST_NUMBER

if TYPE_CHECKING:
    from hub.ledger.beside import Shelved
    from hub.ledger.store import DatabaseLedger
    from hub.pipeline.judge import Judge
    from hub.statute.reasons import Sentence

    Clock = Callable[[], dt.datetime]
    Facts = Mapping[str, Any]
DeskT = TypeVar("DeskT")

MOST = 1000
"""The most that a list shows at once."""
_WIDE = 160

RequestArgument = Annotated[
    int,
    typer.Argument(
        metavar="NUMBER",
        help="The request's number, as it was told.",
        show_default=False,
        min=1,
        max=GREATEST_NUMBER,
    ),
]
NumberArgument = Annotated[
    int,
    typer.Argument(
        metavar="ID",
        help="The number, as list shows it.",
        show_default=False,
        min=1,
        max=GREATEST_NUMBER,
    ),
]
DeciderOption = Annotated[
    str,
    typer.Option(
        "--staff",
        help="Who decides, as the ledger is to name them: another one than who asked. The name "
        "that you have in the console, if you have one there.",
        show_default=False,
    ),
]
WhyOption = Annotated[
    str,
    typer.Option(
        "--reason",
        help="Why, without names or numbers of persons. It stands in the ledger.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@contextmanager
def at_desk(
    site: Path | None,
    state: Path | None,
    desk: "Callable[[DatabaseLedger, Judge, Clock, Collection[str]], DeskT]",
) -> Iterator[DeskT]:
    """Give a desk at the ledger that is meant, with the judge of today's catalogue."""
    from hub.compose.checked import load_checked  # noqa: PLC0415 - see hub.cli.main
    from hub.compose.ledger import pseudonyms  # noqa: PLC0415
    from hub.compose.numbers import hub_seals  # noqa: PLC0415
    from hub.pipeline.judge import Judge  # noqa: PLC0415

    with opened(site, state) as (settings, ledger):
        _, catalogue = load_checked(site_file(site, state), ())
        seals = hub_seals(settings)
        judge = Judge(catalogue, pseudonyms(settings), settings.hub.about_to_reach_days, seals)
        two = settings.hub.second_person
        yield desk(ledger, judge, lambda: dt.datetime.now(JST), two)


def decider(staff: str) -> str:
    """Make sure that a decision for two has a name: an account of the machine is not a person.

    Raises:
        typer.BadParameter: it is blank.
    """
    if not staff.strip():
        message = "two persons decide about this: say who you are, as the console names you"
        raise typer.BadParameter(message, param_hint="--staff")
    return staff


def why(reason: str) -> str:
    """Make sure that a reason is given.

    Raises:
        typer.BadParameter: it is blank.
    """
    if not reason.strip():
        raise typer.BadParameter("say why: it stands in the ledger", param_hint="--reason")
    return reason.strip()


def print_list(  # noqa: PLR0913 - what a list is
    found: "Sequence[Shelved]",
    *,
    facts: "Callable[[Shelved], Facts]",
    heads: Sequence[str],
    cells: "Callable[[Shelved], Sequence[str]]",
    none: str,
    narrower: str,
    as_json: bool,
) -> None:
    """Print a list, of which one more than ``MOST`` may be given.

    ``none`` is said where it is empty, ``narrower`` says how to ask for less.
    """
    shown = found[:MOST]
    if as_json:
        typer.echo(json.dumps([facts(one) for one in shown], ensure_ascii=False))
    elif shown:
        print_table(heads, map(cells, shown), unwatched=_WIDE)
    else:
        typer.echo(none, err=True)
    if len(found) > MOST:
        typer.echo(f"there are more than {MOST}: name {narrower}", err=True)


def who_facts(one: "Shelved") -> dict[str, Any]:
    """Give what JSON says first of a message that waits: which it is, and how it stands."""
    return {
        "id": one.id,
        "status": one.state.value,
        "since": one.at.astimezone(JST).isoformat(),
        "sender": one.key.sender,
        "message": one.key.id,
        "message_type": one.message_type,
    }


def why_facts(one: "Shelved", said: "Sentence") -> dict[str, Any]:
    """Give why a message waits, as JSON has it."""
    return {"code": one.code, "reason": said.en, "reason_ja": said.ja}


def who_lines(noun: str, facts: "Facts", status_ja: Mapping[str, str]) -> Iterator[str]:
    """Write for people what ``who_facts`` gives."""
    status = facts["status"]
    yield f"{noun} {facts['id']}: {status} ({status_ja[status]})"
    yield f"  since {facts['since']}, from {facts['sender']}, {facts['message_type']}"
    yield f"  message {facts['message']}"


def why_lines(facts: "Facts") -> Iterator[str]:
    """Write for people what ``why_facts`` gives."""
    yield f"  {facts['code']}: {facts['reason']}"
    yield f"  {facts['reason_ja']}"


def tell_request(request: int, command: str, what: str) -> None:
    """Say that a request is made about something, and how another person approves it."""
    typer.echo(
        f"request {request} is made for {what} (申請しました). "
        f"Another person approves it: renkei {command} approve {request} --staff …"
    )


def request_lines(facts: "Facts") -> Iterator[str]:
    """Say that a request waits."""
    if facts["request"] and facts["status"] == "requested":
        yield f"  request {facts['request']} waits for a second person (別の職員の承認待ち)"


def status_cell(one: "Shelved", status_ja: Mapping[str, str]) -> str:
    """Say how a message stands; of one that is asked for, the request's number, too."""
    state = one.state.value
    said = f"{state} {status_ja.get(state, '')}"
    return f"{said} {one.request}" if state == "requested" else said


def decided_lines(facts: "Facts") -> Iterator[str]:
    """Say where it stands who has decided."""
    if facts["decided"]:
        yield f"  decided about: entry {facts['decided']} of the ledger says by whom and why"


def overtaken_lines(ended: str, ended_ja: str) -> Iterator[str]:
    """Say that a newer message was accepted, and what is left to do."""
    yield f"  a newer one was accepted meanwhile: it can only be {ended}"
    yield f"  より新しい電文が受け付けられています。{ended_ja}のみ可能です。"
