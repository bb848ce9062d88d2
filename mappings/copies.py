"""Copies for a receiver → the text of its layout's columns.

The hub has already taken away what the receiver may not have, so any field may be absent. What
the layout requires must be there: ``protected`` (支援対象者) above all is never left blank.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from hub.edge.kit import Unwritable
from hub.message import Copy
from mappings.codes import AMOUNTS, EVENT_REASONS, FLAGS, PRECISIONS, RESIDENT_STATES
from schemas.layout import Layout

MeaningT = TypeVar("MeaningT")

_RESIDENT_TEXTS = (
    "addressee_number",
    "history_number",
    "household_number",
    "previous_household_number",
    "my_number",
    "resident_kind",
    "name",
    "name_kana",
    "common_name",
    "sex",
    "relationship_codes",
    "relationship",
    "postal_code",
    "municipality_code",
    "town_code",
    "address",
    "building",
    "previous_address",
    "note",
)
_INCOME_TEXTS = (
    "addressee_number",
    "household_number",
    "my_number",
    "tax_year",
    "correction_number",
    "undeclared",
    "taxation_class",
    *AMOUNTS,
)


def _turned(meanings: Mapping[str, MeaningT]) -> dict[MeaningT, str]:
    return {meaning: code for code, meaning in meanings.items()}


_EVENT_CODES: dict[str, str] = {str(k): v for k, v in _turned(EVENT_REASONS).items()}
_STATE_CODES: dict[str, str] = {str(k): v for k, v in _turned(RESIDENT_STATES).items()}
_PRECISION_CODES: dict[str, str] = {str(k): v for k, v in _turned(PRECISIONS).items()}
_FLAG_CODES = _turned(FLAGS)


def resident_row(layout: Layout) -> Callable[[Copy], Mapping[str, str]]:
    """Make the ``to_row`` of a layout for ``resident.changed``."""
    return _writer(layout, _resident)


def income_row(layout: Layout) -> Callable[[Copy], Mapping[str, str]]:
    """Make the ``to_row`` of a layout for ``income.assessed``."""
    return _writer(layout, _income)


def _writer(
    layout: Layout, values_of: Callable[[Mapping[str, Any]], dict[str, str]]
) -> Callable[[Copy], Mapping[str, str]]:
    columns = [(column.field, column.required) for column in layout.columns]

    def to_row(copy: Copy) -> Mapping[str, str]:
        values = _trace(copy) | values_of(copy.data)
        for field, required in columns:
            if required and not values[field]:
                raise Unwritable(field, "is required by the receiver and absent from the copy")
        return {field: values[field] for field, _ in columns}

    return to_row


def _trace(copy: Copy) -> dict[str, str]:
    return {
        "sender": copy.key.sender,
        "message_id": copy.id,
        "flow": copy.flow,
        "accepted_at": copy.acceptedtime.isoformat(),
    }


def _resident(data: Mapping[str, Any]) -> dict[str, str]:
    values = _texts(data, _RESIDENT_TEXTS)
    values["resident_state"] = _code(data, "resident_state", _STATE_CODES)
    values["event_reason"] = _code(data, "event_reason", _EVENT_CODES)
    values["protected"] = _code(data, "protected", _FLAG_CODES)
    values |= _date(data, "event_date", "event_date")
    values |= _date(data, "birth_date", "birth_date")
    return values | _eligibility(data.get("eligibility"))


def _eligibility(eligibility: object) -> dict[str, str]:
    held: Mapping[str, Any] = {}
    if isinstance(eligibility, Mapping):
        held = eligibility
    elif eligibility is not None:
        raise Unwritable("insured_number", "the eligibility of the copy cannot be read")
    return {
        **_texts(held, ("insured_number",)),
        **_date(held, "acquired", "insured_acquired"),
        **_date(held, "lost", "insured_lost"),
    }


def _income(data: Mapping[str, Any]) -> dict[str, str]:
    values = _texts(data, _INCOME_TEXTS)
    values |= _date(data, "birth_date", "birth_date")
    return values | _date(data, "assessed_on", "assessed_on")


def _texts(data: Mapping[str, Any], fields: tuple[str, ...]) -> dict[str, str]:
    return {field: _text(data.get(field)) for field in fields}


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _code(data: Mapping[str, Any], field: str, codes: Mapping[MeaningT, str]) -> str:
    value = data.get(field)
    if value is None:
        return ""
    try:
        return codes[value]
    except (KeyError, TypeError):
        raise Unwritable(field, "has no code in the receiver's table") from None


def _date(data: Mapping[str, Any], field: str, column: str) -> dict[str, str]:
    """Write a date as the text it came as and how much of it is known."""
    value = data.get(field)
    if value is None:
        return {column: "", f"{column}_precision": ""}
    try:
        return {
            column: value["raw"],
            f"{column}_precision": _PRECISION_CODES[value["precision"]],
        }
    except (KeyError, TypeError):
        raise Unwritable(column, "is not a register's date") from None
