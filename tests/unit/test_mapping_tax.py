"""Rows of the tax system → messages; whoever is not corrected is evidence only."""

import pytest

from hub.edge.kit import BadRecord, Mapped, Row
from mappings.codes import AMOUNTS
from mappings.tax import LAYOUT, to_messages
from schemas.canonical import Insurance
from schemas.income import IncomeAssessed
from schemas.layout import load_layout

pytestmark = pytest.mark.unit

PLAIN = {
    "group": "000000000001",
    "addressee_number": "000000000012345",
    "tax_year": "2025",
    "correction_number": "0",
    "household_number": "000000000000011",
    "birth_date": "1986-04-01",
    "insurance": "0",
    "changed": "1",
    "undeclared": "0",
    "taxation_class": "2",
    "total_income": "-120000",
}
FIELDS = [column.field for column in load_layout(LAYOUT).columns]


def row(number: int = 1, *, sound: bool = True, **values: str) -> Row:
    return Row(number, number + 1, dict.fromkeys(FIELDS, "") | PLAIN | values, sound)


def message(answer: Mapped | BadRecord) -> IncomeAssessed:
    assert isinstance(answer, Mapped)
    assert isinstance(answer.message, IncomeAssessed)
    return answer.message


def test_amounts_are_whole_yen_and_absent_when_blank() -> None:
    (answer,) = to_messages([row(my_number="123456789018", assessed_on="2025-06-10")])
    read = message(answer)
    assert isinstance(answer, Mapped)
    assert answer.reason == "当初課税"
    assert read.total_income == -120_000
    assert read.salary_revenue is None
    assert read.my_number is not None


def test_only_the_corrected_person_becomes_a_message() -> None:
    parent = row(1, changed="0", insurance="1", birth_date="1940-01-01")
    answers = to_messages([parent, row(2, correction_number="2")])
    (answer,) = answers
    assert isinstance(answer, Mapped)
    assert (answer.number, answer.reason) == (2, "更正")
    assert message(answer).scope.insurance is Insurance.CURRENT
    assert message(answer).scope.eldest_birth_date is not None


def test_a_refused_row_is_still_evidence() -> None:
    (answer,) = to_messages([row(1, sound=False, insurance="2", sex="?"), row(2)])
    assert message(answer).scope.insurance is Insurance.PAST
    (answer,) = to_messages([row(1, sound=False, insurance="?"), row(2)])
    assert message(answer).scope.insurance is Insurance.NONE


def test_an_undeclared_person_has_no_amounts() -> None:
    blank = dict.fromkeys(AMOUNTS, "")
    (answer,) = to_messages([row(**blank | {"undeclared": "1"})])
    assert message(answer).total_income is None
    (answer,) = to_messages([row(undeclared="1")])
    assert answer == BadRecord(1, 2, "total_income", "is given for an undeclared person")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tax_year", "1900"),
        ("correction_number", "1000"),
        ("pension_income", "9999999999999"),
        ("pension_income", "１２３x"),
        ("my_number", "123456789010"),
        ("assessed_on", "頃" * 73),
    ],
)
def test_a_wrong_value_is_named_and_not_quoted(field: str, value: str) -> None:
    (answer,) = to_messages([row(**{field: value})])
    assert isinstance(answer, BadRecord)
    assert answer.field == field
    assert value not in answer.reason


def test_a_file_may_have_several_years_of_one_person() -> None:
    answers = to_messages(
        [
            row(1, tax_year="2024", correction_number="1"),
            row(2, tax_year="2025", undeclared="1", total_income=""),
            row(3, tax_year="2025", correction_number="1"),
        ]
    )
    read = [message(answer) for answer in answers]
    assert [(one.tax_year, one.correction_number) for one in read] == [
        (2024, 1),
        (2025, 0),
        (2025, 1),
    ]
    assert [one.undeclared for one in read] == ["0", "1", "0"]
    assert [one.total_income for one in read] == [-120_000, None, -120_000]
