"""住民情報 of the resident registry → ``resident.changed``; 異動 come by household."""

import re
from collections.abc import Mapping, Sequence

from hub.edge.kit import BadRecord, Mapped, Row
from mappings.columns import fields_of
from mappings.evidence import Member, evidence_of_each, households_of, readable_date
from mappings.fields import read_fields
from mappings.plain import codes_of, mapped
from schemas.canonical import Insurance, ScopeEvidence
from schemas.layout import load_layout
from schemas.resident import ResidentChanged

LAYOUT = "resident-registry.residents"
_FIELDS = fields_of(load_layout(LAYOUT), ResidentChanged)
_NAMES_OF_REASONS = codes_of(load_layout(LAYOUT), "event_reason")
_INSURED_NUMBER = re.compile(r"[0-9]{8}")


def to_messages(rows: Sequence[Row]) -> list[Mapped | BadRecord]:
    """Map the rows of one household (full file) or one event (delta file).

    Every sound row gets an answer, in order. A row that the layout refused gets none, but its
    birth date and eligibility count for its household as far as they can be read.
    """
    members = list(map(_member, rows, households_of(rows)))
    evidence = evidence_of_each(members)
    return [_mapped(row, scope) for row, scope in zip(rows, evidence, strict=True) if row.sound]


def _member(row: Row, household: str) -> Member:
    value = row.values
    return Member(
        household=household,
        left=value["previous_household_number"],
        born=readable_date(value["birth_date"]),
        insurance=_insurance(value),
    )


def _insurance(value: Mapping[str, str]) -> Insurance:
    if not _INSURED_NUMBER.fullmatch(value["eligibility_insured_number"]):
        return Insurance.NONE
    lost = readable_date(value["eligibility_lost"])
    return Insurance.CURRENT if lost is None else Insurance.PAST


def _mapped(row: Row, scope: ScopeEvidence) -> Mapped | BadRecord:
    def read(row: Row) -> ResidentChanged:
        return ResidentChanged.model_validate(read_fields(_FIELDS, row.values) | {"scope": scope})

    return mapped(row, read, _NAMES_OF_REASONS.get(row.values["event_reason"], ""))
