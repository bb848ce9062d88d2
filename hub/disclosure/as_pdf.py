"""A disclosure, or another paper, as PDF: A4, page numbers, an outline, repeated table heads.

Texts are drawn as they are, never read as markup. The font is not embedded: readers bring the
Japanese CID font, or one of their own in its place (``hub.disclosure.lines``).
"""

from collections.abc import Iterable
from functools import partial

from hub.clock import JST
from hub.disclosure import words
from hub.disclosure.content import (
    Block,
    Bullets,
    Code,
    Grid,
    Heading,
    Pairs,
    Paragraph,
    Text,
    Verbatim,
    blocks,
)
from hub.disclosure.lines import Gaps, Line, broken, register_font
from hub.disclosure.model import Disclosure
from hub.disclosure.paper import Paper
from hub.disclosure.sheet import PAGE, WIDTH, Cell, Imprint, Sheets, inner

_BODY = 11
_TABLE = 10
_SIZES = {1: 16, 2: 14, 3: 12}
_SPACE = 6
_GAP = 2
_BULLET = "・"
_HEAD_SHARE = 24
_HUNDRED = 100
_KEPT = {1: 0, 2: 7, 3: 18}
"""A heading of a level stands on no page without this many lines below it."""
_KEPT_CAPTION = 7


def render(of: Disclosure, *, compress: bool = True) -> bytes:
    """Write a disclosure as PDF; the same disclosure gives the same bytes.

    ``compress`` packs the pages' contents; without it they can be read in the file.
    """
    foot = f"授受簿の記録の開示　宛名番号 {of.addressee_number}"
    paper = Paper(words.TITLE, of.city, of.office, foot, of.made_at, tuple(blocks(of)))
    return printed(paper, compress=compress)


def printed(paper: Paper, *, compress: bool = True) -> bytes:
    """Write a paper as PDF; the same paper gives the same bytes."""
    register_font()
    page = _Page(paper, compress=compress)
    page.heading(paper.title, 1)
    page.lines((f"{paper.city} {paper.office}",), _BODY)
    for block in paper.blocks:
        page.block(block)
    page.notes()
    return page.finished()


class _Page:
    """Draws blocks on sheets, and remembers what could not be printed."""

    def __init__(self, of: Paper, *, compress: bool) -> None:
        self._gaps = Gaps()
        imprint = Imprint(
            self._gaps.filled(of.title),
            self._gaps.filled(f"{of.city} {of.office}"),
            of.made_at.astimezone(JST),
        )
        self._sheets = Sheets(imprint, self._gaps.filled(of.foot), compress=compress)

    def finished(self) -> bytes:
        """Give the file."""
        return self._sheets.finished()

    def block(self, block: Block) -> None:
        """Draw a block below the last one."""
        match block:
            case Heading(text, level):
                self.heading(text, level)
            case Paragraph(text):
                self.lines((text,), _BODY)
            case Bullets(items):
                self._bullets(items)
            case Verbatim(text):
                self.lines(tuple(self._code(text)), _TABLE)
            case Pairs():
                self._pairs(block)
            case Grid():
                self._grid(block)

    def heading(self, text: str, level: int) -> None:
        """Draw a heading, and enter it in the outline."""
        size = _SIZES[level]
        lines = self._broken((text,), size, WIDTH)
        self._sheets.space(2 * _SPACE)
        self._keep(self._sheets.height(len(lines), size), _KEPT[level])
        if level > 1:
            self._sheets.mark(self._gaps.filled(text), level - 2)
        self._sheets.paragraph(lines, size, bold=True)

    def lines(self, text: Text, size: float) -> None:
        """Draw a paragraph."""
        self._sheets.space(_SPACE)
        self._sheets.paragraph(self._broken(text, size, WIDTH), size)

    def notes(self) -> None:
        """Say what the characters are that could not be printed."""
        notes = self._gaps.notes()
        if not notes:
            return
        self.heading("注　印字できない文字", 2)
        for note in notes:
            self.lines((note,), _BODY)

    def _bullets(self, items: Iterable[str]) -> None:
        for item in items:
            self._sheets.space(_SPACE / 2)
            lines = self._broken((item,), _BODY, WIDTH - _BODY)
            first, *others = lines
            marked = (*self._broken((_BULLET,), _BODY, WIDTH)[0], *first)
            self._sheets.paragraph([marked], _BODY)
            self._sheets.paragraph(others, _BODY, indent=_BODY)

    def _pairs(self, table: Pairs) -> None:
        widths = _widths((_HEAD_SHARE, _HUNDRED - _HEAD_SHARE))
        rows = [
            (
                self._cell((head,), widths[0], head=True),
                self._cell(text, widths[1], head=False),
            )
            for head, text in table.rows
        ]
        if (height := self._height(rows)) < PAGE / 2:
            self._sheets.need(height)
        self._caption(table.caption)
        for cells in rows:
            self._sheets.row(cells, widths, _TABLE)
        self._sheets.space(_SPACE)

    def _height(self, rows: Iterable[tuple[Cell, ...]]) -> float:
        """Give the height of rows and a caption."""
        counts = [max(len(cell.lines) for cell in cells) for cells in rows]
        caption = self._sheets.height(1, _BODY) + _SPACE + _GAP
        return caption + sum(self._sheets.height(count, _TABLE) for count in counts)

    def _grid(self, table: Grid) -> None:
        widths = _widths(column.share for column in table.columns)
        self._caption(table.caption)
        heads = tuple(
            self._cell((column.head,), width, head=True)
            for column, width in zip(table.columns, widths, strict=True)
        )
        self._sheets.row(heads, widths, _TABLE)
        plain = partial(self._cell, head=False)
        for row in table.rows:
            self._sheets.row(tuple(map(plain, row, widths)), widths, _TABLE, heads)
        self._sheets.space(_SPACE)

    def _caption(self, text: str) -> None:
        lines = self._broken((text,), _BODY, WIDTH)
        self._sheets.space(_SPACE)
        self._keep(self._sheets.height(len(lines), _BODY), _KEPT_CAPTION)
        self._sheets.paragraph(lines, _BODY, bold=True)
        self._sheets.space(_GAP)

    def _keep(self, height: float, below: int) -> None:
        self._sheets.need(height + self._sheets.height(below, _TABLE))

    def _cell(self, text: Text, width: float, *, head: bool) -> Cell:
        return Cell(self._broken(text, _TABLE, inner(width)), head)

    def _broken(self, text: Text, size: float, most: float) -> tuple[Line, ...]:
        return broken(tuple(map(self._filled, text)), size, most)

    def _filled(self, piece: str) -> str:
        filled = self._gaps.filled(piece)
        return Code(filled) if isinstance(piece, Code) else filled

    def _code(self, text: str) -> Iterable[str]:
        return (Code(line) for line in text.splitlines(keepends=True))


def _widths(shares: Iterable[int]) -> tuple[float, ...]:
    return tuple(WIDTH * share / _HUNDRED for share in shares)
