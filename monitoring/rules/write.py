"""Writes alert rules, and the cases that they are tried by, as Prometheus's files.

JSON's strings are strings of YAML too, so every text is written as one.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence

from monitoring.rules.model import HELD, Alert, Case, Group

RULES_FILE = "alerts.yml"
TESTS_FILE, LONG_TESTS_FILE = "alerts_test.yml", "alerts_long_test.yml"
_MINUTE, _QUARTER = "1m", "15m"
_HEAD = "# Written by renkei docs from monitoring/rules; changes belong there.\n"
_FIRING = 'count(ALERTS{{alertname="{name}",alertstate="firing"}}) or vector(0)'


def rules(groups: Iterable[Group], runbooks: str = "") -> str:
    """Write the file of rules.

    ``runbooks`` is the address that an alert's name is put behind for its page; without it,
    an annotation has the page's path in the project.
    """
    lines = ["groups:"]
    for group in groups:
        lines += [f"  - name: {group.name}", "    rules:"]
        for alert in group.alerts:
            lines += _rule(alert, f"{runbooks}{alert.name}" if runbooks else alert.page)
    return _HEAD + "\n".join(lines) + "\n"


def is_address(text: str) -> bool:
    """Say whether pages can be at an address: one of a folder, and nothing of a template in it.

    >>> is_address("https://renkei.example:8443/help/"), is_address("renkei.example/help/")
    (True, False)
    """
    return re.fullmatch(r"https?://[\w.:\[\]-]+/([\w.~%/-]*/)?", text, re.ASCII) is not None


def tests(groups: Sequence[Group]) -> dict[str, str]:
    """Write what ``promtool test rules`` tries, by file: each case for itself.

    Cases after hours are evaluated every quarter of an hour: a minute's steps would take minutes.
    """
    short, long = _Tests(_MINUTE), _Tests(_QUARTER)
    for group in groups:
        for alert in group.alerts:
            for number, case in enumerate(alert.cases, 1):
                (long if case.at.endswith("h") else short).add(
                    f"{alert.name} {number}", alert, case
                )
    return {TESTS_FILE: short.text(), LONG_TESTS_FILE: long.text()}


def files(groups: Sequence[Group]) -> dict[str, str]:
    """Give every file of ``monitoring/prometheus`` that is written, by name."""
    return {RULES_FILE: rules(groups), **tests(groups)}


class _Tests:
    """The lines of one file of cases."""

    def __init__(self, every: str) -> None:
        self._lines = [
            "rule_files:",
            f"  - {RULES_FILE}",
            f"evaluation_interval: {every}",
            "tests:",
        ]

    def add(self, name: str, alert: Alert, case: Case) -> None:
        self._lines += [
            f"  - name: {_text(name)}",
            f"    interval: {_MINUTE}",
            "    input_series:" + ("" if case.series else " []"),
        ]
        for series, values in case.series.items():
            self._lines += [
                f"      - series: {_text(series)}",
                f"        values: {_text(values)}",
            ]
        self._lines += [
            "    promql_expr_test:",
            f"      - expr: {_text(_FIRING.format(name=alert.name))}",
            f"        eval_time: {case.at}",
            "        exp_samples:",
            '          - labels: "{}"',
            f"            value: {case.firing}",
        ]

    def text(self) -> str:
        return _HEAD + "\n".join(self._lines) + "\n"


def _rule(alert: Alert, page: str) -> Iterator[str]:
    yield f"      - alert: {alert.name}"
    yield f"        expr: {_text(alert.expression)}"
    if alert.hold != "0s":
        yield f"        for: {alert.hold}"
    yield "        labels:"
    yield f"          severity: {alert.severity}"
    if alert.held:
        yield f"          maintenance: {HELD}"
    yield "        annotations:"
    yield f"          summary: {_text(alert.summary.en)}"
    yield f"          summary_ja: {_text(alert.summary.ja)}"
    yield f"          runbook_url: {page}"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
