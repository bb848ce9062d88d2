"""Tables for people, as wide as their terminal; where nobody watches, as wide as they need."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from hub.clock import JST

if TYPE_CHECKING:
    from rich.console import Console


def in_table(at: dt.datetime) -> str:
    """Write a time for a table, as in Japan."""
    return at.astimezone(JST).strftime("%Y-%m-%d %H:%M:%S")


def print_table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    unwatched: int,
    title: str | None = None,
    style: Callable[[Sequence[str]], str] = lambda _row: "",
) -> "Console":
    """Print a table on stdout, and give where it was printed.

    ``unwatched`` is its width in columns where stdout is no terminal; ``style`` says how a row is
    to look, as rich has it.
    """
    from rich.console import Console  # noqa: PLC0415 - only where people read
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console()
    if not console.is_terminal:
        console = Console(width=unwatched)
    table = Table(*heads, title=title, title_justify="left")
    for row in rows:
        # Never markup: the words are those of the systems.
        table.add_row(*map(Text, row), style=style(row))
    console.print(table)
    return console
