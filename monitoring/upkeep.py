"""The metrics of maintenance and of how many workers there are to be."""

from prometheus_client import CollectorRegistry, Gauge


class UpkeepMetrics:
    """Told by each worker, and by the watch."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._maintenance = Gauge(
            "renkei_maintenance",
            "1 while the hub takes nothing because people said so (renkei maintenance).",
            registry=registry,
        )

    def maintained(self, *, on: bool) -> None:
        """Say whether maintenance is on."""
        self._maintenance.set(1 if on else 0)


def tell_planned(registry: CollectorRegistry, workers: int) -> None:
    """Show how many workers the site file names; what is alive is ``renkei_hub_workers``."""
    Gauge(
        "renkei_hub_workers_planned",
        "Hub workers that the site file names.",
        registry=registry,
    ).set(workers)
