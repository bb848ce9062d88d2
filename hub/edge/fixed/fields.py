"""The text of single slots of fixed-length records: bytes to text and back, each by itself.

A text is filled with spaces behind it (ideographic ones in JIS X 0208), a whole number with zeros
before it, and both come back without. Digits fill their slot. A day of eight digits is
``YYYY-MM-DD`` in a value, whatever of it is 00. A slot of spaces alone holds nothing.
"""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from schemas.fixed_layout import FieldEncoding, Slot
from schemas.layout import Column, Kind

_EIGHT_DIGITS = re.compile(r"[0-9]{8}")
_DASHED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WHOLE = re.compile(r"0|[1-9][0-9]*")
_DATES = {Kind.DAY, Kind.DATE}
_HIGH = bytes(byte | 0x80 for byte in range(256))
_LOW = bytes(byte & 0x7F for byte in range(256))
_GRAPHIC = frozenset(range(0x21, 0x7F))
_EUC = 0xA1
# Six characters of JIS X 0208 have two names in Unicode. Values have those of cp932, which the
# office's systems share; Python's EUC-JP has the others.
_OFFICE = str.maketrans("〜−‖¢£¬", "～－∥￠￡￢")
_JIS = str.maketrans("～－∥￠￡￢〜−‖¢£¬", "〜−‖¢£¬～－∥￠￡￢")


def _characters(*codes: Iterable[int]) -> frozenset[str]:
    return frozenset(bytes(one for some in codes for one in some).decode("cp932"))


_SINGLE = {
    FieldEncoding.ASCII: _characters(range(0x20, 0x7F)),
    FieldEncoding.KANA: _characters(range(0x20, 0x7F), range(0xA1, 0xE0)),
    # Source: 全銀協規定形式: capitals, digits, kana without small ones and ｦ, and few signs;
    # 0x5c is the yen sign there, and a backslash in Python's tables.
    FieldEncoding.ZENGIN: _characters(b" ()-./\\,", b"\xa2\xa3", range(0x30, 0x3A))
    | _characters(range(0x41, 0x5B), range(0xB1, 0xE0)),
}
_NAMES = {
    FieldEncoding.ASCII: "ASCII",
    FieldEncoding.KANA: "JIS X 0201",
    FieldEncoding.ZENGIN: "全銀協規定形式",
    FieldEncoding.KANJI: "JIS X 0208",
    FieldEncoding.CP932: "cp932",
}


class Wrong(ValueError):
    """Bytes or a text that a slot cannot hold; the text is a reason without the value."""


class Lacking(Wrong):
    """A text with characters that the slot's encoding lacks."""

    def __init__(self, encoding: FieldEncoding, characters: Iterable[str]) -> None:
        self.encoding = _NAMES[encoding]
        super().__init__(f"has a character that {self.encoding} lacks")
        self.characters = frozenset(characters)


def decoded(encoding: FieldEncoding, raw: bytes) -> str:
    """Turn bytes into text, spaces and all.

    Raises:
        Wrong: they are not of this encoding.
    """
    reason = f"is not {_NAMES[encoding]}"
    if encoding is FieldEncoding.KANJI:
        if not _GRAPHIC.issuperset(raw):
            raise Wrong(reason)
        raw, codec = raw.translate(_HIGH), "euc_jp"
    else:
        codec = "cp932"
    try:
        text = raw.decode(codec)
    except UnicodeDecodeError:
        raise Wrong(reason) from None
    allowed = _SINGLE.get(encoding)
    kept = allowed.issuperset(text) if allowed is not None else text.encode(codec) == raw
    if not kept:  # cp932 has some characters twice
        raise Wrong(reason)
    return text.translate(_OFFICE) if encoding is FieldEncoding.KANJI else text


def encoded(encoding: FieldEncoding, text: str) -> bytes:
    """Turn text into bytes that ``decoded`` turns back.

    Raises:
        Lacking: the encoding lacks characters of it.
    """
    raw = _encoded(encoding, text)
    if raw is None:
        raise Lacking(encoding, (one for one in text if _encoded(encoding, one) is None))
    return raw


def _encoded(encoding: FieldEncoding, text: str) -> bytes | None:
    allowed = _SINGLE.get(encoding)
    if allowed is not None:
        return text.encode("cp932") if allowed.issuperset(text) else None
    codec = "cp932"
    if encoding is FieldEncoding.KANJI:
        text, codec = text.translate(_JIS), "euc_jp"
    try:
        raw = text.encode(codec)
    except UnicodeEncodeError:
        return None
    if raw.decode(codec) != text:  # cp932 turns some characters into others without an error
        return None
    if encoding is not FieldEncoding.KANJI:
        return raw
    # One byte is ASCII, two that begin with 0x8e are narrow kana, three are of JIS X 0212.
    is_double = len(raw) == 2 * len(text) and all(byte >= _EUC for byte in raw)
    return raw.translate(_LOW) if is_double else None


class SlotCodec(NamedTuple):
    """Reads and writes the value of one column in one slot; both raise ``Wrong``."""

    read: Callable[[bytes], str]
    write: Callable[[str], bytes]


def slot_codec(slot: Slot, column: Column) -> SlotCodec:
    """Make the codec of a column's slot.

    What it reads it writes as the same bytes, and what it writes it reads as the same text.
    """
    fill = "\u3000" if slot.encoding is FieldEncoding.KANJI else " "
    blank = encoded(slot.encoding, fill * (slot.bytes // (2 if fill != " " else 1)))
    inner = _inner(slot, column)

    def read(raw: bytes) -> str:
        return "" if raw == blank else inner.read(raw)

    def write(text: str) -> bytes:
        return inner.write(text) if text else blank

    return SlotCodec(read, write)


def _inner(slot: Slot, column: Column) -> SlotCodec:
    if slot.padding == "zeros":
        return _number(slot.bytes)
    if column.kind in _DATES:
        return _date()
    if column.kind is Kind.DIGITS:
        return _digits(slot)
    return _text(slot)


def _number(size: int) -> SlotCodec:
    def read(raw: bytes) -> str:
        if not raw.isdigit():
            raise Wrong("is not a whole number with zeros before it")
        return str(int(raw))

    def write(text: str) -> bytes:
        if not _WHOLE.fullmatch(text):
            raise Wrong("is not a whole number without a sign")
        if len(text) > size:
            raise Wrong(f"has over {size} digits")
        return text.zfill(size).encode("ascii")

    return SlotCodec(read, write)


def _date() -> SlotCodec:
    reason = "is no date of eight digits"

    def read(raw: bytes) -> str:
        text = decoded(FieldEncoding.ASCII, raw)
        if not _EIGHT_DIGITS.fullmatch(text):
            raise Wrong(reason)
        return f"{text[:4]}-{text[4:6]}-{text[6:]}"

    def write(text: str) -> bytes:
        if not _DASHED.fullmatch(text):
            raise Wrong(reason)
        return text.replace("-", "").encode("ascii")

    return SlotCodec(read, write)


def _digits(slot: Slot) -> SlotCodec:
    def checked(text: str) -> str:
        if len(text) != slot.bytes or not (text.isascii() and text.isdigit()):
            raise Wrong(f"is not {slot.bytes} digits")
        return text

    return SlotCodec(
        lambda raw: checked(decoded(FieldEncoding.ASCII, raw)),
        lambda text: checked(text).encode("ascii"),
    )


def _text(slot: Slot) -> SlotCodec:
    fill = "\u3000" if slot.encoding is FieldEncoding.KANJI else " "
    filling = encoded(slot.encoding, fill)

    def read(raw: bytes) -> str:
        return decoded(slot.encoding, raw).rstrip(fill)

    def write(text: str) -> bytes:
        if text.endswith(fill):
            raise Wrong("ends with a space, which would not come back")
        raw = encoded(slot.encoding, text)
        if len(raw) > slot.bytes:
            raise Wrong(f"has over {slot.bytes} bytes")
        return raw + filling * ((slot.bytes - len(raw)) // len(filling))

    return SlotCodec(read, write)
