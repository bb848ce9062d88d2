"""Copies → the files of the premium collection system (徴収システム)."""

from mappings.copies import income_row, resident_row
from schemas.layout import load_layout

RESIDENTS = "premium-collection.residents"
INCOME = "premium-collection.income"

to_resident_row = resident_row(load_layout(RESIDENTS))
"""Give the columns of ``premium-collection.residents`` for a copy of ``resident.changed``."""

to_income_row = income_row(load_layout(INCOME))
"""Give the columns of ``premium-collection.income`` for a copy of ``income.assessed``."""
