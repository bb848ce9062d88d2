"""A table as ``tables.html`` draws it: a label for screen readers, heads, rows of plain texts."""

from collections.abc import Sequence
from dataclasses import dataclass

Cell = str | int


@dataclass(frozen=True, slots=True)
class Table:
    """A table; numbers stand to the right, and the first cell names its row."""

    label: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
