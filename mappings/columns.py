"""How the columns of a layout and the fields of a message belong together: by their names.

A column's field is the message's own; the fields of a part are joined to the part's name
(``account_bank_code`` is ``bank_code`` of ``account``), those of a list also to the place
(``instalments_1_amount``).
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import cache
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import AwareDatetime, BaseModel, TypeAdapter, ValidationError

from mappings.codes import FLAGS
from mappings.fields import DateColumn, Field, ListColumns, OneColumn, PartColumns
from schemas.dates import RegisterDate
from schemas.layout import Column, Layout
from schemas.masked import Masked

PRECISION = "_precision"
"""Ends the field of the column beside a date that says how much of the date is known."""

_WHOLE = re.compile(r"-?[0-9]+")


def fields_of(layout: Layout, model: type[BaseModel]) -> tuple[Field, ...]:
    """Give the fields of a message or part that have columns in the layout, in order."""
    return _fields(model, "", {column.field: column for column in layout.columns})


def _fields(
    model: type[BaseModel], prefix: str, columns: Mapping[str, Column]
) -> tuple[Field, ...]:
    found = (
        _field(name, prefix + name, info.rebuild_annotation(), columns, required=info.is_required())
        for name, info in model.model_fields.items()
    )
    return tuple(field for field in found if field is not None)


def _field(
    name: str,
    path: str,
    annotation: Any,  # noqa: ANN401 - a type form has no type
    columns: Mapping[str, Column],
    *,
    required: bool,
) -> Field | None:
    kind = _bare(annotation)
    if get_origin(kind) is tuple:
        return _listed(name, path, get_args(kind)[0], columns)
    if kind is RegisterDate:
        return _date(name, path, columns)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields = _fields(kind, f"{path}_", columns)
        return PartColumns(name, fields, _columns(fields), not required) if fields else None
    if path not in columns:
        return None
    blank = "" if required and _may_be_blank(annotation) else None
    return OneColumn(name, path, blank, *_ways(kind, columns[path]))


def _date(name: str, path: str, columns: Mapping[str, Column]) -> DateColumn | None:
    beside = path + PRECISION
    precision = beside if beside in columns else None
    return DateColumn(name, path, precision) if path in columns else None


def _listed(name: str, path: str, each: Any, columns: Mapping[str, Column]) -> ListColumns | None:  # noqa: ANN401 - a type form has no type
    places: list[Field] = []
    while place := _field("", f"{path}_{len(places) + 1}", each, columns, required=False):
        places.append(place)
    return ListColumns(name, tuple(places), _columns(places)) if places else None


def _columns(fields: Sequence[Field]) -> tuple[str, ...]:
    return tuple(column for field in fields for column in field.columns)


def _bare(annotation: Any) -> Any:  # noqa: ANN401 - a type form has no type
    """Take away what is said around a type: constraints, and that there may be none."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    kinds = [kind for kind in get_args(annotation) if kind is not NoneType]
    optional = len(kinds) == 1 and NoneType in get_args(annotation)
    return _bare(kinds[0]) if optional else annotation


@cache
def _may_be_blank(annotation: Any) -> bool:  # noqa: ANN401 - a type form has no type
    try:
        TypeAdapter(annotation).validate_python("")
    except ValidationError:
        return False
    return True


Ways = tuple[Callable[[str], Any], Callable[[Any], str]]


def _ways(kind: Any, column: Column) -> Ways:  # noqa: ANN401 - a type form has no type
    """Give how to read the text of a column as this kind of value, and how to write it."""
    if kind is bool:
        return _by_codes(FLAGS)
    if column.means:
        return _by_codes(column.means)
    if get_origin(kind) is Literal:
        return _by_codes({str(value): value for value in get_args(kind)})
    if kind is int:
        return _whole, _text
    if isinstance(kind, type) and issubclass(kind, Masked):
        return kind, _text
    if kind in {str, dt.date, AwareDatetime} or issubclass(kind, StrEnum):
        return str, _text
    raise TypeError(f"no column can hold what {column.field} is in the message")


def _by_codes(meanings: Mapping[str, Any]) -> Ways:
    codes = {meaning: code for code, meaning in meanings.items()}

    def read(text: str) -> Any:  # noqa: ANN401 - of any table
        if text not in meanings:
            raise ValueError("is not one of the codes")
        return meanings[text]

    return read, codes.__getitem__


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError("is not a whole number")
    return int(text)


def _text(value: Any) -> str:  # noqa: ANN401 - JSON
    if not isinstance(value, (str, int)):
        raise TypeError
    return str(value)
