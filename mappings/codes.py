"""Codes that are the same in all layouts; those of a single column stand in its layout.

The layouts name them in Japanese; the numbers themselves are assumed.
"""

from collections.abc import Mapping

from schemas.canonical import Insurance
from schemas.dates import Precision

INSURANCES: Mapping[str, Insurance] = {
    "0": Insurance.NONE,
    "1": Insurance.CURRENT,
    "2": Insurance.PAST,
}
"""後期資格区分."""

FLAGS: Mapping[str, bool] = {"0": False, "1": True}
"""区分 with two values, such as 支援対象者."""

PRECISIONS: Mapping[str, Precision] = {
    "D": Precision.DAY,
    "M": Precision.MONTH,
    "Y": Precision.YEAR,
    "U": Precision.UNKNOWN,
}
"""How much of the date beside it is known."""

AMOUNTS = (
    "total_income",
    "gross_income",
    "salary_revenue",
    "pension_revenue",
    "pension_income",
    "specific_expenses",
    "income_adjustment_deduction",
    "basic_deduction",
    "taxable_income",
    "income_levy",
    "per_capita_levy",
)
"""The fields of ``income.assessed`` that are yen, in the order of the layouts."""
