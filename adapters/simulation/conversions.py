"""What a wire says otherwise than the message, for whoever compares two wires by content.

Two columns of the same field say the same if they mean the same: a code and its meaning, a
number with and without leading zeros, a day with and without hyphens, a moment in either form.
"""

import datetime as dt
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import AwareDatetime

from schemas.canonical import MESSAGE_TYPES
from schemas.dates import RegisterDate, read_register_date
from schemas.layout import Column, FormName, Kind, load_layout

_PRECISION = "_precision"


@cache
def field_of(message_type: str, column: str) -> str:
    """Give the field of the message that a column is of, or of a part of which; else nothing."""
    name = column.removesuffix(_PRECISION)
    fields = MESSAGE_TYPES[message_type].model_fields
    found = [one for one in fields if name == one or name.startswith(f"{one}_")]
    return max(found, key=len, default="")


@cache
def columns_of(layout: str) -> Mapping[str, Column]:
    """Give the columns of a layout by field."""
    return {column.field: column for column in load_layout(layout).columns}


Meaning = Callable[[str], str]


def says_the_same(
    message_type: str, field: str, one: tuple[str, str], other: tuple[str, str]
) -> bool:
    """Say whether two columns of a field mean the same; each is given as layout and text."""
    fixed = FormName.FIXED in {load_layout(one[0]).form, load_layout(other[0]).form}
    meanings = (meaning_of(layout, field, message_type)(text) for layout, text in (one, other))
    read = _day if _is_of(RegisterDate, message_type, field) else _width
    first, second = map(read, meanings) if fixed else meanings
    return first == second


@cache
def meaning_of(layout: str, field: str, message_type: str) -> Meaning:
    """Make a function that gives what a column's text means, for comparison alone."""
    column = columns_of(layout)[field]
    if column.means:
        return lambda text: column.means.get(text, text)
    if column.kind is Kind.MOMENT or _is_of(AwareDatetime, message_type, field):
        return _moment
    if column.kind is Kind.DAY:
        return lambda text: text.replace("-", "")
    if column.kind is Kind.INTEGER or _is_of(int, message_type, field):
        return _number
    return str


def _width(text: str) -> str:
    """Read half and full width as one, and small kana and long vowels as banks write them.

    Records of fixed lengths have a place for one of them.
    """
    return unicodedata.normalize("NFKC", text).translate(_BANKS)


_BANKS = str.maketrans("ァィゥェォャュョッー", "アイウエオヤユヨツ-")


def _day(text: str) -> str:
    """Read what is certain of a date: records of fixed lengths have a place for eight digits."""
    date = read_register_date(text)
    return "" if date is None or date.date is None else f"{date.date}{date.precision}"


def _moment(text: str) -> str:
    if len(text) == len("yyyymmddhhmmssSSS") and text.isdecimal():
        time = f"{text[8:10]}:{text[10:12]}:{text[12:14]}.{text[14:]}"
        text = f"{text[:4]}-{text[4:6]}-{text[6:8]}T{time}+09:00"
    try:
        return dt.datetime.fromisoformat(text).astimezone(dt.UTC).isoformat()
    except ValueError:
        return text


def _number(text: str) -> str:
    return str(int(text)) if text.isdecimal() else text


def _is_of(kind: object, message_type: str, field: str) -> bool:
    info = MESSAGE_TYPES[message_type].model_fields.get(field)
    return info is not None and kind in _kinds(info.annotation)


def _kinds(annotation: Any) -> set[Any]:  # noqa: ANN401 - a type form has no type
    if get_origin(annotation) is Annotated:
        return _kinds(get_args(annotation)[0])
    if get_origin(annotation) in {Union, UnionType}:
        return {kind for part in get_args(annotation) for kind in _kinds(part)}
    return {annotation}
