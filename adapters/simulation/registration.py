"""Who is who, as the office, the union and the number linkage tell each other."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

from adapters.simulation.addresses import MUNICIPALITY_CODE, elsewhere
from adapters.simulation.insured import Insured
from adapters.simulation.people import addressee_number, household_number, my_number
from schemas.addressee import (
    AddresseeRegistered,
    NonresidentChanged,
    Registration,
    SpecialAddressChanged,
)
from schemas.canonical import Insurance, PersonEvidence, ScopeEvidence
from schemas.dates import known, read_register_date
from schemas.eligibility import (
    Certificate,
    EligibilityNotified,
    EligibilityRecorded,
    InsuredDecided,
    NotificationKind,
)
from schemas.numbers import MyNumber
from schemas.resident import ResidentState

_NONRESIDENTS = 500_000_000
"""Where the indexes of persons outside the register begin, far from all residents."""
_KINDS = tuple(NotificationKind)


def _person(one: Insured) -> dict[str, object]:
    person, place = one.person, one.household.place
    return {
        "addressee_number": person.number,
        "scope": one.scope,
        "my_number": MyNumber(person.my_number) if person.my_number else None,
        "name": person.name,
        "name_kana": person.kana,
        "birth_date": read_register_date(person.birth.text),
        "sex": person.sex,
        "postal_code": place.postal_code,
        "municipality_code": MUNICIPALITY_CODE,
        "address": place.address,
        "building": place.building,
        "protected": person.protected,
    }


def outsiders(insured: tuple[Insured, ...]) -> Iterator[Insured]:
    """Give persons outside the register (住登外) whom the office registers on this day.

    They are insured here and live elsewhere; each has a number of their own.
    """
    for one in insured[:3]:
        index = _NONRESIDENTS + one.day * 1000 + one.place
        person = replace(
            one.person,
            number=addressee_number(index),
            my_number=my_number(index),
            history=1,
            protected=one.place == 0,
        )
        rng = one.rng("outside")
        place = one.household.place._replace(postal_code="", address=elsewhere(rng), building="")
        home = replace(
            one.household, number=household_number(index), place=place, members=(person,)
        )
        yield replace(one, person=person, household=home)


def nonresidents(insured: tuple[Insured, ...]) -> Iterator[NonresidentChanged]:
    """M1c: persons outside the register, by household."""
    for one in outsiders(insured):
        yield NonresidentChanged(
            **_person(one) | {"municipality_code": None},
            history_number=1,
            household_number=one.household.number,
            relationship="世帯主",
            insured_number=one.insured_number,
            registered_on=known(one.date),
        )


def nonresident_addressees(insured: tuple[Insured, ...]) -> Iterator[AddresseeRegistered]:
    """I8b: the same persons, for the number linkage."""
    for one in outsiders(insured):
        yield AddresseeRegistered(
            **_person(one) | {"municipality_code": None},
            history_number=1,
            registration=Registration.NONRESIDENT,
            resident_state=ResidentState.RESIDENT,
            changed_on=known(one.date),
        )


def resident_addressees(insured: tuple[Insured, ...]) -> Iterator[AddresseeRegistered]:
    """I8a: residents, for the number linkage."""
    for one in insured[::2]:
        yield AddresseeRegistered(
            **_person(one),
            history_number=one.day + 1,
            registration=Registration.RESIDENT,
            resident_state=ResidentState.RESIDENT,
            changed_on=known(one.date),
        )


def special_addresses(insured: tuple[Insured, ...]) -> Iterator[SpecialAddressChanged]:
    """M1i: those who moved into a facility elsewhere and stay insured here."""
    for one in insured[1::4]:
        away = elsewhere(one.rng("facility"))
        yield SpecialAddressChanged(
            **_person(one)
            | {"address": away, "postal_code": "", "building": "", "municipality_code": None},
            history_number=one.day + 1,
            household_number=one.household.number,
            insured_number=one.insured_number,
            previous_municipality_code=MUNICIPALITY_CODE,
            previous_address=one.household.place.address,
            facility_name="特別養護老人ホームゆきつり苑",
            facility_address=away,
            applied_from=known(one.date),
        )


def notifications(insured: tuple[Insured, ...]) -> Iterator[EligibilityNotified]:
    """M1a: notifications of the day; one of them asks for a decision at once."""
    urgent = next((one for one in insured[::2] if _may_be_urgent(one)), None)
    for one in insured[::2]:
        yield EligibilityNotified(
            **_person(one),
            notification_number=f"T{one.reference}",
            notification_kind=_KINDS[(one.place // 2) % len(_KINDS)],
            notified_on=one.date,
            event_date=known(one.date),
            immediate=one is urgent,
            insured_number=one.insured_number,
            household_number=one.household.number,
            telephone="076-000-0000",
        )


def decisions(insured: tuple[Insured, ...]) -> Iterator[InsuredDecided]:
    """I4a: the union decides on eligibility, of those of whom it never has to decide at once."""
    for one in insured:
        if _may_be_urgent(one):
            continue
        held = one.person.eligibility
        yield InsuredDecided(
            **_decided(one),
            history_number=one.day + 1,
            acquired=read_register_date(held.acquired) if held else None,
            decided_on=one.date,
            copayment_tenths=one.rng("tenths").choice((1, 2, 3)),
            certificate=Certificate(
                issued_on=one.date,
                valid_from=one.date,
                valid_to=one.date + dt.timedelta(days=365),
            ),
        )


def _may_be_urgent(one: Insured) -> bool:
    """Tell those apart about whom the union decides at once, and in its own time.

    Of one person it would not be known which decision comes first.
    """
    return int(one.person.number[:-1]) % 2 == 0


def _decided(one: Insured) -> dict[str, object]:
    person = _person(one)
    wanted = ("addressee_number", "scope", "my_number", "name", "name_kana", "birth_date", "sex")
    return {name: person[name] for name in wanted} | {
        "insured_number": one.insured_number,
        "household_number": one.household.number,
        "person_kind": "1",
        "acquisition_reason": "001",
    }


def eligibilities(insured: tuple[Insured, ...]) -> Iterator[EligibilityRecorded]:
    """M2: what 市民課 prints of eligibility."""
    for one in insured[::2]:
        held = one.person.eligibility
        scope: ScopeEvidence = one.scope
        yield EligibilityRecorded(
            addressee_number=one.person.number,
            scope=PersonEvidence(
                eldest_birth_date=scope.eldest_birth_date,
                insurance=scope.insurance,
                own_insurance=Insurance.CURRENT,
            ),
            insured_number=one.insured_number,
            history_number=one.day + 1,
            acquired=read_register_date(held.acquired) if held else None,
        )
