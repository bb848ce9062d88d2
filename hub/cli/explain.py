"""``renkei explain``."""

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.options import MaybeSiteOption, OnOption, catalogue_of, day_or_today
from hub.errors import QuestionError, RenkeiError

if TYPE_CHECKING:
    from hub.statute.explain import Explanation
    from hub.statute.model import Catalogue

BAD_QUESTION = 2
_COLOURS = {"permitted": "green", "held": "yellow", "denied": "red", "not-in-force": "yellow"}


def explain(  # noqa: PLR0913 - the options of a command
    *,
    ref: Annotated[
        str | None,
        typer.Argument(help="A flow's reference, such as I1 or M1b.", show_default=False),
    ] = None,
    sender: Annotated[
        str | None, typer.Option("--from", help="The system that sends.", show_default=False)
    ] = None,
    receiver: Annotated[
        str | None, typer.Option("--to", help="The system that receives.", show_default=False)
    ] = None,
    message: Annotated[
        str | None,
        typer.Option(help="With --from and --to: only this message type.", show_default=False),
    ] = None,
    on: OnOption = None,
    as_object: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    site: MaybeSiteOption = None,
) -> None:
    """Say why a flow may move or not: by its reference, or by sender and receiver.

    Exit status: 0 it is permitted on the day; 1 it is not; 2 the question cannot be answered
    (an unknown reference or system, both forms at once, a wrong site file).
    """
    day = day_or_today(on)
    try:
        _check(ref, sender, receiver, message)
        catalogue, answers = _answers(site, day, ref, sender, receiver, message)
    except RenkeiError as error:
        # 1 is an answer here, so what is none must be told from it.
        typer.echo(f"renkei: {error}", err=True)
        raise typer.Exit(BAD_QUESTION) from None
    permitted = _print(catalogue, answers, day, as_object=as_object)
    raise typer.Exit(0 if permitted else 1)


def _check(ref: str | None, sender: str | None, receiver: str | None, message: str | None) -> None:
    by_ends = sender is not None or receiver is not None or message is not None
    if ref is not None and by_ends:
        raise QuestionError("ask by a reference, or by --from and --to, not by both")
    if ref is None and (sender is None or receiver is None):
        raise QuestionError("ask by a reference (renkei explain I1), or by --from and --to")
    if message is not None:
        _check_type(message)


def _check_type(message: str) -> None:
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415 - see hub.cli.main

    from hub.message import MessageType  # noqa: PLC0415

    try:
        TypeAdapter[str](MessageType).validate_python(message)
    except ValidationError:
        raise QuestionError(
            f"{message} is no name of a message type; one looks like resident.changed"
        ) from None


def _answers(  # noqa: PLR0913, PLR0917 - the parts of a question
    site: Path | None,
    day: dt.date,
    ref: str | None,
    sender: str | None,
    receiver: str | None,
    message: str | None,
) -> "tuple[Catalogue, list[Explanation]]":
    from hub.statute import explain as why  # noqa: PLC0415 - see hub.cli.main

    catalogue = catalogue_of(site)
    answers = why.explain(
        catalogue, day, ref=ref, sender=sender, receiver=receiver, message_type=message
    )
    return catalogue, answers


def _print(
    catalogue: "Catalogue", answers: "list[Explanation]", day: dt.date, *, as_object: bool
) -> bool:
    """Print the answers, as one where a program asks; say whether any permits."""
    from hub.catalogue.story import story  # noqa: PLC0415 - see hub.cli.main
    from hub.statute.explain import summed  # noqa: PLC0415

    whole = summed(answers)
    if as_object:
        typer.echo(json.dumps(whole.as_json(), ensure_ascii=False))
        return whole.permitted
    for number, answer in enumerate(answers):
        if number:
            typer.echo("")
        first, *rest = story(catalogue, answer, day)
        typer.secho(first, fg=_COLOURS.get(answer.state), bold=True)
        for line in rest:
            typer.echo(line)
    return whole.permitted
