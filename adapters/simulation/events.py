"""異動: each changes the register and says what it changed; ``None`` when nobody fits.

Each function takes the register, a random generator and the event's date.
"""

import datetime as dt
import random
from collections.abc import Callable, Mapping
from dataclasses import replace

from adapters.simulation import addresses, births, names
from adapters.simulation.changes import Change, Entry, listed
from adapters.simulation.households import (
    changed,
    entries_of,
    headed_by,
    renewed,
    without,
)
from adapters.simulation.people import (
    FEMALE,
    FOREIGN,
    TEMPLATES,
    Household,
    Origin,
    Person,
    Role,
    make_person,
    my_number,
    traits,
)
from adapters.simulation.register import Register
from adapters.simulation.relations import CHILD, HEAD, LODGER, WIFE
from schemas.resident import EventReason

Event = Callable[[Register, random.Random, dt.date], Change | None]

_SMALL = 6
"""Nobody joins a household of more members."""
_ADULT = 18


# -- 記載 ------------------------------------------------------------------------------


def _arrival(reason: EventReason) -> Event:
    def happen(city: Register, rng: random.Random, day: dt.date) -> Change | None:
        household = city.arrive(rng, rng.choice(TEMPLATES), day)
        origin = {
            EventReason.MOVED_IN: addresses.elsewhere,
            EventReason.MOVED_IN_FROM_ABROAD: addresses.abroad,
        }.get(reason)
        before = origin(rng) if origin else ""
        return Change(reason, entries_of(household, reason, day, before))

    return happen


def _born(city: Register, rng: random.Random, day: dt.date) -> Change | None:
    household = city.found(rng, lambda h: len(h.members) < _SMALL and _mother_in(h, day))
    if household is None:
        return None
    family = names.Name(household.members[0].name.split("　")[0], "")
    peculiar = traits(household.index)
    sex = rng.choice("12")
    child = make_person(
        rng, Role(CHILD, 0, 0), city.next_person(), Origin(family, peculiar, day), sex
    )
    child = replace(child, birth=births.known(day), kana=child.kana.strip())
    now = replace(household, members=(*household.members, child))
    city.put(now)
    return changed(now, (child,), EventReason.BORN, day)


def _mother_in(household: Household, day: dt.date) -> bool:
    return any(
        m.relation in {HEAD, WIFE}
        and m.sex == FEMALE
        and _ADULT <= births.age_on(m.birth.day, day) <= _ADULT * 2.5
        for m in household.members
    )


def _cancelled(city: Register, rng: random.Random, day: dt.date) -> Change | None:
    if not city.gone:
        return None
    index, person = city.gone.pop(rng.randrange(len(city.gone)))
    household = city.household(index)
    relation = person.relation if household.members else HEAD
    if household.members and relation == HEAD:
        relation = LODGER
    back = renewed(person, relation=relation)
    now = replace(household, members=(*household.members, back))
    city.put(now)
    return changed(now, (back,), EventReason.EVENT_CANCELLED, day)


# -- 消除 ------------------------------------------------------------------------------


def _removal(reason: EventReason, wanted: Callable[[Person, dt.date], bool]) -> Event:
    def happen(city: Register, rng: random.Random, day: dt.date) -> Change | None:
        household = city.found(rng, lambda h: any(wanted(m, day) for m in h.members))
        if household is None:
            return None
        candidates = [m for m in household.members if wanted(m, day)]
        leavers = _who_leaves(rng, reason, household, rng.choice(candidates))
        now = without(household, leavers)
        city.put(now)
        gone = tuple(renewed(person) for person in leavers)
        if reason is EventReason.MOVED_OUT:
            city.gone.extend((household.index, person) for person in gone)
        rows = (
            Entry(p, now.number, now.place, reason, day.isoformat(), removed=True) for p in gone
        )
        return Change(reason, (*rows, *listed(now)))

    return happen


def _who_leaves(
    rng: random.Random, reason: EventReason, household: Household, person: Person
) -> tuple[Person, ...]:
    """People die and are struck off alone, and move away alone or with their household."""
    together = reason in {EventReason.MOVED_OUT, EventReason.MOVED_ABROAD}
    return household.members if together and rng.random() < 1 / 2 else (person,)


def _mortal(person: Person, day: dt.date) -> bool:
    return births.age_on(person.birth.day, day) >= births.INSURED_FROM_AGE


def _adult(person: Person, day: dt.date) -> bool:
    return births.age_on(person.birth.day, day) >= _ADULT


# -- 修正 ------------------------------------------------------------------------------


def _moved_within(city: Register, rng: random.Random, day: dt.date) -> Change | None:
    if rng.random() < 1 / 2:
        return _household_moves(city, rng, day)
    return _person_moves(city, rng, day)


def _household_moves(city: Register, rng: random.Random, day: dt.date) -> Change | None:
    household = city.found(rng, lambda _: True)
    if household is None:
        return None
    now = replace(
        household,
        place=addresses.place(rng, long_building=False),
        members=tuple(renewed(m) for m in household.members),
    )
    city.put(now)
    reason = EventReason.MOVED_WITHIN
    return Change(reason, entries_of(now, reason, day, household.place.address))


def _person_moves(city: Register, rng: random.Random, day: dt.date) -> Change | None:
    home = city.found(rng, lambda h: any(_adult(m, day) for m in h.members))
    if home is None:
        return None
    joined = city.found(rng, lambda h: h.index != home.index and len(h.members) < _SMALL)
    if joined is None:
        return None
    mover = rng.choice([m for m in home.members if _adult(m, day)])
    return _move(city, (home, joined), (mover,), EventReason.MOVED_WITHIN, day)


def _split(city: Register, rng: random.Random, day: dt.date) -> Change | None:
    home = city.found(rng, lambda h: any(_adult(m, day) for m in h.members[1:]))
    if home is None:
        return None
    mover = rng.choice([m for m in home.members[1:] if _adult(m, day)])
    joined = city.establish(home.place, ())
    return _move(city, (home, joined), (mover,), EventReason.HOUSEHOLD_SPLIT, day)


def _merged(city: Register, rng: random.Random, day: dt.date) -> Change | None:
    home = city.found(rng, lambda h: len(h.members) < _SMALL / 2)
    if home is None:
        return None
    joined = city.found(rng, lambda h: h.index != home.index and len(h.members) < _SMALL)
    if joined is None:
        return None
    return _move(city, (home, joined), home.members, EventReason.HOUSEHOLD_MERGED, day)


def _move(
    city: Register,
    homes: tuple[Household, Household],
    movers: tuple[Person, ...],
    reason: EventReason,
    day: dt.date,
) -> Change:
    """Move people from the first household to the second."""
    home, joined = homes
    empty = not joined.members
    arrived = tuple(
        renewed(m, relation=HEAD if empty and position == 0 else LODGER)
        for position, m in enumerate(movers)
    )
    left = without(home, movers)
    now = replace(joined, members=(*joined.members, *arrived))
    city.put(left)
    city.put(now)
    before = home.place.address if home.place != now.place else ""
    rows = (
        Entry(p, now.number, now.place, reason, day.isoformat(), home.number, before)
        for p in arrived
    )
    numbers = {person.number for person in arrived}
    return Change(reason, (*rows, *listed(left), *listed(now, numbers)), (home,))


def _head_changed(city: Register, rng: random.Random, day: dt.date) -> Change | None:
    household = city.found(rng, lambda h: len(h.members) > 1 and _adult(h.members[1], day))
    if household is None:
        return None
    former = household.members[0].number
    now = replace(household, members=headed_by(household.members, household.members[1]))
    city.put(now)
    concerned = (now.members[0], *(m for m in now.members if m.number == former))
    return changed(now, concerned, EventReason.HEAD_CHANGED, day)


def _amended(
    reason: EventReason,
    wanted: Callable[[Person], bool],
    amend: Callable[[Register, random.Random, Person], Person],
) -> Event:
    def happen(city: Register, rng: random.Random, day: dt.date) -> Change | None:
        household = city.found(rng, lambda h: any(map(wanted, h.members)))
        if household is None:
            return None
        person = rng.choice([m for m in household.members if wanted(m)])
        return _in_place(city, household, amend(city, rng, person), reason, day)

    return happen


def _in_place(
    city: Register, household: Household, after: Person, reason: EventReason, day: dt.date
) -> Change:
    members = tuple(after if m.number == after.number else m for m in household.members)
    now = replace(household, members=members)
    city.put(now)
    return changed(now, (after,), reason, day)


def corrected_by_mistake(city: Register, rng: random.Random, day: dt.date) -> Change | None:
    """Correct the entry of somebody insured; its row is the one that has another 個人番号.

    Their own number is known to all since the first day. The concerned entry is the first.
    """

    def fits(person: Person) -> bool:
        insured = person.eligibility is not None and not person.eligibility.lost
        return insured and bool(person.my_number) and city.is_of_the_first_day(person)

    household = city.found(rng, lambda h: any(map(fits, h.members)))
    if household is None:
        return None
    person = next(filter(fits, household.members))
    return _in_place(city, household, renewed(person), EventReason.MINOR_CORRECTION, day)


def _corrected(_city: Register, _rng: random.Random, person: Person) -> Person:
    return renewed(person, note="氏名フリガナ確認済", kana=names.half_width(person.kana))


def _renumbered(city: Register, _rng: random.Random, person: Person) -> Person:
    """Give a 個人番号 that nobody else will get: the one of a person who never comes."""
    city.renumbered.add(person.number)
    return renewed(person, my_number=my_number(city.next_person()))


def _renamed(_city: Register, rng: random.Random, person: Person) -> Person:
    return renewed(person, common_name=names.common_name(rng, person.sex))


EVENTS: Mapping[EventReason, Event] = {
    EventReason.MOVED_OUT: _removal(EventReason.MOVED_OUT, _adult),
    EventReason.MOVED_IN: _arrival(EventReason.MOVED_IN),
    EventReason.HOUSEHOLD_SPLIT: _split,
    EventReason.BORN: _born,
    EventReason.EVENT_CANCELLED: _cancelled,
    EventReason.HOUSEHOLD_MERGED: _merged,
    EventReason.DIED: _removal(EventReason.DIED, _mortal),
    EventReason.MOVED_WITHIN: _moved_within,
    EventReason.MY_NUMBER_CHANGED: _amended(
        EventReason.MY_NUMBER_CHANGED, lambda p: bool(p.my_number), _renumbered
    ),
    EventReason.MOVED_IN_FROM_ABROAD: _arrival(EventReason.MOVED_IN_FROM_ABROAD),
    EventReason.MINOR_CORRECTION: _amended(
        EventReason.MINOR_CORRECTION, lambda _: True, _corrected
    ),
    EventReason.HEAD_CHANGED: _head_changed,
    EventReason.MOVED_ABROAD: _removal(EventReason.MOVED_ABROAD, _adult),
    EventReason.COMMON_NAME_CHANGED: _amended(
        EventReason.COMMON_NAME_CHANGED, lambda p: p.kind == FOREIGN, _renamed
    ),
    EventReason.ENTERED_EX_OFFICIO: _arrival(EventReason.ENTERED_EX_OFFICIO),
    EventReason.REMOVED_EX_OFFICIO: _removal(EventReason.REMOVED_EX_OFFICIO, _adult),
}
"""Every class of 異動事由, in the order in which the first three days take turns with them.

Of three that follow one another the first falls on the first day, the second on the second
and so on: somebody moves out on the first day, and a cancellation brings them back later.
"""
