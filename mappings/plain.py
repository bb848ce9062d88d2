"""Records of comma-separated files ↔ messages, where each column is a field of the message.

One mapping for all such flows: what belongs together is said by the layout (``mappings.columns``).
The evidence about the household, which only the hub gets, stands in columns ``scope_*``.
A copy for a receiver may lack any field: what the layout requires must be there, and
``protected`` (支援対象者) above all is never left blank.
"""

from collections.abc import Callable, Mapping, Sequence

from hub.edge.kit import BadRecord, Inbound, Mapped, Outbound, Row, Unwritable, without_desk
from hub.message import Copy
from mappings.columns import fields_of
from mappings.fields import read_fields, write_fields
from mappings.refusal import answered
from schemas.canonical import CanonicalMessage
from schemas.layout import Layout, load_layout

TRACE = ("sender", "message_id", "flow", "accepted_at")
"""The columns of an outgoing file that name the message in the ledger."""


def reads(
    pattern: str, layout_id: str, message: type[CanonicalMessage], *, reason: str = ""
) -> Inbound:
    """Declare files of which each record is a message (``to_messages``)."""
    to_each = to_messages(load_layout(layout_id), message, reason=reason)
    return Inbound(pattern, layout_id, message.MESSAGE_TYPE, without_desk(to_each))


def writes(layout_id: str, message: type[CanonicalMessage]) -> Outbound:
    """Declare files of which each record is a copy; the layout's last name is their prefix."""
    prefix = layout_id.rpartition(".")[2]
    return Outbound(
        prefix, layout_id, message.MESSAGE_TYPE, to_row(load_layout(layout_id), message)
    )


def to_messages(
    layout: Layout, message: type[CanonicalMessage], *, reason: str = ""
) -> Callable[[Sequence[Row]], list[Mapped | BadRecord]]:
    """Make the ``to_messages`` of a layout without groups.

    ``reason`` is the field of the column whose code's name is the 処理事由; without one it is
    the layout's Japanese title.
    """
    fields = fields_of(layout, message)
    reasons = codes_of(layout, reason) if reason else {}

    def each(rows: Sequence[Row]) -> list[Mapped | BadRecord]:
        return [one(row) for row in rows if row.sound]

    def one(row: Row) -> Mapped | BadRecord:
        said = reasons.get(row.values[reason], "") if reason else layout.title_ja
        return mapped(row, read, said)

    def read(row: Row) -> CanonicalMessage:
        return message.model_validate(read_fields(fields, row.values))

    return each


def to_row(layout: Layout, message: type[CanonicalMessage]) -> Callable[[Copy], Mapping[str, str]]:
    """Make the ``to_row`` of a layout.

    A column that is no field of the message stays blank. The row raises ``Unwritable`` where
    the layout requires what the copy lacks, or has no place for what it has.
    """
    fields = fields_of(layout, message)
    blank = dict.fromkeys((column.field for column in layout.columns), "")
    traced = [name for name in TRACE if name in blank]
    required = [column.field for column in layout.columns if column.required]

    def written(copy: Copy) -> Mapping[str, str]:
        values = dict(blank)
        trace = _trace(copy)
        values.update((name, trace[name]) for name in traced)
        write_fields(fields, copy.data, values)
        for name in required:
            if not values[name]:
                raise Unwritable(name, "is required by the receiver and absent from the copy")
        return values

    return written


def mapped(row: Row, read: Callable[[Row], CanonicalMessage], reason: str) -> Mapped | BadRecord:
    """Answer a row with the message that ``read`` makes of it, or with why there is none."""
    return answered(row, lambda row: Mapped(row.number, read(row), reason))


def codes_of(layout: Layout, field: str) -> Mapping[str, str]:
    """Give the codes of a column and their names."""
    return next(column.codes for column in layout.columns if column.field == field)


def _trace(copy: Copy) -> dict[str, str]:
    return {
        "sender": copy.key.sender,
        "message_id": copy.id,
        "flow": copy.flow,
        "accepted_at": copy.acceptedtime.isoformat(),
    }
