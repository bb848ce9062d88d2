"""Takes spans and sends them from a thread of its own, so that no message waits for a collector.

What the collector does not take is left out, counted, and said once in a while.
"""

import logging
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from threading import Event, Thread
from typing import Protocol

from hub import traces
from hub.message import MessageKey
from hub.traces import Context, Span
from monitoring.traces.figures import COLLECTOR, QUEUE, ROOM, TraceMetrics
from monitoring.traces.told import Told, told

log = logging.getLogger(__name__)

MOST_WAITING = 4000
"""Spans that wait for the thread; what comes beyond is left out."""
AT_ONCE = 400
MESSAGES_A_SECOND = 500
"""So many messages are followed: whoever marks every one of theirs slows nobody down."""
REMEMBERED = 2000
"""Messages whose trace is known for a while, for the lines of the log."""
EVERY_SECONDS = 1.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
COMPLAIN_SECONDS = 300.0
FLUSH_SECONDS = 1.0
"""How long an end waits for what is not sent yet."""


class Drain(Protocol):
    """Where spans go to."""

    def send(self, spans: Sequence[Told]) -> str:
        """Send them, within a few seconds; say why they were not taken, or nothing."""
        ...

    def close(self) -> None:
        """Give up at once what is under way; may be called by another thread."""
        ...


class Tracer:
    """Implements ``hub.traces.Traces`` for one process; ``close`` ends it."""

    def __init__(
        self,
        drain: Drain,
        ratio: float,
        metrics: TraceMetrics,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        pause: float = FIRST_PAUSE,
    ) -> None:
        """Begin: of all files a share ``ratio`` is followed."""
        self._drain = drain
        self._ratio = ratio
        self._metrics = metrics
        self._monotonic = monotonic
        self._first_pause = pause
        self._queue: deque[Span] = deque()
        self._traces: OrderedDict[MessageKey, str] = OrderedDict()
        self._second = 0
        self._room = 0
        self._wake, self._ending = Event(), Event()
        self._complained = -math.inf
        self._thread = Thread(target=self._work, name="traces", daemon=True)
        self._thread.start()

    # -- what the process's own thread calls -------------------------------------------------

    def begun(self, system: str, digest: str) -> str:
        """Decide whether a file is followed."""
        return traces.begun(system, digest, self._ratio)

    def follow(self, message: MessageKey, context: Context) -> bool:
        """Say whether there is room to follow a message; remember its trace if so."""
        second = int(self._monotonic())
        if second != self._second:
            self._second, self._room = second, MESSAGES_A_SECOND
        if not self._room:
            self._metrics.dropped(ROOM)
            return False
        self._room -= 1
        self._traces[message] = context.trace
        self._traces.move_to_end(message)
        if len(self._traces) > REMEMBERED:
            self._traces.popitem(last=False)
        return True

    def trace_of(self, message: MessageKey) -> str:
        """Give the trace of a message that was followed lately, or an empty text."""
        return self._traces.get(message, "")

    def tell(self, span: Span) -> None:
        """Take a span, or count it where too many wait."""
        if len(self._queue) >= MOST_WAITING:
            self._metrics.dropped(QUEUE)
            return
        self._queue.append(span)
        if len(self._queue) >= AT_ONCE:
            self._wake.set()

    def close(self) -> None:
        """Send what waits, if that goes quickly; the rest is left out."""
        self._ending.set()
        self._wake.set()
        self._thread.join(FLUSH_SECONDS)
        self._drain.close()
        self._thread.join(FLUSH_SECONDS / 4)  # a try that is given up ends at once
        if self._queue:
            self._metrics.dropped(QUEUE, len(self._queue))

    # -- the other thread --------------------------------------------------------------------

    def _work(self) -> None:
        pause = self._first_pause
        while not self._ending.is_set():
            self._wake.wait(EVERY_SECONDS)
            self._wake.clear()
            if self._sent_all():
                pause = self._first_pause
            else:
                self._ending.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        self._sent_all()

    def _sent_all(self) -> bool:
        """Send what waits; false once something was not taken."""
        while self._queue:
            part = [self._queue.popleft() for _ in range(min(AT_ONCE, len(self._queue)))]
            try:
                why = self._drain.send([told(span) for span in part])
            except Exception as fault:  # noqa: BLE001 - nothing of a collector's may end this
                why = type(fault).__name__
            if why:
                self._metrics.dropped(COLLECTOR, len(part))
                self._complain(why)
                return False
            self._metrics.sent(len(part))
        return True

    def _complain(self, why: str) -> None:
        now = self._monotonic()
        if now - self._complained >= COMPLAIN_SECONDS:
            self._complained = now
            log.warning("traces are not taken, and are left out; no message is: %s", why)
