"""Saying without the value why a record is refused."""

from collections.abc import Callable

from pydantic import ValidationError

from hub.edge.kit import BadRecord, Mapped, Row


class Refused(ValueError):
    """A value that no message can carry: its ``field`` and a ``reason`` without the value."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def answered(row: Row, one: Callable[[Row], Mapped]) -> Mapped | BadRecord:
    """Answer a row with what ``one`` makes of it, or with why no message can carry it."""
    try:
        return one(row)
    except ValidationError as error:
        return BadRecord(row.number, row.line, *refused_fields(error))
    except Refused as refused:
        return BadRecord(row.number, row.line, refused.field, refused.reason)


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
