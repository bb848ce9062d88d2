"""Who has to arrive, by sender and message type, as the city's own households say."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from adapters.simulation.city import CityDay
from adapters.simulation.office import FACTS
from adapters.simulation.registration import notifications
from adapters.simulation.scope import in_scope, incomes_in_scope
from schemas.eligibility import InsuredDecided
from schemas.income import IncomeAssessed
from schemas.resident import ResidentChanged

Scope = Callable[[CityDay, int, dt.date | None], set[str]]


class Told(NamedTuple):
    """What is told: by whom, and which kind of message."""

    sender: str
    message_type: str


HOUSEHOLDS: Mapping[Told, Scope] = {
    Told("resident-registry", ResidentChanged.MESSAGE_TYPE): in_scope,
    Told("tax", IncomeAssessed.MESSAGE_TYPE): incomes_in_scope,
}
"""Whose files have people in scope and others."""


def expected(
    day: CityDay, about_to_reach_days: int, today: dt.date
) -> Iterator[tuple[Told, set[str]]]:
    """Give the 宛名番号 of those of whom a day tells and whom the hub lets through.

    ``today`` is the day of acceptance. Of the answers that come of it only those are named that
    are of a kind that is told unasked too.
    """
    for told, scope in HOUSEHOLDS.items():
        yield told, scope(day, about_to_reach_days, today)
    for said, facts in FACTS.items():
        yield Told(*said), {message.addressee_number for message in facts(day.insured)}
    at_once = (one for one in notifications(day.insured) if one.immediate)
    yield Told("union", InsuredDecided.MESSAGE_TYPE), {one.addressee_number for one in at_once}
