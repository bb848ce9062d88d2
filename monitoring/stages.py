"""How long the stages of a worker's batch take, and what was tried or came again.

Told once a batch: what every message goes through is not slowed by being measured.
"""

from collections.abc import Collection, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram

from hub.observe import Stage
from monitoring.bounds import OTHER


class StageMetrics:
    """The part of ``monitoring.hub.HubMetrics`` that tells of stages and tries."""

    def __init__(self, registry: CollectorRegistry, systems: Collection[str]) -> None:
        self._systems = frozenset(systems)
        seconds = Histogram(
            "renkei_stage_duration_seconds",
            "Time that a batch spent in a stage: judge, record, publish, confirm.",
            ("stage",),
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )
        self._seconds = {stage: seconds.labels(stage) for stage in Stage}
        self._retries = Counter(
            "renkei_retries",
            "Copies that were sent once more to a receiver's queue that had not taken them.",
            ("receiver",),
            registry=registry,
        )
        self._redeliveries = Counter(
            "renkei_redeliveries",
            "Messages that the broker gave out once more.",
            registry=registry,
        )

    def took(self, stage: Stage, seconds: float) -> None:
        """Observe how long a batch was in a stage."""
        self._seconds[stage].observe(seconds)

    def tried_again(self, receivers: Mapping[str, int]) -> None:
        """Count copies that were sent once more, by receiver."""
        for receiver, number in receivers.items():
            name = receiver if receiver in self._systems else OTHER
            self._retries.labels(name).inc(number)

    def came_again(self, number: int) -> None:
        """Count messages that were given out once more."""
        self._redeliveries.inc(number)
