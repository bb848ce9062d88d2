"""Publishing until the broker has confirmed, on as many connections as that takes."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_before_delay,
    stop_never,
)

from hub.client.confirms import Confirms
from hub.client.errors import ClientClosed, NotSent, OutcomeUnknown, PublishFailed, Unroutable
from hub.client.events import Wire
from hub.client.session import TURN_SECONDS, Session, Timing
from hub.errors import BrokerError, BrokerUnavailable, LinkLost
from hub.pauses import pause

log = logging.getLogger(__name__)


def never() -> bool:
    """Never stop."""
    return False


class _NotTaken(BrokerError):
    """The broker answered that it did not take a message: its queue is full."""


FIRST_CONFIRM_SECONDS = 3.0
"""How long the first answer on a channel to one of several nodes may take (``hub.broker.outlet``
has the same)."""
TRANSIENT = (LinkLost, BrokerUnavailable, _NotTaken)


@dataclass(slots=True)
class _Work:
    """What is still to be confirmed, and what of it may have arrived nevertheless."""

    left: list[Wire]
    give_up_at: float
    stopping: Callable[[], bool]
    doubtful: set[str] = field(default_factory=set)

    def seconds_left(self) -> float:
        return self.give_up_at - time.monotonic()

    def learn(self, confirms: Confirms) -> None:
        self.doubtful |= confirms.open
        self.left = [w for w in self.left if w.event.message_id not in confirms.confirmed]

    def failure(self, cause: Exception) -> NotSent | OutcomeUnknown:
        events = [wire.event for wire in self.left]
        unknown = any(event.message_id in self.doubtful for event in events)
        return (OutcomeUnknown if unknown else NotSent)(events, str(cause))


class Publisher:
    """Keeps one connection for publishing; may be called from several threads."""

    def __init__(self, connect: Callable[[], Session], system: str, timing: Timing) -> None:
        self._connect = connect
        self._system = system
        self._timing = timing
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._confirms: Confirms | None = None

    def send(
        self,
        window: Sequence[Wire],
        *,
        stopping: Callable[[], bool] = never,
        farewell: bool = False,
    ) -> None:
        """Publish until every message is confirmed; they may be under way together.

        ``stopping`` ends the attempts early. A ``farewell`` is still sent when the client has
        been closed.

        Raises:
            OutcomeUnknown: the time is up, and some may have arrived.
            NotSent: the time is up, and none of those left has arrived.
            Refused, Unroutable: repeating does not help.
            ClientClosed: the client was closed before.
        """
        seconds = self._timing.give_up
        work = _Work(
            list(window),
            time.monotonic() + seconds,
            lambda: stopping() or (self._closed.is_set() and not farewell),
        )
        with self._alone():
            if self._closed.is_set() and not farewell:
                message = "the client is closed"
                raise ClientClosed(message)
            try:
                retrying(work.stopping, seconds)(self._attempt, work)
            except TRANSIENT as cause:
                raise work.failure(cause) from cause

    def send_all(self, windows: Sequence[Sequence[Wire]]) -> None:
        """Send one window after another.

        Raises:
            PublishFailed: as for ``send``; ``events`` are all that are not confirmed, in order.
            Refused, Unroutable, ClientClosed: as for ``send``.
        """
        for number, window in enumerate(windows, start=1):
            try:
                self.send(window)
            except PublishFailed as failed:
                failed.events += tuple(wire.event for later in windows[number:] for wire in later)
                raise

    def close(self) -> None:
        """Close, from any thread or a signal handler; a ``send`` under way ends soon."""
        self._closed.set()
        self._close_if_free()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            with self._lock:
                yield
        finally:
            if self._closed.is_set():
                self._close_if_free()

    def _close_if_free(self) -> None:
        # Whoever holds the lock looks at the flag after letting go of it.
        if self._lock.acquire(blocking=False):
            try:
                if self._session is not None:
                    self._session.close()
                self._session = self._confirms = None
            finally:
                self._lock.release()

    def _attempt(self, work: _Work) -> None:
        try:
            confirms = self._ready()
            try:
                self._round(confirms, work)
            finally:
                work.learn(confirms)
            if confirms.nacked:
                self._renew()
        except BaseException:
            # Whatever happened, the next attempt begins on a new connection.
            if self._session is not None:
                self._session.discard()
            self._session = self._confirms = None
            raise
        if confirms.nacked:
            message = "the broker did not take it: its queue is full"
            raise _NotTaken(message)

    def _ready(self) -> Confirms:
        if self._session is None or self._confirms is None:
            self._session = self._connect()
            self._confirms = Confirms(self._session, self._system, self._timing.confirm)
            return self._confirms
        try:
            # What an idle connection has to say: also that it is closed.
            self._session.catch_up(most=100)
        except LinkLost:
            self._session.discard()
            self._session = None
            return self._ready()
        return self._confirms

    def _renew(self) -> None:
        """Take another channel for the next attempt (``hub.broker.outlet`` says why)."""
        if self._session is not None:
            self._session.renew()
            self._confirms = Confirms(self._session, self._system, self._timing.confirm)

    def _round(self, confirms: Confirms, work: _Work) -> None:
        began = time.monotonic()
        seconds = min(self._timing.confirm, max(work.seconds_left(), 0.0))
        confirms.begin()
        for wire in work.left:
            confirms.send(wire)
        while not confirms.settled:
            patience = min(seconds, FIRST_CONFIRM_SECONDS) if confirms.is_doubtful else seconds
            remaining = began + patience - time.monotonic()
            if remaining <= 0 or work.stopping():
                message = "no confirm came in time" if remaining <= 0 else "stopped"
                raise LinkLost(message)
            confirms.wait(min(remaining, TURN_SECONDS))
        if confirms.unroutable:
            message = "no queue is bound for it: the hub's exchanges and queues are incomplete"
            raise Unroutable(message)


def retrying(stopping: Callable[[], bool], seconds: float | None = None) -> Retrying:
    """Try again after transient faults, with the pauses of ``hub.pauses``, until told to stop."""
    too_late = stop_before_delay(seconds) if seconds is not None else stop_never

    def enough(state: RetryCallState) -> bool:
        return stopping() or too_late(state)

    return Retrying(
        retry=retry_if_exception_type(TRANSIENT),
        stop=enough,
        wait=lambda state: pause(state.attempt_number),
        before_sleep=_log_pause,
        sleep=lambda seconds: wait_unless(stopping, seconds),
        reraise=True,
    )


def _log_pause(state: RetryCallState) -> None:
    cause = state.outcome.exception() if state.outcome is not None else None
    log.warning("%s; trying again in %.1f s", cause, state.upcoming_sleep)


def wait_unless(stopping: Callable[[], bool], seconds: float) -> None:
    """Wait so long, or until told to stop."""
    until = time.monotonic() + seconds
    nothing = threading.Event()
    while (remaining := until - time.monotonic()) > 0 and not stopping():
        nothing.wait(min(remaining, TURN_SECONDS))
