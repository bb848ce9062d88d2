"""What is taken for a 個人番号 in free words, and that common identifiers are not."""

import datetime as dt
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.hidden import holds_my_number, mask_my_numbers
from schemas.numbers import my_number_check_digit

pytestmark = pytest.mark.unit

NUMBER = "123456789018"
WIDE = "１２３４５６７８９０１８"

my_numbers = (
    st.from_regex(r"\A[3-9][0-9]{10}\Z")
    .map(lambda eleven: eleven + my_number_check_digit(eleven))
    .filter(lambda number: len(number) == 12)
)
hexadecimal = st.sampled_from("0123456789abcdef")


@pytest.mark.parametrize(
    "text",
    [
        NUMBER,
        WIDE,
        "１２３4５６７８９０１8",
        f"move-{NUMBER}",
        f"{NUMBER}-1",
        f"a{NUMBER}b",
        f"個人番号{NUMBER}の件",
        f"個人番号{WIDE}の件",
        f"123456789012-{NUMBER}",
        f"{NUMBER}.csv",
    ],
)
def test_what_is_taken_for_one(text: str) -> None:
    assert holds_my_number(text)
    masked = mask_my_numbers(text)
    assert "[個人番号]" in masked
    assert not holds_my_number(masked)


@pytest.mark.parametrize(
    "text", ["1234 5678 9018", "１２３４　５６７８　９０１８", "1234-5678-9018"]
)
def test_groups_of_four_are_masked_in_words_and_allowed_in_ids(text: str) -> None:
    assert not holds_my_number(text)
    assert mask_my_numbers(f"番号 {text}、{text}") == "番号 [個人番号]、[個人番号]"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "123456789012",  # the check digit is wrong
        f"9{NUMBER}",
        f"{NUMBER}0",
        "000000000012345",
        "move-2026-000123",
        "20260401093000-0017",
        "1774000000123",
        "1234 56789018",
    ],
)
def test_what_is_not(text: str) -> None:
    assert not holds_my_number(text)
    assert mask_my_numbers(text) == text


@given(my_numbers, st.text(max_size=10), st.text(max_size=10))
def test_every_number_between_any_words_is_masked(number: str, before: str, after: str) -> None:
    # Digits beside it would make it a part of a longer run.
    text = f"{before}、{number}、{after}"
    assert holds_my_number(text)
    assert number not in mask_my_numbers(text)


@given(st.text(hexadecimal, min_size=32, max_size=32), st.integers(0, 10**9))
def test_the_hubs_own_ids_pass(digest: str, record: int) -> None:
    for text in (f"{digest}-{record}", f"receipts-{digest}", f"unreadable-{digest}"):
        assert not holds_my_number(text)


@given(my_numbers, st.integers(0, 20))
def test_digits_inside_a_digest_are_no_number(number: str, at: int) -> None:
    filler = "abcdefabcdefabcdefab"
    digest = filler[:at] + number + filler[at:]
    assert len(digest) == 32
    assert not holds_my_number(f"{digest}-1")
    assert mask_my_numbers(digest) == digest


@given(st.uuids(), my_numbers)
def test_uuids_pass(one: uuid.UUID, tail: str) -> None:
    for text in (str(one), str(one)[:24] + tail, f"urn:uuid:{one}", f"{one}".upper(), one.hex):
        assert not holds_my_number(text)


@given(
    st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2099, 12, 31)),  # noqa: DTZ001 - digits only
    st.integers(0, 10**7),
)
def test_times_and_counters_pass(at: dt.datetime, number: int) -> None:
    for form in ("%Y%m%d%H%M", "%Y%m%d%H%M%S", "%Y%m%d-%H%M%S", "%Y-%m-%d", "%Y%m%d"):
        assert not holds_my_number(f"X-{at:{form}}-{number:04}")
    assert not holds_my_number(f"{number:012}")
    assert not holds_my_number(f"{at:%Y}-{number:08}")
