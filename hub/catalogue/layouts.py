"""Wire layouts as tables: for a terminal, for programs, and inside the pages of the systems."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.layout import Column, Kind, Layout

PLACE = re.compile(
    r"^<!-- layout: (?P<id>[a-z0-9.-]+) -->\n.*?^<!-- end -->$", re.DOTALL | re.MULTILINE
)
"""Where a page wants the table of a layout: between these two comments, each on its line."""

_HOLDS: Mapping[Kind, str] = {
    Kind.TEXT: "text",
    Kind.DIGITS: "digits",
    Kind.INTEGER: "whole number",
    Kind.DATE: "date as in the register",
    Kind.DAY: "day, `YYYY-MM-DD`",
    Kind.MONTH: "month, `YYYY-MM`",
    Kind.MOMENT: "time with offset, ISO 8601",
}


@dataclass(frozen=True, slots=True)
class _Facet:
    """A column of the table; one that is blank for all the layout's columns is left out."""

    heading: str
    cell: Callable[[Column], str]


def _holds(column: Column) -> str:
    if column.codes:
        return "; ".join(f"`{code}` {name}".rstrip() for code, name in column.codes.items())
    return _HOLDS[column.kind]


_FACETS = (
    _Facet("column", lambda column: column.name),
    _Facet("field", lambda column: f"`{column.field}`"),
    _Facet("width", lambda column: str(column.width)),
    _Facet("holds", _holds),
    _Facet("required", lambda column: "yes" if column.required else ""),
    _Facet("times", lambda column: str(column.times) if column.times > 1 else ""),
)


def headings_and_rows(layout: Layout) -> tuple[list[str], list[list[str]]]:
    """Give the table of a layout's columns: its headings, and a row for each column.

    Of the places of a list only the first has rows, which say how many there are.
    """
    columns = [column for column in layout.columns if column.place == 1]
    shown = [facet for facet in _FACETS if any(map(facet.cell, columns))]
    rows = [[facet.cell(column) for facet in shown] for column in columns]
    return [facet.heading for facet in shown], rows


def origin(layout: Layout) -> str:
    """Say whether a layout is assumed or documented, and by what source."""
    source = " ".join(layout.source.split()).removeprefix("Assumed.").lstrip()
    return f"{'Assumed' if layout.assumed else 'Documented'}. {source}"


def standing(layout: Layout) -> str:
    """Give the one word for it."""
    return "assumed" if layout.assumed else "documented"


def put_together(layout: Layout) -> str:
    """Say what form the files have, in which encoding, and how their records are grouped."""
    parts = [f"form {layout.form}", layout.encoding]
    if layout.group_by is not None:
        parts.append(f"grouped by {layout.group_by}")
    return ", ".join(parts)


def markdown(layout: Layout) -> str:
    """Give a layout as Markdown: what it is and where it is from, then the table."""
    word, _, source = origin(layout).partition(" ")
    place = f"`schemas/layouts/{layout.id}.toml`"
    facts = f"{layout.title_ja}, {place}: {put_together(layout)}. **{word}** {source}"
    headings, rows = headings_and_rows(layout)
    table = (_row(cells) for cells in (headings, ["---"] * len(headings), *rows))
    return "\n".join([facts.rstrip(), "", *table, ""])


def as_json(layout: Layout) -> dict[str, Any]:
    """Give all that a layout's file says."""
    return layout.model_dump(mode="json", exclude_none=True)


def filled(page: str, layout_of: Callable[[str], Layout]) -> str:
    """Write the tables anew for which a page has a place."""
    return PLACE.sub(lambda place: _filling(place["id"], layout_of(place["id"])), page)


def layouts_of(page: str) -> list[str]:
    """Give the ids of the layouts whose tables a page has a place for."""
    return [place["id"] for place in PLACE.finditer(page)]


def _filling(layout_id: str, layout: Layout) -> str:
    return f"<!-- layout: {layout_id} -->\n{markdown(layout)}<!-- end -->"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def summary_rows(layouts: Sequence[Layout]) -> Iterator[tuple[str, ...]]:
    """Give a row for each layout: id, form, encoding, columns, standing, title."""
    for layout in layouts:
        columns = str(len(layout.columns))
        yield (
            layout.id,
            str(layout.form),
            layout.encoding,
            columns,
            standing(layout),
            layout.title_ja,
        )
