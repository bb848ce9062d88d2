"""What staff released is called by one worker, and no oftener than its queue bears."""

import itertools
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.broker.plan import plan
from hub.ledger.beside import State
from hub.message import BUCKETS
from hub.names import PARTITIONS_EXCHANGE, partition_queue
from hub.pipeline.again import RELEASED_TYPE, queue_of
from hub.ports import Outgoing, Sent
from hub.worker.caller import CALL_SECONDS, LIMITS
from tests.confirmations_rig import UNION, changed, drain, ids, row
from tests.dead_letters_rig import CLERK, OTHER_CLERK, died, letters, numbers, on_list, replay
from tests.fakes import FakeBroker
from tests.samples import judge
from tests.worker_rig import IN, Process, Rig

pytestmark = pytest.mark.unit

LOOK = 0.5


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path, judge=judge())


def released(rig: Rig, count: int) -> list[int]:
    """Let the copies of so many residents die, and be released."""
    drain(rig, *(changed(f"a{n}", addressee_number=str(n)) for n in range(1, count + 1)))
    found = died(rig, UNION)
    replay(rig, *found)
    return found


def called(broker: FakeBroker) -> list[int]:
    """Give the markers that came since, and take them away."""
    queue = broker.queue(IN)
    found = [int(one.body) for one in queue if one.routing_key == RELEASED_TYPE]
    queue.clear()
    return found


@pytest.mark.parametrize("partitions", [1, 3, 4, BUCKETS])
def test_a_marker_is_looked_for_where_the_broker_leads_it(partitions: int) -> None:
    topology = plan(["tax"], {}, partitions)
    led = {
        one.key: one.destination
        for one in topology.bindings
        if one.source == PARTITIONS_EXCHANGE and one.key
    }
    assert led == {str(n): queue_of(str(n), partitions) for n in range(BUCKETS)}
    assert queue_of("", partitions) == queue_of("none", partitions) == partition_queue(0)


def test_each_is_called_by_the_worker_that_has_its_queue(rig: Rig) -> None:
    found = released(rig, 8)
    buckets = {number: int(row(rig, number).bucket) for number in found}
    own: list[list[int]] = []
    for partition in range(2):
        with rig.process() as process:
            process.shift.tray.consume((partition_queue(partition),))
            caller = process.caller_of(2)
            caller.call()
            own.append(called(rig.broker))
            caller.call()
            assert called(rig.broker) == []
    assert own == [[n for n in found if buckets[n] % 2 == partition] for partition in range(2)]
    assert all(own)


def test_one_that_takes_over_a_queue_calls_what_is_released_there(rig: Rig) -> None:
    found = released(rig, 3)
    with rig.process() as process:
        process.shift.tray.consume(())
        process.caller.call()
        assert called(rig.broker) == []
        process.shift.tray.consume((IN,))
        process.caller.call()
        assert called(rig.broker) == found


@pytest.fixture
def full(rig: Rig) -> list[float]:
    """Let no partition take a marker; give the times at which one was published."""
    times: list[float] = []

    def fate(message: Outgoing) -> Sent:
        if message.exchange == PARTITIONS_EXCHANGE:
            times.append(rig.broker.clock.now())
            return Sent.REFUSED
        return Sent.CONFIRMED

    rig.broker.judge = fate
    return times


def looks(rig: Rig, process: Process, seconds: float) -> Iterator[None]:
    """Look as often as a worker does."""
    for _ in range(round(seconds / LOOK)):
        process.caller.call()
        rig.broker.clock.advance(LOOK)
        yield


def test_a_full_queue_is_asked_for_one_marker_ever_more_rarely(
    rig: Rig, full: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    found = released(rig, 3)
    with caplog.at_level(logging.INFO), rig.process() as process:
        for _ in looks(rig, process, 200):
            pass
        first, *later = sorted(set(full))
        gaps = [after - before for before, after in itertools.pairwise([first, *later])]
        assert gaps[:5] == [1.0, 2.0, 4.0, 8.0, 16.0]
        assert set(gaps[5:]) == {LIMITS.longest_seconds}
        assert all(full.count(time) == 1 for time in later)  # the oldest alone
        said = [one.message for one in caplog.records if "what was released" in one.message]
        assert said == [f"{IN} takes no more: what was released waits for it"]

        rig.broker.judge = lambda _: Sent.CONFIRMED
        for _ in looks(rig, process, LIMITS.longest_seconds + 1):
            pass
        assert called(rig.broker) == found
        assert f"{IN} takes what was released again" in caplog.text


def test_what_a_full_queue_did_not_take_moves_in_order_later(rig: Rig, full: list[float]) -> None:
    drain(rig, *(changed(f"a{n}") for n in range(3)))
    replay(rig, *died(rig, UNION))
    with rig.process() as process:
        for _ in looks(rig, process, 5):
            process.move()
        assert full
        assert ids(rig, UNION) == []
        rig.broker.judge = lambda _: Sent.CONFIRMED
        for _ in looks(rig, process, CALL_SECONDS):
            process.move()
    assert ids(rig, UNION) == ["a0", "a1", "a2"]


def test_of_two_markers_of_one_resident_the_second_does_not_pass_the_first(rig: Rig) -> None:
    drain(rig, changed("a1"), changed("a2"))
    first, second = died(rig, UNION)
    replay(rig, first, second)
    refusals = iter([Sent.REFUSED])
    rig.broker.judge = lambda message: (
        next(refusals, Sent.CONFIRMED) if message.body == b"%d" % first else Sent.CONFIRMED
    )
    with rig.process() as process:
        for _ in looks(rig, process, 3):
            process.move()
    assert ids(rig, UNION) == ["a1", "a2"]
    assert [row(rig, number).state for number in (first, second)] == ["moved", "moved"]


def test_hundreds_that_one_approval_let_go_move_each_once_and_in_order(rig: Rig) -> None:
    persons, each = 130, 2
    sent = [(f"{n}-{m}", str(n)) for m in range(each) for n in range(1, persons + 1)]
    drain(rig, *(changed(name, addressee_number=number) for name, number in sent))
    found = died(rig, UNION)
    assert len(found) == persons * each
    with letters(rig) as at:
        request = at.request(on_list(rig), CLERK, State.RELEASED)
        assert at.approve(request, OTHER_CLERK) == (len(found), State.RELEASED)
    markers: list[int] = []

    def fate(message: Outgoing) -> Sent:
        markers.extend([int(message.body)] if message.message_type == RELEASED_TYPE else [])
        return Sent.CONFIRMED

    rig.broker.judge = fate
    with rig.process(batch=100) as process:
        for _ in looks(rig, process, 3):
            process.move()
    assert markers == found
    assert ids(rig, UNION) == [name for name, _ in sent]
    assert numbers(rig, State.MOVED) == found
