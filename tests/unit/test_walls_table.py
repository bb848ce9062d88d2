"""The whole catalogue: broker, hub, receiver and explanation agree for every pair, type and day.

The broker's word is worked out from its plan as RabbitMQ does it (tried against the real one
in ``tests/integration/test_walls_broker.py``), the receiver's from its wall.
"""

import datetime as dt
import re
from collections.abc import Iterator
from functools import cache
from types import SimpleNamespace
from typing import NamedTuple, cast

import pytest

from hub.broker.plan import plan
from hub.broker.topology import Topology
from hub.clock import JST
from hub.compose.broker import may_publish
from hub.edge.wall import Wall
from hub.message import RECEIPT_TYPE, Copy
from hub.names import inbound_exchange
from hub.statute.catalogue import Catalogue, load_catalogue
from hub.statute.explain import Explanation, explain, summed
from hub.statute.model import Standing
from hub.statute.rights import moves_from
from hub.statute.rules import rule
from schemas import MESSAGE_TYPES

pytestmark = pytest.mark.unit

SHIPPED = load_catalogue()
CONNECTED = [name for name, system in SHIPPED.systems.items() if not system.neighbour]
WALLS = {system: Wall(system, SHIPPED) for system in SHIPPED.systems}
TYPES = sorted(
    {*MESSAGE_TYPES, *(flow.message_type for flow in SHIPPED.flows if flow.message_type)}
)
A_DAY = dt.timedelta(days=1)


def _days() -> Iterator[dt.date]:
    """Give the days on which an article begins or has just ended, the day before, and today."""
    for flow in SHIPPED.flows:
        for basis in flow.basis:
            yield from (basis.valid_from - A_DAY, basis.valid_from)
            if basis.valid_to is not None:
                yield from (basis.valid_to, basis.valid_to + A_DAY)
    yield from (dt.date(2015, 1, 1), dt.date(2026, 4, 1))


DAYS = sorted(set(_days()))
PERIODS = [DAYS[0], *sorted({one.valid_from for flow in SHIPPED.flows for one in flow.basis})]
"""A day before every article, and the first day of each period of the change history."""


class Way(NamedTuple):
    """From whom to whom, with what."""

    sender: str
    receiver: str
    message_type: str


WAYS = [
    Way(sender, receiver, kind)
    for sender in SHIPPED.systems
    for receiver in SHIPPED.systems
    if sender != receiver
    for kind in TYPES
]


def planned(day: dt.date, catalogue: Catalogue = SHIPPED) -> Topology:
    """Plan for a site that connects every system."""
    sends = {name: may_publish(catalogue, name, day) for name in CONNECTED}
    return plan(CONNECTED, sends, 4)


@cache
def by_broker(day: dt.date) -> frozenset[tuple[str, str]]:
    """Give each sender and type that the broker takes, by its patterns."""
    topology = planned(day)
    writes = {account.name: account.write for account in topology.accounts}
    rules = {(one.user, one.exchange): one.write for one in topology.topics}
    return frozenset(
        (sender, kind)
        for sender in SHIPPED.systems
        for kind in TYPES
        if sender in writes
        and re.search(writes[sender], inbound_exchange(sender))
        and re.search(rules[sender, inbound_exchange(sender)], kind)
    )


@cache
def by_hub(day: dt.date) -> frozenset[Way]:
    return frozenset(
        Way(sender, receiver, kind)
        for sender in SHIPPED.systems
        for kind in TYPES
        for carrier in rule(SHIPPED, sender, kind, day).flows
        for receiver in carrier.leg.receivers
    )


@cache
def by_receiver(day: dt.date) -> frozenset[Way]:
    """Give each way on which a copy, under whatever flow, gets past the receiver's wall."""
    at = dt.datetime.combine(day, dt.time(12), JST)
    return frozenset(
        Way(sender, receiver, kind)
        for sender in SHIPPED.systems
        for kind in TYPES
        for flow in SHIPPED.flows
        for copy in [copy_of(sender, kind, flow.ref, at)]
        for receiver, wall in WALLS.items()
        if wall.fault(copy) is None
    )


def copy_of(sender: str, kind: str, ref: str, at: dt.datetime) -> Copy:
    # A wall reads only these, and the envelope's own class takes long to make half a million of.
    said = SimpleNamespace(
        source=f"/systems/{sender}", type=kind, flow=ref, acceptedtime=at, data={}
    )
    return cast("Copy", said)


def by_explanation(day: dt.date) -> set[Way]:
    return {way for way in WAYS if explained(way, day).permitted}


def explained(way: Way, day: dt.date) -> Explanation:
    sender, receiver, kind = way
    return summed(explain(SHIPPED, day, sender=sender, receiver=receiver, message_type=kind))


@pytest.mark.slow
@pytest.mark.parametrize("day", DAYS, ids=str)
def test_hub_and_receiver_agree(day: dt.date) -> None:
    assert by_receiver(day) == by_hub(day)


@pytest.mark.slow
@pytest.mark.parametrize("day", PERIODS, ids=str)
def test_the_explanation_agrees_with_them(day: dt.date) -> None:
    assert by_explanation(day) == by_hub(day)


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_the_broker_takes_what_the_hub_takes_then_or_later_and_nothing_else(day: dt.date) -> None:
    later = {(way.sender, way.message_type) for one in DAYS if one >= day for way in by_hub(one)}
    assert by_broker(day) == later


def test_on_the_last_day_all_walls_say_the_same() -> None:
    today = DAYS[-1]
    assert by_broker(today) == {(way.sender, way.message_type) for way in by_hub(today)}
    assert len(by_broker(today)) > 25


@pytest.mark.slow
def test_no_neighbour_and_no_held_or_denied_type_passes_any_wall() -> None:
    neighbours = {name for name, system in SHIPPED.systems.items() if system.neighbour}
    stopped = {"deposit.requested", "deposit.found", "information.provided"}
    for day in DAYS:
        assert not {sender for sender, _ in by_broker(day)} & neighbours
        assert not {kind for _, kind in by_broker(day)} & stopped
        for way in by_hub(day) | by_receiver(day):
            assert way.message_type not in stopped
            assert not {way.sender, way.receiver} & neighbours


def test_only_receivers_give_receipts() -> None:
    giving = {name for name in CONNECTED if RECEIPT_TYPE in may_publish(SHIPPED, name, DAYS[-1])}
    receivers = {name for _, leg in SHIPPED.legs() for name in leg.receivers}
    assert giving == receivers
    assert not giving & {"tax", "e-application"}


def test_a_flow_moves_from_a_day_on_as_its_standing_says() -> None:
    far = [DAYS[-1] + A_DAY * number for number in range(0, 4000, 500)]
    for flow in SHIPPED.flows:
        for day in DAYS:
            later = [one for one in (*DAYS, *far) if one >= day]
            permitted = any(flow.standing(one) is Standing.PERMITTED for one in later)
            assert moves_from(flow, day) == permitted, (flow.ref, day)
