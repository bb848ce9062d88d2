"""The metrics of what is due: flows by their statutory frequency, lists, reconciling, backup."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Gauge


class FreshnessMetrics:
    """Shows times in seconds since 1970; a flow or list of which there is nothing is left out."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._last = Gauge(
            "renkei_flow_last_message_timestamp_seconds",
            "When the newest message of a flow was accepted, in seconds since 1970.",
            ("flow",),
            registry=registry,
        )
        self._due = Gauge(
            "renkei_flow_due_timestamp_seconds",
            "When the next message of a flow is due by its frequency, in seconds since 1970.",
            ("flow",),
            registry=registry,
        )
        self._aside = Gauge(
            "renkei_aside_oldest_timestamp_seconds",
            "Since when the oldest undecided message of a list waits, in seconds since 1970.",
            ("list",),
            registry=registry,
        )
        self._reconciled = Gauge(
            "renkei_reconciliation_last_success_timestamp_seconds",
            "When a day was last reconciled without a gap, in seconds since 1970; 0 before.",
            registry=registry,
        )
        self._missing = Gauge(
            "renkei_reconciliation_missing_messages",
            "Findings of the last reconciliation that found a gap; 0 once one found none.",
            registry=registry,
        )
        self._backup = Gauge(
            "renkei_backup_last_timestamp_seconds",
            "When the ledger was last backed up, in seconds since 1970; 0 before.",
            registry=registry,
        )

    def flows(self, last: Mapping[str, float], due: Mapping[str, float]) -> None:
        """Show of each flow when its newest message came and when the next one is due."""
        _show(self._last, last)
        _show(self._due, due)

    def lists(self, oldest: Mapping[str, float]) -> None:
        """Show since when the oldest message of each list waits; a list without any is left out."""
        _show(self._aside, oldest)

    def reconciled(self, last: float, missing: int) -> None:
        """Show when a day was last reconciled without a gap, and what the newest one lacked."""
        self._reconciled.set(last)
        self._missing.set(missing)

    def backed_up(self, last: float) -> None:
        """Show when the ledger was last backed up."""
        self._backup.set(last)


def _show(gauge: Gauge, values: Mapping[str, float]) -> None:
    gauge.clear()
    for label, value in values.items():
        gauge.labels(label).set(value)
