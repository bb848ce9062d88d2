"""What the register says about a day: entries, in groups of a household or an event."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from adapters.simulation.addresses import Place
from adapters.simulation.people import Household, Person
from schemas.resident import EventReason


@dataclass(frozen=True, slots=True)
class Entry:
    """One person's entry. ``left`` is the household they have just left for another one."""

    person: Person
    household_number: str
    place: Place
    reason: EventReason = EventReason.LISTED
    event_date: str = ""
    left: str = ""
    previous_address: str = ""
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """The entries that move together: 処理番号, and every member of the households touched.

    ``left`` holds the households that someone left for another, as they stood before.
    """

    number: str
    reason: EventReason
    entries: tuple[Entry, ...]
    left: tuple[Household, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A group that has no number yet."""

    reason: EventReason
    entries: tuple[Entry, ...]
    left: tuple[Household, ...] = ()


def listed(household: Household, but: Collection[str] = ()) -> Iterator[Entry]:
    """List a household's members, but for the addressee numbers given."""
    return (
        Entry(person, household.number, household.place)
        for person in household.members
        if person.number not in but
    )
