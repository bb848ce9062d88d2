"""The insured persons whom the office deals with on a day, and numbers that only some know."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from adapters.simulation.people import Household, Person
from adapters.simulation.register import Register
from schemas.canonical import Insurance, ScopeEvidence
from schemas.dates import RegisterDate, read_register_date

FEWEST = 12
_SHARE = 1000
_MOST = 200
_TEN_DIGITS = 10**10
_PENSION_STEP = 7_919  # prime to a power of ten: every person gets another number
_SERIAL_STEP = 104_729


@dataclass(frozen=True, slots=True)
class Insured:
    """Somebody insured, in their household; ``place`` counts those of the day from 0."""

    person: Person
    household: Household
    day: int
    date: dt.date
    place: int
    seed: int

    @property
    def insured_number(self) -> str:
        """Their 被保険者番号."""
        return self.person.eligibility.number if self.person.eligibility else ""

    @property
    def scope(self) -> ScopeEvidence:
        """What a sender states of the household."""
        return evidence_of(self.household.members)

    @property
    def reference(self) -> str:
        """A number for what is done about this person on this day, unique within its kind."""
        return f"{self.day:04d}{self.place:04d}"

    def rng(self, purpose: str) -> Random:
        """Give a generator that is the same for this person and purpose on every day."""
        return Random(f"{self.seed}/{purpose}/{self.person.number}")  # noqa: S311 - made up


def insured_of(register: Register, day: int, date: dt.date) -> tuple[Insured, ...]:
    """Choose the insured persons of a day, one under protection first where there is one.

    Nobody is among them whose 個人番号 the register has changed: which of two systems tells of
    it first is not known.
    """
    rng = register.rng("insured", day)
    wanted = min(_MOST, max(FEWEST, register.residents // _SHARE))
    chosen: dict[str, tuple[Person, Household]] = {}

    def fits(person: Person, *, protected: bool) -> bool:
        return (
            _is_insured(person)
            and person.number not in chosen
            and person.number not in register.renumbered
            and (person.protected or not protected)
        )

    for place in range(wanted):
        for protected in (True, False) if place == 0 else (False,):
            home = register.found(
                rng,
                lambda h, p=protected: any(fits(m, protected=p) for m in h.members),  # type: ignore[misc]
            )
            if home is not None:
                person = next(m for m in home.members if fits(m, protected=protected))
                chosen[person.number] = (person, home)
                break
    return tuple(
        Insured(person, home, day, date, place, register.seed)
        for place, (person, home) in enumerate(chosen.values())
    )


def _is_insured(person: Person) -> bool:
    return person.eligibility is not None and not person.eligibility.lost


def evidence_of(members: Iterable[Person]) -> ScopeEvidence:
    """State what the hub has to know of a household: its eldest, and its strongest insurance."""
    eldest: RegisterDate | None = None
    insurance = Insurance.NONE
    for member in members:
        born = read_register_date(member.birth.text)
        eldest = _elder(eldest, born)
        held = member.eligibility
        if held is not None and insurance is not Insurance.CURRENT:
            insurance = Insurance.PAST if held.lost else Insurance.CURRENT
    return ScopeEvidence(eldest_birth_date=eldest, insurance=insurance)


def _elder(one: RegisterDate | None, other: RegisterDate | None) -> RegisterDate | None:
    latest = other.latest() if other else None
    if latest is None:
        return one
    known = one.latest() if one else None
    return other if known is None or latest < known else one


def pension_number(person: Person) -> str:
    """Give the 基礎年金番号 of a person: the federation's name for them."""
    return f"{_index(person) * _PENSION_STEP % _TEN_DIGITS:010d}"


def certificate_serial(person: Person) -> str:
    """Give the serial number of a person's certificate for electronic applications."""
    return f"{_index(person) * _SERIAL_STEP % 16**12:012X}"


def care_insured_number(person: Person) -> str:
    """Give the 介護保険の被保険者番号 of a person."""
    return f"{_index(person):010d}"


def _index(person: Person) -> int:
    return int(person.number[:-1])
