"""Which metrics and labels an expression of Prometheus asks for."""

import re
from collections.abc import Iterator

_METRIC = re.compile(r"\b(up|ALERTS|(?:renkei|process|python)_[a-z_0-9]+)(\{[^}]*\})?")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")
_BY = re.compile(r"\b(?:by|on|without|ignoring) ?\(([^)]*)\)")


def asked(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Give each metric with the labels by which it is chosen."""
    for name, matchers in _METRIC.findall(expression):
        yield name, set(_MATCHER.findall(matchers))


def grouped(expression: str) -> set[str]:
    """Give the labels by which an expression groups."""
    return {one.strip() for part in _BY.findall(expression) for one in part.split(",")}
