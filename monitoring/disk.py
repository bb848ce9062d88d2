"""How much room the disks have on which a process keeps something."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge


class DiskMetrics:
    """Shows the room at places: ledger, witness, logs, journals, drives.

    A place that cannot be looked at is left out until it can be: then the rule for its absence
    speaks, and no old figure does.
    """

    def __init__(self, registry: CollectorRegistry, places: Mapping[str, Path]) -> None:
        self._places = dict(places)
        self._free = Gauge(
            "renkei_disk_free_bytes",
            "Bytes that the hub may still write at a place: ledger, witness, journals, drives.",
            ("place",),
            registry=registry,
        )
        self._size = Gauge(
            "renkei_disk_size_bytes",
            "Bytes of the whole disk of a place.",
            ("place",),
            registry=registry,
        )

    def look(self) -> dict[str, float]:
        """Look at each place; give the share of it that is free, of those that could be seen."""
        shares: dict[str, float] = {}
        for place, path in self._places.items():
            try:
                usage = shutil.disk_usage(path)
            except OSError:
                for gauge in (self._free, self._size):
                    gauge.remove_by_labels({"place": place})
                continue
            self._free.labels(place).set(usage.free)
            self._size.labels(place).set(usage.total)
            shares[place] = usage.free / usage.total if usage.total else 0.0
        return shares
