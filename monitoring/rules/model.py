"""What an alert is, and the expressions that several of them share."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hub.statute.reasons import Sentence

HELD = "held"
"""The label ``maintenance`` of alerts that say nothing while the hub rests by people's word."""


class Severity(StrEnum):
    """Whom an alert wakes: critical somebody at night, warning somebody in the morning."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Case:
    """At a time, with these series, so many alerts of the rule fire.

    ``at`` is a time of Prometheus such as ``10m``; ``series`` are in the notation of
    ``promtool test rules``, a value a minute.
    """

    at: str
    firing: int
    series: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule: it fires when ``expression`` has given something for as long as ``hold``.

    ``summary`` may quote labels (``{{ $labels.queue }}``); of these there are none with personal
    data. ``held``: says nothing during maintenance.
    """

    name: str
    expression: str
    hold: str
    severity: Severity
    summary: Sentence
    cases: tuple[Case, ...]
    held: bool = False

    @property
    def page(self) -> str:
        """The runbook's page, from the project's folder."""
        return f"docs/operations/alerts/{self.name}.md"


@dataclass(frozen=True, slots=True)
class Group:
    """Alerts that belong together, evaluated together."""

    name: str
    alerts: tuple[Alert, ...]


def risen(counter: str, by: str, window: str) -> str:
    """Ask whether a counter rose, also where its series began within the window.

    ``increase()`` alone does not see a series that begins at 1.

    >>> risen('a_total{code="b"}', "code", "1h")
    'sum by (code) (increase(a_total{code="b"}[1h])) > 0 or sum by (code) (a_total{code="b"} unless a_total{code="b"} offset 1h) > 0'
    """  # noqa: E501 - one expression
    return (
        f"sum by ({by}) (increase({counter}[{window}])) > 0 "
        f"or sum by ({by}) ({counter} unless {counter} offset {window}) > 0"
    )


def older(timestamp: str, seconds: int) -> str:
    """Ask whether a time was told, and lies so far back; 0 stands for never.

    >>> older("a_timestamp_seconds", 60)
    'time() - (a_timestamp_seconds > 0) > 60'
    """
    return f"time() - ({timestamp} > 0) > {seconds}"
