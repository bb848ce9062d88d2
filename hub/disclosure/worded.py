"""The fields of one message as clerks read them: Japanese labels, dates whole, codes by meaning.

The words are those of the layouts. The sender's layout that shares most fields with the message
comes first: ``acquired`` is another date with one system than with the next.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hub.disclosure.labels import all_layouts
from schemas.dates import Precision
from schemas.layout import Column, Layout

_PARTLY = {
    Precision.DAY: "",
    Precision.MONTH: "（年月まで）",
    Precision.YEAR: "（年まで）",
    Precision.UNKNOWN: "（不詳）",
}
_FLAGS = {"True": "1", "False": "0"}
_DATE_PARTS = ("raw", "precision", "date")


@dataclass(frozen=True, slots=True)
class Worded:
    """A field: its canonical name, its label (that name where no layout has one), its value."""

    field: str
    label: str
    value: str


def worded(fields: Sequence[tuple[str, str]], sender: str) -> list[Worded]:
    """Word fields such as ``("birth_date.raw", "1940-05-00")`` of a message of ``sender``'s.

    >>> worded([("birth_date.raw", "1940-05-00"), ("birth_date.precision", "month")], "tax")
    [Worded(field='birth_date', label='生年月日', value='1940-05-00（年月まで）')]
    """
    values = _whole_dates(dict(fields))
    columns = {name: name.replace(".", "_") for name in values}
    nearest = _nearest(sender, frozenset(columns.values()))
    by_column = {columns[name]: value for name, value in values.items()}
    return [
        Worded(name, _label(nearest, column) or name, _meaning(nearest, column, by_column))
        for name, column in columns.items()
    ]


def _whole_dates(fields: Mapping[str, str]) -> dict[str, str]:
    """Put the parts of each register date into one value: its text, and what is not known."""
    whole: dict[str, str] = {}
    for name, value in fields.items():
        base, _, part = name.rpartition(".")
        known = fields.get(f"{base}.precision")
        if part not in _DATE_PARTS or known not in set(Precision):
            whole[name] = value
        elif base not in whole:
            whole[base] = fields.get(f"{base}.raw", "") + _PARTLY[Precision(known)]
    return whole


def _nearest(sender: str, fields: frozenset[str]) -> list[Layout]:
    def distance(layout: Layout) -> tuple[bool, int]:
        shared = fields & {column.field for column in layout.columns}
        return not layout.id.startswith(f"{sender}."), -len(shared)

    return sorted(all_layouts(), key=distance)


def _columns(layouts: Iterable[Layout], field: str) -> list[Column]:
    return [one for layout in layouts for one in layout.columns if one.field == field]


def _label(layouts: Iterable[Layout], field: str) -> str:
    found = _columns(layouts, field)
    return found[0].name if found else ""


def _meaning(layouts: Sequence[Layout], field: str, values: Mapping[str, str]) -> str:
    """Give a value with its meaning; a canonical word that is no code gives way to it."""
    value = values[field]
    for layout in layouts:
        for column in _columns([layout], field):
            if column.codes_by:
                codes = _codes_of(layout, column, values)
                if value in codes:
                    return f"{value} {codes[value]}"
            wire = _wire(column, value)
            if wire in column.codes:
                said = column.codes[wire]
                return f"{value} {said}" if wire == value else said
    return value


def _codes_of(layout: Layout, column: Column, values: Mapping[str, str]) -> Mapping[str, str]:
    (by,) = _columns([layout], column.codes_by)
    return column.codes_of.get(_wire(by, values.get(by.field, "")), {})


def _wire(column: Column, value: str) -> str:
    """Give the code that a canonical value is written as; itself where it is none."""
    if column.means:
        return next((code for code, meant in column.means.items() if meant == value), "")
    return _FLAGS.get(value, value) if column.codes.keys() == {"0", "1"} else value
