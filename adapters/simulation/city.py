"""A synthetic city that is the same for the same seed, day after day.

Day 0 is the initial load; each later day has about 0.5 % of the residents in some 異動, every
class of them within any three days, and a few corrections of income. No clock is read.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from random import Random

from adapters.simulation.changes import Change, Group, listed
from adapters.simulation.events import EVENTS, corrected_by_mistake
from adapters.simulation.incomes import TaxGroup, tax_entry
from adapters.simulation.insured import Insured, insured_of
from adapters.simulation.people import Household
from adapters.simulation.register import Register
from schemas.resident import EventReason

START = dt.date(2026, 4, 1)
_CYCLE_DAYS = 3
_CHANGED_SHARE = 0.005
_CORRECTED_SHARE = 0.002
_FEWEST_CORRECTIONS = 3
_COMMON = (
    EventReason.MOVED_IN,
    EventReason.MOVED_OUT,
    EventReason.MOVED_WITHIN,
    EventReason.MOVED_WITHIN,
    EventReason.DIED,
    EventReason.BORN,
    EventReason.MINOR_CORRECTION,
)


@dataclass(frozen=True, slots=True)
class CityDay:
    """What the city's systems have to say about one day.

    ``groups`` and ``tax_groups`` each give a fresh iterator in ascending 処理番号, as often as
    they are called, whatever the city has become since. ``insured`` are those whom the office
    deals with on this day. ``mistaken`` names the group and the 宛名番号 of an entry that comes
    with a 個人番号 of somebody else; both are empty where the day has none.
    """

    number: int
    date: dt.date
    groups: Callable[[], Iterator[Group]]
    tax_groups: Callable[[], Iterator[TaxGroup]]
    insured: tuple[Insured, ...] = ()
    mistaken: tuple[str, str] = ("", "")

    @property
    def is_initial(self) -> bool:
        """Say whether this is the initial load of the whole city."""
        return self.number == 0


class City:
    """A city of exactly so many residents.

    ``days`` may be read once: the city lives on with each day.
    """

    def __init__(self, residents: int, seed: int = 1, start: dt.date = START) -> None:
        if residents < 1:
            raise ValueError("a city has at least one resident")
        self._residents = residents
        self._start = start
        self._register = Register(residents, seed, start)

    def days(self) -> Iterator[CityDay]:
        """Let the days pass, without end; day 0 is the initial load."""
        insured = insured_of(self._register, 0, self._start)
        yield CityDay(0, self._start, self._first_groups, self._first_tax_groups, insured)
        for number in count(1):
            yield self._day(number, self._start + dt.timedelta(days=number))

    def _first_groups(self) -> Iterator[Group]:
        for household in self._register.first_households():
            yield Group(_number(0, household.index), EventReason.LISTED, tuple(listed(household)))

    def _first_tax_groups(self) -> Iterator[TaxGroup]:
        for household in self._register.first_households():
            yield self._assessed(household, _number(0, household.index))

    def _day(self, number: int, date: dt.date) -> CityDay:
        rng = self._register.rng("day", number)
        groups = tuple(
            Group(_number(number, place), change.reason, change.entries, change.left)
            for place, change in enumerate(self._changes(rng, number, date))
        )
        mistake = corrected_by_mistake(self._register, self._register.rng("mistake", number), date)
        mistaken = ("", "")
        if mistake is not None:
            last = Group(
                _number(number, len(groups)), mistake.reason, mistake.entries, mistake.left
            )
            groups = (*groups, last)
            mistaken = (last.number, last.entries[0].person.number)
        corrections = tuple(self._corrections(rng, number))
        return CityDay(
            number,
            date,
            lambda: iter(groups),
            lambda: iter(corrections),
            insured_of(self._register, number, date),
            mistaken,
        )

    def _changes(self, rng: Random, number: int, date: dt.date) -> Iterator[Change]:
        turn = (number - 1) % _CYCLE_DAYS
        due = list(EVENTS)[turn::_CYCLE_DAYS]
        wanted = max(len(due), round(self._residents * _CHANGED_SHARE))
        reasons = due + rng.choices(_COMMON, k=wanted - len(due))
        for reason in reasons:
            change = EVENTS[reason](self._register, rng, date)
            if change is not None:
                yield change

    def _corrections(self, rng: Random, number: int) -> Iterator[TaxGroup]:
        wanted = max(_FEWEST_CORRECTIONS, round(self._residents * _CORRECTED_SHARE))
        for place in range(wanted):
            # The first two go to households with and without somebody insured.
            insured = [True, False][place] if place < 2 else None  # noqa: PLR2004
            household = self._register.found(
                rng,
                lambda h, i=insured: i is None or _insured_in(h) == i,  # type: ignore[misc]
            )
            if household is not None:
                # Every third correction is of the year before.
                back = 1 if place % 3 == 2 else 0  # noqa: PLR2004 - the last of three
                yield self._corrected(rng, household, _number(number, place), back)

    def _corrected(self, rng: Random, household: Household, number: str, back: int) -> TaxGroup:
        known = [m.number for m in household.members if m.number not in self._register.renumbered]
        chosen = rng.choice(known or [m.number for m in household.members])
        self._register.corrections[chosen] = self._register.corrections.get(chosen, 0) + 1
        group = self._assessed(household, number)
        return replace(
            group,
            entries=tuple(
                replace(e, changed=e.person.number == chosen, years_back=back)
                for e in group.entries
            ),
        )

    def _assessed(self, household: Household, number: str) -> TaxGroup:
        register = self._register
        entries = []
        for person in household.members:
            correction = register.corrections.get(person.number, 0)
            rng = register.rng("income", person.number, correction)
            entries.append(tax_entry(rng, person, household, correction, changed=True))
        return TaxGroup(number, tuple(entries))


def _insured_in(household: Household) -> bool:
    return any(member.eligibility is not None for member in household.members)


def _number(day: int, place: int) -> str:
    """Give a 処理番号: it rises through a day and from day to day, as a number and as text."""
    return f"{day:05d}{place + 1:07d}"
