"""Small types that many messages share: lines of text, amounts, years, counters, moments.

A line has no control character, so that every wire (CSV, fixed length, XML) can carry it.
"""

import datetime as dt
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

PRINTABLE = r"^[^\x00-\x1f\x7f]*$"

Line20 = Annotated[str, StringConstraints(max_length=20, pattern=PRINTABLE)]
Line40 = Annotated[str, StringConstraints(max_length=40, pattern=PRINTABLE)]
Line100 = Annotated[str, StringConstraints(max_length=100, pattern=PRINTABLE)]
Line300 = Annotated[str, StringConstraints(max_length=300, pattern=PRINTABLE)]

Amount = Annotated[int, Field(ge=0, le=99_999_999_999)]
"""Yen that cannot be negative; at most 11 digits, as the widest fixed-length wire has."""

FiscalYear = Annotated[int, Field(ge=1989, le=2999)]
"""年度, or a calendar year where the field says so; four digits of the western calendar."""

YearMonth = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
"""年月 as ``YYYY-MM``."""

HistoryNumber = Annotated[int, Field(ge=0, le=99_999)]
"""履歴番号: a newer state of the same thing has a greater one."""

CorrectionNumber = Annotated[int, Field(ge=0, le=999)]
"""0 for the first decision; counts the corrections (更正) after it."""

InstalmentNumber = Annotated[int, Field(ge=1, le=99)]
"""期: the place of an instalment in its year."""

OfficeNumber = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,40}$")]
"""A number that an office or a system gave to a case, a request or a record."""

Reason = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{1,3}$")]
"""取得事由, 喪失事由: up to 3 characters."""

PostalCode = Annotated[str, StringConstraints(pattern=r"^([0-9]{7})?$")]
"""郵便番号: 7 digits, or empty where there is none."""

TwoDigits = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")]
"""A code of two digits on the wire."""

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 in lower-case hexadecimal."""


def _to_the_millisecond(moment: dt.datetime) -> dt.datetime:
    if moment.microsecond % 1000:
        message = "is finer than a millisecond"
        raise ValueError(message)
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_to_the_millisecond)]
"""A moment with its offset, no finer than the milliseconds that ``yyyymmddhhmmssSSS`` can say."""
