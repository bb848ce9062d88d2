"""Records ↔ messages by the columns' names: each layout both ways, and what is wrong in one."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hub.edge.kit import BadRecord, Mapped, Row
from hub.edge.records import column_fault
from mappings.columns import fields_of
from mappings.fields import read_fields
from schemas.canonical import CanonicalMessage
from schemas.dates import read_register_date
from schemas.layout import Column, Kind, Layout, load_layout
from tests.documents import documents, kept_together
from tests.messages import sample
from tests.plain_wires import INBOUND, OUTBOUND, EmptyDesk, answer, class_of, copy_of, row_of

pytestmark = pytest.mark.unit

MANY = settings(
    max_examples=8,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


# -- messages as a layout can hold them --------------------------------------------------


def fitted(value: Any, path: str, columns: Mapping[str, Column], draw: st.DataObject) -> Any:  # noqa: ANN401 - JSON
    """Change what a class permits and no record says: other codes, a date against its text."""
    if isinstance(value, dict) and "precision" in value:
        read = read_register_date(value["raw"])
        return None if read is None else read.model_dump(mode="json", exclude_none=True)
    if isinstance(value, dict):
        parts = {
            name: fitted(part, f"{path}{name}_", columns, draw) for name, part in value.items()
        }
        return {name: part for name, part in parts.items() if part is not None}
    if isinstance(value, list):
        places = (fitted(one, f"{path}{n}_", columns, draw) for n, one in enumerate(value, 1))
        return [one for one in places if one != {"item": "", "text": ""}]
    column = columns.get(path.removesuffix("_"))
    if column is None or column.means or not isinstance(value, str):
        return value
    if column.codes:
        return draw.draw(st.sampled_from(sorted(column.codes)))
    return "名" if column.required and not value else value[: column.width]


def drawn(data: st.DataObject, layout: Layout, cls: type[CanonicalMessage]) -> CanonicalMessage:
    columns = {column.field: column for column in layout.columns}
    document = kept_together(cls.MESSAGE_TYPE, data.draw(documents(cls)))
    return cls.model_validate(fitted(document, "", columns, data))


@pytest.mark.parametrize("layout_id", sorted(INBOUND))
@MANY
@given(data=st.data())
def test_a_message_comes_back_from_the_record_that_says_it(
    layout_id: str, data: st.DataObject
) -> None:
    layout, cls = load_layout(layout_id), class_of(layout_id)
    held = {field.name for field in fields_of(layout, cls)}
    whole = drawn(data, layout, cls)
    message = cls.model_validate({name: getattr(whole, name) for name in held})
    values = row_of(layout, message)
    (one,) = INBOUND[layout_id].to_messages([Row(7, 8, values)], EmptyDesk())
    assert isinstance(one, Mapped), one
    assert one.message == message
    assert one.number == 7
    assert one.reason
    assert row_of(layout, one.message) == values


@pytest.mark.parametrize("layout_id", sorted(OUTBOUND))
@MANY
@given(data=st.data())
def test_a_receiver_can_read_from_its_record_what_the_copy_said(
    layout_id: str, data: st.DataObject
) -> None:
    layout, cls = load_layout(layout_id), class_of(layout_id)
    message = drawn(data, layout, cls)
    values = OUTBOUND[layout_id].to_row(copy_of(message))
    assert list(values) == [column.field for column in layout.columns]
    fields = fields_of(layout, cls)
    others = cls.model_fields.keys() - {field.name for field in fields}
    read = read_fields(fields, values) | {name: getattr(message, name) for name in others}
    assert cls.model_validate(read) == message


# -- records with one thing wrong -------------------------------------------------------


def owner(layout: Layout, cls: type[CanonicalMessage], column: str) -> str:
    """Name the field of the message that a column belongs to."""
    return next(field.name for field in fields_of(layout, cls) if column in field.columns)


def wrong_texts(column: Column) -> Iterator[str]:
    """Give texts that a layout refuses of a column."""
    if column.required:
        yield ""
    if column.codes or column.kind not in {Kind.TEXT, Kind.DATE}:
        yield "秘"
    yield "秘" * (column.width + 1)
    yield "秘\x07"


@pytest.mark.parametrize("layout_id", sorted(INBOUND))
def test_a_record_with_one_broken_column_is_refused_by_its_name(layout_id: str) -> None:
    layout, wire = load_layout(layout_id), INBOUND[layout_id]
    good = row_of(layout, sample(wire.message_type))
    assert isinstance(answer(wire, good), Mapped)
    for column in layout.columns:
        for text in wrong_texts(column):
            bad = answer(wire, good | {column.field: text})
            assert isinstance(bad, BadRecord)
            assert (bad.number, bad.line, bad.field) == (7, 8, column.field)
            assert bad.reason
            assert "秘" not in bad.reason


def texts_of(column: Column) -> st.SearchStrategy[str]:
    """Give texts that the layout takes of a column."""
    if column.codes:
        return st.sampled_from(sorted(column.codes))
    days = st.dates().map(dt.date.isoformat)
    match column.kind:
        case Kind.DAY:
            return days
        case Kind.MONTH:
            return days.map(lambda day: day[:7])
        case Kind.MOMENT:
            return st.datetimes(timezones=st.just(dt.UTC)).map(dt.datetime.isoformat)
        case Kind.DIGITS | Kind.INTEGER:
            return st.text("0123456789", min_size=1, max_size=column.width)
        case _:
            return st.text(max_size=column.width)


@pytest.mark.parametrize("layout_id", sorted(INBOUND))
@MANY
@given(data=st.data())
def test_a_record_that_differs_in_one_column_is_taken_or_refused_by_that_field(
    layout_id: str, data: st.DataObject
) -> None:
    layout, wire, cls = load_layout(layout_id), INBOUND[layout_id], class_of(layout_id)
    column = data.draw(st.sampled_from(layout.columns))
    text = data.draw(texts_of(column).filter(lambda text: column_fault(column, text) is None))
    values = row_of(layout, sample(wire.message_type)) | {column.field: text}
    one = answer(wire, values)
    if isinstance(one, BadRecord):
        assert one.field == "(record)" or owner(layout, cls, one.field) == owner(
            layout, cls, column.field
        )
        assert len(text) < 4 or text not in one.reason


@pytest.mark.parametrize("layout_id", sorted(INBOUND))
@MANY
@given(data=st.data())
def test_no_record_ends_the_mapping(layout_id: str, data: st.DataObject) -> None:
    names = [column.field for column in load_layout(layout_id).columns]
    texts = data.draw(st.lists(st.text(max_size=3), min_size=len(names), max_size=len(names)))
    rows = [Row(1, 2, dict(zip(names, texts, strict=True)))]
    (one,) = INBOUND[layout_id].to_messages(rows, EmptyDesk())
    assert isinstance(one, BadRecord)
    assert not INBOUND[layout_id].to_messages([Row(1, 2, rows[0].values, sound=False)], EmptyDesk())
