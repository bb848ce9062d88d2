"""What the commands about the lists that wait for a person have in common."""

import datetime as dt
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.ledger.common import opened, site_file
from hub.clock import JST

if TYPE_CHECKING:
    from hub.ledger.store import DatabaseLedger
    from hub.pipeline.judge import Judge

MOST = 1000
"""The most that a list shows at once."""
_WIDE = 160

NumberArgument = Annotated[
    int, typer.Argument(metavar="ID", help="The number, as list shows it.", show_default=False)
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
def at_desk(site: Path | None, state: Path | None) -> "Iterator[tuple[DatabaseLedger, Judge]]":
    """Open the ledger that is meant, with the judge of today's catalogue."""
    from hub.compose.checked import load_checked  # noqa: PLC0415 - see hub.cli.main
    from hub.compose.ledger import pseudonyms  # noqa: PLC0415
    from hub.pipeline.judge import Judge  # noqa: PLC0415

    with opened(site, state) as (settings, ledger):
        _, catalogue = load_checked(site_file(site, state), ())
        yield ledger, Judge(catalogue, pseudonyms(settings), settings.hub.about_to_reach_days)


def now_in_japan() -> dt.datetime:
    """Give this moment."""
    return dt.datetime.now(JST)


def why(reason: str) -> str:
    """Make sure that a reason is given.

    Raises:
        typer.BadParameter: it is blank.
    """
    if not reason.strip():
        raise typer.BadParameter("say why: it stands in the ledger", param_hint="--reason")
    return reason.strip()


def in_table(at: dt.datetime) -> str:
    """Write a time for a table."""
    return at.astimezone(JST).strftime("%Y-%m-%d %H:%M:%S")


def print_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table for people."""
    from rich.console import Console  # noqa: PLC0415 - only where people read
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(file=sys.stdout)
    if not console.is_terminal:
        console = Console(file=sys.stdout, width=_WIDE)
    table = Table(*heads)
    for row in rows:
        # Never markup: the words are those of the systems.
        table.add_row(*map(Text, row))
    console.print(table)
