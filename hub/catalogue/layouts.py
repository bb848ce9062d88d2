"""Wire layouts as tables: for a terminal, for programs, and inside the pages of the systems."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from schemas.fixed_layout import Holds, Record, Slot
from schemas.layout import Column, FormName, Kind, Layout

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


_SLOTS: Mapping[Holds, str] = {
    Holds.FIELD: "`{field}`",
    Holds.KIND: "`{text}`",
    Holds.CONSTANT: "`{text}`",
    Holds.BLANK: "blank",
    Holds.COUNT: "number of data records",
    Holds.RECORDS: "number of all records",
    Holds.SUM: "sum of `{field}`",
}


class Table(NamedTuple):
    """A table under a title; the title of the columns' own is empty."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class _Facet:
    """A column of the table; one that is blank for all the layout's columns is left out."""

    heading: str
    cell: Callable[[Column], str]


def _holds(column: Column) -> str:
    if column.codes:
        return _codes(column.codes)
    if column.codes_of:
        ways = (f"{value}: {_codes(codes)}" for value, codes in column.codes_of.items())
        return f"by `{column.codes_by}`: {' / '.join(ways)}"
    return _HOLDS[column.kind]


def _codes(codes: Mapping[str, str]) -> str:
    return "; ".join(f"`{code}` {name}".rstrip() for code, name in codes.items())


_FACETS = (
    _Facet("column", lambda column: column.name),
    _Facet("field", lambda column: f"`{column.field}`"),
    _Facet("width", lambda column: str(column.width)),
    _Facet("holds", _holds),
    _Facet("padding", lambda column: "zeros before it" if column.padding else ""),
    _Facet("element", lambda column: f"`{column.path}`" if column.path else ""),
    _Facet("required", lambda column: "yes" if column.required else ""),
    _Facet("times", lambda column: str(column.times) if column.times > 1 else ""),
)


def tables(layout: Layout) -> list[Table]:
    """Give the table of a layout's columns, and of fixed lengths one for each record.

    Of the places of a list only the first has rows, which say how many there are.
    """
    columns = [column for column in layout.columns if column.place == 1]
    shown = [facet for facet in _FACETS if any(map(facet.cell, columns))]
    rows = tuple(tuple(facet.cell(column) for facet in shown) for column in columns)
    own = Table("", tuple(facet.heading for facet in shown), rows)
    return [own, *(_slots(record) for record in (layout.fixed.records if layout.fixed else ()))]


def _slots(record: Record) -> Table:
    many = "any number" if record.place == "data" else "once"
    title = f"{record.name}: {record.bytes} bytes, {many}"
    rows = tuple(
        (str(start + 1), str(slot.bytes), slot.name, _held(slot), slot.encoding, slot.padding)
        for start, slot in record.positions()
    )
    return Table(title, ("from byte", "bytes", "name", "holds", "encoding", "padding"), rows)


def _held(slot: Slot) -> str:
    held = _SLOTS[slot.holds].format(field=slot.field, text=slot.text.replace("\x1b", "ESC "))
    where = (f"`{field}` {', '.join(values)}" for field, values in slot.where.items())
    return f"{held} where {' and '.join(where)}" if slot.where else held


def origin(layout: Layout) -> str:
    """Say whether a layout is assumed or documented, and by what source."""
    source = " ".join(layout.source.split()).removeprefix("Assumed.").lstrip()
    return f"{'Assumed' if layout.assumed else 'Documented'}. {source}"


def standing(layout: Layout) -> str:
    """Give the one word for it."""
    return "assumed" if layout.assumed else "documented"


def put_together(layout: Layout) -> str:
    """Say what form the files have, in which encoding, and how their records are grouped."""
    parts = [f"form {layout.form}"]
    if layout.fixed is None:
        parts.append(layout.encoding)
    if layout.group_by is not None:
        parts.append(f"grouped by {layout.group_by}")
    if layout.sheets:
        parts.append(f"sheets {', '.join(layout.sheets)}")
    if layout.xml is not None:
        parts += [f"root {layout.xml.root}", f"schemas/xsd/{layout.xml.schema_file}"]
    return ", ".join(parts)


def markdown(layout: Layout) -> str:
    """Give a layout as Markdown: what it is and where it is from, then the table."""
    word, _, source = origin(layout).partition(" ")
    place = f"`schemas/layouts/{layout.id}.toml`"
    facts = f"{layout.title_ja}, {place}: {put_together(layout)}. **{word}** {source}"
    lines = [line for table in tables(layout) for line in _table(table)]
    return "\n".join([facts.rstrip(), "", *lines])


def _table(table: Table) -> Iterator[str]:
    if table.title:
        yield from (f"{table.title}.", "")
    yield from map(_row, (table.headings, ["---"] * len(table.headings), *table.rows))
    yield ""


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
            "by field" if layout.form is FormName.FIXED else layout.encoding,
            columns,
            standing(layout),
            layout.title_ja,
        )
