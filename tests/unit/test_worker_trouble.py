"""A ledger that cannot be written, queues that are full, links that are lost, and the stop."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

import hub.worker.shift as shift_module
from hub.ledger.model import Kind
from hub.ports import Outgoing, Sent
from hub.worker.worker import IDLE_SECONDS, LONGEST_PAUSE
from tests.fakes import Stored
from tests.samples import MY_NUMBER, NAME, delivery, event, resident
from tests.worker_rig import IN, OUT, FusedLink, Process, Rig, full

pytestmark = pytest.mark.unit

PREMIUM = "premium-collection"
UNION = "union"


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def until(process: Process, over: Callable[[], bool]) -> None:
    """Run a worker as its process would, until this holds."""
    links = [process.link]
    process.worker.run(lambda: links.pop() if links else None, over)


def test_what_cannot_be_recorded_does_not_move_and_goes_on_by_itself(rig: Rig) -> None:
    rig.send(event())
    with rig.process() as process:
        process.ledger.broken = 3
        sent_while_broken: list[Stored] = []

        def over() -> bool:
            if process.ledger.broken:
                sent_while_broken.extend(rig.broker.queue(OUT))
            return bool(rig.observed.batches)

        until(process, over)
    assert sent_while_broken == []
    assert len(rig.copies(UNION)) == 1
    assert rig.observed.available == [False, True]
    assert rig.waiting() == 0


def test_a_delivery_that_cannot_be_recorded_keeps_the_batch(rig: Rig) -> None:
    rig.send(event())
    with rig.process() as process:
        process.ledger.never = Kind.DELIVERY
        until(process, lambda: len(rig.observed.available) == 2)
    assert rig.observed.available == [True, False]
    assert rig.waiting() == 1
    assert len(rig.bodies(UNION)) == 1
    rig.drain()
    assert set(rig.facts(Kind.DELIVERY).values()) == {1}
    assert len(set(rig.bodies(UNION))) == 1


def test_a_full_queue_holds_its_residents_order_and_lets_the_others_go(rig: Rig) -> None:
    rig.send(*(event(resident(history_number=n), id=f"a{n}") for n in (1, 2, 3)))
    rig.send(event(resident(addressee_number="9"), id="b"))
    refusals = iter([Sent.REFUSED])

    def fate(message: Outgoing) -> Sent:
        hit = message.routing_key == UNION and message.message_id == "a2"
        return next(refusals, Sent.CONFIRMED) if hit else Sent.CONFIRMED

    rig.broker.judge = fate
    with rig.process() as process:
        process.move()
        assert [copy["id"] for copy in rig.copies(UNION)] == ["a1", "b"]
        assert [copy["id"] for copy in rig.copies(PREMIUM)] == ["a1", "a2", "a3", "b"]
        delivered = {(fact.id, fact.receiver) for fact in rig.facts(Kind.DELIVERY)}
        assert ("a2", UNION) not in delivered
        assert ("a3", UNION) not in delivered
        assert len(delivered) == 6
        rig.broker.clock.advance(1.0)
        process.move()
    assert [copy["id"] for copy in rig.copies(UNION)] == ["a1", "b", "a2", "a3"]
    assert len(rig.copies(PREMIUM)) == 4
    assert set(rig.facts(Kind.DELIVERY).values()) == {1}
    assert rig.waiting() == 0


def test_the_same_message_sent_in_a_wrong_way_does_not_take_its_place_in_the_room(
    rig: Rig,
) -> None:
    rig.broker.judge = full(UNION)
    rig.put(delivery(event(), routing_key="tax.changed"), delivery(event()))
    with rig.process() as process:
        process.move()
    assert [one.routing_key for one in rig.broker.queue(IN)] == ["resident.changed"]
    rig.broker.judge = full()
    rig.drain()
    assert len(rig.copies(UNION)) == 1
    assert {fact.code for fact in rig.facts(Kind.REFUSAL)} == {"type-mismatch"}


def test_it_tries_again_until_the_queue_takes_it(rig: Rig) -> None:
    rig.send(event())
    rig.broker.judge = full(UNION)
    opens_at = rig.broker.clock.now() + 60

    def over() -> bool:
        if rig.broker.clock.now() >= opens_at:
            rig.broker.judge = full()
        return bool(rig.observed.batches)

    with rig.process() as process:
        until(process, over)
    assert rig.broker.clock.now() < opens_at + LONGEST_PAUSE + 1
    assert len(rig.copies(PREMIUM)) == len(rig.copies(UNION)) == 1
    assert set(rig.observed.available) == {True}


def test_a_system_that_reads_no_notices_holds_up_nobody(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.send(event(resident(shoe_size=1), id="bad"), event())
    rig.broker.judge = full("resident-registry")
    with caplog.at_level(logging.WARNING), rig.process() as process:
        process.drain()
    assert rig.waiting() == 0
    assert len(rig.copies(UNION)) == 1
    assert [fact.code for fact in rig.facts(Kind.REFUSAL)] == ["field-not-permitted"]
    assert "1 notices of refusals were not taken" in caplog.text


@pytest.mark.parametrize("trouble", ["full queue", "broken ledger", "nothing to do"])
def test_it_stops_within_half_a_second(rig: Rig, trouble: str) -> None:
    if trouble != "nothing to do":
        rig.send(event())
    rig.broker.judge = full(UNION, PREMIUM)
    clock = rig.broker.clock
    stop_at = clock.now() + 100.1
    with rig.process() as process:
        process.ledger.broken = 1_000_000 if trouble == "broken ledger" else 0
        until(process, lambda: clock.now() >= stop_at)
    assert clock.now() <= stop_at + IDLE_SECONDS + 0.001
    assert rig.waiting() == (trouble != "nothing to do")


def test_a_lost_link_is_made_again_and_the_batch_moves_once(rig: Rig) -> None:
    rig.send(event(id="a"), event(resident(addressee_number="9"), id="b"))
    with rig.process() as process:
        links = [process.link]

        def fate(_message: Outgoing) -> Sent:
            if len(rig.broker.queue(OUT)) == 2:
                rig.broker.lost = True
                rig.broker.judge = full()
            return Sent.CONFIRMED

        def connect() -> FusedLink:
            rig.broker.lost = False
            links.append(FusedLink(rig.broker, process.link._fuse))
            return links[-1]

        rig.broker.judge = fate
        process.worker.run(connect, lambda: bool(rig.observed.batches))
        for link in links:
            link.close()
    assert rig.observed.lost == 1
    assert set(rig.facts(Kind.DELIVERY).values()) == {1}
    assert set(rig.facts(Kind.ACCEPTANCE).values()) == {1}
    assert len(set(rig.bodies(UNION))) == 2
    assert rig.broker.queue(IN) == rig.broker.queue("nothing")


def test_a_batch_too_heavy_for_one_transaction_is_moved_in_parts_each_once(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shift_module, "MOST_AT_ONCE", 3)
    rig.send(*(event(resident(addressee_number=str(n)), id=f"m{n}") for n in range(8)))
    with rig.process() as process:
        full_once = iter([Sent.REFUSED])
        rig.broker.judge = lambda message: (
            next(full_once, Sent.CONFIRMED) if message.message_id == "m4" else Sent.CONFIRMED
        )
        until(process, lambda: sum(rig.observed.batches) == 8)
    assert len(rig.observed.batches) > 2
    assert rig.observed.lost == 0
    assert rig.waiting() == 0
    assert sorted(copy["id"] for copy in rig.copies(UNION)) == [f"m{n}" for n in range(8)]


def test_no_link_means_that_it_is_stopping(rig: Rig) -> None:
    with rig.process() as process:
        process.worker.run(lambda: None, lambda: False)


def test_trouble_is_told_without_what_was_to_move(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.send(event())
    rig.broker.judge = full(UNION)
    with caplog.at_level(logging.DEBUG), rig.process() as process:
        process.ledger.broken = 2
        until(process, lambda: bool(rig.observed.receivers))
    assert "nothing moves: the disk is full" in caplog.text
    assert "union (refused)" in caplog.text
    assert NAME not in caplog.text
    assert MY_NUMBER not in caplog.text
