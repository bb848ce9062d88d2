"""住民情報 of the resident registry → ``resident.changed``; 異動 come by household."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from hub.edge.kit import BadRecord, Mapped, Row
from mappings.codes import EVENT_REASONS, FLAGS, RESIDENT_STATES
from mappings.evidence import Member, evidence_of_each, households_of, readable_date
from mappings.refusal import Refused, code, date, my_number, refused_fields
from schemas.canonical import Insurance, ScopeEvidence
from schemas.layout import load_layout
from schemas.resident import ResidentChanged

LAYOUT = "resident-registry.residents"
_AS_IT_CAME = (
    "addressee_number",
    "history_number",
    "household_number",
    "relationship_codes",
    "relationship",
    "resident_kind",
    "name",
    "name_kana",
    "common_name",
    "sex",
    "postal_code",
    "municipality_code",
    "town_code",
    "address",
    "building",
    "previous_address",
    "note",
)
_INSURED_NUMBER = re.compile(r"[0-9]{8}")
_NAMES_OF_REASONS = next(
    column.codes for column in load_layout(LAYOUT).columns if column.field == "event_reason"
)


def to_messages(rows: Sequence[Row]) -> list[Mapped | BadRecord]:
    """Map the rows of one household (full file) or one event (delta file).

    Every sound row gets an answer, in order. A row that the layout refused gets none, but its
    birth date and eligibility count for its household as far as they can be read.
    """
    members = list(map(_member, rows, households_of(rows)))
    evidence = evidence_of_each(members)
    return [
        _mapped(row, member, scope)
        for row, member, scope in zip(rows, members, evidence, strict=True)
        if row.sound
    ]


def _member(row: Row, household: str) -> Member:
    value = row.values
    return Member(
        household=household,
        left=value["previous_household_number"],
        born=readable_date(value["birth_date"]),
        insurance=_insurance(value),
    )


def _insurance(value: Mapping[str, str]) -> Insurance:
    if not _INSURED_NUMBER.fullmatch(value["insured_number"]):
        return Insurance.NONE
    lost = readable_date(value["insured_lost"])
    return Insurance.CURRENT if lost is None else Insurance.PAST


def _mapped(row: Row, member: Member, scope: ScopeEvidence) -> Mapped | BadRecord:
    try:
        message = ResidentChanged.model_validate(_fields(row.values, member, scope))
    except ValidationError as error:
        return BadRecord(row.number, row.line, *refused_fields(error))
    except Refused as refused:
        return BadRecord(row.number, row.line, refused.field, refused.reason)
    return Mapped(row.number, message, _NAMES_OF_REASONS[row.values["event_reason"]])


def _fields(value: Mapping[str, str], member: Member, scope: ScopeEvidence) -> dict[str, Any]:
    fields: dict[str, Any] = {name: value[name] for name in _AS_IT_CAME}
    fields["scope"] = scope
    fields["my_number"] = my_number(value)
    fields["previous_household_number"] = member.left or None
    fields["resident_state"] = code(value, "resident_state", RESIDENT_STATES)
    fields["event_reason"] = code(value, "event_reason", EVENT_REASONS)
    fields["event_date"] = date(value, "event_date")
    fields["birth_date"] = member.born or date(value, "birth_date")
    fields["protected"] = code(value, "protected", FLAGS)
    fields["eligibility"] = _eligibility(value)
    return fields


def _eligibility(value: Mapping[str, str]) -> dict[str, Any] | None:
    acquired, lost = date(value, "insured_acquired"), date(value, "insured_lost")
    number = value["insured_number"]
    if not number:
        if acquired is None and lost is None:
            return None
        raise Refused("insured_number", "is missing although the eligibility has dates")
    return {"insured_number": number, "acquired": acquired, "lost": lost}
