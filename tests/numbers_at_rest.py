"""Searches bytes for 個人番号, in every form in which a program may have written them down.

That is digits in UTF-8 and UTF-16, both as hexadecimal text, and all of these in base64 (also
the one for URLs), wherever in it they begin. Who asks gets how many numbers were found; the
numbers themselves are never shown.
"""

import base64
import re
from collections.abc import Collection, Iterator
from pathlib import Path

LENGTH = 12
_DIGITS = re.compile(rb"[0-9]{12,}")
_LITTLE = re.compile(rb"(?:[0-9]\x00){12,}")
_BIG = re.compile(rb"(?:\x00[0-9]){12,}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}")
_USUAL = bytes.maketrans(b"-_", b"+/")
_HEX, _HEX_16 = 2 * LENGTH, 4 * LENGTH


def numbers_in(content: bytes, numbers: Collection[str]) -> set[str]:
    """Give which of these numbers stand in a content, in any form."""
    found = set(_plain(content, numbers))
    for run in _BASE64.finditer(content):
        text = run.group().translate(_USUAL)
        for start in range(4):
            found.update(_plain(_decoded(text[start:]), numbers))
    return found


def found_in_files(
    folder: Path, numbers: Collection[str], passed_over: Collection[Path] = ()
) -> dict[str, int]:
    """Search every file below a folder; give how many numbers stand in each that holds any.

    What goes away meanwhile is passed over, and so is what lies below ``passed_over``.
    """
    hits = {}
    for file in sorted(folder.rglob("*")):
        if any(one == file or one in file.parents for one in passed_over) or not file.is_file():
            continue
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            continue
        if count := len(numbers_in(content, numbers)):
            hits[str(file.relative_to(folder))] = count
    return hits


def _decoded(text: bytes) -> bytes:
    whole = text[:-1] if len(text) % 4 == 1 else text
    return base64.b64decode(whole + b"=" * (-len(whole) % 4))


def _plain(content: bytes, numbers: Collection[str]) -> Iterator[str]:
    for run in _DIGITS.finditer(content):
        yield from _in_digits(run.group(), numbers)
    for run in _LITTLE.finditer(content):
        yield from _in_digits(run.group()[::2], numbers)
    for run in _BIG.finditer(content):
        yield from _in_digits(run.group()[1::2], numbers)


def _in_digits(digits: bytes, numbers: Collection[str]) -> Iterator[str]:
    """Give the numbers in a run of digits: as they are, and as hexadecimal text."""
    for start in range(len(digits) - LENGTH + 1):
        for text in _read(digits, start):
            if text in numbers:
                yield text


def _read(digits: bytes, start: int) -> Iterator[str]:
    yield digits[start : start + LENGTH].decode()
    for length, encoding in ((_HEX, "ascii"), (_HEX_16, "utf-16-le"), (_HEX_16, "utf-16-be")):
        part = digits[start : start + length]
        if len(part) == length:
            yield bytes.fromhex(part.decode()).decode(encoding, errors="replace")
