"""What a layout needs that is mapped by its columns' names, and layouts of a city's own."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from hub.edge.form import Header
from hub.edge.forms import form_of
from hub.edge.kit import BadRecord, Mapped, Row
from mappings.columns import PRECISION, fields_of
from mappings.fields import DateColumn, Field, ListColumns, PartColumns
from mappings.plain import TRACE, to_messages, to_row
from schemas import MESSAGE_TYPES
from schemas.layout import Column, load_layout
from tests.documents import Schema, resolved
from tests.messages import sample
from tests.plain_wires import AT, INBOUND, OUTBOUND, WIRES, EmptyDesk, class_of, copy_of, row_of

pytestmark = pytest.mark.unit


# -- what a layout must have ------------------------------------------------------------


def enumerated(schema: Schema, definitions: Schema, path: str) -> Iterator[tuple[str, set[str]]]:
    """Give the columns of a message whose values are of an enumeration, and those values."""
    schema = resolved(schema, definitions)
    for each in schema.get("anyOf", ()):
        yield from enumerated(each, definitions, path)
    if schema.get("type") == "string" and ("enum" in schema or "const" in schema):
        yield path, set(schema.get("enum", [schema.get("const")]))
    for name, part in schema.get("properties", {}).items():
        yield from enumerated(part, definitions, f"{path}_{name}" if path else name)
    if "items" in schema:
        yield from enumerated(schema["items"], definitions, f"{path}_1")


@pytest.mark.parametrize("layout_id", sorted(WIRES))
def test_every_value_of_an_enumeration_has_a_code(layout_id: str) -> None:
    schema = class_of(layout_id).model_json_schema()
    columns = {column.field: column for column in load_layout(layout_id).columns}
    for field, values in enumerated(schema, schema["$defs"], ""):
        if field in columns and not field.endswith(PRECISION):
            assert sorted(columns[field].means.values()) == sorted(values), field


def dates_in(fields: Iterable[Field]) -> Iterator[str]:
    """Give the columns that hold a register's date."""
    for field in fields:
        match field:
            case DateColumn():
                yield field.column
            case PartColumns():
                yield from dates_in(field.fields)
            case ListColumns():
                yield from dates_in(field.places)


@pytest.mark.parametrize("layout_id", sorted(OUTBOUND))
def test_an_outgoing_record_begins_with_its_trace_and_says_how_sure_a_date_is(
    layout_id: str,
) -> None:
    columns = load_layout(layout_id).columns
    assert tuple(column.field for column in columns[: len(TRACE)]) == TRACE
    dates = set(dates_in(fields_of(load_layout(layout_id), class_of(layout_id))))
    said = {column.field for column in columns if column.field.endswith(PRECISION)}
    assert {f"{date}{PRECISION}" for date in dates} == said


@pytest.mark.parametrize("layout_id", sorted(WIRES))
def test_every_column_is_a_field_of_its_message(layout_id: str) -> None:
    layout = load_layout(layout_id)
    known = {column for field in fields_of(layout, class_of(layout_id)) for column in field.columns}
    if layout.group_by is None:
        assert {column.field for column in layout.columns} - set(TRACE) == known


# -- what a city or its office may have instead ------------------------------------------


def test_a_citys_own_layout_may_lack_and_add_columns() -> None:
    cls = MESSAGE_TYPES["welfare-status.changed"]
    shipped = load_layout("welfare.status")
    filler = Column(name="予備", field="reserve", width=10)
    fewer = [column for column in shipped.columns if column.field != "grade"]
    layout = shipped.model_copy(update={"columns": (*fewer, filler)})
    row = Row(1, 2, row_of(layout, sample("welfare-status.changed")) | {"reserve": "x"})
    (one,) = to_messages(layout, cls)([row])
    assert isinstance(one, Mapped)
    assert one.message.model_dump()["grade"] is None
    sent = load_layout("premium-collection.welfare-status")
    sent = sent.model_copy(update={"columns": (*sent.columns, filler)})
    assert to_row(sent, cls)(copy_of(sample("welfare-status.changed")))["reserve"] == ""
    without = shipped.model_copy(update={"columns": shipped.columns[1:]})
    (bad,) = to_messages(without, cls)(
        [Row(1, 2, row_of(without, sample("welfare-status.changed")))]
    )
    assert bad == BadRecord(1, 2, "addressee_number", "missing")


def test_the_office_has_fixed_lengths_both_ways_for_special_collection(tmp_path: Path) -> None:
    wire = INBOUND["premium-collection.special-collection-requests"]
    message = sample(wire.message_type, birth_date={"raw": "昭和10年頃", "precision": "unknown"})
    form = form_of(wire.layout)
    encoder = form.encoder(None)
    path = tmp_path / "KOKI_TOKUCHO_20260401090000_0001_delta.dat"
    records = [encoder.record(row_of(load_layout(wire.layout), message))] * 2
    path.write_bytes(b"".join(encoder.framed(Header(AT), records)))
    facts = form.check(path, None, settled=False)
    assert (facts.records, facts.header.created_at) == (2, AT)
    for group in form.groups(path, None):
        (one,) = wire.to_messages(group.rows, EmptyDesk())
        assert isinstance(one, Mapped)
        assert (one.message, one.reason) == (message, "特別徴収依頼")

    sent = OUTBOUND["premium-collection.special-collection"]
    row = sent.to_row(copy_of(sample(sent.message_type)))
    encoder = form_of(sent.layout).encoder(None)
    path = tmp_path / f"special-collection_00000001{form_of(sent.layout).suffix}"
    path.write_bytes(b"".join(encoder.framed(Header(AT), [encoder.record(row)])))
    ((read,),) = (group.rows for group in form_of(sent.layout).groups(path, None))
    assert read.values == row


def test_a_file_of_fixed_lengths_without_a_record_is_whole(tmp_path: Path) -> None:
    form = form_of("premium-collection.special-collection-requests")
    path = tmp_path / "KOKI_TOKUCHO_20260401090000_0001_delta.dat"
    path.write_bytes(b"".join(form.encoder(None).framed(Header(AT), ())))
    assert form.check(path, None, settled=False).records == 0
    assert list(form.groups(path, None)) == []
