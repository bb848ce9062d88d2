"""The waiting room under a worker that is played in any interleaving: order holds, nothing is lost.

The worker is pipelined as the real one: the next batch is taken before what became of the last
one is told. The model knows what each receiver's queue holds, and in which order it came.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hub.breaker import BreakerLimits, BreakerState
from hub.pipeline.waiting import WaitingRoom
from hub.ports import Delivery, Sent

pytestmark = pytest.mark.unit

RECEIVERS = ("tax", "union")
LIMITS = BreakerLimits(failures=2, first_seconds=1.0, longest_seconds=4.0)
ROOM = 6
BATCH = 4


@dataclass
class Message:
    """What came in: its receivers, and who of them has it."""

    number: int
    resident: str
    receivers: frozenset[str]
    delivered: set[str] = field(default_factory=set)
    is_dead: bool = False

    @property
    def missing(self) -> list[str]:
        return [] if self.is_dead else sorted(self.receivers - self.delivered)


class Copy(NamedTuple):
    """A copy that was published, and what became of it."""

    message: Message
    receiver: str
    fate: Sent


class Batch(NamedTuple):
    """What was taken together, and what of it was published."""

    messages: list[Message]
    copies: list[Copy]


class Hub(RuleBasedStateMachine):
    """A worker, its queue and the queues of its receivers."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.room = WaitingRoom(ROOM, LIMITS, lambda: self.now, lambda: 0.0)
        self.inbox: list[Message] = []
        self.unacked: dict[int, Message] = {}
        self.under_way = Batch([], [])
        self.space = dict.fromkeys(RECEIVERS, 0)
        self.queues: dict[str, list[Message]] = defaultdict(list)
        self.arrived: list[Message] = []

    # -- the world ---------------------------------------------------------------------

    @rule(resident=st.sampled_from("abc"), receivers=st.sets(st.sampled_from(RECEIVERS)))
    def arrives(self, resident: str, receivers: set[str]) -> None:
        message = Message(len(self.arrived), resident, frozenset(receivers))
        self.arrived.append(message)
        self.inbox.append(message)

    @rule(receiver=st.sampled_from(RECEIVERS), space=st.integers(min_value=0, max_value=5))
    def has_space(self, receiver: str, space: int) -> None:
        self.space[receiver] = space

    @rule(seconds=st.floats(min_value=0.0, max_value=LIMITS.longest_seconds))
    def time_goes_on(self, seconds: float) -> None:
        self.now += seconds

    @rule(index=st.integers(min_value=0))
    def too_old(self, index: int) -> None:
        """Let one that still waits for a receiver go to the dead letters when it is judged."""
        under_way = {copy.message.number for copy in self.under_way.copies}
        waiting = [one for one in self.unacked.values() if one.number not in under_way]
        if waiting:
            waiting[index % len(waiting)].is_dead = True

    @rule()
    def link_is_lost(self) -> None:
        """Everything unacknowledged comes again, in order; what was confirmed is recorded."""
        self._record(self.under_way.copies)
        self.under_way = Batch([], [])
        again = [one for _, one in sorted(self.unacked.items()) if one.missing]
        self.inbox = again + self.inbox
        self.unacked.clear()
        self.room.clear()

    # -- the worker --------------------------------------------------------------------

    @rule(pause=st.floats(min_value=0.0, max_value=1.5), order=st.randoms(use_true_random=False))
    def works(self, pause: float, order: Random) -> None:
        batch = [self.unacked[one.tag] for one in self.room.due(BATCH)]
        if not self.room.full:
            new, self.inbox = self.inbox[:BATCH], self.inbox[BATCH:]
            self.unacked.update((one.number, one) for one in new)
            batch += new
        order.shuffle(self.under_way.messages)  # in whatever order they are put back
        self._finish(self.under_way)
        states = {one: state.breaker for one, state in self.room.receivers().items()}
        passed = []
        for message in batch:
            self.now += pause / BATCH  # a breaker's pause may end in the middle of a batch
            passed += [(message, one) for one in message.missing if self._may_send(message, one)]
        for receiver, state in states.items():
            tried = {message.number for message, one in passed if one == receiver}
            assert state is BreakerState.CLOSED or len(tried) <= 1
        self.under_way = Batch(batch, list(self._published(passed)))

    def _may_send(self, message: Message, receiver: str) -> bool:
        return self.room.may_send(_delivery(message), receiver, _key(message, receiver))

    def _published(self, copies: Iterable[tuple[Message, str]]) -> Iterable[Copy]:
        withheld = set()
        for message, receiver in copies:
            key = _key(message, receiver)
            if key in withheld:
                yield Copy(message, receiver, Sent.WITHHELD)
            elif self.space[receiver]:
                self.space[receiver] -= 1
                self.queues[receiver].append(message)
                yield Copy(message, receiver, Sent.CONFIRMED)
            else:
                withheld.add(key)
                yield Copy(message, receiver, Sent.REFUSED)

    def _record(self, copies: Iterable[Copy]) -> None:
        for message, receiver, fate in copies:
            if fate is Sent.CONFIRMED:
                message.delivered.add(receiver)

    def _finish(self, batch: Batch) -> None:
        self._record(batch.copies)
        for _, receiver, fate in batch.copies:
            if fate is not Sent.WITHHELD:
                self.room.told(receiver, worked=fate is Sent.CONFIRMED)
        for message in batch.messages:
            if message.missing:
                keys = [_key(message, one) for one in message.missing]
                self.room.put(_delivery(message), message.missing, keys)
            else:
                self.room.done(_delivery(message))
                del self.unacked[message.number]

    # -- what holds --------------------------------------------------------------------

    @invariant()
    def nothing_newer_passes_an_older_one(self) -> None:
        for receiver, queue in self.queues.items():
            for resident in "abc":
                numbers = [one.number for one in queue if one.resident == resident]
                assert numbers == sorted(set(numbers)), receiver

    @invariant()
    def the_room_stays_bounded(self) -> None:
        assert self.room.size <= ROOM + 2 * BATCH

    def teardown(self) -> None:
        """Let everybody have space: everything gets where it belongs."""
        for _ in range(100):
            self.space = dict.fromkeys(RECEIVERS, 1000)
            self.now += LIMITS.longest_seconds
            self.works(0.0, Random(0))  # noqa: S311 - nothing secret
        self._finish(self.under_way)
        self.nothing_newer_passes_an_older_one()
        assert (self.room.size, self.room.bytes) == (0, 0)
        assert all(not message.missing for message in self.arrived)
        self._nothing_is_kept_of_what_is_gone()

    def _nothing_is_kept_of_what_is_gone(self) -> None:
        states = self.room.receivers().values()
        assert all(state == (0, BreakerState.CLOSED) for state in states if state.waiting)
        for kept in (self.room._lines, self.room._blocked, self.room._held, self.room._holders):
            assert not kept


def _delivery(message: Message) -> Delivery:
    queue = "in.1" if message.resident == "c" else "in.0"
    return Delivery(message.number, queue, "some.type", "sender", b"body")


def _key(message: Message, receiver: str) -> str:
    return f"{receiver} {message.resident}"


TestHub = Hub.TestCase
TestHub.settings = settings(max_examples=100, stateful_step_count=40)
