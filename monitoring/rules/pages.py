"""The part of a runbook's page that follows from the rule, and the table of all alerts."""

import re
from collections.abc import Iterable

from monitoring.rules.model import Alert, Severity

BEGIN, END = "<!-- rule -->", "<!-- end -->"
HEADINGS = ("What it means", "Look", "Do", "It is over when")
INDEX = "index.md"
_QUOTED = re.compile(r"\{\{ \$(?:labels\.)?(\w+)[^}]*\}\}")
_WHO = {
    Severity.CRITICAL: "whoever is on call, at any hour",
    Severity.WARNING: "the operator, in the office's hours",
    Severity.INFO: "nobody",
    Severity.NONE: "a machine elsewhere, which calls when it stays away",
}


def page(text: str, alert: Alert) -> str:
    """Give a runbook's page with what follows from its rule as it must be.

    Raises:
        ValueError: the page has no place for it.
    """
    held = ", not during maintenance" if alert.held else ""
    after = "at once" if alert.hold == "0s" else f"after {alert.hold}"
    return _between(
        text,
        f"> {plain(alert.summary.ja)}\n>\n> {plain(alert.summary.en)}\n\n"
        f"**{alert.severity}**, {after}{held}; for {_WHO[alert.severity]}.\n\n"
        f"```\n{alert.expression}\n```",
    )


def index(text: str, alerts: Iterable[Alert]) -> str:
    """Give the page of all alerts with its table as it must be.

    Raises:
        ValueError: the page has no place for it.
    """
    rows = [
        f"| [{one.name}]({one.name}.md) | {one.severity} | {plain(one.summary.en)} "
        f"| {plain(one.summary.ja)} |"
        for one in alerts
    ]
    head = ("| alert | severity | it says | 内容 |", "|---|---|---|---|")
    return _between(text, "\n".join((*head, *rows)))


def plain(text: str) -> str:
    """Put the label's name where a summary quotes one.

    >>> plain("{{ $value | humanize }} wait in {{ $labels.queue }}.")
    '*value* wait in *queue*.'
    """
    return _QUOTED.sub(r"*\1*", text)


def _between(text: str, part: str) -> str:
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError("the page has no place for the rule")
    return f"{before}{BEGIN}\n{part}\n{END}{after}"
