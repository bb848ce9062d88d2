"""Each arrow of the picture with its figures and its state. Pure.

A state is never told from what is not known: without the watch's answer it is ``unknown``.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hub.clock import JST
from hub.names import outbound_queue
from hub.statute.model import Catalogue, Flow, Standing
from monitoring.figures.live import Live
from monitoring.figures.window import LineKey, Window

SLOW_SECONDS = 900.0
"""A queue whose oldest message is older than this is slow: as the rule RenkeiQueueOld has it."""


class LineState(StrEnum):
    """How a line is, the worst first."""

    DENIED = "denied"  # the assessment excludes it
    HELD = "held"  # a cell of the source is missing
    NOT_IN_FORCE = "not-in-force"
    UNKNOWN = "unknown"  # the watch does not answer
    STOPPED = "stopped"  # its receiver's queue has messages and no consumer, or takes none
    LATE = "late"  # it should have moved by its frequency
    SLOW = "slow"  # the oldest message waits for too long
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Line:
    """A flow from a sender to a receiver, now; ``None`` is what is not known.

    ``per_minute`` and ``delay`` (seconds, the median to the receipt) are of a quarter of an hour,
    ``refused`` and ``dead`` of an hour, or of the time since the first look if that is less. The
    queue is the receiver's, so what it holds may be of other flows too. ``receiver`` is empty
    where a held flow lacks it.
    """

    key: LineKey
    state: LineState
    per_minute: float | None = None
    delay: float | None = None
    queue: int | None = None
    oldest: float | None = None
    refused: int = 0
    dead: int = 0
    last: dt.datetime | None = None
    due: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """All lines, what the processes say, and refusals: those that belong to no line, by reason."""

    at: dt.datetime
    lines: tuple[Line, ...]
    live: Live
    seen_for: float = 0.0
    refused_elsewhere: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)


def picture(
    catalogue: Catalogue, window: Window, live: Live, now: float, at: dt.datetime
) -> Picture:
    """Give the picture of a moment: ``now`` on the window's clock, ``at`` on the wall's."""
    figures = _Figures(window, live, now, at)
    lines = tuple(figures.line(flow, key) for flow in catalogue.flows for key in keys_of(flow))
    known = {line.key for line in lines} | {
        LineKey(line.key.flow, line.key.sender, "") for line in lines
    }
    elsewhere = sum(n for key, n in figures.refused.items() if key not in known)
    reasons = window.reasons(now)
    return Picture(at, lines, live, window.seen_for(now), elsewhere, reasons)


def keys_of(flow: Flow) -> Iterator[LineKey]:
    """Give the arrows of a flow; one without an end where it lacks its receivers."""
    for leg in flow.legs:
        for receiver in leg.receivers or ("",):
            yield LineKey(flow.ref, leg.sender, receiver)


class _Figures:
    def __init__(self, window: Window, live: Live, now: float, at: dt.datetime) -> None:
        self._live = live
        self._at = at
        self._rates = window.per_minute(now)
        self._delays = window.delays(now)
        self._seen = window.seen_for(now) > 0
        self.refused = window.refused(now)
        self._dead = window.died(now)

    def line(self, flow: Flow, key: LineKey) -> Line:
        live = self._live
        queue = (live.queues or {}).get(outbound_queue(key.receiver))
        due = _moment((live.due or {}).get(key.flow))
        return Line(
            key=key,
            state=self._state(flow, key, due),
            per_minute=self._rates.get(key, 0.0) if self._seen else None,
            delay=self._delays.get((key.flow, key.receiver)),
            queue=None if queue is None else queue.messages,
            oldest=None if queue is None else queue.oldest,
            # A message refused as a whole names no receiver: it counts on each of its lines.
            refused=self.refused.get(key, 0) + self.refused.get(key._replace(receiver=""), 0),
            dead=self._dead.get(key, 0),
            last=_moment((live.last or {}).get(key.flow)),
            due=due,
        )

    def _state(self, flow: Flow, key: LineKey, due: dt.datetime | None) -> LineState:
        standing = flow.standing(self._at.astimezone(JST).date())
        if standing is not Standing.PERMITTED:
            return _STANDING.get(standing, LineState.NOT_IN_FORCE)
        live = self._live
        if live.queues is None:
            return LineState.STOPPED if key.receiver in live.stopped else LineState.UNKNOWN
        queue = live.queues.get(outbound_queue(key.receiver))
        if key.receiver in live.stopped or (queue and queue.messages and not queue.consumers):
            return LineState.STOPPED
        if due is not None and due < self._at:
            return LineState.LATE
        if queue is None:
            return LineState.UNKNOWN
        return LineState.SLOW if queue.oldest > SLOW_SECONDS else LineState.OK


_STANDING = {Standing.DENIED: LineState.DENIED, Standing.HELD: LineState.HELD}


def _moment(seconds: float | None) -> dt.datetime | None:
    return None if seconds is None else dt.datetime.fromtimestamp(seconds, JST)
