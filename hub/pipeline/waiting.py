"""The waiting room: deliveries with copies that a receiver's queue did not take.

They stay unacknowledged, in the order in which they came, and all others go on. A breaker for
each receiver says when it is worth a try. Nothing newer about a resident passes an older one
that waits for the same receiver. Pure: no connection, no ledger, only a clock.

For each batch the worker calls, in this order:

1. ``due``: these deliveries come first in the batch, before what is new;
2. ``may_send``, for each copy in the order of the plan, after what became of the batch before is
   told. A copy that may not go is not published;
3. ``told``, for each copy that was published and is confirmed, refused or unroutable, in the order
   of the batch (one withheld behind another says nothing about its receiver);
4. for each delivery ``done``, or ``put`` with what it still waits for.

A delivery's place is that of its tag in its queue, however often and in whatever order it is put
back. When the link is lost, ``clear``.
"""

import heapq
import itertools
import random
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from hub.breaker import Breaker, BreakerLimits, BreakerState, ReceiverState
from hub.ports import Delivery

__all__ = ["ROOM_LIMITS", "Name", "ReceiverState", "WaitingRoom", "named"]

ROOM_LIMITS = BreakerLimits(failures=1, first_seconds=0.2, longest_seconds=5.0)
"""A nack is the queue's own word, so one is enough; and a probe is cheap."""
MOST_BYTES = 64 * 1024 * 1024
"""How much the room holds in memory at the most, however few messages that are."""
LOOK_AGAIN_SECONDS = 30.0
"""After so long a delivery is due in any case: its time may be up, or the rules changed."""
_NONE: frozenset[str] = frozenset()


class Name(NamedTuple):
    """What names a delivery while its queue's channel is open: the lower, the older."""

    tag: int
    queue: str


def named(delivery: Delivery) -> Name:
    """Name a delivery."""
    return Name(delivery.tag, delivery.queue)


@dataclass(slots=True)
class _Waiting:
    """One delivery in the room; ``is_out`` where ``due`` gave it to the batch that is made."""

    delivery: Delivery
    name: Name
    size: int
    receivers: frozenset[str] = _NONE
    keys: frozenset[str] = _NONE
    tried: frozenset[str] = _NONE
    looked_at: float = 0.0
    is_out: bool = False


_Line = dict[Name, _Waiting]
"""Waiting ones, the oldest first."""


@dataclass(slots=True)
class WaitingRoom:
    """What waits, for whom, and what may be tried now; to be used by one thread.

    ``limit`` is the number of deliveries, and ``most_bytes`` the size of their messages, from
    which the room is full. ``monotonic`` gives seconds, ``chance`` numbers from 0 up to 1.
    """

    limit: int
    breaker_limits: BreakerLimits = ROOM_LIMITS
    monotonic: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    most_bytes: int = MOST_BYTES
    _all: dict[Name, _Waiting] = field(default_factory=dict)
    _looked_at: OrderedDict[Name, None] = field(default_factory=OrderedDict)
    _lines: dict[str, _Line] = field(default_factory=dict)  # by receiver
    _blocked: dict[str, _Line] = field(default_factory=dict)  # by order key
    _held: dict[Name, set[str]] = field(default_factory=dict)  # keys that may_send held back
    _holders: dict[str, int] = field(default_factory=dict)  # how many of _held have the key
    _breakers: dict[str, Breaker] = field(default_factory=dict)
    _probes: dict[str, Name] = field(default_factory=dict)
    _bytes: int = 0

    @property
    def size(self) -> int:
        """How many deliveries wait, with those that are out."""
        return len(self._all)

    @property
    def bytes(self) -> int:
        """How large their messages are together."""
        return self._bytes

    @property
    def full(self) -> bool:
        """Whether the worker is to take nothing new."""
        return len(self._all) >= self.limit or self._bytes >= self.most_bytes

    def __iter__(self) -> Iterator[Delivery]:
        """Give all deliveries, in no order."""
        return (waiting.delivery for waiting in self._all.values())

    def __contains__(self, delivery: Delivery) -> bool:
        return named(delivery) in self._all

    def tried(self, delivery: Delivery) -> frozenset[str]:
        """Give the receivers whose copies of a delivery were tried in vain."""
        waiting = self._all.get(named(delivery))
        return _NONE if waiting is None else waiting.tried

    def receivers(self) -> Mapping[str, ReceiverState]:
        """Give each receiver that anything ever waited for."""
        return {
            receiver: ReceiverState(len(self._lines.get(receiver, ())), breaker.state)
            for receiver, breaker in self._breakers.items()
        }

    def due(self, most: int) -> list[Delivery]:
        """Give up to ``most`` deliveries to try now, the oldest first, and note them as out.

        These are the ones that wait for a receiver whose breaker is closed; the oldest for a
        receiver whose breaker is half open; and those that nobody has looked at for long.
        """
        chosen: _Line = {}
        for receiver, line in self._lines.items():
            state = self._breaker(receiver).state
            if state is BreakerState.CLOSED:
                resting = (one for one in line.values() if not one.is_out)
                chosen.update((one.name, one) for one in itertools.islice(resting, most))
            elif state is BreakerState.HALF_OPEN and receiver not in self._probes:
                oldest = _oldest(line)
                if not oldest.is_out:
                    chosen[oldest.name] = oldest
        for waiting in itertools.islice(self._unseen(), most):
            chosen[waiting.name] = waiting
        given = [chosen[name] for name in heapq.nsmallest(most, chosen)]
        for waiting in given:
            waiting.is_out = True
            self._looked_at.pop(waiting.name)
        return [waiting.delivery for waiting in given]

    def may_send(
        self, delivery: Delivery, receiver: str, order_key: str, *, overdue: bool = False
    ) -> bool:
        """Say whether a copy may be published now.

        It may not while an older delivery with its order key stays here, nor after another copy
        with that key was held back in this batch. Half open, a receiver's breaker lets one
        delivery through as the probe: the oldest that waits, or any if none does. An ``overdue``
        copy needs no breaker's leave: it is tried once before it is given up, and if it had to be
        the probe for that, a full room would empty by one at a time.
        """
        if self.lets_all(receiver):
            return True
        name = named(delivery)
        if not self._is_passed(name, order_key) and (overdue or self._lets_pass(name, receiver)):
            return True
        self._hold(name, order_key)
        return False

    def lets_all(self, receiver: str) -> bool:
        """Say whether any copy for a receiver may be published: as long as nothing waits."""
        if self._all or self._held:
            return False
        breaker = self._breakers.get(receiver)
        return breaker is None or breaker.state is BreakerState.CLOSED

    def told(self, receiver: str, *, worked: bool) -> None:
        """Tell that a receiver's queue took a copy, or that it did not."""
        breaker = self._breaker(receiver)
        if not worked:
            breaker.failed()
        elif breaker.state is not BreakerState.OPEN:
            # Else it was under way when another one found the queue full: that counts.
            breaker.worked()
        self._probes.pop(receiver, None)

    def put(
        self,
        delivery: Delivery,
        receivers: Collection[str],
        keys: Collection[str],
        message_size: int | None = None,
        *,
        tried: Collection[str] = (),
    ) -> None:
        """Keep a delivery for the receivers whose copies were not taken.

        ``tried`` are those whose copies were published, and not only held back.
        ``keys`` are the order keys of these copies. ``message_size`` is in bytes; without it, that
        of the body counts.
        """
        name = named(delivery)
        self._forget_batch(name)
        waiting = self._all.get(name)
        if waiting is None:
            size = len(delivery.body) if message_size is None else message_size
            waiting = self._all[name] = _Waiting(delivery, name, size)
            self._bytes += size
        self._list(waiting, frozenset(receivers), frozenset(keys))
        waiting.tried |= frozenset(tried)
        waiting.is_out = False
        waiting.looked_at = self.monotonic()
        self._looked_at[name] = None
        self._looked_at.move_to_end(name)

    def done(self, delivery: Delivery) -> None:
        """Take a delivery out: nothing of it waits any more."""
        self._remove(named(delivery))

    def drop(self, queue: str) -> None:
        """Forget the deliveries of a queue that is not consumed any more."""
        known = [*self._all, *self._held, *self._probes.values()]
        for name in {name for name in known if name.queue == queue}:
            self._remove(name)

    def clear(self) -> None:
        """Forget all deliveries: the link is lost. What was learned of the receivers stays."""
        for name in {*self._all, *self._held, *self._probes.values()}:
            self._remove(name)

    # -- who may pass ------------------------------------------------------------------

    def _is_passed(self, name: Name, key: str) -> bool:
        """Say whether this one would pass an older one with its key."""
        if not key:
            return False
        if key in self._holders:
            return True
        line = self._blocked.get(key)
        if not line:
            return False
        return any(one.name < name and not one.is_out for one in line.values())

    def _lets_pass(self, name: Name, receiver: str) -> bool:
        breaker = self._breaker(receiver)
        state = breaker.state
        if state is not BreakerState.HALF_OPEN:
            return state is BreakerState.CLOSED
        probe = self._probes.get(receiver)
        if probe is not None:
            return probe == name
        line = self._lines.get(receiver)
        if (line and _oldest(line).name != name) or not breaker.may_try():
            return False
        self._probes[receiver] = name
        return True

    def _breaker(self, receiver: str) -> Breaker:
        breaker = self._breakers.get(receiver)
        if breaker is None:
            breaker = Breaker(self.breaker_limits, self.monotonic, self.chance)
            self._breakers[receiver] = breaker
        return breaker

    def _hold(self, name: Name, key: str) -> None:
        keys = self._held.setdefault(name, set())
        if key and key not in keys:
            keys.add(key)
            self._holders[key] = self._holders.get(key, 0) + 1

    def _forget_batch(self, name: Name) -> None:
        """Forget what the batch that is over said of a delivery; a probe not told of is free."""
        for key in self._held.pop(name, ()):
            self._holders[key] -= 1
            if not self._holders[key]:
                del self._holders[key]
        for receiver in [one for one, probe in self._probes.items() if probe == name]:
            self._breaker(receiver).abandoned()
            del self._probes[receiver]

    # -- the lists ---------------------------------------------------------------------

    def _unseen(self) -> Iterator[_Waiting]:
        before = self.monotonic() - LOOK_AGAIN_SECONDS
        return itertools.takewhile(
            lambda waiting: waiting.looked_at <= before, (self._all[one] for one in self._looked_at)
        )

    def _list(self, waiting: _Waiting, receivers: frozenset[str], keys: frozenset[str]) -> None:
        _relist(self._lines, waiting, waiting.receivers, receivers)
        _relist(self._blocked, waiting, waiting.keys, keys)
        waiting.receivers, waiting.keys = receivers, keys
        for receiver in receivers:
            self._breaker(receiver)

    def _remove(self, name: Name) -> None:
        self._forget_batch(name)
        waiting = self._all.pop(name, None)
        if waiting is not None:
            self._list(waiting, _NONE, _NONE)
            self._looked_at.pop(name, None)
            self._bytes -= waiting.size


def _relist(
    lines: dict[str, _Line], waiting: _Waiting, before: frozenset[str], after: frozenset[str]
) -> None:
    """Strike a delivery from the lines that it left, and enter it in those that are new to it."""
    for name in before - after:
        del lines[name][waiting.name]
        if not lines[name]:
            del lines[name]
    for name in after - before:
        line = lines.setdefault(name, {})
        is_last = not line or next(reversed(line)) < waiting.name
        line[waiting.name] = waiting
        if not is_last:
            lines[name] = dict(sorted(line.items()))


def _oldest(line: _Line) -> _Waiting:
    return next(iter(line.values()))
