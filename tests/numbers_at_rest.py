"""Searches bytes for 個人番号, in every form in which a program may have written them down.

That is digits in UTF-8 and UTF-16, both as hexadecimal text, and all of these in base64 (also
the one for URLs), wherever in it they begin. Who asks gets how many numbers were found; the
numbers themselves are never shown.
"""

import base64
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

LENGTH = 12
_DIGITS = re.compile(rb"[0-9]{12,}")
_LITTLE = re.compile(rb"[0-9]\x00(?:[0-9]\x00){11,}")
_BIG = re.compile(rb"\x00[0-9](?:\x00[0-9]){11,}")
_DIGITS_IN_BASE64 = rb"[DTjz][AEIMQUYcgk][wxyz0-5](?:[MNO][DTjz][AEIMQUYcgk][wxyz0-5]){2}"
_WIDE_IN_BASE64 = rb"[AQgw]A[wxyz0-5]AD[AEIMQUYcgk]A[MNO][AQgw]A[wxyz0-5]AD[AEIMQUYcgk]A"
_IN_BASE64 = re.compile(rb"[MNO](?=%b|%b)" % (_DIGITS_IN_BASE64, _WIDE_IN_BASE64))
"""Where some digits stand in base64, in UTF-8 or UTF-16: mostly nowhere."""
_BEFORE, _BEHIND = 8, 136
"""A number's characters in base64 stand so far around such a place, in its longest form."""
_TEXT = re.compile(rb"[A-Za-z0-9+/_-]*")
_USUAL = bytes.maketrans(b"-_", b"+/")


class Numbers:
    """The numbers that are searched for."""

    def __init__(self, numbers: Iterable[str]) -> None:
        self._by_length: dict[int, dict[bytes, str]] = {}
        for number in numbers:
            for form in _as_digits(number):
                self._by_length.setdefault(len(form), {})[form] = number

    def found_in(self, content: bytes) -> set[str]:
        """Give those that stand in a content, in any form."""
        found = set(self._plain(content))
        for place in _IN_BASE64.finditer(content):
            found.update(self._plain(_decoded(content, place.start())))
        return found

    def found_in_files(self, folder: Path, passed_over: Collection[Path] = ()) -> dict[str, int]:
        """Search every file below a folder; say how many stand in each that holds any.

        What goes away meanwhile is passed over, and so is what lies below ``passed_over``.
        """
        hits = {}
        for file in sorted(folder.rglob("*")):
            if any(one == file or one in file.parents for one in passed_over):
                continue
            try:
                content = file.read_bytes() if file.is_file() else b""
            except FileNotFoundError:
                continue
            if count := len(self.found_in(content)):
                hits[str(file.relative_to(folder))] = count
        return hits

    def _plain(self, content: bytes) -> Iterator[str]:
        for run in _DIGITS.finditer(content):
            yield from self._in_digits(run.group())
        for run in _LITTLE.finditer(content):
            yield from self._in_digits(run.group()[::2])
        for run in _BIG.finditer(content):
            yield from self._in_digits(run.group()[1::2])

    def _in_digits(self, digits: bytes) -> Iterator[str]:
        for length, forms in self._by_length.items():
            for start in range(len(digits) - length + 1):
                number = forms.get(digits[start : start + length])
                if number is not None:
                    yield number


def _as_digits(number: str) -> Iterator[bytes]:
    """Give a number as it is and as hexadecimal text, which consists of digits as well."""
    yield number.encode()
    for encoding in ("ascii", "utf-16-le", "utf-16-be"):
        yield number.encode(encoding).hex().encode()


def _decoded(content: bytes, at: int) -> bytes:
    """Decode the base64 around a place where four characters are three bytes."""
    before = content[max(0, at - _BEFORE) : at]
    while before and (len(before) % 4 or not _TEXT.fullmatch(before)):
        before = before[1:]
    behind = _TEXT.match(content[at : at + _BEHIND])
    text = before + (behind.group() if behind else b"")
    whole = text[:-1] if len(text) % 4 == 1 else text
    return base64.b64decode(whole.translate(_USUAL) + b"=" * (-len(whole) % 4))
