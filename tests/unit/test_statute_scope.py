"""Whose data may move: the boundaries of the rule for insured persons and their households."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.statute.scope import (
    ScopeContext,
    birthday,
    eligibility_history,
    facility_payer,
    insured_household,
)
from schemas import MESSAGE_TYPES
from schemas.canonical import Insurance, ScopeEvidence
from schemas.dates import Precision, RegisterDate, read_register_date
from schemas.resident import ResidentChanged
from tests.messages import sample
from tests.samples import resident

pytestmark = pytest.mark.unit

TODAY = dt.date(2026, 4, 1)
HORIZON_DAYS = 90
HORIZON = dt.date(2026, 6, 30)


def in_scope(
    birth: str | RegisterDate | None,
    insurance: Insurance = Insurance.NONE,
    *,
    today: dt.date = TODAY,
    days: int = HORIZON_DAYS,
) -> bool:
    eldest = read_register_date(birth) if isinstance(birth, str) else birth
    message = ResidentChanged.model_validate(
        resident(scope=ScopeEvidence(eldest_birth_date=eldest, insurance=insurance))
    )
    return insured_household(message, ScopeContext(today, days))


@pytest.mark.parametrize(
    ("birth", "inside"),
    [
        ("1951-06-30", True),  # 75 exactly on the last day that counts as about to be
        ("1951-07-01", False),
        ("1951-04-01", True),  # 75 today
        ("1930-01-01", True),
        ("2001-01-01", False),
        ("1951-06-00", True),  # the latest day that it can be is 06-30
        ("1951-07-00", False),  # could be 07-31
        ("1951-00-00", False),  # could be 12-31
        ("1950-00-00", True),
        ("3260630", True),  # 昭和26年6月30日
        ("3260701", False),
        ("不詳", False),
        ("昭和10年頃", False),
        ("", False),
        ("0000-00-00", False),
        ("9999-12-31", False),
        ("9950-00-00", False),
        ("0001-01-01", True),
    ],
)
def test_who_is_75_or_about_to_be(birth: str, inside: bool) -> None:  # noqa: FBT001 - a table
    assert in_scope(birth) is inside


@pytest.mark.parametrize(
    ("today", "inside"),
    [("2027-02-27", False), ("2027-02-28", False), ("2027-03-01", True)],
)
def test_a_leap_day_child_is_75_on_the_first_of_march(
    today: str,
    inside: bool,  # noqa: FBT001 - a table
) -> None:
    assert in_scope("1952-02-29", today=dt.date.fromisoformat(today), days=0) is inside


@pytest.mark.parametrize("insurance", [Insurance.PAST, Insurance.CURRENT])
@pytest.mark.parametrize("birth", [None, "2010-01-01", "不詳"])
def test_a_household_with_an_insured_person_is_inside_at_any_age(
    birth: str | None, insurance: Insurance
) -> None:
    assert in_scope(birth, insurance)


def test_nothing_known_is_outside() -> None:
    assert not in_scope(None)


def test_the_site_decides_how_long_before_counts() -> None:
    assert in_scope("1951-04-01", days=0)
    assert not in_scope("1951-04-02", days=0)
    assert in_scope("1951-04-02", days=1)


@given(born=st.dates(), age=st.integers(min_value=0, max_value=120))
def test_a_birthday_is_never_early_and_never_fails(born: dt.date, age: int) -> None:
    day = birthday(born, age)
    if day == dt.date.max and born.year + age > dt.MAXYEAR:
        return
    assert day.year == born.year + age
    assert (day.month, day.day) in {(born.month, born.day), (3, 1)}


@given(
    born=st.dates(),
    precision=st.sampled_from([Precision.DAY, Precision.MONTH, Precision.YEAR]),
    today=st.dates(min_value=dt.date(2015, 1, 1), max_value=dt.date(2100, 1, 1)),
    days=st.integers(min_value=0, max_value=366),
)
def test_an_unsure_date_is_inside_only_if_every_day_that_it_can_be_is(
    born: dt.date, precision: Precision, today: dt.date, days: int
) -> None:
    date = RegisterDate(raw="as it came", precision=precision, date=born)
    latest = date.latest()
    assert latest is not None
    assert latest >= born
    by_hand = latest.year + 75 <= dt.MAXYEAR and (
        (latest.year + 75, latest.month, latest.day)
        <= (
            (horizon := today + dt.timedelta(days=days)).year,
            horizon.month,
            horizon.day,
        )
    )
    inside = in_scope(date, today=today, days=days)
    if (latest.month, latest.day) != (2, 29):
        assert inside is by_hand


CONTEXT = ScopeContext(TODAY, HORIZON_DAYS)


@pytest.mark.parametrize(
    ("own", "household", "inside"),
    [
        ("current", "current", True),
        ("past", "past", True),
        ("none", "current", False),  # another member is insured, the person never was
        ("none", "none", False),
    ],
)
def test_the_register_gets_only_persons_with_a_history_of_their_own(
    own: str,
    household: str,
    inside: bool,  # noqa: FBT001 - a table
) -> None:
    scope = {"insurance": household, "own_insurance": own}
    assert eligibility_history(sample("eligibility.recorded", scope=scope), CONTEXT) is inside


@pytest.mark.parametrize(
    ("changes", "inside"),
    [
        ({}, True),
        ({"scope": {"insurance": "current", "facility_resident": False}}, False),
        ({"scope": {"insurance": "current"}}, False),
        ({"scope": {"insurance": "none", "facility_resident": True}}, True),
        ({"paid_year": 2024}, False),
        ({"paid_year": 2026}, False),
        ({"paid_amount": 0}, False),
        ({"paid_amount": 1}, True),
    ],
)
def test_the_welfare_office_gets_only_facility_residents_who_paid_last_year(
    changes: dict[str, object],
    inside: bool,  # noqa: FBT001 - a table
) -> None:
    assert facility_payer(sample("premium.paid-yearly", **changes), CONTEXT) is inside


@pytest.mark.parametrize("message_type", sorted(MESSAGE_TYPES))
def test_a_message_that_gives_a_rule_no_evidence_is_outside(message_type: str) -> None:
    message = sample(message_type)
    assert insured_household(message, CONTEXT)
    assert not insured_household(sample(message_type, insured=False), CONTEXT)
    assert eligibility_history(message, CONTEXT) is (message_type == "eligibility.recorded")
    assert facility_payer(message, CONTEXT) is (message_type == "premium.paid-yearly")
