"""The rows of a sheet and the shared strings of a workbook, as a stream that holds memory flat."""

import datetime as dt
import re
import tempfile
from array import array
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from typing import IO, NamedTuple

from hub.edge import files
from hub.edge.form import BadFile, FileFault
from hub.edge.workbook.book import Book
from hub.edge.workbook.parts import Target, parsed
from hub.limits import limits

_IN_MEMORY = 1 << 20
_PLACE = re.compile(r"([A-Z]{1,3})[0-9]{1,7}")
_ROW_PLACE = re.compile(r"[0-9]{1,10}")
_STYLE = re.compile(r"[0-9]{1,6}")
_MANY_DIGITS = 30
_FALSE_DAY = 60
"""1900-02-29, which spreadsheets count and the calendar does not have."""


class Cell(NamedTuple):
    """What a cell holds, as text; ``number`` says that the sheet has it as a number."""

    text: str
    number: bool = False


class SheetRow(NamedTuple):
    """A row by its number from 1, and its cells that hold something by column from 0."""

    number: int
    cells: Mapping[int, Cell]


class Strings:
    """The shared strings of a workbook by number, in a file that has no name."""

    def __init__(self, file: IO[bytes]) -> None:
        self._ends = array("Q", [0])
        self._file = file
        self._text = lru_cache(maxsize=4096)(self._read)
        self._most = limits().sheet_strings

    def __getitem__(self, number: int) -> str:
        return self._text(number)

    def add(self, text: str) -> None:
        """Take the next one.

        Raises:
            BadFile: there are too many.
        """
        if len(self._ends) > self._most:
            reason = f"the workbook has over {self._most} shared strings"
            raise BadFile(FileFault.TOO_MANY, reason)
        self._ends.append(self._ends[-1] + self._file.write(text.encode()))

    def _read(self, number: int) -> str:
        if not 0 <= number < len(self._ends) - 1:
            raise BadFile(FileFault.STRUCTURE, "a cell names a shared string that there is not")
        start, end = self._ends[number], self._ends[number + 1]
        self._file.seek(start)
        return self._file.read(end - start).decode()


_TEMPORARY = Path(tempfile.gettempdir())


@contextmanager
def shared_strings(book: Book) -> Iterator[Strings]:
    """Read the shared strings; more than a few lie on the disk while they are used.

    Raises:
        BadFile: there are too many, or one is too long.
        EdgeError: the disk for temporary files cannot be used.
    """
    with (
        files.mapped("cannot use", _TEMPORARY),
        tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file,
    ):
        strings = Strings(file)
        if book.strings:
            for text in parsed(book.archive, book.strings, _Shared()):
                strings.add(text)
        yield strings


def rows(book: Book, sheet: str, strings: Strings) -> Iterator[SheetRow]:
    """Stream the rows of a sheet that hold something.

    Raises:
        BadFile: there is no such sheet, it has a formula, or goes beyond a limit.
    """
    if sheet not in book.sheets:
        raise BadFile(FileFault.LAYOUT, f"the workbook lacks the sheet {sheet}")
    yield from parsed(book.archive, book.sheets[sheet], _Sheet(book, strings))


class _Shared(Target[str]):
    """Finds shared strings."""

    def _begin(self, name: str, attributes: Mapping[str, str]) -> None:
        pass

    def _end(self, name: str) -> None:
        if name == "si":
            self.found.append(self._taken())


class _Sheet(Target[SheetRow]):
    """Finds rows."""

    def __init__(self, book: Book, strings: Strings) -> None:
        super().__init__()
        self._book = book
        self._strings = strings
        self._row = 0
        self._column = -1
        self._kind = self._style = ""
        self._cells: dict[int, Cell] = {}

    def _begin(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "row":
            self._row = self._next_row(attributes.get("r", ""))
            self._column = -1
            self._cells = {}
        elif name == "c":
            self._column = self._next_column(attributes.get("r", ""))
            self._kind = attributes.get("t", "n")
            self._style = attributes.get("s", "0")
            self._taken()
        elif name == "f":
            reason = "a cell has a formula"
            raise BadFile(FileFault.FORBIDDEN, reason, self._row)

    def _end(self, name: str) -> None:
        if name == "c":
            text = self._taken()
            if text:
                self._keep(text)
        elif name == "row" and self._cells:
            self.found.append(SheetRow(self._row, self._cells))

    def _keep(self, text: str) -> None:
        if self._column >= self._limits.sheet_columns:
            reason = f"a row has over {self._limits.sheet_columns} columns"
            raise BadFile(FileFault.TOO_MANY, reason, self._row)
        try:
            cell = self._cell(text)
        except (ValueError, InvalidOperation):
            raise BadFile(FileFault.STRUCTURE, "a cell cannot be read", self._row) from None
        if cell.text:
            self._cells[self._column] = cell

    def _cell(self, text: str) -> Cell:
        match self._kind:
            case "inlineStr" | "str" | "e":
                return Cell(text)
            case "s":
                return Cell(self._strings[int(text)])
            case "b":
                return Cell({"1": "TRUE", "0": "FALSE"}.get(text, text))
            case "d":
                return Cell(text.removesuffix("T00:00:00"))
            case "n":
                return self._number(Decimal(text))
        raise ValueError(self._kind)

    def _number(self, number: Decimal) -> Cell:
        if not number.is_finite() or abs(number.adjusted()) > _MANY_DIGITS:
            return Cell(str(number))
        whole = number == number.to_integral_value()
        if whole and _STYLE.fullmatch(self._style) and int(self._style) in self._book.dates:
            return _day(int(number), self._book.epoch)
        return Cell(str(int(number)) if whole else f"{number:f}", number=True)

    def _next_row(self, place: str) -> int:
        if place and not _ROW_PLACE.fullmatch(place):
            raise BadFile(FileFault.STRUCTURE, "a row has no number", self._row)
        number = int(place) if place else self._row + 1
        if number <= self._row:
            raise BadFile(FileFault.STRUCTURE, "the rows are out of order", self._row)
        if number > self._limits.sheet_rows:
            reason = f"the sheet has over {self._limits.sheet_rows} rows"
            raise BadFile(FileFault.TOO_MANY, reason)
        return number

    def _next_column(self, place: str) -> int:
        found = _PLACE.fullmatch(place)
        if place and not found:
            raise BadFile(FileFault.STRUCTURE, "a cell has no place", self._row)
        column = _column(found[1]) if found else self._column + 1
        if column <= self._column:
            raise BadFile(FileFault.STRUCTURE, "the cells of a row are out of order", self._row)
        return column


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _day(serial: int, epoch: dt.date) -> Cell:
    """Turn a spreadsheet's day into the calendar's; one that the calendar lacks stays a number."""
    old = epoch.year < 1900  # noqa: PLR2004 - the older of the two ways to count
    if old and serial == _FALSE_DAY:
        return Cell(str(serial), number=True)
    try:
        days = dt.timedelta(days=serial + (1 if old and serial < _FALSE_DAY else 0))
        return Cell((epoch + days).isoformat())
    except OverflowError:
        return Cell(str(serial), number=True)
