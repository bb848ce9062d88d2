"""The waiting room: who may be tried, who must wait, and what is remembered of a receiver."""

from dataclasses import dataclass, field

import pytest

from hub.breaker import BreakerLimits, BreakerState
from hub.pipeline.waiting import LOOK_AGAIN_SECONDS, WaitingRoom
from hub.ports import Delivery

pytestmark = pytest.mark.unit

LIMITS = BreakerLimits(failures=1, first_seconds=1.0, longest_seconds=4.0)
PAUSE = LIMITS.first_seconds


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Fixture:
    clock: Clock = field(default_factory=Clock)
    room: WaitingRoom = field(init=False)

    def __post_init__(self) -> None:
        self.room = WaitingRoom(10, LIMITS, self.clock, lambda: 0.0)

    def refuse(self, delivery: Delivery, *receivers: str, resident: str = "") -> None:
        """Play a batch in which these receivers' queues do not take their copies."""
        keys = [f"{one} {resident or delivery.tag}" for one in receivers]
        tried = []
        for receiver, key in zip(receivers, keys, strict=True):
            if self.room.may_send(delivery, receiver, key):
                self.room.told(receiver, worked=False)
                tried.append(receiver)
        self.room.put(delivery, receivers, keys, tried=tried)


def message(tag: int, queue: str = "in.0", size: int = 10) -> Delivery:
    return Delivery(tag, queue, "some.type", "sender", b"x" * size)


def tags(deliveries: list[Delivery]) -> list[int]:
    return [one.tag for one in deliveries]


def test_nothing_waits_and_everything_may_go() -> None:
    room = Fixture().room
    assert room.due(10) == []
    assert room.may_send(message(1), "tax", "tax a")
    assert (room.size, room.full, room.tried(message(1))) == (0, False, frozenset())


def test_a_refused_copy_waits_out_the_pause_and_others_go_on() -> None:
    it = Fixture()
    it.refuse(message(1), "tax")
    assert it.room.due(10) == []
    assert not it.room.may_send(message(2), "tax", "tax b")
    assert it.room.may_send(message(2), "union", "union 1")
    it.clock.now += PAUSE
    assert tags(it.room.due(10)) == [1]
    assert it.room.due(10) == []
    assert it.room.may_send(message(1), "tax", "tax 1")


def test_the_oldest_is_the_only_probe_and_the_rest_follows_it_in_order() -> None:
    it = Fixture()
    for tag in range(1, 6):
        it.refuse(message(tag), "tax")
    it.clock.now += PAUSE
    assert tags(it.room.due(10)) == [1]
    assert [it.room.may_send(message(tag), "tax", f"tax {tag}") for tag in (1, 7)] == [True, False]
    assert it.room.receivers()["tax"] == (5, BreakerState.HALF_OPEN)
    it.room.told("tax", worked=True)
    it.room.done(message(1))
    it.room.put(message(7), ["tax"], ["tax 7"])
    assert tags(it.room.due(3)) == [2, 3, 4]
    assert tags(it.room.due(3)) == [5, 7]
    assert all(it.room.may_send(message(tag), "tax", f"tax {tag}") for tag in (2, 3, 4, 5, 7, 8))


def test_a_probe_in_vain_doubles_the_pause_and_keeps_its_place() -> None:
    it = Fixture()
    for tag in (1, 2):
        it.refuse(message(tag), "tax")
    it.clock.now += PAUSE
    assert tags(it.room.due(10)) == [1]
    it.refuse(message(1), "tax")
    it.clock.now += PAUSE
    assert it.room.due(10) == []
    it.clock.now += PAUSE
    assert tags(it.room.due(10)) == [1]


@pytest.mark.parametrize("end", ["put", "done", "clear", "drop"])
def test_a_probe_that_was_not_sent_is_free_again(end: str) -> None:
    it = Fixture()
    for tag in (1, 2):
        it.refuse(message(tag), "tax")
    it.clock.now += PAUSE
    it.room.due(10)
    assert it.room.may_send(message(1), "tax", "tax 1")
    match end:
        case "put":
            it.room.put(message(1), ["tax"], ["tax 1"])
            assert tags(it.room.due(10)) == [1]
        case "done":
            it.room.done(message(1))
            assert tags(it.room.due(10)) == [2]
        case "clear":
            it.room.clear()
        case _:
            it.room.drop("in.0")
    if end in {"clear", "drop"}:
        assert (it.room.size, it.room.bytes) == (0, 0)
        assert it.room.may_send(message(1), "tax", "tax 1")


def test_a_new_message_is_the_probe_where_none_waits() -> None:
    it = Fixture()
    it.refuse(message(1), "tax")
    it.room.done(message(1))
    assert not it.room.may_send(message(2), "tax", "tax 2")
    it.room.put(message(2), ["tax"], ["tax 2"])
    it.room.done(message(2))
    it.clock.now += PAUSE
    assert [it.room.may_send(message(tag), "tax", f"tax {tag}") for tag in (3, 4, 3)] == [
        True,
        False,
        True,
    ]
    it.room.told("tax", worked=True)
    assert it.room.may_send(message(5), "tax", "tax 5")


def test_what_waits_blocks_its_own_resident_at_its_own_receiver_alone() -> None:
    it = Fixture()
    it.refuse(message(1), "tax", resident="a")
    it.clock.now += PAUSE
    it.room.told("tax", worked=True)
    assert not it.room.may_send(message(2), "tax", "tax a")
    assert it.room.may_send(message(3), "union", "union a")
    assert it.room.may_send(message(4), "tax", "tax b")


def test_it_is_remembered_for_whom_a_copy_was_tried_and_not_only_held_back() -> None:
    it = Fixture()
    it.refuse(message(1), "tax")
    it.refuse(message(2), "tax", "union")
    assert it.room.tried(message(2)) == {"union"}
    it.clock.now += PAUSE
    assert tags(it.room.due(10)) == [1, 2]
    it.room.done(message(1))
    it.refuse(message(2), "tax", "union")
    assert it.room.tried(message(2)) == {"tax", "union"}
    it.room.clear()
    assert it.room.tried(message(2)) == set()


def test_one_that_is_overdue_is_tried_whatever_the_breaker_says_but_passes_nobody() -> None:
    it = Fixture()
    it.refuse(message(1), "tax", resident="a")
    assert not it.room.may_send(message(2), "tax", "tax b")
    assert it.room.may_send(message(3), "tax", "tax c", overdue=True)
    assert not it.room.may_send(message(4), "tax", "tax a", overdue=True)
    assert not it.room.may_send(message(5), "tax", "tax b", overdue=True)
    it.room.told("tax", worked=False)
    for tag, key in (2, "b"), (3, "c"), (4, "a"), (5, "b"):
        it.room.put(message(tag), ["tax"], [f"tax {key}"])
    it.clock.now += PAUSE
    assert tags(it.room.due(10)) == [1]
    assert it.room.may_send(message(3), "tax", "tax c", overdue=True)
    assert it.room.may_send(message(1), "tax", "tax a")  # the probe is still free


def test_a_newer_one_that_waits_does_not_block_an_older_one() -> None:
    it = Fixture()
    for tag in (1, 2):
        it.refuse(message(tag), "tax", resident="a")
    it.clock.now += PAUSE
    assert tags(it.room.due(10)) == [1]
    assert it.room.may_send(message(1), "tax", "tax a")
    assert not it.room.may_send(message(2), "tax", "tax a")
    assert not it.room.may_send(message(3), "tax", "tax a")


def test_what_was_held_back_holds_back_what_comes_behind_it_though_time_goes_on() -> None:
    it = Fixture()
    it.refuse(message(1), "tax")
    it.room.done(message(1))
    assert not it.room.may_send(message(2), "tax", "tax a")
    it.clock.now += PAUSE  # in the middle of a batch
    assert not it.room.may_send(message(3), "tax", "tax a")
    assert it.room.may_send(message(4), "tax", "tax b")


def test_a_copy_that_came_through_while_the_queue_was_full_closes_nothing() -> None:
    it = Fixture()
    it.refuse(message(1), "tax")
    it.room.told("tax", worked=True)
    assert it.room.receivers()["tax"].breaker is BreakerState.OPEN


def test_one_that_waits_for_two_is_due_for_the_one_that_is_well() -> None:
    it = Fixture()
    it.refuse(message(1), "tax", "union")
    it.clock.now += PAUSE
    assert tags(it.room.due(10)) == [1]
    assert it.room.may_send(message(1), "tax", "tax 1")
    assert it.room.may_send(message(1), "union", "union 1")
    it.room.told("tax", worked=True)
    it.room.told("union", worked=False)
    it.room.put(message(1), ["union"], ["union 1"])
    assert it.room.due(10) == []
    assert it.room.may_send(message(2), "tax", "tax 1")
    assert {one: state.waiting for one, state in it.room.receivers().items()} == {
        "tax": 0,
        "union": 1,
    }


def test_what_nobody_looked_at_for_long_is_due_in_any_case() -> None:
    it = Fixture()
    for tag in (1, 2):
        it.refuse(message(tag), "tax")
    it.clock.now += PAUSE
    it.room.due(10)
    it.refuse(message(1), "tax")
    it.clock.now += LOOK_AGAIN_SECONDS - PAUSE
    it.room.told("tax", worked=False)
    assert tags(it.room.due(10)) == [2]


def test_the_room_is_full_by_number_and_by_size() -> None:
    it = Fixture()
    for tag in range(9):
        it.room.put(message(tag), ["tax"], [f"tax {tag}"])
    assert not it.room.full
    it.room.put(message(9), ["tax"], ["tax 9"])
    assert it.room.full
    heavy = WaitingRoom(10, LIMITS, it.clock, lambda: 0.0, most_bytes=1000)
    heavy.put(message(1, size=999), ["tax"], ["tax 1"])
    assert not heavy.full
    heavy.put(message(2, size=1), ["tax"], ["tax 2"])
    assert (heavy.full, heavy.bytes) == (True, 1000)
    heavy.put(message(2, size=1), ["tax"], ["tax 2"])
    assert heavy.bytes == 1000
    heavy.put(message(3), ["tax"], ["tax 3"], message_size=1500)
    assert heavy.bytes == 2500


def test_a_queue_that_is_let_go_takes_its_own_along_and_no_others() -> None:
    it = Fixture()
    for tag, queue in ((1, "in.0"), (1, "in.1")):
        it.refuse(message(tag, queue), "tax", resident=queue)
    it.room.drop("in.0")
    it.clock.now += PAUSE
    assert [one.queue for one in it.room.due(10)] == ["in.1"]
    assert message(1, "in.1") in it.room
    assert message(1, "in.0") not in it.room


def test_what_is_new_takes_no_probe_from_what_waits() -> None:
    it = Fixture()
    it.refuse(message(1), "tax")
    it.clock.now += PAUSE
    assert not it.room.may_send(message(2), "tax", "tax b")


def test_one_that_comes_to_wait_for_another_receiver_keeps_its_place_there() -> None:
    it = Fixture()
    it.refuse(message(1), "union")
    it.refuse(message(2), "tax")
    it.room.put(message(1), ["tax"], ["tax 1"])
    it.clock.now += PAUSE
    assert tags(it.room.due(10)) == [1]
