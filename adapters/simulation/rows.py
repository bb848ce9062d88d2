"""How a simulator writes a canonical message into a layout: by the columns' names alone.

It knows neither the hub's mappings nor its forms, so that these are held to it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from adapters.simulation.city import CityDay
from adapters.simulation.kit import DayFile, file_name, header_of
from adapters.simulation.office import FACTS, Said
from hub.edge.kit import Adapter, Inbound
from schemas.canonical import CanonicalMessage
from schemas.layout import Layout, load_layout

_PRECISIONS = {"day": "D", "month": "M", "year": "Y", "unknown": "U"}
_DATE_PARTS = {"raw", "precision"}
_PRECISION = "_precision"


def row_of(layout: Layout, message: CanonicalMessage, **more: str) -> dict[str, str]:
    """Give the texts of a layout's columns for a message; ``more`` has what is no part of it.

    A part's fields are joined to its name, a list's with the place, as ``mappings.columns`` says
    too; a date is its own text. What the layout has no column for is left out.
    """
    values = dict(_flat("", message.model_dump(mode="json"))) | more
    codes = _codes_of(layout.id)
    return {
        column.field: _text(values.get(column.field), codes.get(column.field, {}))
        for column in layout.columns
    }


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - JSON
    if isinstance(value, Mapping) and value.keys() >= _DATE_PARTS:
        yield name, value["raw"]
        yield name + _PRECISION, _PRECISIONS[value["precision"]]
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _flat(f"{name}_{key}" if name else key, part)
    elif isinstance(value, list):
        for place, part in enumerate(value, 1):
            yield from _flat(f"{name}_{place}", part)
    else:
        yield name, value


@cache
def _codes_of(layout_id: str) -> dict[str, dict[str, str]]:
    """Give by field the code for each meaning, where a layout has a table of them."""
    return {
        column.field: {meaning: code for code, meaning in column.means.items()}
        for column in load_layout(layout_id).columns
        if column.means
    }


def _text(value: Any, codes: Mapping[str, str]) -> str:  # noqa: ANN401 - JSON
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        value = "1" if value else "0"
    return codes.get(str(value), str(value))


# -- files of a day --------------------------------------------------------------------


def facts_files(
    adapter: Adapter, hour: int, operator: tuple[str, str, str]
) -> Callable[[CityDay], Iterator[DayFile]]:
    """Make the ``days`` of a system: one file a wire, of those that the office has facts for."""
    wires = [wire for wire in adapter.inbound if Said(adapter.system, wire.message_type) in FACTS]

    def files(day: CityDay) -> Iterator[DayFile]:
        for wire in wires:
            facts = FACTS[Said(adapter.system, wire.message_type)](day.insured)
            yield day_file(wire, day, hour, operator, facts)

    return files


def day_file(
    wire: Inbound,
    day: CityDay,
    hour: int,
    operator: tuple[str, str, str],
    messages: Iterable[CanonicalMessage],
) -> DayFile:
    """Give a file of messages; each is a group of its own where the layout has groups."""
    layout = load_layout(wire.layout)
    rows = (
        row_of(layout, message, group=f"{day.number:05d}{place:07d}")
        for place, message in enumerate(messages, 1)
    )
    return rows_file(wire, day, hour, operator, rows)


def rows_file(
    wire: Inbound,
    day: CityDay,
    hour: int,
    operator: tuple[str, str, str],
    rows: Iterable[Mapping[str, str]],
) -> DayFile:
    """Give a file of rows, named by its wire's pattern."""
    prefix, _, suffix = wire.pattern.partition("*")
    name = file_name(prefix.rstrip("_"), day, hour).removesuffix(".csv") + suffix
    return DayFile(name, wire.layout, wire.message_type, header_of(day, hour, operator), rows)
