"""個人番号 that stand where they do not belong: in ids and in texts that a sender words freely.

What counts is a run of exactly twelve digits, in any script and not part of a longer run of
letters and digits that is plainly an identifier, whose last digit checks the others. About one
in eleven numbers of twelve digits has such a digit by chance. Not taken for one are

- twelve digits inside a hexadecimal text of 24 or more characters (digests, most random ids);
- the last group of a UUID;
- what begins with four zeros, such as a counter filled up to twelve places;
- a time of the form ``YYYYMMDDhhmm``.

Of all 個人番号, one in about five thousand begins so and is missed.
"""

import re
from collections.abc import Iterator

from schemas.numbers import MyNumber, my_number_check_digit

_HEX_ID_LENGTH = 24
_RUN = re.compile(r"(?<!\d)\d{12}(?!\d)")
_SPACED = re.compile(r"(?<!\d)\d{4}([ \u3000\-\u2010\u2212\uff0d])\d{4}\1\d{4}(?!\d)")
"""As on the card itself, where spaces stand between groups of four."""
_FOUR = re.compile(r"\d{4}")
"""Either has at least this."""
_HEX = re.compile(r"[0-9A-Fa-f]+")
_UUID = re.compile(
    r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![0-9A-Za-z])"
)
_TIME = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d")
_FILLED = "0000"


def holds_my_number(text: str) -> bool:
    """Say whether a text holds what is taken for a 個人番号.

    >>> holds_my_number("move-123456789018")
    True
    >>> holds_my_number("c0ffee00c0ffee123456789018c0ffee-7")
    False
    """
    # Nearly no text has twelve digits in a row; to see that is all that most texts cost.
    return _RUN.search(text) is not None and next(_spans(text, _RUN), None) is not None


def mask_my_numbers(text: str) -> str:
    """Put ``[個人番号]`` in place of each; here, groups of four count too.

    >>> mask_my_numbers("1234 5678 9018の件")
    '[個人番号]の件'
    """
    if _FOUR.search(text) is None:  # as nearly always, and much faster
        return text
    for pattern in (_RUN, _SPACED):
        for start, end in reversed(list(_spans(text, pattern))):
            text = f"{text[:start]}{MyNumber.MASK}{text[end:]}"
    return text


def _spans(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    identifiers: list[tuple[int, int]] | None = None
    for match in pattern.finditer(text):
        digits = "".join(str(int(one)) for one in match.group() if one.isdecimal())
        if not _is_my_number(digits):
            continue
        if identifiers is None:
            identifiers = list(_identifiers(text))
        if not any(start <= match.start() and match.end() <= end for start, end in identifiers):
            yield match.span()


def _is_my_number(digits: str) -> bool:
    if digits.startswith(_FILLED) or _TIME.fullmatch(digits):
        return False
    return my_number_check_digit(digits[:-1]) == digits[-1]


def _identifiers(text: str) -> Iterator[tuple[int, int]]:
    for match in _HEX.finditer(text):
        if len(match.group()) >= _HEX_ID_LENGTH:
            yield match.span()
    for match in _UUID.finditer(text):
        yield match.span()
