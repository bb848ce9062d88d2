"""The synthetic city: the same for the same seed, whole, and full of what hurts."""

import datetime as dt
from collections import Counter
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.simulation import births
from adapters.simulation.changes import Entry, Group
from adapters.simulation.city import START, City, CityDay
from adapters.simulation.people import my_number
from schemas.dates import read_register_date
from schemas.numbers import MyNumber, addressee_check_digit
from schemas.resident import EventReason

pytestmark = [pytest.mark.unit, pytest.mark.slow]


def days(residents: int, until: int, seed: int = 1) -> list[CityDay]:
    return list(islice(City(residents, seed).days(), until + 1))


def entries(day: CityDay) -> list[Entry]:
    return [entry for group in day.groups() for entry in group.entries]


@pytest.fixture(scope="module")
def town() -> list[CityDay]:
    return days(2000, 6)


def test_the_same_seed_gives_the_same_city_and_another_seed_another(town: list[CityDay]) -> None:
    again = days(2000, 6)
    assert [list(day.groups()) for day in town] == [list(day.groups()) for day in again]
    assert [list(day.tax_groups()) for day in town] == [list(day.tax_groups()) for day in again]
    other = days(2000, 1, seed=2)
    assert list(town[0].groups()) != list(other[0].groups())


def test_the_initial_load_is_the_first_day_however_late_it_is_read(town: list[CityDay]) -> None:
    fresh = next(City(2000).days())
    assert list(town[0].groups()) == list(fresh.groups())


@pytest.mark.parametrize("residents", [1, 2, 17, 200, 1999])
def test_a_city_has_exactly_so_many_residents(residents: int) -> None:
    people = entries(days(residents, 0)[0])
    assert len({entry.person.number for entry in people}) == len(people) == residents


def test_about_a_sixth_are_seventy_five_or_older(town: list[CityDay]) -> None:
    old = sum(births.age_on(e.person.birth.day, START) >= 75 for e in entries(town[0]))
    assert 0.14 < old / 2000 < 0.20


def test_numbers_are_valid_and_nobody_shares_one(town: list[CityDay]) -> None:
    people = {e.person.number: e.person for e in entries(town[0])}.values()
    numbers = [p.my_number for p in people if p.my_number]
    assert len(set(numbers)) == len(numbers)
    assert all(MyNumber(number).reveal() == number for number in numbers)
    for person in people:
        assert len(person.number) == 15
        assert addressee_check_digit(person.number[:-1]) == person.number[-1]


@given(st.lists(st.integers(0, 2 * 10**9), unique=True, min_size=2, max_size=20))
def test_no_two_indexes_give_one_my_number(indexes: list[int]) -> None:
    assert len({my_number(index) for index in indexes}) == len(indexes)


def test_even_a_small_city_has_what_hurts() -> None:
    people = entries(days(200, 0)[0])
    names = "".join(e.person.name for e in people)
    kana = "".join(e.person.kana for e in people)
    assert "﨑" in names or "𠮷" in names or "德" in names
    assert any("ｦ" <= char <= "ﾟ" for char in kana)
    assert max(len(e.place.building) for e in people) > 270
    assert any(e.person.birth.text != e.person.birth.day.isoformat() for e in people)
    assert any(e.person.protected for e in people)
    assert any(e.person.kind == "2" and e.person.name.isascii() for e in people)
    assert any(e.person.common_name for e in people)
    held = [e.person.eligibility for e in people if e.person.eligibility]
    assert any(eligibility.lost for eligibility in held)
    assert any(not eligibility.lost for eligibility in held)
    young = [e for e in people if births.age_on(e.person.birth.day, START) < 75]
    assert any(e.person.eligibility and not e.person.eligibility.lost for e in young)


def test_postal_codes_and_towns_are_the_citys(town: list[CityDay]) -> None:
    for entry in entries(town[0]):
        assert entry.place.postal_code[:3] in {"920", "921"}
        assert entry.place.address.startswith("石川県金沢市")


@pytest.mark.parametrize("seed", range(6))
def test_three_days_have_every_class_of_event_even_in_a_small_city(seed: int) -> None:
    happened = {entry.reason for day in days(200, 3, seed)[1:] for entry in entries(day)}
    assert happened == set(EventReason)


def test_about_one_in_two_hundred_changes_in_a_day(town: list[CityDay]) -> None:
    for day in town[1:]:
        assert 8 <= len(list(day.groups())) <= 12


def test_an_event_moves_whole_households_and_numbers_rise(town: list[CityDay]) -> None:
    homes = {e.person.number: e.household_number for e in entries(town[0])}
    members = Counter(homes.values())
    last = ""
    for day in town[1:]:
        for group in day.groups():
            assert group.number > last
            last = group.number
            _follow(group, homes)
            _whole(group, homes)
    assert members


def _follow(group: Group, homes: dict[str, str]) -> None:
    for entry in group.entries:
        if entry.removed:
            homes.pop(entry.person.number)
        else:
            homes[entry.person.number] = entry.household_number


def _whole(group: Group, homes: dict[str, str]) -> None:
    """All who now live in a household that the group touches are in the group."""
    touched = {e.household_number for e in group.entries} | {h.number for h in group.left}
    told = {e.person.number for e in group.entries if not e.removed}
    assert {number for number, home in homes.items() if home in touched} == told


def test_history_never_falls_and_rises_with_every_change(town: list[CityDay]) -> None:
    known = {e.person.number: e.person for e in entries(town[0])}
    for day in town[1:]:
        for entry in entries(day):
            before = known.get(entry.person.number)
            if before is not None and before != entry.person:
                assert entry.person.history > before.history
            known[entry.person.number] = entry.person


def test_a_changed_my_number_is_new_and_valid(town: list[CityDay]) -> None:
    first = {e.person.number: e.person.my_number for e in entries(town[0])}
    taken = set(first.values())
    changed = [
        e.person for day in town for e in entries(day) if e.reason is EventReason.MY_NUMBER_CHANGED
    ]
    assert changed
    for person in changed:
        assert MyNumber(person.my_number)
        assert person.my_number not in taken


def test_a_correction_has_a_higher_number_and_names_one_person(town: list[CityDay]) -> None:
    corrections: dict[str, int] = {}
    for day in town[1:]:
        groups = list(day.tax_groups())
        assert len(groups) >= 3
        for group in groups:
            (corrected,) = [entry for entry in group.entries if entry.changed]
            number = corrected.person.number
            assert corrected.correction == corrections.get(number, 0) + 1
            corrections[number] = corrected.correction


def test_amounts_go_with_the_declaration(town: list[CityDay]) -> None:
    rows = [entry for group in town[0].tax_groups() for entry in group.entries]
    assert len(rows) == 2000
    assert any(row.income.undeclared == "1" for row in rows)
    for row in rows:
        assert bool(row.income.amounts) == (row.income.undeclared == "0")


@given(st.dates(dt.date(1910, 1, 1), dt.date(2020, 1, 1)), st.integers(0, 50))
@settings(max_examples=200)
def test_the_last_possible_day_is_what_the_schema_reads(day: dt.date, how: int) -> None:
    birth = births.partly_known(day, how)
    read = read_register_date(birth.text)
    assert read is not None
    assert read.latest() == birth.latest
    assert birth.latest is None or birth.latest >= day


def test_a_city_of_nobody_is_no_city() -> None:
    with pytest.raises(ValueError, match="at least one"):
        City(0)
