"""What a process counts of its traces."""

from prometheus_client import CollectorRegistry, Counter

QUEUE, COLLECTOR, ROOM = "queue", "collector", "room"
"""Why something was left out: too much waited, nobody took it, too many messages at once."""


class TraceMetrics:
    """Counts spans that were taken, and what was left out, by reason."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._sent = Counter(
            "renkei_traces_sent", "Spans that the collector or the file took.", registry=registry
        )
        self._dropped = Counter(
            "renkei_traces_dropped",
            "Spans, or messages of which there are none, that were left out, by reason.",
            ("reason",),
            registry=registry,
        )
        for reason in (QUEUE, COLLECTOR, ROOM):
            self._dropped.labels(reason)

    def sent(self, number: int) -> None:
        """Count spans that were taken."""
        self._sent.inc(number)

    def dropped(self, reason: str, number: int = 1) -> None:
        """Count what was left out."""
        self._dropped.labels(reason).inc(number)
