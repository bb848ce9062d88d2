"""The time that a work list is about: chosen, or from a day to a day. Pure."""

import datetime as dt
from dataclasses import dataclass

from hub.clock import midnight

CHOICES = {"today": 1, "week": 7, "month": 31}
"""How many days each is, today included."""
USUAL = "week"


@dataclass(frozen=True, slots=True)
class Period:
    """Days, both included; ``begin`` is absent for all since the first, ``end`` for no end."""

    begin: dt.date | None
    end: dt.date | None

    @property
    def first(self) -> dt.datetime | None:
        """The moment it begins."""
        return None if self.begin is None else midnight(self.begin)

    @property
    def after(self) -> dt.datetime | None:
        """The first moment that is no longer of it."""
        return None if self.end is None else midnight(self.end + dt.timedelta(days=1))


def period_of(choice: str, begin: str, end: str, today: dt.date) -> Period:
    """Read what somebody chose; a day that is given counts, and the choice then does not.

    Raises:
        ValueError: there is no such choice, a day is none, or the last is before the first.

    >>> period_of("week", "", "", dt.date(2026, 11, 29))
    Period(begin=datetime.date(2026, 11, 23), end=datetime.date(2026, 11, 29))
    """
    if not begin and not end:
        days = CHOICES.get(choice or USUAL)
        if days is None:
            raise ValueError("there is no such period")
        return Period(today - dt.timedelta(days=days - 1), today)
    found = Period(*(dt.date.fromisoformat(one) if one else None for one in (begin, end)))
    if found.end == dt.date.max or found.begin == dt.date.min:
        raise ValueError("nothing is of then")
    if found.begin and found.end and found.end < found.begin:
        raise ValueError("the last day is before the first")
    return found
