"""Who may be sent, straight from the synthetic households; the hub's answer is held to this.

Source: 移転先1 ⑤ of the assessment. It knows neither files nor mappings nor the hub's rule.
"""

import datetime as dt
from collections.abc import Iterable

from adapters.simulation import births
from adapters.simulation.changes import Entry, Group
from adapters.simulation.city import CityDay
from adapters.simulation.people import Person


def in_scope(day: CityDay, about_to_reach_days: int, today: dt.date | None = None) -> set[str]:
    """Give the 宛名番号 of those in the day's register file whom the hub lets through.

    ``today`` is the day of acceptance, by default the city's own day.
    """
    horizon = _horizon(day, about_to_reach_days, today)
    return {
        entry.person.number
        for group in day.groups()
        for entry in group.entries
        if any(_qualifies(person, horizon) for person in _lived_with(entry, group))
    }


def incomes_in_scope(
    day: CityDay, about_to_reach_days: int, today: dt.date | None = None
) -> set[str]:
    """Give the 宛名番号 of those in the day's tax file whom the hub lets through."""
    horizon = _horizon(day, about_to_reach_days, today)
    return {
        entry.person.number
        for group in day.tax_groups()
        if any(_qualifies(e.person, horizon) for e in group.entries)
        for entry in group.entries
        if entry.changed
    }


def _horizon(day: CityDay, about_to_reach_days: int, today: dt.date | None) -> dt.date:
    return (today or day.date) + dt.timedelta(days=about_to_reach_days)


def _lived_with(entry: Entry, group: Group) -> Iterable[Person]:
    """All of the person's household, the just removed included, and all of the one just left."""
    for other in group.entries:
        if other.household_number == entry.household_number:
            yield other.person
    for household in group.left:
        if household.number == entry.left:
            yield from household.members


def _qualifies(person: Person, horizon: dt.date) -> bool:
    if person.eligibility is not None:
        return True
    latest = person.birth.latest
    return latest is not None and births.birthday(latest, births.INSURED_FROM_AGE) <= horizon
