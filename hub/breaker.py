"""A circuit breaker: stops asking something that does not answer, until a probe finds it well.

Closed, everything is tried. After ``failures`` in a row it opens, and nothing is tried for a
pause. Then it is half open: one probe is tried, and nothing beside it. A probe that works closes
it; one that fails opens it again, for a pause twice as long, up to ``longest_seconds``. Each
pause is cut by up to a half, at random, so that many who lost the same thing do not all come
back to it at once.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

__all__ = ["Breaker", "BreakerLimits", "BreakerState", "ReceiverState"]


class BreakerState(StrEnum):
    """What a breaker lets through: everything, nothing, or one probe."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class ReceiverState(NamedTuple):
    """How many messages wait for a receiver, and what its breaker lets through."""

    waiting: int
    breaker: BreakerState


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """When a breaker opens, and for how many seconds at first and at the most, uncut."""

    failures: int = 5
    first_seconds: float = 1.0
    longest_seconds: float = 60.0


class Breaker:
    """The breaker of one counterpart; to be used by one thread.

    Whoever gets ``True`` of ``may_try`` tells afterwards how it went, by ``worked``, ``failed``,
    or ``abandoned`` where nothing was learned. ``chance`` gives numbers from 0 up to 1.
    """

    def __init__(
        self,
        limits: BreakerLimits | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._limits = limits or BreakerLimits()
        self._monotonic = monotonic
        self._chance = chance
        self._failures = 0
        self._pause = self._limits.first_seconds
        self._open_until: float | None = None
        self._probing = False

    @property
    def state(self) -> BreakerState:
        """Say what is let through now."""
        if self._open_until is None:
            return BreakerState.CLOSED
        if self._probing or self._monotonic() >= self._open_until:
            return BreakerState.HALF_OPEN
        return BreakerState.OPEN

    def may_try(self) -> bool:
        """Say whether to try now; half open, the first one who asks has the probe."""
        state = self.state
        if state is BreakerState.HALF_OPEN and not self._probing:
            self._probing = True
            return True
        return state is BreakerState.CLOSED

    def seconds_left(self) -> float:
        """Give how long nothing is let through; 0 where something is."""
        if self._open_until is None:
            return 0.0
        return max(0.0, self._open_until - self._monotonic())

    def worked(self) -> None:
        """Tell that a try was answered: everything is let through again."""
        self._failures = 0
        self._pause = self._limits.first_seconds
        self._open_until = None
        self._probing = False

    def failed(self) -> None:
        """Tell that a try was not answered.

        One that was begun before the breaker opened says nothing new.
        """
        if self._open_until is None:
            self._failures += 1
            if self._failures >= self._limits.failures:
                self._open()
        elif self.state is BreakerState.HALF_OPEN:
            self._pause = min(self._pause * 2, self._limits.longest_seconds)
            self._open()

    def abandoned(self) -> None:
        """Tell that a try was given up before it was known how it goes; the probe is free again."""
        self._probing = False

    def _open(self) -> None:
        self._open_until = self._monotonic() + self._pause * (1 - self._chance() / 2)
        self._probing = False
