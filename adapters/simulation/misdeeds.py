"""Events for forbidden attempts: whole and valid, about a person who does not exist."""

from typing import Any

from hub.message import source_of
from schemas.canonical import Insurance, ScopeEvidence
from schemas.dates import read_register_date
from schemas.resident import EventReason, ResidentChanged, ResidentState

_TIME = "2026-04-01T09:00:00+09:00"


def resident_data() -> dict[str, Any]:
    """Give the data of a valid ``resident.changed``."""
    born = read_register_date("1940-05-05")
    message = ResidentChanged(
        addressee_number="000000099999995",
        scope=ScopeEvidence(eldest_birth_date=born, insurance=Insurance.CURRENT),
        history_number=1,
        household_number="000000088888886",
        resident_kind="1",
        resident_state=ResidentState.RESIDENT,
        event_reason=EventReason.LISTED,
        name="架空　太郎",
        birth_date=born,
        sex="1",
        municipality_code="172014",
        address="石川県金沢市架空町1番地",
    )
    return message.model_dump(mode="json", exclude_none=True)


def event(name: str, *, source: str, message_type: str, data: dict[str, Any]) -> dict[str, Any]:
    """Give a whole event; ``source`` is the system it claims to come from."""
    return {
        "specversion": "1.0",
        "id": f"misdeed.{name}",
        "source": source_of(source),
        "type": message_type,
        "time": _TIME,
        "datacontenttype": "application/json",
        "staff": "S999",
        "department": "DEMO",
        "terminal": "T999",
        "reason": "禁止された送付の試行",
        "operation": message_type,
        "data": data,
    }
