"""Numbers that never print, and the check digits of offices' numbers."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from schemas.masked import Masked
from schemas.numbers import (
    AccountNumber,
    BankCode,
    BranchCode,
    CertificateSerial,
    CorporateNumber,
    MunicipalityCode,
    MyNumber,
    PensionNumber,
    corporate_check_digit,
    municipality_check_digit,
)

pytestmark = pytest.mark.unit

TEXTS: dict[type[Masked], str] = {
    MyNumber: "123456789018",
    PensionNumber: "0123456789",
    CertificateSerial: "0A1B2C3D",
}


class Offices(BaseModel, hide_input_in_errors=True):
    corporate: CorporateNumber = "4000020172014"
    municipality: MunicipalityCode = "172014"
    bank: BankCode = "0001"
    branch: BranchCode = "001"
    account: AccountNumber = "0000001"


@pytest.mark.parametrize("cls", TEXTS)
def test_only_the_wire_gets_the_text(cls: type[Masked]) -> None:
    class Holder(BaseModel):
        number: cls  # type: ignore[valid-type] # a class under test

    text = TEXTS[cls]
    held = Holder.model_validate_json(f'{{"number": "{text}"}}', strict=True)
    number = cls(text)
    assert held.model_dump() == {"number": number}
    assert held.model_dump_json() == f'{{"number":"{text}"}}'
    for shown in (str(number), repr(number), f"{number}", repr(held), str(held.model_dump())):
        assert text not in shown
        assert cls.MASK in shown
    schema = Holder.model_json_schema()["properties"]["number"]
    assert schema == {"type": "string", "pattern": cls.PATTERN, cls.MARK: True, "title": "Number"}
    with pytest.raises(TypeError):
        copy.copy(number)


def test_only_the_my_number_is_marked_as_one() -> None:
    assert {cls.MARK for cls in TEXTS if cls is not MyNumber} == {"x-masked"}
    assert MyNumber.MARK == "x-my-number"


def test_numbers_of_two_kinds_are_never_equal() -> None:
    text = "0123456789"
    assert PensionNumber(text) == PensionNumber(text)
    assert hash(PensionNumber(text)) == hash(PensionNumber(text))
    assert PensionNumber(text) != CertificateSerial(text)
    assert PensionNumber(text) != text


@pytest.mark.parametrize(
    ("cls", "text"),
    [
        (PensionNumber, "123456789"),
        (PensionNumber, "0123456789\n"),
        (PensionNumber, "０１２３４５６７８９"),
        (CertificateSerial, ""),
        (CertificateSerial, "A" * 41),
        (CertificateSerial, "A-1"),
        (CertificateSerial, "A1\n"),
    ],
)
def test_another_text_is_refused_unseen(cls: type[Masked], text: str) -> None:
    with pytest.raises(ValueError, match="ASCII") as refused:
        cls(text)
    assert not text or text not in str(refused.value)


def test_the_worked_examples_hold() -> None:
    assert corporate_check_digit("000020172014") == "4"
    assert corporate_check_digit("000012050002") == "7"
    codes = {"17201": "4", "17000": "3", "40000": "9", "09000": "0", "11000": "1"}
    assert {body: municipality_check_digit(body) for body in codes} == codes


@pytest.mark.parametrize(("field", "size"), [("corporate", 13), ("municipality", 6)])
@given(data=st.data())
def test_one_wrong_check_digit_is_refused_unseen(
    field: str, size: int, data: st.DataObject
) -> None:
    body = data.draw(st.text("0123456789", min_size=size - 1, max_size=size - 1))
    right = (
        corporate_check_digit(body) + body
        if field == "corporate"
        else body + municipality_check_digit(body)
    )
    assert getattr(Offices.model_validate({field: right}), field) == right
    place = 0 if field == "corporate" else size - 1
    shift = data.draw(st.integers(1, 9))
    digit = str((int(right[place]) + shift) % 10)
    wrong = right[:place] + digit + right[place + 1 :]
    with pytest.raises(ValidationError, match="check digit") as refused:
        Offices.model_validate({field: wrong})
    assert wrong not in str(refused.value)


@pytest.mark.parametrize("field", ["bank", "branch", "account", "corporate", "municipality"])
@pytest.mark.parametrize("text", ["", "1", "00000000000000", "0001\n", "０００１", "12a4"])
def test_other_texts_are_no_numbers_of_accounts_or_offices(field: str, text: str) -> None:
    with pytest.raises(ValidationError):
        Offices.model_validate({field: text})
