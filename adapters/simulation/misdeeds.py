"""Events for forbidden attempts: whole and valid, about a person who does not exist."""

from typing import Any

from adapters.simulation.kit import BROKER, Misdeed
from hub.message import source_of
from hub.names import inbound_exchange
from schemas.canonical import Insurance, ScopeEvidence
from schemas.dates import read_register_date
from schemas.income import IncomeAssessed
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


def income_data() -> dict[str, Any]:
    """Give the data of a valid ``income.assessed`` about the same person."""
    message = IncomeAssessed(
        addressee_number="000000099999995",
        scope=ScopeEvidence(insurance=Insurance.CURRENT),
        household_number="000000088888886",
        tax_year=2025,
        undeclared="0",
        taxation_class="1",
        total_income=1_000_000,
    )
    return message.model_dump(mode="json", exclude_none=True)


def on_own_exchange(  # noqa: PLR0913 - what an attempt is made of
    name: str,
    title: str,
    system: str,
    *,
    message_type: str,
    data: dict[str, Any],
    expected_code: str,
    **more: Any,  # noqa: ANN401 - the other attributes of a misdeed or, by name, of its event
) -> Misdeed:
    """Give an attempt that a system makes where it may publish: on its own exchange.

    ``claims`` is the system that the event says it comes from; ``purpose`` stands in the event.
    """
    made = event(name, source=more.pop("claims", system), message_type=message_type, data=data)
    if "purpose" in more:
        made["purpose"] = more.pop("purpose")
    return Misdeed(
        name=name,
        title=title,
        as_system=system,
        exchange=inbound_exchange(system),
        routing_key=message_type,
        event=made,
        expected_code=expected_code,
        **more,
    )


def sends_residents(name: str, who: str, system: str) -> Misdeed:
    """Give a system's attempt to send what only the registry may; ``who`` begins its title."""
    return on_own_exchange(
        name,
        f"{who} sends a resident's change",
        system,
        message_type=ResidentChanged.MESSAGE_TYPE,
        data=resident_data(),
        expected_code=BROKER,
    )


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
