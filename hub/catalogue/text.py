"""How wide a text is, and where it may be broken, without any font at hand."""

import unicodedata
from collections.abc import Iterator

_WIDE = frozenset("WFA")
_NARROW_SHARE = 0.53
_NEVER_FIRST = "、。，．・：；）」』］〉》ー…"
_NEVER_LAST = "（「『［〈《"


def width(text: str, size: float) -> float:
    """Guess how wide a text is in a font of this size: full-width characters fill a square.

    >>> width("情報", 12)
    24.0
    """
    return sum(size if _is_wide(one) else size * _NARROW_SHARE for one in text)


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in _WIDE


def _is_katakana(character: str) -> bool:
    return "゠" <= character <= "ヿ"


def wrap(text: str, size: float, most: float) -> list[str]:
    """Break a text into lines of at most this width.

    Words, katakana and what stands in ［］ are kept whole where they fit a line; other Japanese
    breaks anywhere but before a closing or after an opening mark. A Latin word wider than a
    line stands alone.
    """
    lines: list[str] = []
    line = ""
    for piece in _fitting(text, size, most):
        if line and width((line + piece).rstrip(), size) > most:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def _fitting(text: str, size: float, most: float) -> Iterator[str]:
    for piece in _pieces(text):
        if width(piece, size) > most and _is_wide(piece[0]):
            yield from piece
        else:
            yield piece


def _pieces(text: str) -> Iterator[str]:
    """Give the parts between which a line may be broken."""
    piece = ""
    for character in text:
        open_bracket = piece.startswith("［") and not piece.endswith("］")
        joined = not piece or open_bracket or not _breaks(piece[-1], character)
        if joined:
            piece += character
        else:
            yield piece
            piece = character
    if piece:
        yield piece


def _breaks(before: str, after: str) -> bool:
    if after in _NEVER_FIRST or before in _NEVER_LAST:
        return False
    if _is_katakana(before) and _is_katakana(after):
        return False
    return before == " " or (after != " " and (_is_wide(before) or _is_wide(after)))
