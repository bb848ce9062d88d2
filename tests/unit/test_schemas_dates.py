"""Dates of a register: never invented, and their text never lost."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.dates import NONE_TEXT, Precision, RegisterDate, known, read_register_date

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "precision", "date", "latest"),
    [
        ("1940-12-03", Precision.DAY, dt.date(1940, 12, 3), dt.date(1940, 12, 3)),
        ("1940-12-00", Precision.MONTH, dt.date(1940, 12, 1), dt.date(1940, 12, 31)),
        ("1940-02-00", Precision.MONTH, dt.date(1940, 2, 1), dt.date(1940, 2, 29)),
        ("1940-00-00", Precision.YEAR, dt.date(1940, 1, 1), dt.date(1940, 12, 31)),
        ("3151203", Precision.DAY, dt.date(1940, 12, 3), dt.date(1940, 12, 3)),
        ("3150000", Precision.YEAR, dt.date(1940, 1, 1), dt.date(1940, 12, 31)),
        ("1450730", Precision.DAY, dt.date(1912, 7, 30), dt.date(1912, 7, 30)),
        ("5010501", Precision.DAY, dt.date(2019, 5, 1), dt.date(2019, 5, 1)),
        ("1941-02-29", Precision.UNKNOWN, None, None),
        ("1941-13-01", Precision.UNKNOWN, None, None),
        ("0000-05-05", Precision.UNKNOWN, None, None),
        ("3001203", Precision.UNKNOWN, None, None),
        ("5010430", Precision.UNKNOWN, None, None),
        ("3991203", Precision.UNKNOWN, None, None),
        ("3990000", Precision.UNKNOWN, None, None),
        ("3651200", Precision.UNKNOWN, None, None),
        ("3010000", Precision.YEAR, dt.date(1926, 1, 1), dt.date(1926, 12, 31)),
        ("3640100", Precision.MONTH, dt.date(1989, 1, 1), dt.date(1989, 1, 31)),
        ("不詳", Precision.UNKNOWN, None, None),
        ("昭和10年00月00日", Precision.UNKNOWN, None, None),
        ("令和1年5月頃", Precision.UNKNOWN, None, None),
    ],
)
def test_what_is_certain_is_read(
    text: str, precision: Precision, date: dt.date | None, latest: dt.date | None
) -> None:
    read = read_register_date(text)
    assert read is not None
    assert (read.raw, read.precision, read.date, read.latest()) == (text, precision, date, latest)


@pytest.mark.parametrize("text", ["", NONE_TEXT])
def test_none_is_none(text: str) -> None:
    assert read_register_date(text) is None


@given(st.text(min_size=1, max_size=72).filter(lambda t: t != NONE_TEXT))
def test_any_text_is_kept(text: str) -> None:
    read = read_register_date(text)
    assert read is not None
    assert read.raw == text


@given(st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[1-5][0-9]{6}", fullmatch=True))
def test_whatever_is_read_is_a_valid_date_of_its_precision(text: str) -> None:
    read = read_register_date(text)
    if read is None:
        return
    again = RegisterDate.model_validate(read.model_dump())
    assert again == read
    latest = read.latest()
    assert (read.date is None) == (latest is None)
    if read.date is not None and latest is not None:
        assert dt.timedelta(0) <= latest - read.date <= dt.timedelta(days=365)


@given(st.dates(min_value=dt.date(1868, 1, 25)))
def test_a_known_day_comes_back(day: dt.date) -> None:
    assert read_register_date(day.isoformat()) == known(day)


def test_a_text_that_no_register_keeps_is_refused() -> None:
    with pytest.raises(ValueError, match="72"):
        read_register_date("頃" * 73)


@pytest.mark.parametrize(
    "fields",
    [
        {"raw": "不詳", "precision": "unknown", "date": "1940-01-01"},
        {"raw": "1940-01-01", "precision": "day"},
    ],
)
def test_a_date_goes_with_its_precision(fields: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        RegisterDate.model_validate(fields)
