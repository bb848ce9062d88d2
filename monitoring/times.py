"""How long a message takes to its receiver, and how long an adapter takes for a file."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Histogram

from monitoring.bounds import Bounded

DIRECTIONS = ("in", "out")
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
WAY_BUCKETS = (
    *(1, 2.5, 5, 10, 30),
    *(_MINUTE, 2 * _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE),
    *(_HOUR, 4 * _HOUR, 12 * _HOUR, _DAY, 2 * _DAY, 3 * _DAY),
)
"""From a second to three days: a file may wait in a folder over a weekend."""


class TimeMetrics:
    """The part of ``monitoring.edge.EdgeMetrics`` that tells of times."""

    def __init__(self, registry: CollectorRegistry, system: str) -> None:
        self._system = system
        self._flows, self._directions = Bounded(), Bounded(DIRECTIONS, len(DIRECTIONS))
        self._critical = Histogram(
            "renkei_critical_time_seconds",
            "Time from a file's making at its sender until the message is in its receiver's file.",
            ("system", "flow"),
            buckets=WAY_BUCKETS,
            registry=registry,
        )
        self._delivery = Histogram(
            "renkei_delivery_time_seconds",
            "Time from a message's acceptance until it is in its receiver's file.",
            ("system", "flow"),
            buckets=WAY_BUCKETS,
            registry=registry,
        )
        self._files = Histogram(
            "renkei_adapter_file_duration_seconds",
            "Time that a file took: in, until its messages are confirmed; out, to be written.",
            ("system", "direction"),
            buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600),
            registry=registry,
        )

    def arrived(self, flow: str, critical: Mapping[int, int], delivery: Mapping[int, int]) -> None:
        """Observe messages of one flow: how many took so many whole seconds.

        A sender's clock may be ahead of this one: what would be negative counts as nothing.
        """
        shown = self._flows(flow)
        for histogram, taken in ((self._critical, critical), (self._delivery, delivery)):
            child = histogram.labels(self._system, shown)
            for seconds, number in taken.items():
                for _ in range(number):
                    child.observe(max(seconds, 0))

    def file_took(self, direction: str, seconds: float) -> None:
        """Observe a file: ``in`` from the system, or ``out`` to it."""
        self._files.labels(self._system, self._directions(direction)).observe(seconds)
