"""Copies → rows of the receiving systems."""

import datetime as dt
from typing import Any

import pytest

from hub.edge.kit import Unwritable
from hub.message import Copy
from mappings.plain import to_row
from schemas.canonical import Insurance, ScopeEvidence
from schemas.dates import read_register_date
from schemas.income import IncomeAssessed
from schemas.layout import Layout, load_layout
from schemas.numbers import MyNumber
from schemas.resident import Eligibility, EventReason, ResidentChanged, ResidentState

pytestmark = pytest.mark.unit

OFFICE_RESIDENTS = load_layout("premium-collection.residents")
OFFICE_INCOME = load_layout("premium-collection.income")
UNION_RESIDENTS = load_layout("union.residents")
UNION_INCOME = load_layout("union.income")
AT = dt.datetime(2026, 4, 1, 9, tzinfo=dt.timezone(dt.timedelta(hours=9)))
RESIDENT = ResidentChanged(
    addressee_number="000000000012345",
    scope=ScopeEvidence(insurance=Insurance.CURRENT),
    my_number=MyNumber("123456789018"),
    history_number=3,
    household_number="000000000000011",
    resident_kind="1",
    resident_state=ResidentState.REMOVED,
    event_reason=EventReason.DIED,
    event_date=read_register_date("2026-04-00"),
    name="髙﨑　𠮷子",
    birth_date=read_register_date("昭和10年00月00日"),
    sex="2",
    municipality_code="172014",
    town_code="0001000",
    address="石川県金沢市広坂1番地",
    previous_address="石川県白山市倉光1丁目",
    protected=True,
    eligibility=Eligibility(insured_number="00000042", acquired=read_register_date("4070101")),
    note="備考",
)
INCOME = IncomeAssessed(
    addressee_number="000000000012345",
    scope=ScopeEvidence(),
    household_number="000000000000011",
    tax_year=2025,
    correction_number=0,
    undeclared="0",
    taxation_class="0",
    total_income=0,
    income_levy=100,
)


def copy_of(message: ResidentChanged | IncomeAssessed, **changes: Any) -> Copy:  # noqa: ANN401
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


def test_a_row_has_exactly_the_columns_of_its_layout() -> None:
    for layout, message in (
        (OFFICE_RESIDENTS, RESIDENT),
        (UNION_RESIDENTS, RESIDENT),
        (OFFICE_INCOME, INCOME),
        (UNION_INCOME, INCOME),
    ):
        row = to_row(layout, type(message))(copy_of(message))
        assert list(row) == [column.field for column in layout.columns]
        assert all(isinstance(value, str) for value in row.values())


def test_a_resident_is_written_with_trace_codes_and_dates() -> None:
    row = to_row(OFFICE_RESIDENTS, ResidentChanged)(copy_of(RESIDENT))
    expected = {
        "sender": "somebody",
        "message_id": "0123.1",
        "flow": "X9",
        "accepted_at": "2026-04-01T09:00:00+09:00",
        "my_number": "123456789018",
        "history_number": "3",
        "resident_state": "9",
        "event_reason": "13",
        "event_date": "2026-04-00",
        "event_date_precision": "M",
        "birth_date": "昭和10年00月00日",
        "birth_date_precision": "U",
        "protected": "1",
        "eligibility_insured_number": "00000042",
        "eligibility_acquired": "4070101",
        "eligibility_acquired_precision": "D",
        "eligibility_lost": "",
        "eligibility_lost_precision": "",
    }
    assert {field: row[field] for field in expected} == expected


def test_amounts_of_zero_are_written_and_absent_ones_are_blank() -> None:
    row = to_row(UNION_INCOME, IncomeAssessed)(copy_of(INCOME))
    assert (row["total_income"], row["salary_revenue"]) == ("0", "")
    assert "income_levy" not in row


@pytest.mark.parametrize("field", ["protected", "name", "history_number", "event_reason"])
@pytest.mark.parametrize("layout", [OFFICE_RESIDENTS, UNION_RESIDENTS])
def test_a_required_field_that_is_absent_cannot_be_written(layout: Layout, field: str) -> None:
    with pytest.raises(Unwritable) as refused:
        to_row(layout, ResidentChanged)(copy_of(RESIDENT, **{field: None}))
    assert refused.value.field == field
    assert "𠮷" not in str(refused.value)


@pytest.mark.parametrize("field", ["my_number", "birth_date", "eligibility", "building"])
def test_an_optional_field_that_is_absent_is_blank(field: str) -> None:
    row = to_row(OFFICE_RESIDENTS, ResidentChanged)(copy_of(RESIDENT, **{field: None}))
    assert row[{"eligibility": "eligibility_lost"}.get(field, field)] == ""


@pytest.mark.parametrize(
    ("field", "value", "column"),
    [
        ("event_reason", "abducted", "event_reason"),
        ("resident_state", [1], "resident_state"),
        ("birth_date", "1940-01-01", "birth_date"),
        ("birth_date", {"raw": "x", "precision": "week"}, "birth_date"),
        ("eligibility", "00000042", "eligibility_insured_number"),
    ],
)
def test_what_the_wire_cannot_say_is_named_and_not_quoted(
    field: str,
    value: Any,  # noqa: ANN401
    column: str,
) -> None:
    with pytest.raises(Unwritable) as refused:
        to_row(OFFICE_RESIDENTS, ResidentChanged)(copy_of(RESIDENT, **{field: value}))
    assert refused.value.field == column
    assert str(value) not in str(refused.value)
