"""The people of the synthetic city and their households; immutable values.

Everything about a person follows from the city's seed and the person's place in it, so that
nobody has to be kept in memory who has not changed.
"""

import datetime as dt
import random
from dataclasses import dataclass
from typing import NamedTuple

from adapters.simulation import addresses, births, names
from adapters.simulation.addresses import Place
from adapters.simulation.births import Birth
from adapters.simulation.relations import CHILD, HEAD, MOTHER, WIFE
from schemas.numbers import addressee_check_digit, my_number_check_digit

MALE, FEMALE = "1", "2"
JAPANESE, FOREIGN = "1", "2"
_MY_NUMBER_STEP = 61_803_398_871  # odd and no multiple of 5: every index gives another number
_ELEVEN_DIGITS = 10**11
_EIGHT_DIGITS = 10**8


@dataclass(frozen=True, slots=True)
class Eligibility:
    """後期高齢者医療の資格: 被保険者番号, 資格取得年月日, 資格喪失年月日 (empty while insured)."""

    number: str
    acquired: str
    lost: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """A resident as the register holds them; ``history`` counts the entry's versions."""

    number: str
    my_number: str
    history: int
    kind: str
    name: str
    kana: str
    common_name: str
    birth: Birth
    sex: str
    relation: tuple[str, str]
    protected: bool = False
    eligibility: Eligibility | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Household:
    """A household; ``index`` is its place in the city, the first member its head."""

    index: int
    number: str
    place: Place
    members: tuple[Person, ...]


class Role(NamedTuple):
    """A place in a household: relation to the head, and the ages at which people hold it."""

    relation: tuple[str, str]
    youngest: int
    oldest: int


class Template(NamedTuple):
    """A kind of household, and how many of a hundred are of it.

    ``disability`` is what members under 75 have: ``none``, or an eligibility by a certified
    disability, ``current`` or ``past``.
    """

    weight: float
    roles: tuple[Role, ...]
    facility: bool = False
    disability: str = "none"


def _spouses(youngest: int, oldest: int) -> tuple[Role, ...]:
    return Role(HEAD, youngest, oldest), Role(WIFE, youngest, oldest)


_PARENTS = _spouses(30, 54)
_CHILD = Role(CHILD, 0, 19)

TEMPLATES = (
    Template(28, (Role(HEAD, 18, 64),)),
    Template(4, (Role(HEAD, 65, 74),)),
    Template(9, (Role(HEAD, 75, 99),)),
    Template(9, _spouses(25, 64)),
    Template(5, _spouses(65, 76)),
    Template(6, _spouses(75, 95)),
    Template(12, (*_PARENTS, _CHILD)),
    Template(9, (*_PARENTS, _CHILD, _CHILD)),
    Template(3, (*_PARENTS, _CHILD, _CHILD, _CHILD)),
    Template(5, (Role(HEAD, 25, 50), _CHILD)),
    # Heads who are not insured themselves and have insured members: 擬制世帯主.
    Template(3, (*_spouses(42, 60), _CHILD, _CHILD, Role(MOTHER, 76, 97))),
    Template(5, (Role(HEAD, 50, 70), Role(MOTHER, 76, 100))),
    Template(3, (Role(HEAD, 78, 103),), facility=True),
    Template(0.6, (Role(HEAD, 66, 73),), disability="current"),
    Template(0.4, (Role(HEAD, 67, 73),), disability="past"),
)
FACILITIES = 12


class Slot(NamedTuple):
    """A household's place in the city, its first person's, and how many people it has."""

    household: int
    first_person: int
    size: int


class Origin(NamedTuple):
    """What people who appear together have in common, on the day they appear."""

    family: names.Name
    traits: "Traits"
    today: dt.date
    disability: str = "none"


class Traits(NamedTuple):
    """What is peculiar to a household, by its place in the city, whatever the seed."""

    hard_name: bool
    narrow_kana: bool
    long_building: bool
    foreign: bool


def traits(index: int) -> Traits:
    """Spread what hurts evenly, so that a small city has each of it too."""
    return Traits(
        hard_name=_one_in(23, index, 5),
        narrow_kana=_one_in(19, index, 3),
        long_building=_one_in(31, index, 7),
        foreign=_one_in(29, index, 11),
    )


def _one_in(many: int, index: int, which: int) -> bool:
    return index % many == which


def addressee_number(index: int) -> str:
    """Issue a 宛名番号: 15 digits with its check digit."""
    return _with_check_digit(1_000_000 + index)


def household_number(index: int) -> str:
    """Issue a 世帯番号: 15 digits with its check digit."""
    return _with_check_digit(7_000_000_000 + index)


def _with_check_digit(body: int) -> str:
    text = f"{body:014d}"
    return text + addressee_check_digit(text)


def my_number(index: int) -> str:
    """Issue a valid 個人番号; no two indexes give the same one."""
    body = f"{(index + 1) * _MY_NUMBER_STEP % _ELEVEN_DIGITS:011d}"
    return body + my_number_check_digit(body)


def make_household(rng: random.Random, template: Template, slot: Slot, today: dt.date) -> Household:
    """Make a household of the template's first ``slot.size`` roles."""
    peculiar = traits(slot.household)
    family = names.surname(rng, hard=peculiar.hard_name)
    origin = Origin(family, peculiar, today, template.disability)
    where = (
        addresses.facility(rng.randrange(FACILITIES))
        if template.facility
        else addresses.place(rng, long_building=peculiar.long_building)
    )
    alone = slot.size == 1
    members = tuple(
        make_person(rng, role, number, origin, _sex_of(role.relation, rng, alone=alone))
        for number, role in enumerate(template.roles[: slot.size], slot.first_person)
    )
    return Household(slot.household, household_number(slot.household), where, members)


def _sex_of(relation: tuple[str, str], rng: random.Random, *, alone: bool) -> str:
    if relation in {WIFE, MOTHER}:
        return FEMALE
    if relation == CHILD or alone:
        return rng.choice((MALE, FEMALE))
    return MALE


def make_person(rng: random.Random, role: Role, index: int, origin: Origin, sex: str) -> Person:
    """Make one person; ``index`` is their place among all who were ever in the city."""
    age = rng.randint(role.youngest, role.oldest)
    day = births.birthday(origin.today, -age) - dt.timedelta(days=rng.randrange(365))
    name, common = _names_of(rng, origin, sex, index)
    unknown = _one_in(149, index, 29)
    return Person(
        number=addressee_number(index),
        my_number="" if _one_in(211, index, 101) else my_number(index),
        history=1,
        kind=FOREIGN if origin.traits.foreign else JAPANESE,
        name=name.text,
        kana=name.kana,
        common_name=common,
        birth=births.partly_known(day, index // 149) if unknown else births.known(day),
        sex=sex,
        relation=role.relation,
        protected=_one_in(83, index, 17),
        eligibility=_eligibility(index, day, origin),
    )


def _names_of(rng: random.Random, origin: Origin, sex: str, index: int) -> tuple[names.Name, str]:
    if origin.traits.foreign:
        return names.foreign_name(rng), names.common_name(rng, sex) if index % 2 else ""
    return names.full_name(rng, origin.family, sex, narrow=origin.traits.narrow_kana), ""


def _eligibility(index: int, born: dt.date, origin: Origin) -> Eligibility | None:
    number = f"{index % _EIGHT_DIGITS:08d}"
    acquired = births.birthday(born, births.INSURED_FROM_AGE)
    lost = origin.today - dt.timedelta(days=30)
    if acquired <= origin.today:
        past = _one_in(53, index, 7) and acquired < lost
        return Eligibility(number, acquired.isoformat(), lost.isoformat() if past else "")
    if origin.disability == "none":
        return None
    certified = (origin.today - dt.timedelta(days=300)).isoformat()
    past = origin.disability == "past"
    return Eligibility(number, certified, lost.isoformat() if past else "")
