"""What the last minutes and the last hour were like, from the turns of the ledger's tail. Pure."""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from hub.ledger.model import Kind
from hub.ledger.tail import Sort, Turn

BIN_SECONDS = 5.0
MINUTES_SECONDS = 900.0
"""Rates and delays are of so long; what was refused and what died, of an hour."""
HOUR_SECONDS = 3600.0
MINUTE = 60.0
_SORTS_A_BIN = 2000
"""Strangers cannot fill memory: further sorts of a few seconds are left out of the figures."""


class LineKey(NamedTuple):
    """One arrow of the picture: a flow from a sender to a receiver."""

    flow: str
    sender: str
    receiver: str


@dataclass(slots=True)
class _Bin:
    begin: float
    counts: Counter[Sort] = field(default_factory=Counter)
    delays: list[tuple[str, str, float]] = field(default_factory=list)


class Window:
    """An hour of counts; ``monotonic`` times in seconds."""

    def __init__(self) -> None:
        self._bins: deque[_Bin] = deque()
        self._began: float | None = None

    def add(self, now: float, turn: Turn) -> None:
        """Take a look at the tail."""
        if self._began is None:
            self._began = now
        if not self._bins or now - self._bins[-1].begin >= BIN_SECONDS:
            self._bins.append(_Bin(now))
        bin_ = self._bins[-1]
        for count in turn.counts:
            if count.sort in bin_.counts or len(bin_.counts) < _SORTS_A_BIN:
                bin_.counts[count.sort] += count.number
        bin_.delays += turn.delays
        while now - self._bins[0].begin > HOUR_SECONDS:
            self._bins.popleft()

    def per_minute(self, now: float) -> dict[LineKey, float]:
        """Give how many messages a minute each line accepted, over a quarter of an hour.

        Over less where it was looked at for less; nothing before anything can be said.
        """
        since = self._seen_for(now, MINUTES_SECONDS)
        if since <= 0:
            return {}
        counts = self._counted(now, MINUTES_SECONDS, _is_accepted)
        return {key: number * MINUTE / since for key, number in counts.items()}

    def delays(self, now: float) -> dict[tuple[str, str], float]:
        """Give the median time to the receiver's receipt, by flow and receiver."""
        found: dict[tuple[str, str], list[float]] = {}
        for one in self._since(now, MINUTES_SECONDS):
            for flow, receiver, seconds in one.delays:
                found.setdefault((flow, receiver), []).append(seconds)
        return {key: median(some) for key, some in found.items()}

    def refused(self, now: float) -> dict[LineKey, int]:
        """Count what was refused in an hour; a refusal of all receivers names none."""
        return self._counted(now, HOUR_SECONDS, lambda sort: sort.kind is Kind.REFUSAL)

    def reasons(self, now: float) -> dict[str, int]:
        """Count what was refused in an hour by the code of its reason."""
        found: Counter[str] = Counter()
        for one in self._since(now, HOUR_SECONDS):
            for sort, number in one.counts.items():
                if sort.kind is Kind.REFUSAL:
                    found[sort.code] += number
        return dict(found)

    def died(self, now: float) -> dict[LineKey, int]:
        """Count the dead letters of an hour, those that expired among them."""
        return self._counted(
            now, HOUR_SECONDS, lambda sort: sort.kind in {Kind.DEAD_LETTER, Kind.EXPIRY}
        )

    def seen_for(self, now: float) -> float:
        """Say for how many seconds it was looked at, at the most an hour."""
        return self._seen_for(now, HOUR_SECONDS)

    def _seen_for(self, now: float, most: float) -> float:
        return 0.0 if self._began is None else min(now - self._began, most)

    def _since(self, now: float, seconds: float) -> Iterator[_Bin]:
        return (one for one in self._bins if now - one.begin <= seconds)

    def _counted(
        self, now: float, seconds: float, holds: Callable[[Sort], bool]
    ) -> dict[LineKey, int]:
        found: Counter[LineKey] = Counter()
        for one in self._since(now, seconds):
            for sort, number in one.counts.items():
                if holds(sort):
                    found[LineKey(sort.flow, sort.sender, sort.receiver)] += number
        return dict(found)


def _is_accepted(sort: Sort) -> bool:
    return sort.kind is Kind.ACCEPTANCE
