"""The metrics of the checks that try things (``monitoring.health.Checks``)."""

from prometheus_client import CollectorRegistry, Gauge


class CheckMetrics:
    """Shows of each check how its last run ended, and how long it took."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._success = Gauge(
            "renkei_health_check_success",
            "1 where the last run of a check found all well.",
            ("check",),
            registry=registry,
        )
        self._seconds = Gauge(
            "renkei_health_check_duration_seconds",
            "How long the last run of a check took.",
            ("check",),
            registry=registry,
        )

    def checked(self, check: str, *, ok: bool, seconds: float) -> None:
        """Show a run of a check."""
        self._success.labels(check).set(1 if ok else 0)
        self._seconds.labels(check).set(seconds)
