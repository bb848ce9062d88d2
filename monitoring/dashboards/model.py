"""What a dashboard shows, whichever program draws it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from hub.statute.reasons import Sentence

FLOW = "flow"
"""The variable of a board by which one flow, or several, are chosen."""


class Kind(StrEnum):
    """How a panel shows its figures: over time, or the newest one alone."""

    GRAPH = "graph"
    NUMBER = "number"
    TABLE = "table"


class Unit(StrEnum):
    """Grafana's names of units."""

    PLAIN = "short"
    SECONDS = "s"
    BYTES = "bytes"
    SHARE = "percentunit"
    PER_MINUTE = "cpm"


@dataclass(frozen=True, slots=True)
class Query:
    """An expression; ``legend`` names its series by their labels."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A picture; ``red`` is from where on a number is drawn in red."""

    title: Sentence
    queries: tuple[Query, ...]
    kind: Kind = Kind.GRAPH
    unit: Unit = Unit.PLAIN
    red: float | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """A dashboard: its file is ``renkei-<name>.json``."""

    name: str
    title: Sentence
    panels: tuple[Panel, ...]
    by_flow: bool = False

    def expressions(self) -> Iterator[str]:
        """Give every expression, as it is with its variable."""
        for panel in self.panels:
            yield from (query.expression for query in panel.queries)


def per_minute(counter: str, by: str) -> str:
    """Ask for a counter's rise in a minute.

    >>> per_minute("a_total", "b")
    'sum by (b) (rate(a_total[$__rate_interval])) * 60'
    """
    return f"sum by ({by}) (rate({counter}[$__rate_interval])) * 60"


def quantile(share: float, histogram: str, by: str) -> str:
    """Ask below which value a share of what was observed lies.

    >>> quantile(0.5, "a_seconds", "b")
    'histogram_quantile(0.5, sum by (b, le) (rate(a_seconds_bucket[$__rate_interval])))'
    """
    name, brace, labels = histogram.partition("{")
    inner = f"rate({name}_bucket{brace}{labels}[$__rate_interval])"
    return f"histogram_quantile({share}, sum by ({by}, le) ({inner}))"
