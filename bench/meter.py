"""Rates from outside: how fast a queue fills that another program moves messages into.

All that move are measured by this one meter, whatever they are made of. A rate is taken from
the moment when a tenth has arrived until all has: so starting up counts for nobody, and
whatever a mover does beside (recording, confirming, acknowledging) counts as often as it does it.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

import pika

from bench.place import Place
from bench.usage import Looked, Usage, look

LOOK_SECONDS = 0.01
WARM = 0.1
PATIENCE = 300.0
MICRO = 1e6


@dataclass(frozen=True, slots=True)
class Rate:
    """Messages a second, and what they took."""

    a_second: float
    usage: Usage

    def said(self) -> str:
        """Say what was used, and what each message took of it."""
        each = ", ".join(
            f"{name} {cores / self.a_second * MICRO:.0f} µs"
            for name, cores in self.usage.cores.items()
        )
        return f"{self.usage.said()}; processor time a message: {each}"


class Meter:
    """Asks queues for their depth by AMQP: the answer is the true one, at once."""

    def __init__(self, place: Place) -> None:
        self._connection = pika.BlockingConnection(place.parameters(heartbeat=0))
        self._channel = self._connection.channel()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def depth(self, *queues: str) -> int:
        """Count the messages that wait in queues; those handed out are not among them."""
        return sum(
            self._channel.queue_declare(queue, passive=True).method.message_count
            for queue in queues
        )

    def rate(
        self,
        queue: str,
        count: int,
        processes: Callable[[], Mapping[str, int]],
        check: Callable[[], None],
    ) -> Rate:
        """Wait until so many have arrived in a queue that was empty, and give the rate.

        ``check`` raises when whoever moves them has ended; ``processes`` are looked at.

        Raises:
            RuntimeError: they do not arrive.
        """
        until = time.monotonic() + PATIENCE
        begun: tuple[int, Looked] | None = None
        while time.monotonic() < until:
            found = self.depth(queue)
            if begun is None and found >= WARM * count:
                begun = found, look(processes())
            if begun is not None and found >= count:
                ended = look(processes())
                before, looked = begun
                seconds = ended.at - looked.at
                return Rate((found - before) / seconds, looked.until(ended))
            check()
            time.sleep(LOOK_SECONDS)
        raise RuntimeError(f"{queue} did not get {count:,} messages in {PATIENCE:g} s")
