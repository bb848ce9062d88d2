"""Layouts of files: what their columns are, as data in ``schemas/layouts/*.toml``.

A layout that no public source gives is ``assumed`` and lives only in its file, so that the
city's real one can take its place without a change to code.
"""

import tomllib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache, cached_property
from importlib import resources
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from schemas.fixed_layout import FieldEncoding, FixedPlan, Holds, Slot
from schemas.xml_layout import ElementPath, XmlPlan

Encoding = Literal["utf-8", "cp932"]


class FormName(StrEnum):
    """How a file is put together; ``hub/edge/forms/`` has one module for each."""

    FRAMED = "framed"  # comma-separated, header record and trailer
    PLAIN = "plain"  # comma-separated, data records only
    FIXED = "fixed"  # records of a fixed number of bytes
    SHEET = "sheet"  # a workbook of spreadsheets
    XML = "xml"  # one XML document
    PACKAGE = "package"  # a ZIP package


class Kind(StrEnum):
    """What a column's text may be."""

    TEXT = "text"
    DIGITS = "digits"  # ASCII digits, leading zeros kept
    INTEGER = "integer"  # optional minus sign, ASCII digits
    DATE = "date"  # a register's date: any text that schemas.dates can keep
    DAY = "day"  # a day of the calendar, YYYY-MM-DD
    MONTH = "month"  # YYYY-MM
    MOMENT = "moment"  # ISO 8601 with offset from UTC


class Column(BaseModel):
    """One column: its name on the wire, its field name in code, and what it may hold.

    ``width`` counts characters. ``codes`` maps wire codes to their meaning; where it is given,
    no other value is allowed (an empty value only when the column is not required); ``means``
    maps the same codes to the value of the canonical message, where that is another one.
    ``codes_of`` has codes that depend on the value of the column ``codes_by``; where that has
    another value than those listed, any value of this column is allowed.
    ``padding`` says that a value is filled to the width: ``zero`` with zeros before it.
    ``place`` is which of the ``times`` places of a list the column is of; 1 of 1 for all others.
    ``path`` names the column's element in an XML document; of a list, the element around it is
    the one that stands there once for each place.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    field: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    width: Annotated[int, Field(ge=1, le=1000)]
    kind: Kind = Kind.TEXT
    required: bool = False
    codes: dict[str, str] = {}
    means: dict[str, str] = {}
    codes_by: str = ""
    codes_of: dict[str, dict[str, str]] = {}
    padding: Literal["", "zero"] = ""
    place: Annotated[int, Field(ge=1)] = 1
    times: Annotated[int, Field(ge=1)] = 1
    path: ElementPath = ""

    @model_validator(mode="after")
    def _meanings_are_of_codes(self) -> Self:
        if self.means and self.means.keys() != self.codes.keys():
            message = f"means of {self.name} is not of the same codes"
            raise ValueError(message)
        if bool(self.codes_of) != bool(self.codes_by):
            message = f"{self.name} does not say by which column its codes are"
            raise ValueError(message)
        return self


class Repeated(BaseModel):
    """Columns that a layout has ``times`` over: those of a list whose length has a limit.

    ``{n}`` in their names and fields is the place in the list, from 1. Only its file says a
    layout so; a ``Layout`` has them written out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    times: Annotated[int, Field(ge=2, le=100)]
    columns: Annotated[tuple[dict[str, Any], ...], Field(min_length=1)]

    def written_out(self) -> Iterator[dict[str, Any]]:
        """Give the columns of each place, one place after the other."""
        for place in range(1, self.times + 1):
            for column in self.columns:
                named = {
                    key: str(column.get(key)).replace("{n}", str(place))
                    for key in ("name", "field")
                }
                yield {**column, **named, "place": place, "times": self.times}


class Layout(BaseModel):
    """A file of one ``form``.

    A ``framed`` file is comma-separated (RFC 4180 quoting, no line breaks inside a value): the
    first line is the header record ``H,<layout id>,<created at, ISO 8601 with offset>,
    <department>,<terminal>,<staff>``, then data records ``D,<columns in order>``, then the
    trailer ``T,<number of data records>``. A ``plain`` one has its data records alone, without
    the ``D``. ``group_by`` names the field whose equal values,
    always on consecutive lines and ascending through the file, are read together. A ``sheet`` one
    is a workbook that has all of ``sheets``: the first has the columns' names in its first row and
    the records below, the others are not read. ``fixed`` and ``xml`` say where the values of
    files of those forms stand.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9.-]+$")]
    title: str
    title_ja: str
    assumed: bool
    source: str
    form: FormName = FormName.FRAMED
    encoding: Encoding = "utf-8"
    group_by: str | None = None
    fixed: FixedPlan | None = None
    xml: XmlPlan | None = None
    sheets: tuple[Annotated[str, StringConstraints(min_length=1, max_length=31)], ...] = ()
    columns: Annotated[tuple[Column, ...], Field(min_length=1)]

    @cached_property
    def fields(self) -> frozenset[str]:
        """The fields of all columns."""
        return frozenset(column.field for column in self.columns)

    @field_validator("columns", mode="before")
    @classmethod
    def _lists_are_written_out(cls, columns: Any) -> Any:  # noqa: ANN401 - not yet validated
        if not isinstance(columns, list):
            return columns
        return [one for column in columns for one in _written_out(column)]

    @model_validator(mode="after")
    def _columns_are_distinct(self) -> Self:
        fields = [column.field for column in self.columns]
        if len(set(fields)) != len(fields):
            message = "two columns have the same field"
            raise ValueError(message)
        if self.group_by is not None and self.group_by not in fields:
            message = f"group_by names no column: {self.group_by}"
            raise ValueError(message)
        if bool(self.sheets) != (self.form is FormName.SHEET):
            message = "a workbook says what its sheets are, and no other file does"
            raise ValueError(message)
        if any(column.codes_by and column.codes_by not in fields for column in self.columns):
            message = "codes_by names no column"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _xml_has_an_element_for_each_column(self) -> Self:
        if (self.xml is not None) != (self.form is FormName.XML):
            message = "an XML document says what its elements are, and no other file does"
            raise ValueError(message)
        if self.xml is None:
            return self
        columns = {column.field: column for column in self.columns}
        places = {(column.path, column.place) for column in self.columns}
        if len(places) != len(columns) or any(not path for path, _ in places):
            message = "a column without an element of its own"
            raise ValueError(message)
        made = columns.get(self.xml.created_at)
        if made is None or made.kind is not Kind.MOMENT or not made.required:
            message = "created_at names no required column that holds a moment"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _fixed_lengths_have_a_place_for_each_column(self) -> Self:
        if (self.fixed is not None) != (self.form is FormName.FIXED):
            message = "a file of fixed lengths says where its bytes are, and no other does"
            raise ValueError(message)
        if self.fixed is not None and self.fixed.fields() != {c.field for c in self.columns}:
            odd = self.fixed.fields() ^ {column.field for column in self.columns}
            message = f"a column without a slot, or a slot without a column: {sorted(odd)}"
            raise ValueError(message)
        if self.fixed is not None:
            self._slots_suit(self.fixed)
        return self

    def _slots_suit(self, plan: FixedPlan) -> None:
        columns = {column.field: column for column in self.columns}
        stands = plan.data.fields()
        for slot in (slot for record in plan.records for slot in record.slots):
            names = {*slot.where, *([slot.field] if slot.holds is Holds.SUM else [])}
            if not names <= stands:
                message = f"{slot.name} counts by what no data record has"
                raise ValueError(message)
            column = columns.get(slot.field)
            whole = column is not None and column.kind is Kind.INTEGER
            if whole != (slot.padding == "zeros" or slot.holds is Holds.SUM):
                message = f"{slot.name}: a whole number, and nothing else, has zeros before it"
                raise ValueError(message)
            if column is not None and slot.holds is Holds.FIELD:
                _check_bytes(slot, column)
        days = {*filter(None, (plan.created,)), *(season.date for season in plan.seasons)}
        if any(not columns[day].required or columns[day].kind is not Kind.DAY for day in days):
            message = "the day of a file is a required column of kind day"
            raise ValueError(message)


def _check_bytes(slot: Slot, column: Column) -> None:
    wanted = column.width
    if column.kind in {Kind.DAY, Kind.DATE}:
        wanted = len("YYYYMMDD")
    elif slot.encoding in {FieldEncoding.KANJI, FieldEncoding.CP932}:
        wanted = 2 * column.width
    if slot.bytes != wanted:
        message = f"{slot.name} has {slot.bytes} bytes, and its column needs {wanted}"
        raise ValueError(message)


def _written_out(column: object) -> Iterator[object]:
    if isinstance(column, Mapping) and "columns" in column:
        yield from Repeated.model_validate(column).written_out()
    else:
        yield column


def layout_ids() -> list[str]:
    """Give the ids of all layouts in ``schemas/layouts``, in order."""
    files = (resources.files("schemas") / "layouts").iterdir()
    return sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))


@cache
def load_layout(layout_id: str) -> Layout:
    """Read ``schemas/layouts/<id>.toml``.

    Raises:
        FileNotFoundError: there is no such layout.
        pydantic.ValidationError: the file is wrong.
    """
    file = resources.files("schemas") / "layouts" / f"{layout_id}.toml"
    return Layout.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
