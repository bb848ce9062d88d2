"""What a worker has taken and not moved yet: from its queues, and from the waiting room."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field

from hub.pipeline.waiting import WaitingRoom
from hub.ports import Delivery, Link

ROOM_SECONDS = 0.1
"""How long a take waits while something is in the waiting room."""
SUSPECT = 3
"""A message that was given out so often may be what ended the process."""
_MOST_SURVIVED = 10_000


@dataclass(slots=True)
class InTray:
    """Takes over one link; ``room`` is empty at the beginning.

    ``survived`` are digests of suspects that this process has moved before, ``noted`` the marks of
    those that it has noted and not struck out yet, and how often others did not outlive them.

    How much of a queue is in hand stays the same all the time: a queue puts what goes back to it
    behind what went back earlier, so that with less in hand a message would be overtaken by its
    successors.
    """

    link: Link
    room: WaitingRoom
    survived: set[bytes]
    noted: dict[str, int]
    rest: list[Delivery] = field(default_factory=list)
    queues: frozenset[str] = frozenset()

    def consume(self, queues: Collection[str]) -> None:
        """Consume these queues from now on; what is in hand of others goes back to them."""
        wanted = frozenset(queues)
        if wanted == self.queues:
            return
        gone = self.queues - wanted
        for queue in gone:
            self.room.drop(queue)
        self.rest = [one for one in self.rest if one.queue not in gone]
        self.queues = wanted
        self.link.consume(wanted)

    def batch(self, most: int, wait: float) -> list[Delivery]:
        """Give what is to be moved now; of what waits in the room the oldest come first.

        It stays in ``rest`` until ``moved`` says what of it is on its way.
        """
        if self.rest:
            return self.rest
        batch = self.room.due(-(-most // 2))  # what waited must not hold up what is new
        patience = 0.0 if batch else wait
        if self.room.size:
            patience = min(patience, ROOM_SECONDS)
        if not self.room.full:
            batch += self.link.take(most - len(batch), patience)
        elif patience:
            self.link.idle(patience)
        self.rest = batch
        return batch

    def moved(self, count: int) -> list[Delivery]:
        """Note that so many of the batch were judged and recorded."""
        done, self.rest = self.rest[:count], self.rest[count:]
        return done

    def is_suspect(self, delivery: Delivery) -> bool:
        """Say whether a message may be what ended the process before this one."""
        return delivery.times >= SUSPECT and _digest(delivery) not in self.survived

    def outlived(self, moved: Collection[Delivery]) -> None:
        """Note that this process lives though it moved these."""
        if len(self.survived) > _MOST_SURVIVED:
            self.survived.clear()
        self.survived.update(_digest(one) for one in moved if one.times >= SUSPECT)


def _digest(delivery: Delivery) -> bytes:
    return hashlib.blake2b(delivery.body, key=delivery.user_id.encode()[:64]).digest()
