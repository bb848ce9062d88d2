"""``renkei layouts``: what stands in the files of the connected systems."""

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.tables import print_table
from hub.errors import QuestionError

if TYPE_CHECKING:
    from schemas.layout import Layout

app = typer.Typer(
    help="Show the wire layouts: columns, widths, types, codes, and what is assumed.",
    no_args_is_help=True,
)

_UNWATCHED_WIDTH = 240
"""How wide a table is where no terminal has a width."""

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def _ids() -> list[str]:
    from schemas.layout import layout_ids  # noqa: PLC0415 - see hub.cli.main

    return layout_ids()


@app.command("list")
def list_layouts(*, as_json: JsonOption = False) -> None:
    """List every layout: its form, encoding, columns, and whether it is assumed."""
    from hub.catalogue import layouts  # noqa: PLC0415 - see hub.cli.main

    found = [_found(layout_id) for layout_id in _ids()]
    if as_json:
        typer.echo(json.dumps([layouts.as_json(one) for one in found], ensure_ascii=False))
        return
    headings = ("layout", "form", "encoding", "columns", "standing", "title")
    _print_table(headings, layouts.summary_rows(found))


@app.command("show")
def show_layout(
    layout_id: Annotated[
        str,
        typer.Argument(
            help="The layout's id, such as union.residents.",
            autocompletion=_ids,
            show_default=False,
        ),
    ],
    *,
    as_json: JsonOption = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print it as the pages of the systems have it.")
    ] = False,
) -> None:
    """Print one layout as a table, with its codes and their meanings.

    Exit status: 2 there is no such layout.
    """
    from hub.catalogue import layouts  # noqa: PLC0415 - see hub.cli.main

    layout = _found(layout_id)
    if as_json:
        typer.echo(json.dumps(layouts.as_json(layout), ensure_ascii=False))
    elif as_markdown:
        typer.echo(layouts.markdown(layout), nl=False)
    else:
        typer.echo(f"{layout.id}: {layout.title_ja} ({layout.title})")
        typer.echo(layouts.put_together(layout))
        typer.echo(layouts.origin(layout))
        for title, headings, rows in layouts.tables(layout):
            if title:
                typer.echo(f"\n{title}")
            _print_table(headings, ([cell.replace("`", "") for cell in row] for row in rows))


def _found(layout_id: str) -> "Layout":
    from schemas.layout import load_layout  # noqa: PLC0415 - see hub.cli.main

    known = _ids()
    if layout_id not in known:
        from hub.near import near  # noqa: PLC0415 - see hub.cli.main

        meant = near(layout_id, known)
        hint = f"did you mean {meant}?" if meant else "renkei layouts list names them all"
        message = f"there is no layout {layout_id}; {hint}"
        raise QuestionError(message)
    return load_layout(layout_id)


def _print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    print_table(headings, rows, unwatched=_UNWATCHED_WIDTH)
