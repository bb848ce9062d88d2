"""Birth dates, and the ways in which a register fails to know them."""

import datetime as dt
from typing import NamedTuple

_SHOWA_BEFORE_FIRST_YEAR = 1925
_SHOWA = range(1927, 1989)
INSURED_FROM_AGE = 75
_FEBRUARY = 2
_SHOWA_WAYS = (3, 4)


class Birth(NamedTuple):
    """The true day, the register's text for it, and the last day that the text allows.

    ``latest`` is absent where the text names no date that a program may rely on.
    """

    day: dt.date
    text: str
    latest: dt.date | None


def known(day: dt.date) -> Birth:
    """Register a day as it is."""
    return Birth(day, day.isoformat(), day)


def partly_known(day: dt.date, how: int) -> Birth:
    """Register a day so that part of it is lost; ``how`` chooses one of five ways."""
    year_end = dt.date(day.year, 12, 31)
    showa = day.year - _SHOWA_BEFORE_FIRST_YEAR
    if how % 5 == 0 or (day.year not in _SHOWA and how % 5 in _SHOWA_WAYS):
        return Birth(day, "不詳", None)
    if how % 5 == 1:
        return Birth(day, f"{day.year}-00-00", year_end)
    if how % 5 == 2:  # noqa: PLR2004 - one of five ways
        following = (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
        return Birth(day, f"{day.year}-{day.month:02d}-00", following - dt.timedelta(days=1))
    if how % 5 == 3:  # noqa: PLR2004 - one of five ways
        return Birth(day, f"昭和{showa}年00月00日", None)
    return Birth(day, f"3{showa:02d}0000", year_end)


def birthday(born: dt.date, age: int) -> dt.date:
    """Give the day on which someone turns ``age``; born on 02-29, on 03-01 if need be."""
    year = born.year + age
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if (born.month, born.day) == (_FEBRUARY, 29) and not leap:
        return dt.date(year, 3, 1)
    return dt.date(year, born.month, born.day)


def age_on(born: dt.date, day: dt.date) -> int:
    """Give the age in whole years."""
    age = day.year - born.year
    return age if birthday(born, age) <= day else age - 1
