"""``renkei flows``."""

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.options import MaybeSiteOption, OnOption, catalogue_of, day_or_today
from hub.cli.tables import print_table

if TYPE_CHECKING:
    from hub.catalogue.view import View

_UNWATCHED_WIDTH = 240
"""How wide the table is where no terminal has a width."""
_COLOURS = {"permitted": "green", "held": "yellow", "denied": "red", "not-in-force": "dim"}


class Format(StrEnum):
    """How the catalogue is written."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"
    MERMAID = "mermaid"
    SVG = "svg"


class InLanguage(StrEnum):
    """In which language systems and flows are named."""

    JA = "ja"
    EN = "en"


def flows(
    *,
    on: OnOption = None,
    system: Annotated[
        str | None,
        typer.Option(help="Only flows that this system sends or receives.", show_default=False),
    ] = None,
    form: Annotated[
        Format,
        typer.Option("--format", help="A table for the terminal, or a text on stdout to keep."),
    ] = Format.TABLE,
    language: Annotated[
        InLanguage,
        typer.Option("--lang", help="Names in markdown, mermaid and svg: Japanese or English."),
    ] = InLanguage.JA,
    site: MaybeSiteOption = None,
) -> None:
    """Show the catalogue: every flow with its state and basis on a day, as table or picture.

    `--format json` gives a list of the objects of `renkei explain --json`, one for each flow.
    `--format svg` gives the picture: `renkei flows --format svg > flows.svg`.
    """
    from hub.catalogue import markdown, mermaid, svg  # noqa: PLC0415 - see hub.cli.main
    from hub.catalogue.view import view  # noqa: PLC0415

    shown = view(catalogue_of(site), day_or_today(on), system)
    match form:
        case Format.TABLE:
            _print_table(shown)
        case Format.JSON:
            _print(json.dumps([one.answer.as_json() for one in shown.flows], ensure_ascii=False))
        case Format.MARKDOWN:
            _print(markdown.flows_table(shown, language.value))
        case Format.MERMAID:
            _print(mermaid.mermaid(shown, language.value))
        case Format.SVG:
            _print(svg.svg(shown, language.value))


def _print(text: str) -> None:
    typer.echo(text, nl=not text.endswith("\n"))


def _print_table(shown: "View") -> None:
    from hub.catalogue.table import HEADERS, rows  # noqa: PLC0415 - see hub.cli.main

    console = print_table(
        HEADERS,
        rows(shown),
        unwatched=_UNWATCHED_WIDTH,
        title=f"Statutory flows on {shown.day}",
        style=lambda row: _COLOURS.get(row[1], ""),
    )
    counts: dict[str, int] = {}
    for one in shown.flows:
        counts[str(one.answer.state)] = counts.get(str(one.answer.state), 0) + 1
    summary = ", ".join(f"{count} {state}" for state, count in counts.items())
    console.print(f"{len(shown.flows)} flows: {summary}" if counts else "no flow", highlight=False)
