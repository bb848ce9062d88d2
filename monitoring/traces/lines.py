"""Writes spans into a file, one a line, for a site without a collector.

Each line is a whole request of OTLP in its JSON form, as OpenTelemetry's file exporter has it, so
that a collector can read the file later.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monitoring.traces.told import Told

FILE_BYTES = 64 * 2**20
"""A file of more is put aside as ``….1``, in place of the one before: nobody fills a disk."""
SCOPE = "renkei"
_INTERNAL, _ERROR = 1, 2


class Lines:
    """A file of spans of one process; ``resource`` says which."""

    def __init__(self, path: Path, resource: dict[str, str], most: int = FILE_BYTES) -> None:
        """Write to ``path``, which need not be there."""
        self._path = path
        self._resource = {"attributes": _attributes(resource)}
        self._most = most

    def send(self, spans: Sequence[Told]) -> str:
        """Append them; say why that failed, or nothing."""
        text = "".join(f"{json.dumps(self._line(span))}\n" for span in spans)
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with open(handle, "a", encoding="utf-8") as file:  # noqa: PTH123 - with its mode
                file.write(text)
                size = file.tell()
            if size > self._most:
                self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        except OSError as error:
            return f"{self._path}: {error.strerror}"
        return ""

    def close(self) -> None:
        """Nothing is under way for long."""

    def _line(self, span: Told) -> dict[str, Any]:
        scope = {"scope": {"name": SCOPE}, "spans": [_span(span)]}
        return {"resourceSpans": [{"resource": self._resource, "scopeSpans": [scope]}]}


def _span(span: Told) -> dict[str, Any]:
    said: dict[str, Any] = {"traceId": span.trace, "spanId": span.span}
    if span.parent:
        said["parentSpanId"] = span.parent
    said |= {
        "name": span.step.value,
        "kind": _INTERNAL,
        "startTimeUnixNano": str(span.began),
        "endTimeUnixNano": str(span.ended),
        "attributes": _attributes(span.facts),
    }
    return said | ({"status": {"code": _ERROR}} if span.failed else {})


def _attributes(facts: Mapping[Any, str | int]) -> list[dict[str, Any]]:
    return [{"key": str(key), "value": _value(value)} for key, value in facts.items()]


def _value(value: str | int) -> dict[str, str]:
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}
