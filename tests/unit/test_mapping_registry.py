"""Rows of the resident registry → messages, with the household's evidence."""

import datetime as dt
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.edge.kit import BadRecord, Mapped, Row
from mappings.resident_registry import LAYOUT, to_messages
from schemas.canonical import Insurance
from schemas.layout import load_layout
from schemas.resident import EventReason, ResidentChanged, ResidentState

pytestmark = pytest.mark.unit

OLD, YOUNG = "1950-01-01", "1986-04-01"
HOME, OTHER = "000000000000011", "000000000000022"
PLAIN = {
    "group": "000000000001",
    "addressee_number": "000000000012345",
    "history_number": "1",
    "household_number": HOME,
    "my_number": "123456789018",
    "resident_kind": "1",
    "resident_state": "1",
    "event_reason": "00",
    "name": "髙﨑　𠮷子",
    "birth_date": YOUNG,
    "sex": "2",
    "municipality_code": "172014",
    "address": "石川県金沢市広坂1番地",
    "protected": "0",
}
FIELDS = [column.field for column in load_layout(LAYOUT).columns]


def row(number: int = 1, *, sound: bool = True, **values: str) -> Row:
    return Row(number, number + 1, dict.fromkeys(FIELDS, "") | PLAIN | values, sound)


def messages(rows: Sequence[Row]) -> list[ResidentChanged]:
    answers = to_messages(rows)
    assert all(isinstance(answer, Mapped) for answer in answers)
    found = [answer.message for answer in answers if isinstance(answer, Mapped)]
    return [message for message in found if isinstance(message, ResidentChanged)]


def eldest(message: ResidentChanged) -> str:
    date = message.scope.eldest_birth_date
    return date.raw if date else ""


def test_a_row_is_read_field_by_field() -> None:
    full = row(
        7,
        resident_state="9",
        event_reason="13",
        event_date="2026-04-02",
        eligibility_insured_number="00000042",
        eligibility_acquired="2025-01-01",
        eligibility_lost="2026-04-03",
        protected="1",
        birth_date="昭和10年00月00日",
        note="備考",
    )
    (answer,) = to_messages([full])
    assert isinstance(answer, Mapped)
    message = answer.message
    assert isinstance(message, ResidentChanged)
    assert (answer.number, answer.reason) == (7, "死亡")
    assert message.event_reason is EventReason.DIED
    assert message.resident_state is ResidentState.REMOVED
    assert message.protected is True
    assert message.name == "髙﨑　𠮷子"
    assert message.birth_date is not None
    assert message.birth_date.raw == "昭和10年00月00日"
    assert message.eligibility is not None
    assert message.eligibility.insured_number == "00000042"
    assert message.eligibility.insurance() is Insurance.PAST
    assert message.my_number is not None
    assert message.my_number.reveal() == "123456789018"


def test_members_share_the_evidence_of_their_household() -> None:
    first, second = messages(
        [
            row(1),
            row(
                2,
                birth_date=OLD,
                eligibility_insured_number="00000001",
                eligibility_lost="2026-01-01",
            ),
        ]
    )
    for message in (first, second):
        assert eldest(message) == OLD
        assert message.scope.insurance is Insurance.PAST


def test_a_new_spouse_does_not_inherit_the_household_that_the_other_left() -> None:
    """A leaves a 76-year-old parent's household and joins B's."""
    mover, parent, spouse = messages(
        [
            row(1, household_number=OTHER, previous_household_number=HOME, event_reason="21"),
            row(2, birth_date=OLD, eligibility_insured_number="00000001"),
            row(3, household_number=OTHER, birth_date="1987-01-01"),
        ]
    )
    assert (eldest(mover), mover.scope.insurance) == (OLD, Insurance.CURRENT)
    assert (eldest(parent), parent.scope.insurance) == (OLD, Insurance.CURRENT)
    assert (eldest(spouse), spouse.scope.insurance) == (YOUNG, Insurance.NONE)


def test_those_who_stay_lose_the_insured_person_who_left() -> None:
    mover, child = messages(
        [
            row(
                1,
                household_number=OTHER,
                previous_household_number=HOME,
                birth_date=OLD,
                eligibility_insured_number="00000001",
            ),
            row(2),
        ]
    )
    assert mover.scope.insurance is Insurance.CURRENT
    assert (eldest(child), child.scope.insurance) == (YOUNG, Insurance.NONE)


def test_all_who_leave_together_lived_together_and_those_who_join_did_not() -> None:
    """One event: the parent and the child leave HOME for two others; a stranger joins HOME."""
    child, parent, stranger = messages(
        [
            row(1, household_number="3", previous_household_number=HOME),
            row(2, household_number="4", previous_household_number=HOME, birth_date=OLD),
            row(3, household_number=HOME, previous_household_number="5", birth_date="1930-01-01"),
        ]
    )
    assert eldest(child) == OLD
    assert eldest(parent) == OLD
    assert eldest(stranger) == "1930-01-01"


def test_the_household_of_someone_just_removed_still_counts_them() -> None:
    _, child = messages(
        [
            row(1, birth_date=OLD, eligibility_insured_number="00000001", resident_state="9"),
            row(2),
        ]
    )
    assert child.scope.insurance is Insurance.CURRENT


def test_one_bad_row_does_not_hide_its_household() -> None:
    refused = row(1, sound=False, birth_date=OLD, eligibility_insured_number="00000001", sex="7")
    (child,) = messages([refused, row(2)])
    assert (eldest(child), child.scope.insurance) == (OLD, Insurance.CURRENT)


@pytest.mark.parametrize("household", ["", "00000000000001X"])
def test_a_bad_row_without_a_household_belongs_to_the_only_one(household: str) -> None:
    refused = row(1, sound=False, birth_date=OLD, household_number=household)
    (alone,) = messages([refused, row(2)])
    assert eldest(alone) == OLD
    both = messages([refused, row(2), row(3, household_number=OTHER)])
    assert [eldest(message) for message in both] == [YOUNG, YOUNG]


def test_a_bad_row_of_another_group_or_household_is_no_evidence() -> None:
    stray = row(1, sound=False, birth_date=OLD, group="?", household_number="")
    neighbour = row(2, sound=False, birth_date=OLD, group="?", household_number=OTHER)
    (child,) = messages([stray, neighbour, row(3)])
    assert eldest(child) == YOUNG


@pytest.mark.parametrize("number", ["", "123", "0000000X"])
def test_an_insured_number_that_cannot_be_read_is_no_evidence(number: str) -> None:
    refused = row(1, sound=False, eligibility_insured_number=number)
    (child,) = messages([refused, row(2)])
    assert child.scope.insurance is Insurance.NONE


def test_unknown_dates_count_as_nothing_and_partly_known_from_their_last_day() -> None:
    dates = ["不詳", "1951-00-00", "1951-03-01", "1951-04-00"]
    found = messages([row(n, birth_date=text) for n, text in enumerate(dates, 1)])
    assert {eldest(message) for message in found} == {"1951-03-01"}
    (unknown,) = messages([row(birth_date="不詳")])
    assert unknown.scope.eldest_birth_date is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("my_number", "123456789010"),
        ("my_number", "12345"),
        ("event_reason", "99"),
        ("resident_state", "5"),
        ("protected", "x"),
        ("household_number", "1234567890123456"),
        ("history_number", "x"),
        ("name", "名" * 101),
        ("municipality_code", "17201"),
        ("eligibility_insured_number", "123"),
        ("birth_date", "不" * 73),
        ("eligibility_lost", "2026-01-01"),
    ],
)
def test_a_value_that_no_message_can_carry_is_named_and_not_quoted(field: str, value: str) -> None:
    bad, good = to_messages([row(1, **{field: value}), row(2)])
    expected = "eligibility_insured_number" if field == "eligibility_lost" else field
    assert isinstance(bad, BadRecord)
    assert (bad.number, bad.line, bad.field) == (1, 2, expected)
    assert value not in bad.reason
    assert isinstance(good, Mapped)


@given(st.fixed_dictionaries({field: st.text(max_size=12) for field in FIELDS}))
def test_no_row_ends_the_mapping_or_is_quoted(values: dict[str, str]) -> None:
    (answer,) = to_messages([Row(1, 2, values)])
    if isinstance(answer, BadRecord):
        assert answer.field in FIELDS
        assert all(len(value) < 3 or value not in answer.reason for value in values.values())


def test_the_oldest_possible_day_is_kept_exactly() -> None:
    (message,) = messages([row(birth_date="3151203")])
    assert message.birth_date is not None
    assert message.birth_date.date == dt.date(1940, 12, 3)
    assert message.birth_date.raw == "3151203"
