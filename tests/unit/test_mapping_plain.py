"""Records ↔ messages by the columns' names: each layout both ways, and what has no place."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import adapters
from hub.edge.desk import NoPersons
from hub.edge.form import Header
from hub.edge.forms import form_of
from hub.edge.kit import Asked, BadRecord, Inbound, Mapped, Outbound, Question, Row, Unwritable
from hub.edge.records import column_fault, record_parser
from hub.message import Copy
from mappings.columns import PRECISION, fields_of
from mappings.fields import (
    DateColumn,
    Field,
    ListColumns,
    PartColumns,
    read_fields,
    write_fields,
)
from mappings.plain import TRACE, to_messages, to_row
from schemas import MESSAGE_TYPES
from schemas.canonical import CanonicalMessage
from schemas.dates import read_register_date
from schemas.layout import Column, Kind, Layout, load_layout
from tests.documents import Schema, documents, kept_together, resolved
from tests.messages import sample

pytestmark = pytest.mark.unit

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
MANY = settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


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


# -- single things ----------------------------------------------------------------------


def test_evidence_parts_lists_and_codes_are_read_by_their_columns_names() -> None:
    wire = INBOUND["premium-collection.instalments"]
    values = row_of(load_layout(wire.layout), sample(wire.message_type))
    assert values["instalments_1_method"] == "2"
    assert values["instalments_2_due_on"] == "2026-08-31"
    assert values["instalments_3_number"] == ""
    assert values["scope_insurance"] == "1"
    values |= {"scope_insurance": "2", "scope_eldest_birth_date": "3120503"}
    one = answer(wire, values)
    assert isinstance(one, Mapped)
    assert one.reason == "期割情報"
    said = one.message.model_dump(mode="json")
    assert said["scope"]["insurance"] == "past"
    assert said["scope"]["eldest_birth_date"]["date"] == "1937-05-03"
    assert [part["amount"] for part in said["instalments"]] == [60_000, 54_816]


def test_the_reason_is_the_name_of_a_code_where_a_column_is_named_for_it() -> None:
    wire = INBOUND["premium-collection.notifications"]
    values = row_of(load_layout(wire.layout), sample(wire.message_type))
    one = answer(wire, values | {"notification_kind": "2"})
    assert isinstance(one, Mapped)
    assert one.reason == "資格喪失"


def test_an_optional_part_is_whole_or_absent() -> None:
    wire = INBOUND["premium-collection.high-cost"]
    good = row_of(load_layout(wire.layout), sample(wire.message_type))
    account = {name for name in good if name.startswith("account_")}
    one = answer(wire, good | dict.fromkeys(account, ""))
    assert isinstance(one, Mapped)
    assert one.message.model_dump()["account"] is None
    bad = answer(wire, good | {"account_branch_code": ""})
    assert isinstance(bad, BadRecord)
    assert (bad.field, bad.reason) == ("account_branch_code", "missing")


def test_a_required_part_that_is_blank_lacks_its_fields() -> None:
    wire = INBOUND["premium-collection.transfers"]
    good = row_of(load_layout(wire.layout), sample(wire.message_type))
    blank = {name: "" for name in good if name.startswith("account_")}
    (bad,) = wire.to_messages([Row(7, 8, good | blank)], EmptyDesk())
    assert bad == BadRecord(7, 8, "account_bank_code", "missing")


def test_a_fault_in_a_list_is_told_by_its_place() -> None:
    wire = INBOUND["premium-collection.instalments"]
    good = row_of(load_layout(wire.layout), sample(wire.message_type))
    bad = answer(wire, good | {"instalments_2_due_on": ""})
    assert bad == BadRecord(7, 8, "instalments_2_due_on", "missing")


def test_a_list_has_no_gap() -> None:
    wire = INBOUND["premium-collection.deposit-requests"]
    good = row_of(load_layout(wire.layout), sample(wire.message_type))
    bad = answer(wire, good | {"banks_1": ""})
    assert isinstance(bad, BadRecord)
    assert (bad.field, bad.reason) == ("banks_2", "stands behind a blank place")


@pytest.mark.parametrize(
    ("layout_id", "changes", "field", "reason"),
    [
        ("premium-collection.notifications", {"my_number": "1" * 12}, "my_number", "check digit"),
        (
            "premium-collection.special-collection-requests",
            {"pension_number": "123"},
            "pension_number",
            "ten ASCII digits",
        ),
        (
            "premium-collection.collections",
            {"cancelled_number": "R1"},
            "(record)",
            "cancelled_number is present exactly in a cancellation",
        ),
        (
            "resident-registry.special-addresses",
            {"municipality_code": "172010"},
            "municipality_code",
            "check digit of the 団体コード",
        ),
        ("union.premiums", {"liable_months": "13"}, "liable_months", "less than equal"),
    ],
)
def test_the_schemas_own_reason_is_told(
    layout_id: str, changes: dict[str, str], field: str, reason: str
) -> None:
    wire = INBOUND[layout_id]
    bad = answer(wire, row_of(load_layout(layout_id), sample(wire.message_type)) | changes)
    assert isinstance(bad, BadRecord)
    assert bad.field == field
    assert reason in bad.reason


@pytest.mark.parametrize(
    ("message_type", "layout_id", "changes", "field"),
    [
        ("insured.decided", "premium-collection.insured", {"certificate": "x"}, "certificate_"),
        ("insured.decided", "premium-collection.insured", {"name": None}, "name"),
        ("insured.decided", "premium-collection.insured", {"immediate": "yes"}, "immediate"),
        ("insured.decided", "premium-collection.insured", {"acquired": {"raw": "x"}}, "acquired"),
        ("insured.decided", "premium-collection.insured", {"name": ["x"]}, "name"),
        ("instalments.set", "union.instalments", {"instalments": [{}] * 25}, "instalments_1_"),
        ("instalments.set", "union.instalments", {"instalments": "x"}, "instalments_1_"),
        ("eligibility.notified", "union.notifications", {"protected": None}, "protected"),
        (
            "application.filed",
            "premium-collection.applications",
            {"answers": [{"item": "", "text": ""}]},
            "answers_1_item",
        ),
    ],
)
def test_what_a_receivers_columns_cannot_say_is_named_and_not_quoted(
    message_type: str, layout_id: str, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Unwritable) as refused:
        OUTBOUND[layout_id].to_row(copy_of(sample(message_type), **changes))
    assert refused.value.field.startswith(field)
    assert "yes" not in refused.value.reason


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
