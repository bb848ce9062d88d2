"""Dates as city registers hold them: known, partly known, unknown, or none.

The register's own text travels untouched beside what could be read from it; a date is never
invented (デジタル庁 標準仕様: 不詳フラグ, 不詳表記 up to 72 characters, ``0000-00-00`` = none).
"""

import calendar
import datetime as dt
import re
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

_ISO = re.compile(r"^(\d{4})-(\d{2})-(\d{2})$")
_WAREKI = re.compile(r"^([1-5])(\d{2})(\d{2})(\d{2})$")
_ERA_START = {
    "1": dt.date(1868, 1, 25),
    "2": dt.date(1912, 7, 30),
    "3": dt.date(1926, 12, 25),
    "4": dt.date(1989, 1, 8),
    "5": dt.date(2019, 5, 1),
}
NONE_TEXT = "0000-00-00"


class Precision(StrEnum):
    """How much of a date is known."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    UNKNOWN = "unknown"


class RegisterDate(BaseModel):
    """A date with the text it came as.

    ``raw`` is the source's text, never changed. ``precision`` says how much of it is a real
    calendar date, and ``date`` is that date's first possible day (absent when unknown).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    raw: Annotated[str, StringConstraints(max_length=72)]
    precision: Precision
    date: dt.date | None = None

    @model_validator(mode="after")
    def _date_goes_with_precision(self) -> Self:
        if (self.date is None) != (self.precision is Precision.UNKNOWN):
            message = "a date is present exactly when its precision is not 'unknown'"
            raise ValueError(message)
        return self

    def latest(self) -> dt.date | None:
        """Give the last day that the date can be; ``None`` when unknown."""
        if self.date is None or self.precision is Precision.DAY:
            return self.date
        if self.precision is Precision.YEAR:
            return dt.date(self.date.year, 12, 31)
        last = calendar.monthrange(self.date.year, self.date.month)[1]
        return self.date.replace(day=last)


def known(day: dt.date) -> RegisterDate:
    """Wrap a day that is fully known."""
    return RegisterDate.model_construct(raw=day.isoformat(), precision=Precision.DAY, date=day)


def read_register_date(text: str) -> RegisterDate | None:
    """Read a register's date; ``None`` for an empty text or ``0000-00-00``.

    Accepts ``YYYY-MM-DD`` with ``00`` for an unknown month or day, and the seven-digit 和暦
    ``GYYMMDD``. Anything else (不詳, 「昭和10年頃」, 02-29 in a common year, a date outside
    its era) is kept as text with the part that is certain, or as unknown.

    Raises:
        ValueError: the text is longer than 72 characters (不詳表記).
    """
    if text in {"", NONE_TEXT}:
        return None
    if match := _ISO.match(text):
        return _from_parts(text, *(int(part) for part in match.groups()))
    if match := _WAREKI.match(text):
        return _from_wareki(text, match)
    return _unknown(text)


def _from_wareki(text: str, match: re.Match[str]) -> RegisterDate:
    era, year, month, day = match.groups()
    start = _ERA_START[era]
    read = _from_parts(text, start.year + int(year) - 1, int(month), int(day))
    following = _ERA_START.get(str(int(era) + 1))
    latest = read.latest()
    outside = (
        read.date is None
        or latest is None
        or latest < start
        or (following is not None and read.date > following)
    )
    return _unknown(text) if int(year) == 0 or outside else read


def _from_parts(text: str, year: int, month: int, day: int) -> RegisterDate:
    if not dt.MINYEAR <= year <= dt.MAXYEAR:
        return _unknown(text)
    if month == 0:
        return _partly(text, Precision.YEAR, dt.date(year, 1, 1))
    if not 1 <= month <= 12:  # noqa: PLR2004 - months of a year
        return _unknown(text)
    if day == 0:
        return _partly(text, Precision.MONTH, dt.date(year, month, 1))
    if not 1 <= day <= calendar.monthrange(year, month)[1]:
        return _unknown(text)
    return _partly(text, Precision.DAY, dt.date(year, month, day))


def _partly(text: str, precision: Precision, date: dt.date) -> RegisterDate:
    return RegisterDate.model_construct(raw=text, precision=precision, date=date)


def _unknown(text: str) -> RegisterDate:
    return RegisterDate(raw=text, precision=Precision.UNKNOWN)
