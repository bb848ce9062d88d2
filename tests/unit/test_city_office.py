"""The office's facts: whole and valid messages, amounts that agree, the same for the same seed."""

from itertools import islice

import pytest

from adapters.simulation.city import City, CityDay
from adapters.simulation.insured import certificate_serial, pension_number
from adapters.simulation.office import FACTS, Said, facts
from hub.clock import today
from hub.statute.catalogue import load_catalogue
from hub.statute.scope import SCOPE_RULES, ScopeContext
from schemas.bank import AccountTransferRequested
from schemas.canonical import CanonicalMessage
from schemas.collection import ArrearsRecorded, CollectionRecorded
from schemas.premium import InstalmentsSet, PremiumDecided

pytestmark = pytest.mark.unit

RESIDENTS = 400
CATALOGUE = load_catalogue()


@pytest.fixture(scope="module")
def days() -> list[CityDay]:
    return list(islice(City(RESIDENTS).days(), 4))


def said(day: CityDay, sender: str, message_type: str) -> list[CanonicalMessage]:
    return list(facts(sender, message_type, day.insured))


@pytest.mark.parametrize("who", FACTS, ids="-".join)
def test_every_fact_is_said_on_each_of_the_first_days_and_in_scope(
    days: list[CityDay], who: Said
) -> None:
    rules = {
        SCOPE_RULES[flow.whose.rule]
        for flow, leg in CATALOGUE.legs()
        if (leg.sender, flow.message_type) == who and flow.message_type
    }
    for day in days:
        messages = said(day, *who)
        assert messages
        for message in messages:
            again = type(message).model_validate_json(message.model_dump_json())
            assert who.message_type == again.MESSAGE_TYPE
            context = ScopeContext(today(), 0)
            assert any(rule(again, context) for rule in rules)


def test_the_amounts_of_a_person_agree(days: list[CityDay]) -> None:
    for day in days:
        premiums = {
            one.addressee_number: one.annual_premium
            for one in said(day, "union", "premium.decided")
            if isinstance(one, PremiumDecided)
        }
        shares = {}
        for one in said(day, "premium-collection", "instalments.set"):
            assert isinstance(one, InstalmentsSet)
            total = sum(instalment.amount for instalment in one.instalments)
            assert total == one.annual_premium == premiums[one.addressee_number]
            shares[one.addressee_number] = {i.number: i.amount for i in one.instalments}
        for kind in ("collection.recorded", "arrears.recorded", "account-transfer.requested"):
            for two in said(day, "premium-collection", kind):
                amount = {
                    CollectionRecorded: "amount",
                    ArrearsRecorded: "unpaid_amount",
                    AccountTransferRequested: "amount",
                }[type(two)]
                number = two.instalment_number  # type: ignore[attr-defined]
                assert getattr(two, amount) in {0, shares[two.addressee_number][number]}


def test_the_same_seed_gives_the_same_facts(days: list[CityDay]) -> None:
    again = list(islice(City(RESIDENTS).days(), 4))
    for one, other in zip(days, again, strict=True):
        for who in FACTS:
            assert said(one, *who) == said(other, *who)
    assert days[1].insured != next(islice(City(RESIDENTS, seed=2).days(), 1, 2)).insured


def test_numbers_that_only_others_know_are_each_of_one_person(days: list[CityDay]) -> None:
    people = {one.person.number: one.person for day in days for one in day.insured}
    for number in (pension_number, certificate_serial):
        assert len({number(person) for person in people.values()}) == len(people)


def test_somebody_under_protection_is_among_them_where_there_is_one(days: list[CityDay]) -> None:
    assert any(one.person.protected for day in days for one in day.insured)


def test_a_renumbered_person_is_in_no_later_fact() -> None:
    city = City(60, seed=3)
    days = islice(city.days(), 30)
    last = list(days)[-1]
    renumbered = city._register.renumbered
    assert renumbered
    assert not renumbered & {one.person.number for one in last.insured}
