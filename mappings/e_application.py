"""電子申請 → ``application.filed``: who applied is whom the certificate leads to, and nobody else.

The package itself stays behind; the message has its digests. A 個人番号 has one field, where its
check digit is checked: a text that may hold one is refused.
"""

from collections.abc import Callable, Sequence
from typing import Any

from hub.edge.kit import BadRecord, Mapped, Row
from mappings.columns import fields_of
from mappings.fields import read_fields
from mappings.plain import codes_of, mapped
from mappings.refusal import Refused
from schemas.application import ApplicationFiled
from schemas.canonical import Insurance, ScopeEvidence
from schemas.hidden import holds_my_number
from schemas.layout import Kind, load_layout
from schemas.numbers import InsuredNumber

LAYOUT = "e-application.applications"
_NOT_FREE = ("my_number", "certificate_serial", "_digest")
"""What may look like a 個人番号 by chance, or is one."""
_FREE_KINDS = {Kind.TEXT, Kind.DATE}
_INSURED_DIGITS = 8


def to_messages() -> Callable[[Sequence[Row]], list[Mapped | BadRecord]]:
    """Make the ``to_messages`` of applications."""
    layout = load_layout(LAYOUT)
    fields = fields_of(layout, ApplicationFiled)
    types = codes_of(layout, "application_type")
    texts = [
        column.field
        for column in layout.columns
        if column.kind in _FREE_KINDS and not column.field.endswith(_NOT_FREE)
    ]

    def read(row: Row) -> ApplicationFiled:
        value = row.values
        if not value["addressee_number"]:
            raise Refused("certificate_serial", "leads to no resident")
        for field in texts:
            if holds_my_number(value[field]):
                raise Refused(field, "may hold a 個人番号, which has a field of its own")
        given: dict[str, Any] = read_fields(fields, value)
        given["scope"] = ScopeEvidence(
            eldest_birth_date=given.get("birth_date"), insurance=_insurance(value["insured_number"])
        )
        return ApplicationFiled.model_validate(given)

    def each(rows: Sequence[Row]) -> list[Mapped | BadRecord]:
        return [
            mapped(row, read, types[row.values["application_type"]]) for row in rows if row.sound
        ]

    return each


def _insurance(insured_number: InsuredNumber) -> Insurance:
    """Take whoever states a 被保険者番号 for insured (*assumed*); others are judged by age."""
    if not insured_number:
        return Insurance.NONE
    if len(insured_number) != _INSURED_DIGITS:
        raise Refused("insured_number", "has not eight digits")
    return Insurance.CURRENT
