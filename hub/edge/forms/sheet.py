"""Workbooks of spreadsheets (``schemas.layout``): one table of texts, under its columns' names.

Columns may stand in any order, and others beside them are not read. What a person typed into a
cell as a number comes without the zeros before it, so a column that the layout fills with zeros
gets them back; one that shows a day comes as ``YYYY-MM-DD``.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hub.edge.archives import safexml
from hub.edge.delimited import opened
from hub.edge.filetime import made_at
from hub.edge.form import BadFile, FileFacts, FileFault, Header, Unfinished
from hub.edge.groups import Group, GroupSizes, groups
from hub.edge.kit import BadRecord, Row, Unencodable, Unwritable
from hub.edge.records import Parsed, ensure_writable, first_fault
from hub.edge.workbook import writing
from hub.edge.workbook.book import Book, open_book
from hub.edge.workbook.cells import Cell, SheetRow, rows, shared_strings
from schemas.layout import Column, Encoding, Layout

_NOTHING = Cell("")


@dataclass(frozen=True, slots=True)
class Sheet:
    """The form ``sheet``; a workbook has an encoding of its own."""

    layout: Layout
    suffix: str = ".xlsx"
    single: bool = False

    def check(self, path: Path, encoding: Encoding | None, *, settled: bool) -> FileFacts:
        """Judge a file as a whole (``hub.edge.form.Form``)."""
        del encoding
        with opened(path) as file:
            try:
                records = self._counted(file)
            except BadFile as bad:
                if not settled and bad.code in {FileFault.EMPTY, FileFault.TRUNCATED}:
                    raise Unfinished(bad.reason) from bad
                raise
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return FileFacts(digest, Header(made_at(path)), records)

    def _counted(self, file: BinaryIO) -> int:
        sizes = GroupSizes(self.layout)
        records = 0
        for row, _ in self._records(file):
            records += 1
            if sizes.too_large_with(row.values.get(self.layout.group_by or "", "")):
                raise BadFile(FileFault.GROUP_TOO_LARGE, sizes.reason, row.line)
        return records

    def groups(self, path: Path, encoding: Encoding | None) -> Iterator[Group]:
        """Read the records of a checked file in groups (``hub.edge.form.Form``)."""
        del encoding
        with opened(path) as file:
            yield from groups(self._records(file), self.layout)

    def _records(self, file: BinaryIO) -> Iterator[Parsed]:
        with _sheets(file, self.layout) as found:
            places: Mapping[str, int] | None = None
            number = 0
            for row in found:
                if places is None:
                    places = _places(self.layout.columns, row)
                    continue
                number += 1
                yield _parsed(self.layout.columns, places, number, row)
            if places is None:
                raise BadFile(FileFault.HEADER, "the sheet has no row of the columns' names")

    def encoder(self, encoding: Encoding | None) -> "SheetEncoder":
        """Make a writer (``hub.edge.form.Form``)."""
        del encoding
        return SheetEncoder(self.layout)


@contextmanager
def _sheets(file: BinaryIO, layout: Layout) -> Iterator[Iterator[SheetRow]]:
    """Open the sheet with the records; the others must be there."""
    book: Book = open_book(file)
    for name in layout.sheets:
        if name not in book.sheets:
            raise BadFile(FileFault.LAYOUT, f"the workbook lacks the sheet {name}")
    with shared_strings(book) as strings:
        yield rows(book, layout.sheets[0], strings)


def _places(columns: Sequence[Column], row: SheetRow) -> Mapping[str, int]:
    """Find the layout's columns by the names in the first row that holds something."""
    names = [cell.text for cell in row.cells.values()]
    for column in columns:
        if names.count(column.name) != 1:
            reason = f"the column {column.name} is missing, or there twice"
            raise BadFile(FileFault.HEADER, reason, row.number)
    places = {cell.text: place for place, cell in row.cells.items()}
    return {column.field: places[column.name] for column in columns}


def _parsed(
    columns: Sequence[Column], places: Mapping[str, int], number: int, row: SheetRow
) -> Parsed:
    values = {
        column.field: _text(column, row.cells.get(places[column.field], _NOTHING))
        for column in columns
    }
    fault = first_fault(columns, values)
    if fault is None:
        return Parsed(Row(number, row.number, values), None)
    return Parsed(
        Row(number, row.number, values, sound=False), BadRecord(number, row.number, *fault)
    )


def _text(column: Column, cell: Cell) -> str:
    if cell.number and column.padding == "zero":
        return cell.text.zfill(column.width)
    return cell.text


@dataclass(frozen=True, slots=True)
class SheetEncoder:
    """Writes workbooks."""

    layout: Layout

    def record(self, values: Mapping[str, str]) -> bytes:
        """Write a data record (``hub.edge.form.Encoder``)."""
        ensure_writable(self.layout, values)
        fields = [column.field for column in self.layout.columns]
        for field in fields:
            if not safexml.LACKING.isdisjoint(values[field]):
                raise Unencodable(field, "a workbook", safexml.LACKING.intersection(values[field]))
        if not any(values.values()):
            raise Unwritable(fields[0], "an empty row is no record")
        return writing.row(values[field] for field in fields)

    def framed(self, header: Header, records: Iterable[bytes]) -> Iterator[bytes]:
        """Give the bytes of a whole workbook, which has no place for a header."""
        del header
        names = writing.row(column.name for column in self.layout.columns)
        yield from writing.workbook(self.layout.sheets, _with(names, records))


def _with(names: bytes, records: Iterable[bytes]) -> Iterator[bytes]:
    yield names
    yield from records
