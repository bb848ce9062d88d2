"""The time that a work list is about: chosen, or from a day to a day. Pure."""

import datetime as dt
from dataclasses import dataclass

from hub.clock import midnight

CHOICES = {"today": 1, "week": 7, "month": 31}
"""How many days each is, today included."""
USUAL = "week"
LONGEST = 366
"""The most days of one period: each is counted in the ledger."""


class TooLongError(ValueError):
    """A period has more days than are counted at once."""


@dataclass(frozen=True, slots=True)
class Period:
    """Days, both included."""

    begin: dt.date
    end: dt.date

    @property
    def first(self) -> dt.datetime:
        """The moment it begins."""
        return midnight(self.begin)

    @property
    def after(self) -> dt.datetime:
        """The first moment that is no longer of it."""
        return midnight(self.end + dt.timedelta(days=1))


def period_of(choice: str, begin: str, end: str, today: dt.date) -> Period:
    """Read what somebody chose; a day that is given counts, and the choice then does not.

    Without a first day it is the longest period up to the last; without a last day it is up to
    today.

    Raises:
        TooLongError: it has more than ``LONGEST`` days.
        ValueError: there is no such choice, a day is none, or the last is before the first.

    >>> period_of("week", "", "", dt.date(2026, 11, 29))
    Period(begin=datetime.date(2026, 11, 23), end=datetime.date(2026, 11, 29))
    """
    if not begin and not end:
        days = CHOICES.get(choice or USUAL)
        if days is None:
            raise ValueError("there is no such period")
        return Period(today - dt.timedelta(days=days - 1), today)
    last = dt.date.fromisoformat(end) if end else today
    if last == dt.date.max or last.toordinal() <= LONGEST:
        raise ValueError("nothing is of then")
    first = dt.date.fromisoformat(begin) if begin else last - dt.timedelta(days=LONGEST - 1)
    if last < first:
        raise ValueError("the last day is before the first")
    if (last - first).days >= LONGEST:
        raise TooLongError("the period is too long")
    return Period(first, last)
