"""Calls what staff released: puts its markers into the partitions that this worker consumes.

A bucket's queue belongs to one worker at a time, so each released message is called by one. While
two of them see the roster differently it may be none or both: it is called a little later, or by
one marker too many, which changes nothing (``hub.pipeline.again``).
"""

import itertools
import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from hub.breaker import Breaker, BreakerLimits, BreakerState
from hub.errors import LedgerError
from hub.pipeline.again import marked, marker, queue_of
from hub.ports import Sent
from hub.worker.shift import Shift

log = logging.getLogger(__name__)

CALL_SECONDS, LONGEST_SECONDS = 60.0, 6 * 3600.0
"""After so long a released message that has not moved gets another marker: a queue may be lost.
Each time ten times as long, for it may only stand behind many others."""
MOST_AT_ONCE = 100
"""So many may be called and not have moved: what waits for a receiver must not fill the room."""
LIMITS = BreakerLimits(failures=1, first_seconds=1.0, longest_seconds=30.0)
"""How long a queue that took no marker is left alone."""

_Called = tuple[int, str]
"""A released message's number and bucket."""


@dataclass(slots=True)
class _Call:
    """When a marker is due anew, and after how long another one."""

    due: float
    pause: float = CALL_SECONDS


@dataclass(slots=True)
class Caller:
    """Calls over one link; a new one knows of no marker, for a replaced broker has lost them all.

    ``partitions`` is how many the hub has. ``monotonic`` gives seconds, ``chance`` numbers from 0
    up to 1.
    """

    shift: Shift
    partitions: int
    monotonic: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    _called: dict[int, _Call] = field(default_factory=dict)
    _breakers: dict[str, Breaker] = field(default_factory=dict)

    def call(self) -> None:
        """Put the markers that are due into their partitions, the oldest first.

        What is under way is ended first: under load there is always something.

        Raises:
            LinkLost: the connection is gone.
        """
        if self.shift.tray.room.full:
            return
        try:
            released = self.shift.tools.ledger.released()
        except LedgerError as error:
            log.warning("what was released waits: %s", error)
            return
        mine = [one for one in released if self._queue(one) in self.shift.tray.queues]
        for gone in self._called.keys() - {number for number, _ in mine}:
            del self._called[gone]
        due = list(itertools.islice(self._due(mine), min(MOST_AT_ONCE, self.shift.tools.batch)))
        if not due:
            return
        self.shift.end()
        fates = self.shift.link.publish([marker(number, bucket) for number, bucket in due])
        self._told(due, fates)

    def _due(self, mine: Sequence[_Called]) -> Iterator[_Called]:
        now = self.monotonic()
        in_hand = {marked(one) for one in self.shift.tray.room}
        most = min(MOST_AT_ONCE, -(-self.shift.tray.room.limit // 2))
        free = most - len(in_hand | self._called.keys())
        for one in mine:
            number, _ = one
            call = self._called.get(number)
            if number in in_hand or (call is not None and now <= call.due):
                continue
            if call is None and free <= 0:
                continue
            if self._breaker(self._queue(one)).may_try():
                free -= call is None
                yield one

    def _told(self, due: Sequence[_Called], fates: Sequence[Sent]) -> None:
        """Note who was called, and which queues took all of their markers."""
        now = self.monotonic()
        full: set[str] = set()
        for one, fate in zip(due, fates, strict=True):
            number, _ = one
            if fate is Sent.CONFIRMED:
                before = self._called.get(number)
                pause = CALL_SECONDS if before is None else min(10 * before.pause, LONGEST_SECONDS)
                self._called[number] = _Call(now + pause, pause)
                log.info("message %d of the list was released and goes its way", number)
            else:
                full.add(self._queue(one))
        for queue in sorted({self._queue(one) for one in due}):
            breaker = self._breaker(queue)
            was_well = breaker.state is BreakerState.CLOSED
            if queue in full:
                breaker.failed()
                if was_well:
                    log.warning("%s takes no more: what was released waits for it", queue)
            else:
                breaker.worked()
                if not was_well:
                    log.info("%s takes what was released again", queue)

    def _queue(self, one: _Called) -> str:
        return queue_of(one[1], self.partitions)

    def _breaker(self, queue: str) -> Breaker:
        breaker = self._breakers.get(queue)
        if breaker is None:
            breaker = self._breakers[queue] = Breaker(LIMITS, self.monotonic, self.chance)
        return breaker
