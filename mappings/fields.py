"""The kinds of fields that columns hold: one value, a date, a part of several, a list.

Each reads its columns and writes them; ``mappings.columns`` puts them together.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from hub.edge.kit import Unwritable
from mappings.codes import PRECISIONS
from mappings.refusal import Refused
from schemas.dates import RegisterDate, read_register_date

_PRECISION_CODES = {str(precision): code for code, precision in PRECISIONS.items()}


class Field(Protocol):
    """One field of a message or part, and its columns."""

    @property
    def name(self) -> str:
        """The field's name in the message."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """The fields of its columns."""
        ...

    def read(self, values: Mapping[str, str]) -> Any:  # noqa: ANN401 - of any field
        """Give what the message class takes; ``None`` where the columns say nothing.

        Raises:
            Refused: a column has what no message can carry.
        """
        ...

    def write(self, value: Any, values: dict[str, str]) -> None:  # noqa: ANN401 - JSON
        """Put the texts of the columns into ``values``; ``None`` leaves them blank.

        Raises:
            Unwritable: the columns have no place for it.
        """
        ...


def read_fields(fields: Sequence[Field], values: Mapping[str, str]) -> dict[str, Any]:
    """Read fields, without those of which nothing is said.

    Raises:
        Refused: a column has what no message can carry.
    """
    read = ((field.name, field.read(values)) for field in fields)
    return {name: value for name, value in read if value is not None}


def write_fields(fields: Sequence[Field], data: Mapping[str, Any], values: dict[str, str]) -> None:
    """Write fields of a message's JSON data; those that are absent leave their columns blank.

    Raises:
        Unwritable: the columns have no place for one.
    """
    for field in fields:
        field.write(data.get(field.name), values)


@dataclass(frozen=True, slots=True)
class OneColumn:
    """A field with one column; ``blank`` is what an empty column says.

    ``reading`` raises ``ValueError`` with a reason that does not quote, ``writing``
    ``LookupError``.
    """

    name: str
    column: str
    blank: str | None
    reading: Callable[[str], Any]
    writing: Callable[[Any], str]

    @property
    def columns(self) -> tuple[str, ...]:
        """Give its columns (``Field``)."""
        return (self.column,)

    def read(self, values: Mapping[str, str]) -> Any:  # noqa: ANN401 - of any field
        """Read its columns (``Field``)."""
        text = values[self.column]
        if not text:
            return self.blank
        try:
            return self.reading(text)
        except ValueError as error:
            raise Refused(self.column, str(error)) from None

    def write(self, value: Any, values: dict[str, str]) -> None:  # noqa: ANN401 - JSON
        """Write its columns (``Field``)."""
        if value is None:
            values[self.column] = ""
            return
        try:
            values[self.column] = self.writing(value)
        except (LookupError, TypeError):
            raise Unwritable(self.column, "has no place in the receiver's column") from None


@dataclass(frozen=True, slots=True)
class DateColumn:
    """A register's date: its text, and beside it how much of it is known, if a column wants it."""

    name: str
    column: str
    precision: str | None

    @property
    def columns(self) -> tuple[str, ...]:
        """Give its columns (``Field``)."""
        return (self.column,) if self.precision is None else (self.column, self.precision)

    def read(self, values: Mapping[str, str]) -> RegisterDate | None:
        """Read its columns (``Field``)."""
        try:
            return read_register_date(values[self.column])
        except ValueError:
            raise Refused(self.column, "is longer than 72 characters") from None

    def write(self, value: Any, values: dict[str, str]) -> None:  # noqa: ANN401 - JSON
        """Write its columns (``Field``)."""
        text = code = ""
        if value is not None:
            try:
                text, code = value["raw"], _PRECISION_CODES[value["precision"]]
            except (LookupError, TypeError):
                raise Unwritable(self.column, "is not a register's date") from None
        values[self.column] = text
        if self.precision is not None:
            values[self.precision] = code


@dataclass(frozen=True, slots=True)
class PartColumns:
    """A part of the message; an optional one is absent where all of its columns are blank."""

    name: str
    fields: tuple[Field, ...]
    columns: tuple[str, ...]
    optional: bool

    def read(self, values: Mapping[str, str]) -> dict[str, Any] | None:
        """Read its columns (``Field``)."""
        if self.optional and not any(values[column] for column in self.columns):
            return None
        return read_fields(self.fields, values)

    def write(self, value: Any, values: dict[str, str]) -> None:  # noqa: ANN401 - JSON
        """Write its columns (``Field``)."""
        if value is not None and not isinstance(value, Mapping):
            raise Unwritable(self.columns[0], "is of a part that cannot be read")
        write_fields(self.fields, value or {}, values)


@dataclass(frozen=True, slots=True)
class ListColumns:
    """A list, whose parts or values stand place by place without a gap."""

    name: str
    places: tuple[Field, ...]
    columns: tuple[str, ...]

    def read(self, values: Mapping[str, str]) -> list[Any]:
        """Read its columns (``Field``)."""
        found: list[Any] = []
        for number, place in enumerate(self.places):
            value = place.read(values)
            if value is None:
                continue
            if len(found) < number:
                raise Refused(place.columns[0], "stands behind a blank place")
            found.append(value)
        return found

    def write(self, value: Any, values: dict[str, str]) -> None:  # noqa: ANN401 - JSON
        """Write its columns (``Field``)."""
        listed = value or ()
        if isinstance(listed, (str, Mapping)) or len(listed) > len(self.places):
            raise Unwritable(self.columns[0], "has more places than the receiver's columns")
        for number, place in enumerate(self.places):
            one = listed[number] if number < len(listed) else None
            place.write(one, values)
            if one is not None and not any(values[column] for column in place.columns):
                raise Unwritable(place.columns[0], "is a blank place of a list")
