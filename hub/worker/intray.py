"""What a worker has taken and not moved yet: from its queues, and from the waiting room."""

import hashlib
import logging
from collections.abc import Collection
from dataclasses import dataclass, field

from hub.pipeline.waiting import WaitingRoom
from hub.ports import Delivery, Link

log = logging.getLogger(__name__)

ROOM_SECONDS = 0.1
"""How long a take waits while something is in the waiting room."""
SUSPECT = 3
"""A message that was given out so often may be what ended the process: it comes alone."""
_MOST_SURVIVED = 10_000


@dataclass(slots=True)
class InTray:
    """Takes over one link; ``room`` is empty at the beginning.

    The broker counts how often a message was given out and not acknowledged, and puts it with the
    dead letters in the end. Those that lie beside one that ends the process must not be counted
    with it. So a queue that shows a suspect is consumed one message at a time until others come;
    ``careful`` begins so with each queue, for after a process that ended by itself.
    ``survived`` are digests of suspects that this process has moved before.
    """

    link: Link
    room: WaitingRoom
    survived: set[bytes]
    careful: bool = False
    rest: list[Delivery] = field(default_factory=list)
    queues: frozenset[str] = frozenset()
    _alone: frozenset[str] = frozenset()
    _stuck: set[str] = field(default_factory=set)

    def consume(self, queues: Collection[str]) -> None:
        """Consume these queues from now on; what is in hand of others goes back to them."""
        wanted = frozenset(queues)
        if wanted == self.queues:
            return
        self._let_go(self.queues - wanted)
        new = wanted - self.queues if self.careful else frozenset()
        self.queues = wanted
        self._alone = self._alone & wanted | new
        self.link.consume(wanted, self._alone)

    def batch(self, most: int, wait: float) -> list[Delivery]:
        """Give what is to be moved now; of what waits in the room the oldest come first.

        It stays in ``rest`` until ``moved`` says what of it is on its way.
        """
        if self.rest:
            return self.rest
        self._change(self._alone - self._stuck)
        self._stuck.clear()
        batch = self.room.due(-(-most // 2))  # what waited must not hold up what is new
        patience = 0.0 if batch else wait
        if self.room.size:
            patience = min(patience, ROOM_SECONDS)
        if not self.room.full:
            batch += self._taken(most - len(batch), patience)
        elif patience:
            self.link.idle(patience)
        self.rest = batch
        return batch

    def moved(self, count: int) -> list[Delivery]:
        """Note that so many of the batch were judged and recorded, and this process lives."""
        done, self.rest = self.rest[:count], self.rest[count:]
        if self._alone:
            suspects = [one for one in done if one.times >= SUSPECT]
            if len(self.survived) > _MOST_SURVIVED:
                self.survived.clear()
            self.survived.update(map(_digest, suspects))
            # What was moved and is not acknowledged comes again, and is known then.
            self._change(self._alone - {one.queue for one in done if one.times < SUSPECT})
        return done

    def waits(self, delivery: Delivery) -> None:
        """Note that a delivery waits in the room; alone, it would hold up its queue."""
        if delivery.queue in self._alone:
            self._stuck.add(delivery.queue)

    def _taken(self, most: int, wait: float) -> list[Delivery]:
        while taken := self.link.take(most, wait):
            if sound := self._sound(taken):
                return sound
        return []

    def _sound(self, taken: list[Delivery]) -> list[Delivery]:
        """Let go of queues that show a suspect, to have it alone."""
        suspects = {
            one.queue
            for one in taken
            if one.times >= SUSPECT
            and one.queue not in self._alone
            and _digest(one) not in self.survived
        }
        if not suspects:
            return taken
        for queue in sorted(suspects):
            log.warning("a message of %s was given out often: its messages come one by one", queue)
        self._change(self._alone | suspects)
        return [one for one in taken if one.queue not in suspects]

    def _change(self, alone: frozenset[str]) -> None:
        """Consume these queues one message at a time, and the others as ever."""
        if alone == self._alone:
            return
        self._let_go(alone ^ self._alone)
        self._alone = alone
        self.link.consume(self.queues, alone)

    def _let_go(self, queues: Collection[str]) -> None:
        """Forget what is in hand of these queues: all of it goes back there."""
        for queue in queues:
            self.room.drop(queue)
        self.rest = [one for one in self.rest if one.queue not in queues]


def _digest(delivery: Delivery) -> bytes:
    return hashlib.blake2b(delivery.body, key=delivery.user_id.encode()[:64]).digest()
