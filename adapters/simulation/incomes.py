"""個人住民税 of the synthetic city: made-up amounts that hang together roughly."""

import datetime as dt
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.simulation import births
from adapters.simulation.people import Household, Person

_GROWN_UP = 18
_PENSION_AGE = 65
_BASIC_DEDUCTION = 430_000
_PER_CAPITA_LEVY = 5_000
_RATE = 10
UNDECLARED, DECLARED = "1", "0"


@dataclass(frozen=True, slots=True)
class Income:
    """An assessment: 未申告区分, 課税非課税区分, and amounts by field name (none if undeclared)."""

    undeclared: str
    taxation_class: str
    amounts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaxEntry:
    """One person's row; ``changed`` is false for those who only stand for their household.

    ``years_back`` is 0 for the newest 課税年度, 1 for the one before.
    """

    person: Person
    household_number: str
    income: Income
    correction: int
    changed: bool
    years_back: int = 0


@dataclass(frozen=True, slots=True)
class TaxGroup:
    """The rows of one household under one 処理番号."""

    number: str
    entries: tuple[TaxEntry, ...]


def tax_entry(
    rng: random.Random, person: Person, household: Household, correction: int, *, changed: bool
) -> TaxEntry:
    """Assess a person; ``rng`` belongs to this person and correction alone."""
    income = _assess(rng, person, undeclared=correction == 0 and rng.random() < 1 / 40)
    return TaxEntry(person, household.number, income, correction, changed)


def _assess(rng: random.Random, person: Person, *, undeclared: bool) -> Income:
    age = births.age_on(person.birth.day, dt.date(2025, 1, 1))
    if age < _GROWN_UP:
        return Income(DECLARED, "0", _amounts(0, 0, 0))
    if undeclared:
        return Income(UNDECLARED, "0")
    salary = (
        0 if age >= _PENSION_AGE and rng.random() < 3 / 4 else rng.randrange(0, 7_000_000, 1000)
    )
    pension = rng.randrange(400_000, 2_600_000, 1000) if age >= _PENSION_AGE else 0
    expenses = rng.randrange(0, 90_000, 1000) if rng.random() < 1 / 50 else 0
    amounts = _amounts(salary, pension, expenses)
    taxed = "2" if amounts["income_levy"] else "1" if amounts["per_capita_levy"] else "0"
    return Income(DECLARED, taxed, amounts)


def _amounts(salary: int, pension: int, expenses: int) -> dict[str, int]:
    salary_income = max(0, salary - max(550_000, salary * 3 // 10))
    pension_income = max(0, pension - 1_100_000)
    adjustment = 100_000 if salary_income and pension_income else 0
    total = max(0, salary_income + pension_income - adjustment - expenses)
    taxable = max(0, total - _BASIC_DEDUCTION) // 1000 * 1000
    return {
        "total_income": total,
        "gross_income": total,
        "salary_revenue": salary,
        "pension_revenue": pension,
        "pension_income": pension_income,
        "specific_expenses": expenses,
        "income_adjustment_deduction": adjustment,
        "basic_deduction": _BASIC_DEDUCTION,
        "taxable_income": taxable,
        "income_levy": taxable // _RATE,
        "per_capita_levy": _PER_CAPITA_LEVY if total > _BASIC_DEDUCTION else 0,
    }
