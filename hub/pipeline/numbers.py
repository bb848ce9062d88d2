"""The 個人番号 of a delivery: opened in memory, and proved to be of that very message."""

from dataclasses import replace

import pydantic_core

from hub.ledger.model import Pseudonyms
from hub.message import MessageKey
from hub.ports import Delivery
from hub.sealing.opener import Opened
from hub.sealing.seals import Seals
from hub.site import HUB_USER
from schemas import MESSAGE_TYPES
from schemas.canonical import CanonicalMessage, my_number_fields, own_my_number_field

_FIELDS: dict[type[CanonicalMessage], tuple[str, ...]] = {
    cls: tuple(sorted(my_number_fields(cls))) for cls in MESSAGE_TYPES.values()
}


def unsealed(seals: Seals | None, came: Delivery) -> Opened:
    """Open a delivery of a system; every input gets an answer."""
    return Opened(came.body) if seals is None else seals.opener.opened(came.body, came.user_id)


def to_keep(seals: Seals | None, came: Delivery, key: MessageKey) -> Delivery:
    """Give a delivery as it is kept for a person: opened, if the numbers are this message's.

    What is kept is not asked for its seal again. Else it stays as it came: whoever lets it go has
    it judged as that.
    """
    if came.user_id == HUB_USER:
        return came
    opened = unsealed(seals, came)
    return replace(came, body=opened.body) if are_own(opened, key) else came


def awaited_key(seals: Seals | None, body: bytes) -> str:
    """Name the key that an event waits for, which could be brought here; empty where none."""
    if seals is None:
        return ""
    try:
        event = pydantic_core.from_json(body, allow_inf_nan=False)
    except ValueError:
        return ""
    wrapped = event.get("datakey") if isinstance(event, dict) else None
    return seals.opener.awaited(wrapped.encode()) if isinstance(wrapped, str) else ""


def are_own(opened: Opened, key: MessageKey) -> bool:
    """Say whether each number that came under seal was sealed by this sender for this message."""
    if not opened.numbers:
        return True
    own = f"{key.sender}\n{key.id}".encode()
    return opened.numbers.count(own) == len(opened.numbers)


def is_in_clear(opened: Opened, message: CanonicalMessage) -> bool:
    """Say whether a number of a message came without a seal."""
    fields = _FIELDS[type(message)]
    if len(opened.numbers) >= len(fields):
        return False
    return sum(getattr(message, name) is not None for name in fields) > len(opened.numbers)


def number_field(message_type: str) -> str | None:
    """Name the field of a type with the 個人番号 of the person whom a message is about, if any."""
    cls = MESSAGE_TYPES.get(message_type)
    return own_my_number_field(cls) if cls is not None else None


def digest_in(pseudonyms: Pseudonyms, value: object) -> str:
    """Give the keyed digest of a number in clear; empty where there is none."""
    return pseudonyms.number(value) if isinstance(value, str) and value else ""
