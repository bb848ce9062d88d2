"""Numbers that identify people, households and offices, and their check digits.

Sources: the rules and worked examples of each number are in ``docs/glossary.md``;
個人番号 by 総務省令 (番号法施行規則), 宛名番号 by デジタル庁 標準仕様 (15 digits).
"""

import re
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from schemas.masked import Masked

_MY_NUMBER_DIGITS = 12
_MY_NUMBER_WEIGHTS = (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
_MODULUS = 11
_ADDRESSEE_FORM = re.compile(r"[0-9]{1,15}")

AddresseeNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}$")]
"""宛名番号: 1-15 digits as the source system writes them; leading zeros are kept."""

HouseholdNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}$")]
"""世帯番号: 1-15 digits; leading zeros are kept."""

InsuredNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{8}$")]
"""被保険者番号: a string of 8 digits; leading zeros are kept."""


def is_addressee_number(text: str) -> bool:
    """Say whether a text has the form of a 宛名番号, and nothing beside it.

    >>> is_addressee_number("000000000012345"), is_addressee_number("12 45")
    (True, False)
    """
    return _ADDRESSEE_FORM.fullmatch(text) is not None


def my_number_check_digit(first_eleven: str) -> str:
    """Give the twelfth digit of a 個人番号.

    Modulus 11 with weights 6 5 4 3 2 7 6 5 4 3 2; a remainder of 0 or 1 gives 0.

    >>> my_number_check_digit("12345678901")
    '8'
    """
    remainder = (
        sum(
            int(digit) * weight
            for digit, weight in zip(first_eleven, _MY_NUMBER_WEIGHTS, strict=True)
        )
        % _MODULUS
    )
    return "0" if remainder <= 1 else str(_MODULUS - remainder)


def addressee_check_digit(body: str) -> str:
    """Give the modulus-11 check digit (weights 2-7 from the right) of a newly issued number.

    Used for 宛名番号 and 世帯番号 that are issued now. Legacy numbers carry none, so a
    number that arrives is never refused by it.

    >>> addressee_check_digit("12345")
    '5'
    """
    weights = (2, 3, 4, 5, 6, 7)
    total = sum(int(d) * weights[i % len(weights)] for i, d in enumerate(reversed(body)))
    remainder = total % _MODULUS
    return "0" if remainder <= 1 else str(_MODULUS - remainder)


def corporate_check_digit(last_twelve: str) -> str:
    """Give the leading check digit of a 法人番号: 9 less Σ mod 9, weights 1, 2 from the right.

    >>> corporate_check_digit("000020172014")
    '4'
    """
    total = sum(int(digit) * (1 + i % 2) for i, digit in enumerate(reversed(last_twelve)))
    return str(9 - total % 9)


def municipality_check_digit(first_five: str) -> str:
    """Give the sixth digit of a 団体コード: the last digit of 11 less Σ mod 11, weights 6 to 2.

    >>> municipality_check_digit("17201")
    '4'
    """
    total = sum(int(d) * w for d, w in zip(first_five, (6, 5, 4, 3, 2), strict=True))
    return str((_MODULUS - total % _MODULUS) % 10)


def _corporate(number: str) -> str:
    if corporate_check_digit(number[1:]) != number[0]:
        message = "the check digit of the 法人番号 is wrong"
        raise ValueError(message)
    return number


def _municipality(code: str) -> str:
    if municipality_check_digit(code[:-1]) != code[-1]:
        message = "the check digit of the 団体コード is wrong"
        raise ValueError(message)
    return code


CorporateNumber = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{13}$"), AfterValidator(_corporate)
]
"""法人番号: 13 digits, the first of which checks the others."""

MunicipalityCode = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{6}$"), AfterValidator(_municipality)
]
"""全国地方公共団体コード: 6 digits, the last of which checks the others."""

UnifiedNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{15}$")]
"""統合宛名番号: 15 digits; leading zeros are kept."""

ProcessingNumber = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{1,30}$")]
"""処理通番 of the intermediate server; its length is not public (*assumed*: at most 30)."""

CareInsuredNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{10}$")]
"""介護保険の被保険者番号: 10 digits; leading zeros are kept."""

BankCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]
"""金融機関コード: 4 digits; leading zeros are kept."""

BranchCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")]
"""支店コード: 3 digits; leading zeros are kept."""

AccountNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{7}$")]
"""口座番号: 7 digits; leading zeros are kept."""


class MyNumber(Masked):
    """個人番号: twelve digits with a valid check digit, which never print."""

    __slots__ = ()
    MASK = "[個人番号]"
    PATTERN = "^[0-9]{12}$"
    MARK = "x-my-number"

    @classmethod
    def _check(cls, text: str) -> None:
        if len(text) != _MY_NUMBER_DIGITS or not (text.isascii() and text.isdigit()):
            message = "a 個人番号 has twelve ASCII digits"
            raise ValueError(message)
        if my_number_check_digit(text[:-1]) != text[-1]:
            message = "the check digit of the 個人番号 is wrong"
            raise ValueError(message)


class PensionNumber(Masked):
    """基礎年金番号: ten digits, which never print."""

    __slots__ = ()
    MASK = "[基礎年金番号]"
    PATTERN = "^[0-9]{10}$"

    @classmethod
    def _check(cls, text: str) -> None:
        if re.fullmatch(r"[0-9]{10}", text) is None:
            message = "a 基礎年金番号 has ten ASCII digits"
            raise ValueError(message)


class CertificateSerial(Masked):
    """電子証明書の発行番号: 1-40 letters and digits (*assumed*), which never print.

    It leads to a resident (serial → 住民票コード → 宛名番号).
    """

    __slots__ = ()
    MASK = "[発行番号]"
    PATTERN = "^[0-9A-Za-z]{1,40}$"

    @classmethod
    def _check(cls, text: str) -> None:
        if re.fullmatch(r"[0-9A-Za-z]{1,40}", text) is None:
            message = "the serial number of a certificate has 1 to 40 ASCII letters and digits"
            raise ValueError(message)
