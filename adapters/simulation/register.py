"""The register of the synthetic city: who lives where now.

Households of the first day follow from the seed alone and are made again whenever they are
asked for; only those that have changed since are kept.
"""

import datetime as dt
import random
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from adapters.simulation.addresses import Place
from adapters.simulation.people import (
    TEMPLATES,
    Household,
    Person,
    Slot,
    Template,
    addressee_number,
    household_number,
    make_household,
)

_SEARCH = 4000
"""Households looked at, from a random one on, before a search gives up."""


@dataclass(slots=True)
class Register:
    """The city's households. ``residents`` is how many people it has on the first day."""

    residents: int
    seed: int
    start: dt.date
    gone: list[tuple[int, Person]] = field(default_factory=list)
    corrections: dict[str, int] = field(default_factory=dict)
    renumbered: set[str] = field(default_factory=set)
    _kinds: "array[int]" = field(init=False)
    _first_people: "array[int]" = field(init=False)
    _changed: dict[int, Household] = field(default_factory=dict)
    _next_person: int = field(init=False)
    _next_household: int = field(init=False)

    def __post_init__(self) -> None:
        self._kinds, self._first_people = _plan(self.residents, self.seed)
        self._next_person = self.residents
        self._next_household = len(self._kinds)

    def rng(self, *purpose: object) -> random.Random:
        """Give a generator of its own for a purpose, the same for the same seed."""
        return random.Random("/".join(map(str, (self.seed, *purpose))))  # noqa: S311 - made up

    def first_households(self) -> Iterator[Household]:
        """Stream the households of the first day, whatever has changed since."""
        return (self._first(index) for index in range(len(self._kinds)))

    def household(self, index: int) -> Household:
        """Give a household as it is now."""
        return self._changed.get(index) or self._first(index)

    def put(self, household: Household) -> None:
        """Make a household what it is from now on."""
        self._changed[household.index] = household

    def found(self, rng: random.Random, wanted: Callable[[Household], bool]) -> Household | None:
        """Look for a household from a random one on; ``None`` when none is near."""
        start = rng.randrange(self._next_household)
        for step in range(min(_SEARCH, self._next_household)):
            household = self.household((start + step) % self._next_household)
            if household.members and wanted(household):
                return household
        return None

    def is_of_the_first_day(self, person: Person) -> bool:
        """Say whether somebody was there on the first day and has the 個人番号 of then."""
        first = addressee_number(self.residents)
        return person.number < first and person.number not in self.renumbered

    def next_person(self) -> int:
        """Issue the index of a person who was never in the city."""
        self._next_person += 1
        return self._next_person - 1

    def arrive(self, rng: random.Random, template: Template, today: dt.date) -> Household:
        """Let a new household of new people appear."""
        index, size = self._next_household, len(template.roles)
        slot = Slot(index, self._next_person, size)
        self._next_household += 1
        self._next_person += size
        household = make_household(rng, template, slot, today)
        self.put(household)
        return household

    def establish(self, place: Place, members: tuple[Person, ...]) -> Household:
        """Let people who are already in the city form a new household."""
        index = self._next_household
        self._next_household += 1
        household = Household(index, household_number(index), place, members)
        self.put(household)
        return household

    def _first(self, index: int) -> Household:
        first = self._first_people[index]
        slot = Slot(index, first, self._first_people[index + 1] - first)
        template = TEMPLATES[self._kinds[index]]
        return make_household(self.rng("household", index), template, slot, self.start)


def _plan(residents: int, seed: int) -> "tuple[array[int], array[int]]":
    """Choose the kind of each household, each kind once at first, for so many residents.

    The second array has the index of each household's first person, and the total at its end.
    """
    rng = random.Random(f"{seed}/plan")  # noqa: S311 - made up
    weights = [template.weight for template in TEMPLATES]
    kinds, first_people = array("B"), array("L", [0])
    while first_people[-1] < residents:
        known = len(kinds)
        kind = known if known < len(TEMPLATES) else rng.choices(range(len(TEMPLATES)), weights)[0]
        kinds.append(kind)
        first_people.append(min(first_people[-1] + len(TEMPLATES[kind].roles), residents))
    return kinds, first_people
