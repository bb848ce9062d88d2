"""When the next message of a flow is due, by the words of the source for how often it moves. Pure.

Only a period makes a due time: 日次, 月次, a time of the year. What moves when something happens
(都度, 即時, 遅滞なく), and what the source leaves open, is never late.
"""

import datetime as dt
import re
from collections.abc import Collection
from dataclasses import dataclass

from hub.clock import JST

DAILY = dt.timedelta(hours=26)
"""A day, and what the preparing of a file may take longer than the day before."""
MONTHLY = dt.timedelta(days=36)
"""The longest month, and some days for one that ends in rest days."""
DAY = dt.timedelta(days=1)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAILY = re.compile(r"日次(（.+）)?")
_YEARLY = re.compile(r"毎年([0-9]{1,2})月(上旬|中旬|下旬)")
_BEGINS = {"上旬": 1, "中旬": 11, "下旬": 21}
_MOST_RESTS = 60
"""No office rests for longer without a word: what is configured wrongly does not loop."""


@dataclass(frozen=True, slots=True)
class Rest:
    """The days on which the office rests, so that a daily flow is not late: none by default.

    ``weekdays`` are of ``WEEKDAYS``; days are those of Japan.
    """

    weekdays: frozenset[str] = frozenset()
    holidays: frozenset[dt.date] = frozenset()

    @classmethod
    def of(cls, weekdays: Collection[str], holidays: Collection[dt.date]) -> "Rest":
        """Give the days that a site names."""
        return cls(frozenset(weekdays), frozenset(holidays))

    def __contains__(self, day: object) -> bool:
        """Say whether the office rests on a day."""
        if not isinstance(day, dt.date):
            return False
        return day in self.holidays or WEEKDAYS[day.weekday()] in self.weekdays


@dataclass(frozen=True, slots=True)
class Period:
    """How long after a message the next one is due."""

    length: dt.timedelta

    def next(self, last: dt.datetime, rest: Rest) -> dt.datetime:
        """Give the time, moved on by each day after the last message on which the office rests."""
        due = last + self.length
        day, moved = last.astimezone(JST).date() + DAY, 0
        while day <= due.astimezone(JST).date():
            if day in rest and moved < _MOST_RESTS:
                due, moved = due + DAY, moved + 1
            day += DAY
        return due


@dataclass(frozen=True, slots=True)
class Yearly:
    """A third of a month, each year: due when it is over."""

    month: int
    first_day: int

    def next(self, last: dt.datetime, rest: Rest) -> dt.datetime:
        """Give the end of the next such third that begins after the last message."""
        local = last.astimezone(JST)
        year = local.year if local < self._begin(local.year) else local.year + 1
        due = self._end(year)
        for _ in range(_MOST_RESTS):
            # What is due by the end of a day on which the office rests is due a day later.
            if (due - DAY).date() not in rest:
                break
            due += DAY
        return due

    def _begin(self, year: int) -> dt.datetime:
        return dt.datetime(year, self.month, self.first_day, tzinfo=JST)

    def _end(self, year: int) -> dt.datetime:
        if self.first_day < _BEGINS["下旬"]:
            return self._begin(year) + 10 * DAY
        after = dt.datetime(year, self.month, 28, tzinfo=JST) + 4 * DAY
        return after.replace(day=1)


Frequency = Period | Yearly


def frequency_of(words: str) -> Frequency | None:
    """Read the source's words; none where they name no period.

    >>> frequency_of("日次（初回は一括）") == Period(DAILY)
    True
    >>> frequency_of("申請の都度") is None
    True
    """
    if _DAILY.fullmatch(words):
        return Period(DAILY)
    if words == "月次":
        return Period(MONTHLY)
    yearly = _YEARLY.fullmatch(words)
    if yearly and 1 <= int(yearly[1]) <= 12:  # noqa: PLR2004 - months
        return Yearly(int(yearly[1]), _BEGINS[yearly[2]])
    return None


def is_urgent(words: str) -> bool:
    """Say whether the source wants it at once (即時), at least in part."""
    return "即時" in words
