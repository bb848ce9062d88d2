"""Who is in scope: the city's own answer, by hand and against files, mappings and the hub."""

import datetime as dt
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

import adapters
from adapters.simulation import births
from adapters.simulation.addresses import Place
from adapters.simulation.changes import Entry, Group
from adapters.simulation.city import START, City, CityDay
from adapters.simulation.people import Eligibility, Household, Person
from adapters.simulation.relations import HEAD
from adapters.simulation.scope import in_scope, incomes_in_scope
from hub.edge.delimited import read_parsed
from hub.edge.groups import groups
from hub.edge.kit import Mapped
from hub.statute.scope import ScopeContext, insured_household
from schemas.layout import load_layout
from schemas.resident import EventReason
from tests.fakes import NoDesk

pytestmark = pytest.mark.unit
NO_DESK = NoDesk()

WINDOW = 90
PLACE = Place("9200001", "0001000", "石川県金沢市千木町1番地", "")


def person(number: str, born: dt.date, *, insured: bool = False) -> Person:
    held = Eligibility("00000001", "2025-01-01") if insured else None
    birth = births.known(born)
    return Person(number, "", 1, "1", "架空", "", "", birth, "1", HEAD, eligibility=held)


def day_of(*made: Group) -> CityDay:
    return CityDay(1, START, lambda: iter(made), lambda: iter(()))


def group(*entries: Entry, left: tuple[Household, ...] = ()) -> Group:
    return Group("000010000001", EventReason.MOVED_WITHIN, entries, left)


@pytest.mark.parametrize(
    ("born", "within"),
    [
        (dt.date(1951, 4, 1), True),
        (dt.date(1951, 6, 30), True),
        (dt.date(1951, 7, 1), False),
    ],
)
def test_the_window_ends_with_its_last_day(born: dt.date, *, within: bool) -> None:
    child = person("2", dt.date(2000, 1, 1))
    day = day_of(group(Entry(person("1", born), "9", PLACE), Entry(child, "9", PLACE)))
    assert in_scope(day, WINDOW) == ({"1", "2"} if within else set())
    assert in_scope(day, 0, today=dt.date(2026, 7, 1)) == {"1", "2"}


def test_the_spouse_who_never_lived_with_the_insured_stays_out() -> None:
    parent = person("1", dt.date(1950, 1, 1), insured=True)
    child, spouse = person("2", dt.date(1986, 1, 1)), person("3", dt.date(1987, 1, 1))
    home = Household(1, "11", PLACE, (parent, child))
    mover = Entry(child, "22", PLACE, EventReason.MOVED_WITHIN, left="11")
    day = day_of(group(mover, Entry(parent, "11", PLACE), Entry(spouse, "22", PLACE), left=(home,)))
    assert in_scope(day, WINDOW) == {"1", "2"}
    assert in_scope(day_of(group(replace(mover, left=""), left=(home,))), WINDOW) == set()


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("system", "expected"), [("resident-registry", in_scope), ("tax", incomes_in_scope)]
)
def test_files_mapping_and_the_hubs_rule_come_to_the_same(
    tmp_path: Path, system: str, expected: object, seed: int
) -> None:
    assert callable(expected)
    total = 0
    for day in islice(City(1200, seed).days(), 13):
        file = adapters.simulator(system).write(day, tmp_path)[0]
        found = _accepted(system, file.path, day.date)
        assert found == expected(day, WINDOW)
        total += len(found)
    assert total > 200


def _accepted(system: str, path: Path, today: dt.date) -> set[str]:
    wire = adapters.find(system).inbound[0]
    layout = load_layout(wire.layout)
    accepted: set[str] = set()
    for rows, faults in groups(read_parsed(path, layout), layout):
        assert faults == []
        for answer in wire.to_messages(rows, NO_DESK):
            assert isinstance(answer, Mapped)
            if insured_household(answer.message, ScopeContext(today, WINDOW)):
                accepted.add(answer.message.addressee_number)
    return accepted
