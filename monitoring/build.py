"""What every process says of itself: which version it is. Begins a process's metrics."""

import importlib.metadata
import platform

from prometheus_client import CollectorRegistry, Gauge, disable_created_metrics

DISTRIBUTION = "renkei-hub"


def begin(registry: CollectorRegistry) -> None:
    """Begin the metrics of a process; to be called before any is made.

    The library would give each counter and histogram a series more that says when it was made.
    """
    disable_created_metrics()  # type: ignore[no-untyped-call]
    Gauge(
        "renkei_build_info",
        "Always 1; the labels are the versions of the hub and of Python.",
        ("version", "python"),
        registry=registry,
    ).labels(importlib.metadata.version(DISTRIBUTION), platform.python_version()).set(1)
