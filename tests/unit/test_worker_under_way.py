"""Small batches do not wait for one another's confirms, where none depends on the other."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import LedgerError
from hub.ledger.model import Kind
from hub.ports import Outgoing, Sent
from tests.samples import REGISTRY, event, receipts_event, resident
from tests.worker_rig import Process, Rig, full

pytestmark = [pytest.mark.unit, pytest.mark.slow]

UNION = "union"
NEVER = (False,)


def about(number: int, identity: str) -> dict[str, Any]:
    """Give an event about the resident with this number."""
    return event(resident(addressee_number=f"{number:015d}"), id=identity)


def rig_of(folder: Path, confirms: Sequence[bool] = NEVER) -> Rig:
    return Rig(folder, confirms=itertools.cycle(confirms))


def steps(rig: Rig, process: Process, *events: Mapping[str, Any]) -> None:
    """Have one event after another judged, each in a batch of its own."""
    for one in events:
        rig.send(one)
        process.shift.step(0.0)


def came(rig: Rig) -> list[str]:
    return [copy["id"] for copy in rig.copies(UNION)]


def test_a_message_is_sent_before_another_residents_is_confirmed(tmp_path: Path) -> None:
    rig = rig_of(tmp_path)
    with rig.process() as process:
        steps(rig, process, about(1, "a"), about(2, "b"))
        assert came(rig) == ["a", "b"]
        assert rig.facts(Kind.DELIVERY) == {}
        process.move()
    assert {fact.id for fact in rig.facts(Kind.DELIVERY)} == {"a", "b"}
    assert rig.waiting() == 0


def test_a_message_of_the_same_resident_waits_for_the_one_before(tmp_path: Path) -> None:
    rig = rig_of(tmp_path)
    rig.broker.judge = full(UNION)
    with rig.process() as process:
        steps(rig, process, about(1, "a"), about(1, "b"))
        rig.broker.judge = lambda _: Sent.CONFIRMED
        steps(rig, process, about(1, "c"))
        rig.broker.clock.advance(60)
        process.move()
    assert came(rig) == ["a", "b", "c"]


def test_the_same_message_is_not_sent_twice_while_it_is_under_way(tmp_path: Path) -> None:
    rig = rig_of(tmp_path)
    with rig.process() as process:
        steps(rig, process, about(1, "a"), about(1, "a"), about(2, "b"), about(2, "b"))
        process.move()
    assert came(rig) == ["a", "b"]
    assert set(rig.facts(Kind.DELIVERY).values()) == {1}
    assert rig.waiting() == 0


@pytest.mark.parametrize(
    ("second", "order"), [("b", ["asked", "confirmed"]), ("a", ["confirmed", "asked"])]
)
def test_another_message_of_the_same_resident_is_planned_before_the_confirm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, second: str, order: list[str]
) -> None:
    rig = rig_of(tmp_path)
    seen: list[str] = []
    with rig.process() as process:
        steps(rig, process, about(1, "a"))
        known, finish = process.ledger.known, process.link.finish
        monkeypatch.setattr(
            process.ledger, "known", lambda keys: (seen.append("asked"), known(keys))[1]
        )
        monkeypatch.setattr(
            process.link, "finish", lambda one: (seen.append("confirmed"), finish(one))[1]
        )
        steps(rig, process, about(1, second))
        assert seen == order
        process.move()
    assert set(rig.facts(Kind.DELIVERY).values()) == {1}


def test_a_receipt_waits_for_the_confirm_of_what_it_is_for(tmp_path: Path) -> None:
    rig = rig_of(tmp_path)
    receipt = receipts_event(UNION, [{"sender": REGISTRY, "id": "a", "flow": "M1b"}])
    with rig.process() as process:
        steps(rig, process, about(1, "a"), receipt)
        process.move()
    assert [fact.id for fact in rig.facts(Kind.RECEIPT)] == ["a"]
    assert rig.facts(Kind.REFUSAL) == {}


def test_what_an_heir_recorded_meanwhile_is_not_recorded_again(tmp_path: Path) -> None:
    rig = rig_of(tmp_path)
    with rig.process() as frozen:
        steps(rig, frozen, about(1, "a"), about(2, "b"))
        rig.confirms = None
        with rig.process() as heir:
            rig.send(about(1, "a"))
            heir.move()
        steps(rig, frozen, about(3, "c"))
        with pytest.raises(LedgerError, match="asking again"):
            frozen.move()
        frozen.move()
    delivered = rig.facts(Kind.DELIVERY)
    assert {fact.id for fact in delivered} == {"a", "b", "c"}
    assert set(delivered.values()) == {1}


@settings(max_examples=60)
@given(
    residents=st.lists(st.integers(min_value=1, max_value=4), min_size=1, max_size=12),
    confirms=st.lists(st.booleans(), min_size=1, max_size=7),
    fates=st.lists(st.booleans(), min_size=1, max_size=7),
    batch=st.integers(min_value=1, max_value=4),
)
def test_whatever_is_confirmed_when_each_residents_order_holds(
    tmp_path_factory: pytest.TempPathFactory,
    residents: list[int],
    confirms: list[bool],
    fates: list[bool],
    batch: int,
) -> None:
    rig = rig_of(tmp_path_factory.mktemp("order"), confirms)
    taken = itertools.cycle(fates)

    def judged(message: Outgoing) -> Sent:
        if message.routing_key != UNION or next(taken):
            return Sent.CONFIRMED
        return Sent.REFUSED

    rig.broker.judge = judged
    rig.send(*(about(number, f"m{place}") for place, number in enumerate(residents)))
    with rig.process(batch=batch) as process:
        for _ in range(40):
            process.shift.step(0.0)
            rig.broker.clock.advance(1)
        rig.broker.judge = lambda _: Sent.CONFIRMED
        while process.worker.room.size or not process.shift.is_idle:
            rig.broker.clock.advance(60)
            process.shift.step(0.0)
    order = came(rig)
    assert sorted(order) == sorted(f"m{place}" for place in range(len(residents)))
    for number in set(residents):
        own = [f"m{place}" for place, one in enumerate(residents) if one == number]
        assert [one for one in order if one in own] == own
    assert set(rig.facts(Kind.DELIVERY).values()) == {1}
    assert rig.waiting() == 0
