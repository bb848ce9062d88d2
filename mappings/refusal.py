"""Reading single values of a row, and saying without the value why one is refused."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import ValidationError

from schemas.dates import RegisterDate, read_register_date
from schemas.numbers import MyNumber

MeaningT = TypeVar("MeaningT")


class Refused(ValueError):
    """A value that no message can carry: its ``field`` and a ``reason`` without the value."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def refused_fields(error: ValidationError) -> tuple[str, str]:
    """Give the first field that a schema refuses, joined as in the layouts, and why.

    The reason is pydantic's error type in words, or what a class of ours has to say: its
    messages quote nothing.
    """
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    names = [str(part + 1) if isinstance(part, int) else part for part in first["loc"]]
    reason = first["type"].replace("_", " ")
    if first["type"] == "value_error":
        reason = first["msg"].removeprefix("Value error, ")
    return "_".join(names) or "(record)", reason


def my_number(value: Mapping[str, str]) -> MyNumber | None:
    """Read ``my_number``; an empty one is absent.

    Raises:
        Refused: not twelve digits, or a wrong check digit.
    """
    text = value["my_number"]
    try:
        return MyNumber(text) if text else None
    except ValueError as error:
        raise Refused("my_number", str(error)) from None


def date(value: Mapping[str, str], field: str) -> RegisterDate | None:
    """Read a date column.

    Raises:
        Refused: the text is longer than a register keeps.
    """
    try:
        return read_register_date(value[field])
    except ValueError:
        raise Refused(field, "is longer than 72 characters") from None


def code(value: Mapping[str, str], field: str, meanings: Mapping[str, MeaningT]) -> MeaningT:
    """Read a code.

    Raises:
        Refused: the table has no such code.
    """
    try:
        return meanings[value[field]]
    except KeyError:
        raise Refused(field, "is not one of the codes") from None
