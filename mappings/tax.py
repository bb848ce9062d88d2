"""所得・課税情報 of the tax system → ``income.assessed``; corrections come by household."""

from collections.abc import Sequence

from hub.edge.kit import BadRecord, Mapped, Row
from mappings.codes import AMOUNTS, INSURANCES
from mappings.columns import fields_of
from mappings.evidence import Member, evidence_of_each, households_of, readable_date
from mappings.fields import read_fields
from mappings.plain import mapped
from mappings.refusal import Refused
from schemas.canonical import Insurance, ScopeEvidence
from schemas.income import IncomeAssessed
from schemas.layout import load_layout

LAYOUT = "tax.income"
FIRST_ASSESSMENT = "当初課税"
CORRECTION = "更正"
_FIELDS = fields_of(load_layout(LAYOUT), IncomeAssessed)
_UNDECLARED = "1"
_EVIDENCE_ONLY = "0"


def to_messages(rows: Sequence[Row]) -> list[Mapped | BadRecord]:
    """Map the rows of one household.

    A sound row with 更正対象 1 gets an answer, in order. The other rows only tell about the
    household, and get none.
    """
    members = list(map(_member, rows, households_of(rows)))
    evidence = evidence_of_each(members)
    return [
        _mapped(row, scope)
        for row, scope in zip(rows, evidence, strict=True)
        if row.sound and row.values["changed"] != _EVIDENCE_ONLY
    ]


def _member(row: Row, household: str) -> Member:
    value = row.values
    return Member(
        household=household,
        left="",
        born=readable_date(value["birth_date"]),
        insurance=INSURANCES.get(value["insurance"], Insurance.NONE),
    )


def _mapped(row: Row, scope: ScopeEvidence) -> Mapped | BadRecord:
    def read(row: Row) -> IncomeAssessed:
        fields = read_fields(_FIELDS, row.values)
        if row.values["undeclared"] == _UNDECLARED:
            for name in AMOUNTS:
                if name in fields:
                    raise Refused(name, "is given for an undeclared person")
        return IncomeAssessed.model_validate(fields | {"scope": scope})

    first = row.values["correction_number"].strip("0") == ""
    return mapped(row, read, FIRST_ASSESSMENT if first else CORRECTION)
