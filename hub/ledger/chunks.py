"""Cuts what is looked up into parts that one query takes."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, any_, bindparam
from sqlalchemy.dialects.postgresql import ARRAY

VALUES_A_QUERY = 500
ValueT = TypeVar("ValueT")


def chunks(values: Sequence[ValueT], size: int = VALUES_A_QUERY) -> Iterator[Sequence[ValueT]]:
    """Cut a sequence into parts of at most ``size``."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def among(column: ColumnElement[Any], name: str, dialect: str) -> ColumnElement[bool]:
    """Say that a column's value is among those of the parameter of this name."""
    if dialect == "sqlite":
        return column.in_(bindparam(name, expanding=True))
    # One parameter in place of hundreds, which pg8000 and the server would read one by one.
    return column == any_(bindparam(name, type_=ARRAY(column.type)))
