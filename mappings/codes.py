"""Codes of the 標準仕様 family and what they mean in a canonical message.

The layouts name the same codes in Japanese; the numbers themselves are assumed.
"""

from collections.abc import Mapping

from schemas.canonical import Insurance
from schemas.dates import Precision
from schemas.resident import EventReason, ResidentState

EVENT_REASONS: Mapping[str, EventReason] = {
    "00": EventReason.LISTED,
    "01": EventReason.MOVED_IN,
    "02": EventReason.MOVED_IN_FROM_ABROAD,
    "03": EventReason.BORN,
    "04": EventReason.ENTERED_EX_OFFICIO,
    "05": EventReason.EVENT_CANCELLED,
    "11": EventReason.MOVED_OUT,
    "12": EventReason.MOVED_ABROAD,
    "13": EventReason.DIED,
    "14": EventReason.REMOVED_EX_OFFICIO,
    "21": EventReason.MOVED_WITHIN,
    "22": EventReason.MINOR_CORRECTION,
    "23": EventReason.MY_NUMBER_CHANGED,
    "24": EventReason.HOUSEHOLD_SPLIT,
    "25": EventReason.HOUSEHOLD_MERGED,
    "26": EventReason.HEAD_CHANGED,
    "27": EventReason.COMMON_NAME_CHANGED,
}
"""異動事由."""

RESIDENT_STATES: Mapping[str, ResidentState] = {
    "1": ResidentState.RESIDENT,
    "9": ResidentState.REMOVED,
}
"""住民状態."""

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
