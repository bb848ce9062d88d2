"""Turns pika's I/O loop in the caller's thread, and knows whether the link is lost."""

import time
from collections.abc import Callable
from typing import NoReturn

from pika.adapters.select_connection import IOLoop

from hub.errors import LinkLost

STOP_SECONDS = 3.0
"""How long a broker that says nothing is still waited for once the process is to stop."""
_LOOK_SECONDS = 0.25
"""How soon it is noticed that the process is to stop."""


class Pump:
    """The loop of one link; ``lost`` says why nothing more can come of it."""

    def __init__(self, stopping: Callable[[], bool]) -> None:
        self.loop = IOLoop()
        self.loop.activate_poller()
        self.lost = ""
        self.closed = False
        self._stopping = stopping
        self._give_up_at: float | None = None

    def check(self) -> None:
        """See that the link is there.

        Raises:
            LinkLost: it is not.
        """
        if self.lost or self.closed:
            raise LinkLost(self.lost or "the link is closed")

    def lose(self, why: str) -> None:
        """Note that the link is lost; what was noted first stands."""
        self.lost = self.lost or why

    def give_up(self, why: str) -> NoReturn:
        """Trust the link no more.

        Raises:
            LinkLost: always.
        """
        self.lost = why
        raise LinkLost(why)

    def turn(self, until: Callable[[], bool], timeout: float) -> bool:
        """Turn the loop until the condition holds (true) or the time is up (false)."""
        deadline = time.monotonic() + timeout
        while not until():
            self.check()
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return False
            self.poll(min(remaining, _LOOK_SECONDS))
            self._hurry()
        return True

    def answered(self, until: Callable[[], bool], seconds: float) -> None:
        """Turn the loop until the broker has answered.

        Raises:
            LinkLost: it has not, in so many seconds.
        """
        if not self.turn(until, seconds):
            self.give_up(f"no answer from the broker in {seconds:g} s")

    def flush(self) -> None:
        """Send what is buffered and take in what has arrived, without waiting."""
        self.check()
        self.poll(0.0)
        self.check()

    def poll(self, timeout: float) -> None:
        """Do what there is to do; wait for it at the most so many seconds."""
        handle = self.loop.call_later(timeout, _nothing)
        self.loop.poll()
        self.loop.process_timeouts()
        self.loop.remove_timeout(handle)

    def _hurry(self) -> None:
        """Give the link up where the process is to stop and still waits for it."""
        if not self._stopping():
            return
        if self._give_up_at is None:
            self._give_up_at = time.monotonic() + STOP_SECONDS
        elif time.monotonic() >= self._give_up_at:
            self.lose(f"no answer {STOP_SECONDS:g} s after the call to stop")


def _nothing() -> None:
    """Wake the loop at a deadline."""
