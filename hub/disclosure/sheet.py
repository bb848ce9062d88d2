"""A4 sheets that fill from the top: lines, rows of cells, and a new page where one is needed."""

import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from hub.disclosure.lines import LATIN_FONT, Line, broken

_MM = 72 / 25.4
LEFT = 15 * _MM
WIDTH = A4[0] - 2 * LEFT
_TOP = A4[1] - 15 * _MM
_BOTTOM = 20 * _MM
PAGE = _TOP - _BOTTOM
_FOOT = 11 * _MM
_FOOT_SIZE = 10
_LEADING = 1.5
_PAD = 4
_SHADE = 0.92
_RULE = 0.5
_DROP = 0.12
"""How far a baseline is raised, in sizes, so that glyphs stand in the middle of their line."""
_FILL_AND_STROKE = 2
"""A text rendering mode of PDF; the font has no bold face, so a bold line is stroked too."""
_STROKE = 0.25
_TOTAL = "total"
_TOTAL_WIDTH = 56


@dataclass(frozen=True, slots=True)
class Cell:
    """The lines of a cell, and whether it is shaded as a head is."""

    lines: tuple[Line, ...]
    head: bool = False


@dataclass(frozen=True, slots=True)
class Imprint:
    """What the file says of itself: title, author, and when it was made."""

    title: str
    author: str
    made_at: dt.datetime


class Sheets:
    """The pages of one file.

    ``foot`` stands at the foot of every page, so that loose sheets can be told apart; beside
    it the page's number and their total, which is drawn once, at the end.
    """

    def __init__(self, imprint: Imprint, foot: str, *, compress: bool) -> None:
        self._buffer = io.BytesIO()
        self._canvas = Canvas(
            self._buffer, pagesize=A4, pageCompression=int(compress), invariant=1, lang="ja"
        )
        self._foot = foot
        self._codes: dict[tuple[Line, float, bool], str] = {}
        self._page = 1
        self._y = _TOP
        self._describe(imprint)

    def space(self, height: float) -> None:
        """Leave room, unless a page has just begun."""
        if self._y < _TOP:
            self._y -= height

    def need(self, height: float) -> None:
        """Begin a new page where this height is not left on the current one."""
        if self._y - height < _BOTTOM and self._y < _TOP:
            self._turn()

    def mark(self, title: str, level: int) -> None:
        """Enter the current place in the file's outline."""
        key = f"{self._page}-{self._y:.1f}"
        self._canvas.bookmarkHorizontal(key, 0, self._y)
        self._canvas.addOutlineEntry(title, key, level)

    def paragraph(
        self, lines: Sequence[Line], size: float, indent: float = 0, *, bold: bool = False
    ) -> None:
        """Set lines below one another."""
        for line in lines:
            self.need(size * _LEADING)
            self._y -= size * _LEADING
            self._set(line, LEFT + indent, self._y + size * (_LEADING - 1) / 2, size, bold=bold)

    def row(
        self,
        cells: Sequence[Cell],
        widths: Sequence[float],
        size: float,
        heads: Sequence[Cell] = (),
    ) -> None:
        """Set a row of cells; ``heads`` are repeated where it begins or goes on on a new page.

        A row is kept on one page unless it is higher than a page.
        """
        at, most = 0, max(len(cell.lines) for cell in cells)
        if self._fit(size) < most and self._y < _TOP:
            self._turn_with(heads, widths, size)
        while at < most:
            count = min(most - at, max(1, self._fit(size)))
            self._cells([_part(cell, at, count) for cell in cells], widths, size, count)
            at += count
            if at < most:
                self._turn_with(heads, widths, size)

    def height(self, lines: int, size: float) -> float:
        """Give the height of a row, or of a paragraph, of so many lines."""
        return lines * size * _LEADING + 2 * _PAD

    def finished(self) -> bytes:
        """End the last page, and give the file."""
        self._end_page()
        self._canvas.beginForm(_TOTAL, 0, -_FOOT_SIZE, _TOTAL_WIDTH, 2 * _FOOT_SIZE)
        self._set(_foot(f"{self._page} ページ"), 0, 0, _FOOT_SIZE)
        self._canvas.endForm()
        self._canvas.save()
        return self._buffer.getvalue()

    def _describe(self, imprint: Imprint) -> None:
        canvas, at = self._canvas, imprint.made_at
        offset = f"{at:%z}"
        stamp = f"D:{at:%Y%m%d%H%M%S}{offset[:3]}'{offset[3:5]}'"
        canvas.setDateFormatter(lambda *_: stamp)
        canvas.setTitle(imprint.title)
        canvas.setAuthor(imprint.author)
        canvas.setSubject(imprint.title)
        canvas.setCreator("Renkei Hub")
        canvas.setProducer("ReportLab")
        canvas.setViewerPreference("DisplayDocTitle", "true")

    def _fit(self, size: float) -> int:
        """Give how many lines a row may have on what is left of the page."""
        return int((self._y - _BOTTOM - 2 * _PAD) / (size * _LEADING))

    def _turn_with(self, heads: Sequence[Cell], widths: Sequence[float], size: float) -> None:
        self._turn()
        if heads:
            count = max(len(cell.lines) for cell in heads)
            self._cells(heads, widths, size, count)

    def _cells(
        self, cells: Sequence[Cell], widths: Sequence[float], size: float, count: int
    ) -> None:
        height = self.height(count, size)
        bottom = self._y - height
        x = LEFT
        for cell, width in zip(cells, widths, strict=True):
            paint = f"{_SHADE} g {x:.2f} {bottom:.2f} {width:.2f} {height:.2f} re B"
            plain = f"{x:.2f} {bottom:.2f} {width:.2f} {height:.2f} re S"
            self._canvas.addLiteral(f"q {_RULE} w {paint if cell.head else plain} Q")
            y = self._y - _PAD - size * (_LEADING + 1) / 2 + size * _DROP
            for line in cell.lines:
                self._set(line, x + _PAD, y, size)
                y -= size * _LEADING
            x += width
        self._y = bottom

    def _set(self, line: Line, x: float, y: float, size: float, *, bold: bool = False) -> None:
        if line:
            code = self._code(line, size, bold=bold)
            self._canvas.addLiteral(f"q 1 0 0 1 {x:.2f} {y:.2f} cm {code} Q")

    def _code(self, line: Line, size: float, *, bold: bool) -> str:
        """Give the PDF operators of a line at the origin; lines recur, so they are kept."""
        key = line, size, bold
        if key not in self._codes:
            text = self._canvas.beginText(0, 0)
            if bold:
                text.setTextRenderMode(_FILL_AND_STROKE)
            for run in line:
                text.setFont(run.font, size)
                text.textOut(run.text)
            code = text.getCode()
            self._codes[key] = f"{_STROKE} w {code}" if bold else code
        return self._codes[key]

    def _turn(self) -> None:
        self._end_page()
        self._page += 1
        self._y = _TOP

    def _end_page(self) -> None:
        right = LEFT + WIDTH - _TOTAL_WIDTH
        self._set(_foot(self._foot), LEFT, _FOOT, _FOOT_SIZE)
        self._canvas.setFont(LATIN_FONT, _FOOT_SIZE)
        self._canvas.drawRightString(right, _FOOT, f"{self._page} / ")
        self._canvas.saveState()
        self._canvas.translate(right, _FOOT)
        self._canvas.doForm(_TOTAL)
        self._canvas.restoreState()
        self._canvas.showPage()


def inner(width: float) -> float:
    """Give how wide the lines of a cell may be."""
    return width - 2 * _PAD


def _foot(text: str) -> Line:
    """Give the one line of a foot."""
    return broken((text,), _FOOT_SIZE, WIDTH - 2 * _TOTAL_WIDTH)[0]


def _part(cell: Cell, at: int, count: int) -> Cell:
    return Cell(cell.lines[at : at + count], cell.head)
