"""Every metric of ours, once: name, type, labels, help, and who tells it.

All observers are built on registries of their own, as the processes build them; rules, panels, the
console and the table in ``docs/operations/metrics.md`` are held to what comes out.
"""

import itertools
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.registry import Collector

from monitoring import upkeep
from monitoring.broker import BrokerMetrics
from monitoring.build import begin
from monitoring.certificates import CertificateMetrics
from monitoring.checks import CheckMetrics
from monitoring.disk import DiskMetrics
from monitoring.edge import EdgeMetrics
from monitoring.freshness import FreshnessMetrics
from monitoring.health import Health
from monitoring.hub import HubMetrics
from monitoring.ledger import LedgerMetrics, RoomMetrics
from monitoring.queues import QueueMetrics
from monitoring.traces.figures import TraceMetrics
from monitoring.visits import VisitMetrics

BEGIN, END = "<!-- metrics -->", "<!-- end -->"
_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}


class Family(NamedTuple):
    """A metric as its samples are named: a counter's ends in ``_total``."""

    name: str
    kind: str
    labels: tuple[str, ...]
    text: str
    told_by: tuple[str, ...]

    def samples(self) -> tuple[str, ...]:
        """Name what a query may ask for."""
        if self.kind == "histogram":
            return tuple(self.name + suffix for suffix in _SUFFIXES["histogram"])
        return (self.name,)


class _Noting(CollectorRegistry):
    """A registry that remembers what was registered, in order."""

    def __init__(self) -> None:
        self.noted: list[Collector] = []
        super().__init__()

    def register(self, collector: Collector) -> None:
        self.noted.append(collector)
        super().register(collector)


def _every(registry: CollectorRegistry) -> None:
    begin(registry)
    CertificateMetrics(registry, {})


def _hub(registry: CollectorRegistry) -> None:
    HubMetrics(registry, (), (), ())
    TraceMetrics(registry)


def _adapter(registry: CollectorRegistry) -> None:
    EdgeMetrics(registry, "")
    DiskMetrics(registry, {})
    TraceMetrics(registry)


def _watch(registry: CollectorRegistry) -> None:
    LedgerMetrics(registry, Health())
    RoomMetrics(registry)
    BrokerMetrics(registry)
    QueueMetrics(registry)
    FreshnessMetrics(registry)
    DiskMetrics(registry, {})
    CheckMetrics(registry)
    upkeep.UpkeepMetrics(registry)
    upkeep.tell_planned(registry, 0)


def _console(registry: CollectorRegistry) -> None:
    VisitMetrics(registry, ())


_TELLERS: dict[str, Callable[[CollectorRegistry], None]] = {
    "every process": _every,
    "hub": _hub,
    "adapter": _adapter,
    "watch": _watch,
    "console": _console,
}


@cache
def declared() -> tuple[Family, ...]:
    """Give every metric of ours, in the order in which processes declare them."""
    found: dict[str, Family] = {}
    for teller, build in _TELLERS.items():
        registry = _Noting()
        build(registry)
        for family in _families(registry, teller):
            known = found.get(family.name)
            tellers = (*known.told_by, teller) if known else (teller,)
            found[family.name] = family._replace(told_by=tellers)
    return tuple(found.values())


@cache
def library() -> tuple[Family, ...]:
    """Give what the client library tells of every process: memory, CPU, open files, Python."""
    registry = _Noting()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    families = registry.collect()
    return tuple(
        Family(
            _sampled(one.name, one.type),
            one.type,
            tuple(dict.fromkeys(itertools.chain(*(sample.labels for sample in one.samples)))),
            one.documentation,
            ("every process",),
        )
        for one in families
    )


def table() -> str:
    """Write the table of ``docs/operations/metrics.md``."""
    rows = [
        f"| `{one.name}` | {one.kind} | {', '.join(one.labels) or '–'} | {one.text} "
        f"| {', '.join(one.told_by)} |"
        for one in declared()
    ]
    return "\n".join(
        ("| metric | type | labels | meaning | told by |", "|---|---|---|---|---|", *rows)
    )


def filled(page: str) -> str:
    """Give a page with the table between its two marks as it must be.

    Raises:
        ValueError: the page has no place for it.
    """
    before, begin_mark, rest = page.partition(BEGIN)
    _, end_mark, after = rest.partition(END)
    if not (begin_mark and end_mark):
        raise ValueError("the page has no place for the table of metrics")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _families(registry: _Noting, teller: str) -> Iterator[Family]:
    for collector in registry.noted:
        if not isinstance(collector, MetricWrapperBase):
            raise TypeError(f"{type(collector).__name__} is no metric whose labels can be read")
        (described,) = collector.describe()
        labels = tuple(collector._labelnames)  # noqa: SLF001 - it has no other word for them
        name = _sampled(described.name, described.type)
        yield Family(name, described.type, labels, described.documentation, (teller,))


def _sampled(name: str, kind: str) -> str:
    return f"{name}_total" if kind == "counter" else name
