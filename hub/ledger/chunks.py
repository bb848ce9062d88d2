"""Cuts what is looked up into parts that one query takes."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

VALUES_A_QUERY = 500
ValueT = TypeVar("ValueT")


def chunks(values: Sequence[ValueT], size: int = VALUES_A_QUERY) -> Iterator[Sequence[ValueT]]:
    """Cut a sequence into parts of at most ``size``."""
    for start in range(0, len(values), size):
        yield values[start : start + size]
