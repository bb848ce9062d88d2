"""The 個人番号 of a delivery: opened in memory, and proved to be of that very message."""

from typing import NamedTuple

from hub.ledger.model import Pseudonyms
from hub.message import MessageKey
from hub.ports import Delivery
from hub.sealing.seals import Seals
from hub.site import HUB_USER
from schemas import MESSAGE_TYPES
from schemas.canonical import CanonicalMessage, my_number_fields, own_my_number_field

_FIELDS: dict[type[CanonicalMessage], tuple[str, ...]] = {
    cls: tuple(sorted(my_number_fields(cls))) for cls in MESSAGE_TYPES.values()
}


class Unsealed(NamedTuple):
    """A delivery as its sender would have sent it without a seal; as it came if not readable."""

    delivery: Delivery
    is_readable: bool = True


def unsealed(seals: Seals | None, came: Delivery) -> Unsealed:
    """Open a delivery of a system; every input gets an answer."""
    if seals is None:
        return Unsealed(came)
    opened = seals.opener.opened(came.body, came.user_id)
    if opened.body is came.body:
        return Unsealed(came, opened.is_readable)
    plain = Delivery(
        came.tag,
        came.queue,
        came.routing_key,
        came.user_id,
        opened.body,
        came.redelivered,
        came.copied,
        came.times,
        came.death,
        opened.numbers,
    )
    return Unsealed(plain)


def to_keep(seals: Seals | None, came: Delivery, key: MessageKey) -> Delivery:
    """Give a delivery as it is kept for a person: opened, if the numbers are this message's.

    What is kept is not asked for its seal again. Else it stays as it came: whoever lets it go has
    it judged as that.
    """
    if came.user_id == HUB_USER:
        return came
    plain = unsealed(seals, came).delivery
    return plain if are_own(plain, key) else came


def are_own(delivery: Delivery, key: MessageKey) -> bool:
    """Say whether each number that came under seal was sealed by this sender for this message."""
    if not delivery.numbers:
        return True
    own = "\n".join(key).encode()
    return all(one == own for one in delivery.numbers)


def is_in_clear(delivery: Delivery, message: CanonicalMessage) -> bool:
    """Say whether a number came without a seal."""
    there = sum(getattr(message, name) is not None for name in _FIELDS[type(message)])
    return there > len(delivery.numbers)


def number_field(message_type: str) -> str | None:
    """Name the field of a type with the 個人番号 of the person whom a message is about, if any."""
    cls = MESSAGE_TYPES.get(message_type)
    return own_my_number_field(cls) if cls is not None else None


def digest_in(pseudonyms: Pseudonyms, value: object) -> str:
    """Give the keyed digest of a number in clear; empty where there is none."""
    return pseudonyms.number(value) if isinstance(value, str) and value else ""
