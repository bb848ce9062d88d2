"""The wires whose records are mapped by their columns' names, and one record read or written."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import adapters
from hub.edge.desk import NoPersons
from hub.edge.kit import Asked, BadRecord, Inbound, Mapped, Outbound, Question
from hub.edge.records import record_parser
from hub.message import Copy
from mappings.columns import fields_of
from mappings.fields import write_fields
from schemas import MESSAGE_TYPES
from schemas.canonical import CanonicalMessage
from schemas.layout import Layout, load_layout

SYSTEMS = ("premium-collection", "union", "welfare", "care-insurance", "resident-registry")
INBOUND = {
    wire.layout: wire
    for system in SYSTEMS
    for wire in adapters.find(system).inbound
    if load_layout(wire.layout).group_by is None
}
OUTBOUND = {wire.layout: wire for system in SYSTEMS for wire in adapters.find(system).outbound}
WIRES: Mapping[str, Inbound | Outbound] = {**INBOUND, **OUTBOUND}
AT = dt.datetime(2026, 4, 1, 9, tzinfo=dt.timezone(dt.timedelta(hours=9)))


class EmptyDesk(NoPersons):
    """A desk where nothing was asked."""

    def asked(self, question: Question) -> Asked | None:
        del question
        return None


def class_of(layout_id: str) -> type[CanonicalMessage]:
    return MESSAGE_TYPES[WIRES[layout_id].message_type]


def row_of(layout: Layout, message: CanonicalMessage) -> dict[str, str]:
    """Write a whole message, evidence and all, as the sender's own system would."""
    values = dict.fromkeys((column.field for column in layout.columns), "")
    data = message.model_dump(mode="json", exclude_none=True)
    write_fields(fields_of(layout, type(message)), data, values)
    return values


def copy_of(message: CanonicalMessage, **changes: Any) -> Copy:  # noqa: ANN401 - JSON
    data = message.model_dump(mode="json", exclude_none=True, exclude={"scope"}) | changes
    return Copy(
        id="0123.1",
        source="/systems/somebody",
        type=message.MESSAGE_TYPE,
        time=AT,
        flow="X9",
        acceptedtime=AT,
        data={name: value for name, value in data.items() if value is not None},
    )


def answer(wire: Inbound, values: Mapping[str, str]) -> Mapped | BadRecord:
    """Read one record as the adapter does: the layout first, then the mapping."""
    layout = load_layout(wire.layout)
    quoted = ('"' + values[column.field].replace('"', '""') + '"' for column in layout.columns)
    parsed = record_parser(layout)(7, 8, ",".join(["D", *quoted]))
    if parsed.fault is not None:
        return parsed.fault
    (one,) = wire.to_messages([parsed.row], EmptyDesk())
    return one
