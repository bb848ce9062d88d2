"""Numbers that identify people, households and offices, and their check digits.

Sources: the rules and worked examples of each number are in ``docs/glossary.md``;
個人番号 by 総務省令 (番号法施行規則), 宛名番号 by デジタル庁 標準仕様 (15 digits).
"""

from typing import Annotated, Any, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

_MY_NUMBER_DIGITS = 12
_MY_NUMBER_WEIGHTS = (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
_MODULUS = 11

AddresseeNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}$")]
"""宛名番号: 1-15 digits as the source system writes them; leading zeros are kept."""

HouseholdNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}$")]
"""世帯番号: 1-15 digits; leading zeros are kept."""

InsuredNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{8}$")]
"""被保険者番号: a string of 8 digits; leading zeros are kept."""


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


class MyNumber:
    """個人番号: twelve digits with a valid check digit, which never print.

    ``str``, ``repr`` and ``format`` give a fixed mask, so that no log line, error, f-string
    or traceback can show one. ``reveal`` gives the digits; only wire writers call it.
    Equality and hash are those of the digits.

    Raises:
        ValueError: not twelve ASCII digits, or a wrong check digit; the text has no digits.
    """

    __slots__ = ("_digits",)
    MASK = "[個人番号]"

    def __init__(self, digits: str) -> None:
        if len(digits) != _MY_NUMBER_DIGITS or not (digits.isascii() and digits.isdigit()):
            message = "a 個人番号 has twelve ASCII digits"
            raise ValueError(message)
        if my_number_check_digit(digits[:-1]) != digits[-1]:
            message = "the check digit of the 個人番号 is wrong"
            raise ValueError(message)
        self._digits = digits

    def reveal(self) -> str:
        """Give the twelve digits, for the wire only."""
        return self._digits

    def __repr__(self) -> str:
        return self.MASK

    def __str__(self) -> str:
        return self.MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MyNumber) and self._digits == other._digits

    def __hash__(self) -> int:
        return hash(self._digits)

    def __reduce__(self) -> tuple[type[Self], tuple[str]]:
        message = "a 個人番号 is never pickled"
        raise TypeError(message)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: type[Any], _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        from_text = core_schema.no_info_after_validator_function(cls, core_schema.str_schema())
        return core_schema.json_or_python_schema(
            json_schema=from_text,
            python_schema=core_schema.union_schema(
                [core_schema.is_instance_schema(cls), from_text]
            ),
            serialization=core_schema.plain_serializer_function_ser_schema(
                MyNumber.reveal, return_schema=core_schema.str_schema(), when_used="json"
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "pattern": "^[0-9]{12}$", "x-my-number": True}
