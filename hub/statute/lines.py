"""On which line of a TOML file a key stands; ``tomllib`` does not say.

The file is read statement by statement: lines are added to a statement until ``tomllib``
accepts it, so that strings and arrays over several lines need no reading of our own.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Path = tuple[str | int, ...]
"""Keys and, in arrays, indices from 0, as pydantic names a place."""

_AT_LINE = re.compile(r"at line (\d+)")


@dataclass(frozen=True)
class Lines:
    """The lines of one TOML text that ``tomllib`` has read without complaint."""

    text: str

    def of(self, path: Path, value: str = "") -> int:
        """Give the line of a key, or of the innermost thing around it that has one.

        Where ``value`` is given, and stands quoted in what the key is set to, it is the line
        of that.
        """
        for length in range(len(path), 0, -1):
            place = self._places.get(path[:length])
            if place is not None:
                first, last = place
                return self._line_of_value(value, first, last) if value else first
        return 1

    def has(self, path: Path) -> bool:
        """Say whether the file states this key."""
        return path in self._places

    def _line_of_value(self, value: str, first: int, last: int) -> int:
        quoted = re.compile(rf"""(["']){re.escape(value)}\1""")
        rows = self.text.splitlines()
        return next((n for n in range(first, last + 1) if quoted.search(rows[n - 1])), first)

    @cached_property
    def _places(self) -> dict[Path, tuple[int, int]]:
        places: dict[Path, tuple[int, int]] = {}
        arrays: Counter[Path] = Counter()
        table: Path = ()
        for first, last, statement in _statements(self.text):
            if statement.lstrip().startswith("["):
                table = _table(statement, arrays)
                for length in range(1, len(table) + 1):
                    places.setdefault(table[:length], (first, last))
            else:
                document = tomllib.loads(statement)
                for key in _keys(document):
                    places.setdefault((*table, *key), (first, last))
                for key, row in _items(document, statement):
                    places.setdefault((*table, *key), (first + row, first + row))
        return places


def line_of_error(error: tomllib.TOMLDecodeError, text: str) -> int:
    """Give the line that ``tomllib`` complains about: it says it only in words."""
    said = _AT_LINE.search(str(error))
    return int(said.group(1)) if said else max(1, len(text.splitlines()))


def _statements(text: str) -> Iterator[tuple[int, int, str]]:
    """Give each statement with its first and last line."""
    pending: list[str] = []
    first = 1
    for number, row in enumerate(text.splitlines(), 1):
        if not pending:
            if not row.strip() or row.lstrip().startswith("#"):
                continue
            first = number
        pending.append(row)
        statement = "\n".join(pending)
        try:
            tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue
        yield first, number, statement
        pending = []


def _table(statement: str, arrays: Counter[Path]) -> Path:
    """Give the path of a table's header; the last element of each array around it."""
    names = []
    document: Any = tomllib.loads(statement)
    is_array = False
    while document:
        is_array = isinstance(document, list)
        if is_array:
            document = document[0]
            continue
        name, document = next(iter(document.items()))
        names.append(name)
        is_array = isinstance(document, list)
    path: Path = ()
    for name in names[:-1]:
        path = _last((*path, name), arrays)
    path = (*path, names[-1])
    if is_array:
        arrays[path] += 1
        return _last(path, arrays)
    return path


def _last(path: Path, arrays: Counter[Path]) -> Path:
    return (*path, arrays[path] - 1) if arrays[path] else path


def _keys(document: dict[str, Any]) -> Iterator[Path]:
    """Give the paths of a statement's key and of the tables in its value."""
    for name, value in document.items():
        yield (name,)
        if isinstance(value, dict):
            yield from ((name, *rest) for rest in _keys(value))


def _items(document: dict[str, Any], statement: str) -> Iterator[tuple[Path, int]]:
    """Give each inline table of an array that has one on every row, with its row from 0."""
    rows = [n for n, row in enumerate(statement.splitlines()) if row.lstrip().startswith("{")]
    for name, value in document.items():
        if isinstance(value, list) and len(value) == len(rows):
            yield from (((name, index), row) for index, row in enumerate(rows))
