"""所得・課税情報 of the tax system → ``income.assessed``; corrections come by household."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from hub.edge.kit import BadRecord, Mapped, Row
from mappings.codes import AMOUNTS, INSURANCES
from mappings.evidence import Member, evidence_of_each, households_of, readable_date
from mappings.refusal import Refused, date, my_number, refused_fields
from schemas.canonical import Insurance, ScopeEvidence
from schemas.income import IncomeAssessed

LAYOUT = "tax.income"
FIRST_ASSESSMENT = "当初課税"
CORRECTION = "更正"
_AS_IT_CAME = (
    "addressee_number",
    "household_number",
    "tax_year",
    "correction_number",
    "undeclared",
    "taxation_class",
)
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
        _mapped(row, member, scope)
        for row, member, scope in zip(rows, members, evidence, strict=True)
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


def _mapped(row: Row, member: Member, scope: ScopeEvidence) -> Mapped | BadRecord:
    try:
        message = IncomeAssessed.model_validate(_fields(row.values, member, scope))
    except ValidationError as error:
        return BadRecord(row.number, row.line, *refused_fields(error))
    except Refused as refused:
        return BadRecord(row.number, row.line, refused.field, refused.reason)
    first = message.correction_number == 0
    return Mapped(row.number, message, FIRST_ASSESSMENT if first else CORRECTION)


def _fields(value: Mapping[str, str], member: Member, scope: ScopeEvidence) -> dict[str, Any]:
    fields: dict[str, Any] = {name: value[name] for name in _AS_IT_CAME}
    fields["scope"] = scope
    fields["my_number"] = my_number(value)
    fields["birth_date"] = member.born or date(value, "birth_date")
    fields["assessed_on"] = date(value, "assessed_on")
    fields.update(_amounts(value))
    return fields


def _amounts(value: Mapping[str, str]) -> dict[str, str]:
    given = {name: value[name] for name in AMOUNTS if value[name]}
    if given and value["undeclared"] == _UNDECLARED:
        raise Refused(next(iter(given)), "is given for an undeclared person")
    return given
