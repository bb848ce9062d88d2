"""個人番号 and the other numbers: worked examples, and properties of every number."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from schemas.numbers import (
    AddresseeNumber,
    InsuredNumber,
    MyNumber,
    addressee_check_digit,
    my_number_check_digit,
)

pytestmark = pytest.mark.unit

elevens = st.text("0123456789", min_size=11, max_size=11)


class Holder(BaseModel):
    number: MyNumber | None = None
    addressee: AddresseeNumber = "0"
    insured: InsuredNumber = "00000000"


def test_the_worked_examples_hold() -> None:
    assert my_number_check_digit("12345678901") == "8"
    assert addressee_check_digit("12345") == "5"


@given(elevens)
def test_a_number_with_its_check_digit_is_taken_and_never_shown(body: str) -> None:
    digits = body + my_number_check_digit(body)
    number = MyNumber(digits)
    assert number.reveal() == digits
    for shown in (
        str(number),
        repr(number),
        f"{number}",
        f"{number!r:>20}",
        repr(Holder(number=number)),
    ):
        assert digits not in shown


@given(elevens, st.sampled_from("123456789"))
def test_a_wrong_check_digit_is_refused_without_the_digits(body: str, shift: str) -> None:
    wrong = str((int(my_number_check_digit(body)) + int(shift)) % 10)
    with pytest.raises(ValueError, match="check digit") as refused:
        MyNumber(body + wrong)
    assert body not in str(refused.value)


@given(st.integers(0, 10**11 - 1), st.integers(0, 10), st.integers(1, 9))
def test_the_check_digit_notices_one_wrong_digit_unless_it_is_zero(
    value: int, place: int, shift: int
) -> None:
    body = f"{value:011d}"
    other = body[:place] + str((int(body[place]) + shift) % 10) + body[place + 1 :]
    digit, changed = my_number_check_digit(body), my_number_check_digit(other)
    assert digit != changed or digit == "0"


@pytest.mark.parametrize(
    "text", ["", "12345678901", "1234567890188", "１２３４５６７８９０１８", "12345678901a"]
)
def test_what_is_not_twelve_ascii_digits_is_no_my_number(text: str) -> None:
    with pytest.raises(ValueError, match="twelve ASCII digits"):
        MyNumber(text)


def test_only_the_wire_gets_the_digits() -> None:
    holder = Holder.model_validate_json('{"number": "123456789018"}')
    assert holder.number == MyNumber("123456789018")
    assert '"123456789018"' in holder.model_dump_json()
    assert "123456789018" not in str(holder.model_dump())
    assert hash(holder.number) == hash(MyNumber("123456789018"))
    assert holder.number != "123456789018"


def test_it_is_never_pickled_or_copied_by_pickling() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(MyNumber("123456789018"))
    with pytest.raises(TypeError):
        copy.copy(MyNumber("123456789018"))


def test_a_schema_error_does_not_quote_the_number() -> None:
    with pytest.raises(ValidationError) as refused:
        Holder.model_validate({"number": "123456789010"})
    errors = refused.value.errors(include_input=False, include_context=False, include_url=False)
    assert "123456789010" not in str(errors)


@pytest.mark.parametrize("text", ["0", "000000000012345", "999999999999999"])
def test_legacy_addressee_numbers_are_kept_as_they_are(text: str) -> None:
    assert Holder(addressee=text).addressee == text


@pytest.mark.parametrize("field", ["addressee", "insured"])
@pytest.mark.parametrize("text", ["", "1234567890123456", "12 4", "１２３４５６７８", "12345678\n"])
def test_other_texts_are_no_numbers(field: str, text: str) -> None:
    with pytest.raises(ValidationError):
        Holder.model_validate({field: text})
