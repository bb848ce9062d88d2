"""Keeps the values of a label few, whatever comes in from outside."""

import re
from collections.abc import Iterable

OTHER = "other"
"""Stands for any sender, receiver, flow, type or code that is not known, or one too many."""
MOST_VALUES = 100
"""So many values of one label have series of their own: more than the assessment has flows."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Bounded:
    """Gives each value of a label as it is shown: itself, or ``other``.

    What is known from the start is always itself, and so are further names until there are
    ``most`` of all; who tells more, or what is no name, makes no new series.
    """

    def __init__(self, known: Iterable[str] = (), most: int = MOST_VALUES) -> None:
        self._shown = set(known)
        self._most = most

    def __call__(self, value: str) -> str:
        """Give what is shown."""
        if value in self._shown:
            return value
        if len(self._shown) >= self._most or not _NAME.fullmatch(value):
            return OTHER
        self._shown.add(value)
        return value
