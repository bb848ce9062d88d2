"""Copies → the files of the union's system (広域連合 標準システム), by its 窓口端末.

It gets fewer columns than the city's own system: neither the earlier address, the 町字 code and
the note of a resident, nor the levies of the city's own tax.
"""

from mappings.copies import income_row, resident_row
from schemas.layout import load_layout

RESIDENTS = "union.residents"
INCOME = "union.income"

to_resident_row = resident_row(load_layout(RESIDENTS))
"""Give the columns of ``union.residents`` for a copy of ``resident.changed``."""

to_income_row = income_row(load_layout(INCOME))
"""Give the columns of ``union.income`` for a copy of ``income.assessed``."""
