"""The records of a delimited file: one line each, split, checked, joined and encoded.

Reader and writer share ``column_fault``, so that nothing is written which the reader of the
same layout would refuse.
"""

import csv
import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from hub.edge.kit import BadRecord, Row, Unencodable, Unwritable
from hub.limits import limits
from schemas.layout import Column, Encoding, Kind, Layout

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""What no value may have: control characters and line breaks."""

_INTEGER = re.compile(r"-?[0-9]+")
_MONTH_LENGTH = 7


class Parsed(NamedTuple):
    """A data record, and why the layout refuses it (``None`` when it does not).

    The row of a refused record is not ``sound``, and still has what could be read of it, so
    that its household is not taken for smaller than it is. Where the columns themselves
    cannot be told apart, all its values are empty.
    """

    row: Row
    fault: BadRecord | None


def column_fault(column: Column, text: str) -> str | None:
    """Say what a layout has against a value, without the value; ``None`` for nothing."""
    if not text:
        return "is required" if column.required else None
    if not text.isprintable() and CONTROL.search(text):
        return "has a control character or line break"
    if len(text) > column.width:
        return f"is longer than {column.width} characters"
    if column.codes and text not in column.codes:
        return "is not one of the layout's codes"
    if column.padding == "zero" and len(text) != column.width:
        return f"is not filled with zeros to {column.width} digits"
    return _kind_fault(column.kind, text)


def _kind_fault(kind: Kind, text: str) -> str | None:
    if kind is Kind.DIGITS and not (text.isascii() and text.isdigit()):
        return "is not all ASCII digits"
    if kind is Kind.INTEGER and not _INTEGER.fullmatch(text):
        return "is not a whole number"
    if kind in _TIMES and not _is_time(_TIMES[kind], text):
        return f"is no {kind}"
    return None


_TIMES: Mapping[Kind, str] = {
    Kind.DAY: r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    Kind.MONTH: r"[0-9]{4}-[0-9]{2}",
    Kind.MOMENT: r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,15}(Z|[+-][0-9]{2}:[0-9]{2})",
}


def _is_time(pattern: str, text: str) -> bool:
    if not re.fullmatch(pattern, text):
        return False
    try:
        dt.datetime.fromisoformat(f"{text}-01" if len(text) == _MONTH_LENGTH else text)
    except ValueError:
        return False
    return True


def split(text: str) -> list[str] | None:
    """Split a line at its commas (RFC 4180); ``None`` when its quotes are wrong."""
    if '"' not in text:
        return text.split(",")
    if "\r" in text:  # the csv module would take it for the line's end
        return None
    try:
        return next(csv.reader((text,), strict=True))
    except (csv.Error, StopIteration):
        return None


def record_parser(layout: Layout) -> Callable[[int, int, str], Parsed]:
    """Make a function that reads a data record: (record number, line number, text)."""
    columns = layout.columns
    names = tuple(column.field for column in columns)
    nothing = dict.fromkeys(names, "")

    def shapeless(number: int, line: int, reason: str) -> Parsed:
        return Parsed(Row(number, line, nothing, sound=False), BadRecord(number, line, "", reason))

    def parse(number: int, line: int, text: str) -> Parsed:
        parts = split(text)
        if parts is None:
            return shapeless(number, line, "the quotes of the record are wrong")
        if len(parts) != len(columns) + 1:
            reason = f"the record has {len(parts) - 1} columns instead of {len(columns)}"
            return shapeless(number, line, reason)
        values = dict(zip(names, parts[1:], strict=True))
        fault = first_fault(columns, values)
        if fault is None:
            return Parsed(Row(number, line, values), None)
        return Parsed(Row(number, line, values, sound=False), BadRecord(number, line, *fault))

    return parse


def first_fault(columns: Iterable[Column], values: Mapping[str, str]) -> tuple[str, str] | None:
    """Give the first field that a layout refuses, and why; ``None`` for none."""
    for column in columns:
        reason = column_fault(column, values[column.field])
        if reason is not None:
            return column.field, reason
    return None


def ensure_fields(fields: AbstractSet[str], values: Mapping[str, str]) -> None:
    """Make sure that a writer is given all fields of its layout, and no other.

    Raises:
        Unwritable: it is not.
    """
    if values.keys() != fields:
        raise Unwritable(min(values.keys() ^ fields), "is not given, or no field of the layout")


def ensure_writable(layout: Layout, values: Mapping[str, str]) -> None:
    """Make sure that a reader of the same layout would take a record.

    Raises:
        Unwritable: it would not.
    """
    ensure_fields(layout.fields, values)
    fault = first_fault(layout.columns, values)
    if fault is not None:
        raise Unwritable(*fault)


class RecordEncoder:
    """Writes the lines of one layout in one encoding; each method gives bytes with CRLF.

    Its methods raise ``Unwritable`` for a value that a reader would refuse or not get back, and
    of these ``Unencodable`` for one with a character that the encoding lacks.
    """

    def __init__(self, layout: Layout, encoding: Encoding | None = None) -> None:
        self.layout = layout
        self._encoding = encoding or layout.encoding
        self._most_bytes = limits().line_bytes

    def record(self, values: Mapping[str, str]) -> bytes:
        """Write a data record; ``values`` has exactly the layout's fields."""
        ensure_writable(self.layout, values)
        parts = {"": "D"}  # no column has this name
        parts.update((column.field, values[column.field]) for column in self.layout.columns)
        line = self.line(parts)
        if len(line) > self._most_bytes:
            raise Unwritable("", f"the record has over {self._most_bytes} bytes")
        return line

    def line(self, parts: Mapping[str, str]) -> bytes:
        """Write any parts, by name, as one line."""
        text = ",".join(map(quoted, parts.values())) + "\r\n"
        line = self._kept(text)
        if line is None:
            field = next(name for name, part in parts.items() if self._kept(part) is None)
            lacking = [one for one in parts[field] if self._kept(one) is None]
            raise Unencodable(field, self._encoding, lacking)
        return line

    def _kept(self, text: str) -> bytes | None:
        # cp932 turns some characters (¥, ‾) into others without an error: read it back.
        try:
            encoded = text.encode(self._encoding)
        except UnicodeEncodeError:
            return None
        return encoded if encoded.decode(self._encoding) == text else None


def quoted(text: str) -> str:
    """Put a value in quotes where RFC 4180 asks for them."""
    if "," in text or '"' in text:
        return '"' + text.replace('"', '""') + '"'
    return text
