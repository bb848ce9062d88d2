"""``income.assessed``: one resident's 個人住民税 assessment for one year, whole.

Fields after デジタル庁 標準仕様 個人住民税 and the additions that the assessment recorded on
2021-06-28 (合計所得金額, 特定支出額, 所得金額調整控除額, 公的年金等所得額). Amounts are yen.
"""

from typing import Annotated, ClassVar

from pydantic import Field

from schemas.canonical import CanonicalMessage, Code, Yen, message_type
from schemas.dates import RegisterDate
from schemas.numbers import HouseholdNumber, MyNumber


@message_type
class IncomeAssessed(CanonicalMessage):
    """A resident's assessment for ``tax_year``, first or corrected.

    ``correction_number`` is 0 for the first assessment and counts corrections (更正) after it.
    ``undeclared`` is 未申告区分; the amounts of an undeclared person are absent, not zero.
    """

    MESSAGE_TYPE: ClassVar[str] = "income.assessed"

    my_number: MyNumber | None = None
    household_number: HouseholdNumber
    birth_date: RegisterDate | None = None
    tax_year: Annotated[int, Field(ge=1989, le=2999)]
    correction_number: Annotated[int, Field(ge=0, le=999)] = 0
    assessed_on: RegisterDate | None = None
    undeclared: Code
    taxation_class: Code
    total_income: Yen | None = None
    gross_income: Yen | None = None
    salary_revenue: Yen | None = None
    pension_revenue: Yen | None = None
    pension_income: Yen | None = None
    specific_expenses: Yen | None = None
    income_adjustment_deduction: Yen | None = None
    basic_deduction: Yen | None = None
    taxable_income: Yen | None = None
    income_levy: Yen | None = None
    per_capita_levy: Yen | None = None
