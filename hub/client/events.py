"""Events as a system hands them over, and as they go on the wire. Pure."""

import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pydantic_core
from pydantic import ValidationError

from hub.client.errors import EventError
from hub.message import (
    MAX_BODY_BYTES,
    AccessItems,
    Envelope,
    Seal,
    encode_event,
    partition_of,
    source_of,
)
from hub.sealing.fields import sealed_names
from schemas.canonical import CanonicalMessage, schema_uri

WINDOW = 256
"""Messages that may be under way without a confirm."""


@dataclass(frozen=True, slots=True)
class Event:
    """A change that a system tells of.

    ``message_id`` names it for good (1 to 80 of ``A-Za-z0-9._:-``, unique for the system).
    ``time`` is when it happened, with a time zone; absent, it is the moment of publishing. The
    hub compares whole events: one that is repeated has the same id, time and data.
    """

    message_type: str
    data: CanonicalMessage | dict[str, Any] = field(repr=False)
    message_id: str
    time: dt.datetime | None = None
    reason: str = ""


class Wire(NamedTuple):
    """An event with its body and the header that keeps a resident's messages in order.

    ``about`` tells residents apart, as ``partition``, which many share, does not; it stays here.
    """

    event: Event
    body: bytes
    partition: str
    about: str


def to_wire(event: Event, system: str, access: AccessItems, now: dt.datetime, seal: Seal) -> Wire:
    """Check and encode an event; ``now`` stands for an absent time.

    ``seal`` encrypts its 個人番号 for the hub, each time anew.

    Raises:
        EventError: an attribute is wrong, the data is about nobody, or it is too large.
        KeyMissing: there is a 個人番号, and no key to encrypt it with.
    """
    dated = event if event.time is not None else dataclasses.replace(event, time=now)
    _check_attributes(dated, system)
    _check_numbers(dated.data)
    return _encoded(dated, system, access, _addressee_number(dated), seal)


def own_wire(event: Event, system: str, access: AccessItems) -> Wire:
    """Encode an event of the kit itself (receipts), which is about no single resident."""
    return _encoded(event, system, access, event.message_id, None)


def windows(wires: Sequence[Wire], most: int = WINDOW) -> Iterator[list[Wire]]:
    """Cut into runs that may be under way together: no resident stands in one run twice.

    What is repeated after a fault can then never overtake a newer message of its resident.
    """
    window: list[Wire] = []
    residents: set[str] = set()
    for wire in wires:
        if len(window) == most or wire.about in residents:
            yield window
            window, residents = [], set()
        window.append(wire)
        residents.add(wire.about)
    if window:
        yield window


def _check_attributes(event: Event, system: str) -> None:
    try:
        Envelope[dict[str, Any]].model_validate(
            {
                "id": event.message_id,
                "source": source_of(system),
                "type": event.message_type,
                "time": event.time,
                "reason": event.reason,
                "data": {},
            }
        )
    except ValidationError as error:
        names = sorted({str(fault["loc"][0]) for fault in error.errors(include_input=False)})
        message = f"the event has wrong attributes: {', '.join(names)}"
        raise EventError(message) from None
    data = event.data
    if isinstance(data, CanonicalMessage) and event.message_type != data.MESSAGE_TYPE:
        message = f"the data is {data.MESSAGE_TYPE} and not {event.message_type}"
        raise EventError(message)


def _check_numbers(data: CanonicalMessage | Mapping[str, Any]) -> None:
    """Refuse a 個人番号 that is no text, which would be written in clear."""
    if isinstance(data, CanonicalMessage):
        return
    for name in sealed_names():
        if not isinstance(data.get(name, ""), str | None):
            message = f"{name} in the data is no text"
            raise EventError(message)


def _addressee_number(event: Event) -> str:
    data = event.data
    number = (
        data.addressee_number
        if isinstance(data, CanonicalMessage)
        else data.get("addressee_number")
    )
    if not isinstance(number, str) or not number:
        message = "the data has no addressee_number (text)"
        raise EventError(message)
    return number


def _encoded(event: Event, system: str, access: AccessItems, about: str, seal: Seal | None) -> Wire:
    data = event.data
    try:
        body = encode_event(
            message_id=event.message_id,
            system=system,
            message_type=event.message_type,
            time=event.time or dt.datetime.now(dt.UTC),
            data=data,
            access=access._replace(reason=event.reason or access.reason),
            dataschema=schema_uri(type(data)) if isinstance(data, CanonicalMessage) else None,
            seal=seal,
        )
    except pydantic_core.PydanticSerializationError:
        message = "the data holds a value that JSON cannot carry"
        raise EventError(message) from None
    if len(body) > MAX_BODY_BYTES:
        message = f"the event has {len(body)} bytes; the hub reads at the most {MAX_BODY_BYTES}"
        raise EventError(message)
    return Wire(event, body, partition_of(about), about)
