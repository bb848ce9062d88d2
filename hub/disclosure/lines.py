"""Texts as lines of a printed page: which characters the page has, and where a line breaks.

The page uses the Japanese CID font that PDF readers bring themselves, so it prints what
Windows-31J (cp932) or Shift_JIS holds: all of it is in Adobe-Japan1. Anything else, and every
外字 (private use), is printed as 〓 with a number, and a note gives its code point.
"""

import re
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import NamedTuple

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont

from hub.disclosure.content import Code, Text

FONT = "HeiseiKakuGo-W5"
LATIN_FONT = "Helvetica"
CODE_FONT = "Courier"
"""ASCII is set in fonts that every reader has with the same widths."""
GAP = "〓"
_ALSO = frozenset("—")
"""EM DASH, as signed notes have it: in Adobe-Japan1, but not at this code point in cp932."""
_CODECS = ("cp932", "shift_jis")
_NEVER_FIRST = frozenset(
    "、。，．・：；？！）」』］〉》】ーゝゞ々ぁぃぅぇぉっゃゅょァィゥェォッャュョ…ん"
)
_NEVER_LAST = frozenset("（「『［〈《【〒")
_PARTS = re.compile(r"[-._/]?[^-._/]+|[-._/]")
"""Where a Latin word that is wider than a line is broken, if that is enough."""
_MEMORY = 20_000


class Run(NamedTuple):
    """Characters of one font, side by side."""

    font: str
    text: str


Line = tuple[Run, ...]


class _Piece(NamedTuple):
    """A piece of a text that differs from another one also by being code."""

    text: str
    code: bool


class _Unit(NamedTuple):
    """What no line is broken within, where it fits a line."""

    font: str
    text: str
    width: float


@dataclass(slots=True)
class Gaps:
    """The characters that could not be printed, numbered as they were met."""

    numbers: dict[str, int] = field(default_factory=dict)

    def filled(self, text: str) -> str:
        """Give a text that can be printed whole."""
        if all(is_printable(one) for one in text):
            return text
        return "".join(one if is_printable(one) else self._mark(one) for one in text)

    def notes(self) -> tuple[str, ...]:
        """Say which code point each number stands for."""
        return tuple(
            f"{GAP}［注{number}］は、文字コード U+{ord(one):04X} の文字です。"
            for one, number in self.numbers.items()
        )

    def _mark(self, character: str) -> str:
        number = self.numbers.setdefault(character, len(self.numbers) + 1)
        return f"{GAP}［注{number}］"


def register_font() -> None:
    """Make the Japanese font known to reportlab; its glyphs come from the reader."""
    if FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(FONT))


@cache
def is_printable(character: str) -> bool:
    """Say whether the page has this character; a line break counts as one."""
    if character == "\n" or character in _ALSO:
        return True
    if "\ue000" <= character <= "\uf8ff" or not character.isprintable():
        return character == "\u3000"
    return any(_encodes(character, codec) for codec in _CODECS)


def _encodes(character: str, codec: str) -> bool:
    try:
        character.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def broken(text: Text, size: float, most: float) -> tuple[Line, ...]:
    """Break a printable text into lines of at most this width, in points.

    Latin words stay whole where they fit a line. A closing mark begins no line and an opening
    one ends none, where another place is left.
    """
    pieces = tuple(_Piece(str(piece), isinstance(piece, Code)) for piece in text)
    return _broken(pieces, size, most)


@lru_cache(maxsize=_MEMORY)
def _broken(pieces: tuple[_Piece, ...], size: float, most: float) -> tuple[Line, ...]:
    lines: list[Line] = []
    line: list[_Unit] = []
    width = 0.0
    for unit in _units(pieces, size, most):
        if unit.text == "\n":
            lines.append(_joined(line))
            line, width = [], 0.0
            continue
        if line and width + unit.width > most:
            carried = _carried(line, unit)
            lines.append(_joined(line))
            line = carried
            width = sum(one.width for one in line)
        line.append(unit)
        width += unit.width
    return (*lines, _joined(line))


def _carried(line: list[_Unit], coming: _Unit) -> list[_Unit]:
    """Take from a line's end what must stand with the unit that comes on the next line."""
    carried: list[_Unit] = []
    first = coming
    while len(line) > 1 and (first.text[0] in _NEVER_FIRST or line[-1].text[-1] in _NEVER_LAST):
        first = line.pop()
        carried.insert(0, first)
    return carried


def _units(pieces: tuple[_Piece, ...], size: float, most: float) -> list[_Unit]:
    units: list[_Unit] = []
    for piece in pieces:
        for word in _words(piece.text):
            font = _font(word, code=piece.code)
            width = _width(word, font) * size
            if width <= most:
                units.append(_Unit(font, word, width))
            else:
                parts = _PARTS.findall(word)
                fitting = all(_width(part, font) * size <= most for part in parts)
                units += (
                    _Unit(font, one, _width(one, font) * size)
                    for one in (parts if fitting else word)
                )
    return units


def _words(text: str) -> list[str]:
    """Split a text into Latin words and single other characters."""
    words: list[str] = []
    for character in text:
        latin = "!" <= character <= "~"
        if latin and words and "!" <= words[-1][-1] <= "~":
            words[-1] += character
        else:
            words.append(character)
    return words


def _font(word: str, *, code: bool) -> str:
    if not word.isascii():
        return FONT
    return CODE_FONT if code else LATIN_FONT


@lru_cache(maxsize=_MEMORY)
def _width(text: str, font: str) -> float:
    return float(pdfmetrics.stringWidth(text, font, 1))


def _joined(units: list[_Unit]) -> Line:
    runs: list[Run] = []
    for unit in units:
        if runs and runs[-1].font == unit.font:
            runs[-1] = Run(unit.font, runs[-1].text + unit.text)
        else:
            runs.append(Run(unit.font, unit.text))
    return tuple(runs)
