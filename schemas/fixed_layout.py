"""What a file of records of a fixed number of bytes is made of, as data in ``schemas/layouts``.

The columns of a ``schemas.layout.Layout`` say what values are; here stands where their bytes are.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

FieldName = Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9_]*)?$")]


class FieldEncoding(StrEnum):
    """How the text of a slot is written; each is decoded by itself, after the bytes are cut."""

    ASCII = "ascii"
    KANA = "kana"  # JIS X 0201, one byte a character
    ZENGIN = "zengin"  # those of JIS X 0201 that banks exchange
    KANJI = "kanji"  # JIS X 0208, two bytes of seven bits a character
    CP932 = "cp932"


class Holds(StrEnum):
    """What stands in a slot."""

    FIELD = "field"  # the value of a column
    KIND = "kind"  # what tells the records of a file apart: always first
    CONSTANT = "constant"
    BLANK = "blank"
    COUNT = "count"  # of data records
    RECORDS = "records"  # of all records of the common length
    SUM = "sum"  # of a column of whole numbers


class Slot(BaseModel):
    """Some bytes of a record.

    ``field`` names the column whose value stands here, or is summed. ``text`` is what a constant
    or a kind is. ``where`` restricts a count or sum to data records whose column has one of these
    values. A value is filled with spaces behind it, or with zeros before it: ``padding``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    bytes: Annotated[int, Field(ge=1, le=1000)]
    holds: Holds = Holds.FIELD
    field: FieldName = ""
    text: str = ""
    encoding: FieldEncoding = FieldEncoding.ASCII
    padding: Literal["spaces", "zeros"] = "spaces"
    where: dict[str, tuple[str, ...]] = {}

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        needs_field = self.holds in {Holds.FIELD, Holds.SUM}
        needs_text = self.holds in {Holds.KIND, Holds.CONSTANT}
        counts = self.holds in {Holds.COUNT, Holds.SUM}
        if bool(self.field) != needs_field or bool(self.text) != needs_text:
            message = f"{self.name}: a slot that holds a {self.holds} has another description"
            raise ValueError(message)
        if self.where and not counts:
            message = f"{self.name}: only a count or a sum has a condition"
            raise ValueError(message)
        if self.encoding is FieldEncoding.KANJI and self.bytes % 2:
            message = f"{self.name}: a character of JIS X 0208 has two bytes"
            raise ValueError(message)
        return self


class Record(BaseModel):
    """A record: one of the frames that stand ``before`` or ``after``, or the ``data`` record.

    ``bytes`` is its length, which its slots have to fill exactly.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    place: Literal["before", "data", "after"]
    bytes: Annotated[int, Field(ge=1, le=65_536)]
    slots: Annotated[tuple[Slot, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _slots_fill_it(self) -> Self:
        filled = sum(slot.bytes for slot in self.slots)
        if filled != self.bytes:
            message = f"the slots of {self.name} have {filled} bytes, the record {self.bytes}"
            raise ValueError(message)
        if any(slot.holds is Holds.KIND for slot in self.slots[1:]):
            message = f"what tells records apart stands first in {self.name}"
            raise ValueError(message)
        return self

    def fields(self) -> frozenset[str]:
        """Name the columns whose values stand here."""
        return frozenset(slot.field for slot in self.slots if slot.holds is Holds.FIELD)

    def positions(self) -> Iterator[tuple[int, Slot]]:
        """Give each slot with the number of bytes before it."""
        start = 0
        for slot in self.slots:
            yield start, slot
            start += slot.bytes


class Season(BaseModel):
    """A rule of months: where ``field`` is one of ``values``, ``date`` is in one of ``months``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: str
    values: tuple[str, ...]
    date: str
    months: tuple[Annotated[int, Field(ge=1, le=12)], ...]


class FixedPlan(BaseModel):
    """The records of a file of fixed lengths, in order.

    The frames have no line ends between them, and each stands once; between those ``before`` and
    those ``after`` is any number of data records. A column that a frame has is **common**: it is
    the same in the whole file, and a data record that has it too says the same. ``created`` names
    the common day on which the file was made. Files whose ``delivery`` columns are equal are the
    parts of one delivery, numbered from 1 by the column ``part``. ``suffix`` ends a file's name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    suffix: Annotated[str, StringConstraints(pattern=r"^\.[a-z0-9]{1,8}$")]
    created: FieldName = ""
    part: FieldName = ""
    delivery: tuple[str, ...] = ()
    seasons: tuple[Season, ...] = ()
    records: Annotated[tuple[Record, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _records_are_in_order(self) -> Self:
        places = [record.place for record in self.records]
        if places.count("data") != 1 or places != sorted(places, key=_ORDER.index):
            message = "the records are frames before, one data record, frames after"
            raise ValueError(message)
        names = {*filter(None, (self.created, self.part)), *self.delivery}
        names |= {name for season in self.seasons for name in (season.field, season.date)}
        if not names <= set(self.common()):
            message = f"no frame has {', '.join(sorted(names - set(self.common())))}"
            raise ValueError(message)
        return self

    @property
    def before(self) -> tuple[Record, ...]:
        """The frames before the data records."""
        return tuple(record for record in self.records if record.place == "before")

    @property
    def data(self) -> Record:
        """The data record."""
        return next(record for record in self.records if record.place == "data")

    @property
    def after(self) -> tuple[Record, ...]:
        """The frames after the data records."""
        return tuple(record for record in self.records if record.place == "after")

    def common(self) -> tuple[str, ...]:
        """Name the columns that a frame has, in the order of their first slots."""
        slots = (slot for record in (*self.before, *self.after) for slot in record.slots)
        return tuple(dict.fromkeys(slot.field for slot in slots if slot.holds is Holds.FIELD))

    def fields(self) -> frozenset[str]:
        """Name every column that stands somewhere."""
        return frozenset().union(*(record.fields() for record in self.records))


_ORDER = ("before", "data", "after")
