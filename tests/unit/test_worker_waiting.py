"""What waits for a receiver in a whole worker: bounded, in order, and not for ever."""

import datetime as dt
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.ledger.model import Kind
from hub.pipeline.waiting import LOOK_AGAIN_SECONDS, ROOM_LIMITS
from hub.ports import Outgoing, Sent
from hub.site import CatalogueSite
from hub.statute.overrides import decided
from tests.samples import event, judge, resident
from tests.worker_rig import Rig, full, shipped_four

pytestmark = pytest.mark.unit

PREMIUM, UNION = "premium-collection", "union"
MINUTES = 5


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """Give a hub whose flows I1, to the premium collection, and M1b are tried for five minutes."""
    times = {"retry_minutes": MINUTES, "decided_by": "t", "decided_on": dt.date(2026, 4, 1)}
    effective = decided(shipped_four().catalogue, CatalogueSite(flows={"I1": times, "M1b": times}))
    assert effective.faults == ()
    return Rig(tmp_path, judge=judge(effective.catalogue))


def later(rig: Rig, minutes: float = 0.0) -> None:
    """Let so many minutes pass, and what waits be due."""
    rig.broker.clock.advance(LOOK_AGAIN_SECONDS)
    rig.ticks = itertools.count(next(rig.ticks) + round(minutes * 60))


def history(number: int) -> dict[str, object]:
    return event(resident(history_number=number), id=f"a{number}")


def ids(rig: Rig, receiver: str) -> list[str]:
    return [copy["id"] for copy in rig.copies(receiver)]


def test_after_the_limit_of_its_flow_a_copy_is_a_dead_letter_and_the_newer_one_goes(
    rig: Rig,
) -> None:
    rig.broker.judge = full(PREMIUM)
    rig.send(history(1))
    with rig.process() as process:
        process.move()
        later(rig, MINUTES - 1)
        process.move()
        assert rig.facts(Kind.DEAD_LETTER) == {}
        rig.send(history(2))
        process.move()
        assert (rig.waiting(), process.worker.room.size) == (0, 2)
        later(rig, 1)
        process.move()
        assert process.worker.room.size == 1
        rig.broker.judge = full()
        later(rig)
        process.move()
        assert process.worker.room.size == 0
    (dead,) = rig.facts(Kind.DEAD_LETTER)
    assert (dead.id, dead.flow, dead.receiver, dead.code) == ("a1", "I1", PREMIUM, "not-taken")
    assert (ids(rig, PREMIUM), ids(rig, UNION)) == (["a2"], ["a1", "a2"])
    assert rig.waiting() == 0


def test_one_that_was_never_tried_is_no_dead_letter_however_old_it_is(rig: Rig) -> None:
    rig.send(history(1))
    rig.broker.judge = full(PREMIUM)
    with rig.process() as process:
        process.move()
    assert rig.waiting() == 1  # the process ended, and the message went back
    later(rig, 100 * MINUTES)
    rig.broker.judge = full()
    rig.drain()
    assert ids(rig, PREMIUM) == ids(rig, UNION) == ["a1"]
    assert rig.facts(Kind.DEAD_LETTER) == {}


def test_a_copy_that_was_only_held_back_does_not_die_with_one_that_was_tried(rig: Rig) -> None:
    rig.broker.judge = full(UNION)
    rig.send(event(resident(addressee_number="9"), id="first"))
    with rig.process() as process:
        process.move()  # from now on nothing is sent to the union
        rig.broker.judge = full(UNION, PREMIUM)
        rig.send(history(1))
        process.move()
        rig.broker.judge = full(PREMIUM)
        later(rig, MINUTES)
        process.move()
        assert process.worker.room.size == 0
    dead = {(fact.id, fact.receiver) for fact in rig.facts(Kind.DEAD_LETTER)}
    assert dead == {("first", UNION), ("a1", PREMIUM)}
    assert ids(rig, UNION) == ["a1"]


def test_many_whose_time_is_up_are_each_tried_once_more_and_given_up_together(rig: Rig) -> None:
    rig.broker.judge = full(PREMIUM)
    rig.send(event(resident(addressee_number="99"), id="first"))
    asked: list[str] = []

    def fate(message: Outgoing) -> Sent:
        if message.routing_key == PREMIUM:
            asked.append(message.message_id)
            return Sent.REFUSED
        return Sent.CONFIRMED

    with rig.process() as process:
        process.move()
        names = [f"a{n}" for n in range(1, 41)]
        rig.send(*(event(resident(addressee_number=one[1:]), id=one) for one in names))
        process.move()
        rig.broker.judge = fate
        later(rig, MINUTES)
        process.move()
        assert asked == names
        later(rig)
        process.move()
        assert process.worker.room.size == 0
    assert asked == names
    dead = {(fact.id, fact.receiver) for fact in rig.facts(Kind.DEAD_LETTER)}
    assert dead == {(one, PREMIUM) for one in ["first", *names]}


def test_a_full_room_takes_nothing_new_until_somebody_is_back(rig: Rig) -> None:
    rig.waiting_limit = 3
    rig.broker.judge = full(PREMIUM)
    rig.send(*(event(resident(addressee_number=str(n)), id=f"a{n}") for n in range(1, 9)))
    with rig.process(batch=2) as process:
        process.move()
        held = process.worker.room.size
        assert 3 <= held <= 3 + 2 * 2
        assert rig.waiting() == 8 - held
        assert len(ids(rig, UNION)) == held
        rig.broker.judge = full()
        later(rig)
        process.move()
    everybody = [f"a{n}" for n in range(1, 9)]
    assert sorted(ids(rig, PREMIUM)) == sorted(ids(rig, UNION)) == everybody


def test_a_receiver_that_takes_nothing_is_asked_for_one_message_at_a_time(rig: Rig) -> None:
    asked: list[str] = []

    def fate(message: Outgoing) -> Sent:
        if message.routing_key == PREMIUM:
            asked.append(message.message_id)
            return Sent.REFUSED
        return Sent.CONFIRMED

    rig.broker.judge = fate
    rig.send(*(event(resident(addressee_number=str(n)), id=f"a{n}") for n in range(1, 31)))
    with rig.process() as process:
        process.move()
        asked.clear()
        for _ in range(5):
            rig.broker.clock.advance(ROOM_LIMITS.longest_seconds)
            process.move()
    assert asked == ["a1"] * 5
    assert len(ids(rig, UNION)) == 30


def test_many_that_waited_leave_room_in_the_batch_for_what_is_new(rig: Rig) -> None:
    rig.broker.judge = full(PREMIUM)
    rig.send(*(event(resident(addressee_number=str(n)), id=f"a{n}") for n in range(1, 41)))
    with rig.process(batch=4) as process:
        process.move()
        rig.broker.judge = full()
        rig.broker.clock.advance(ROOM_LIMITS.longest_seconds)
        for _ in range(3):
            process.shift.step(0.0)
        rig.send(event(resident(addressee_number="99"), id="new"))
        for _ in range(3):
            process.shift.step(0.0)
        assert "new" in ids(rig, UNION)
        assert process.worker.room.size > 20
        process.move()
    assert len(ids(rig, PREMIUM)) == len(ids(rig, UNION)) == 41


@pytest.fixture(autouse=True)
def nothing_twice(rig: Rig) -> Iterator[None]:
    yield
    assert set(rig.facts(Kind.DELIVERY).values()) <= {1}
    assert set(rig.facts(Kind.ACCEPTANCE).values()) <= {1}
