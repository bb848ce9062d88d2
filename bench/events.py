"""Messages of 1 KB: events of one flow to one receiver, so that one message in is one out."""

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple

from hub.message import AccessItems, encode_event, partition_of

SENDER, RECEIVER = "care-insurance", "premium-collection"
KIND = "care-status.changed"
BYTES = 1024
RESIDENTS = 20_000
_ID, _RESIDENT, _INSURED, _HISTORY = "id-of-a-message", "9" * 15, "9" * 10, 987_654_321
_REASON = "x" * 80


class Made(NamedTuple):
    """One event: its message id, the bucket of its resident, its bytes on the wire, its type."""

    id: str
    partition: str
    body: bytes
    kind: str = KIND


def events(run: str, count: int, first: int = 0) -> Iterator[Made]:
    """Give events about many residents; ``run`` makes their ids differ from those of other runs."""
    template = _template()
    buckets: dict[int, tuple[str, bytes]] = {}
    for number in range(first, first + count):
        person = number % RESIDENTS + 1
        if person not in buckets:
            resident = str(person).zfill(15)
            buckets[person] = partition_of(resident), resident.encode()
        partition, resident_bytes = buckets[person]
        name = message_id(run, number)
        body = template % (name.encode(), resident_bytes, number // RESIDENTS, person)
        yield Made(name, partition, body[:-1] + b" " * (BYTES - len(body)) + body[-1:])


def message_id(run: str, number: int) -> str:
    """Name a message, so that ``number_of`` finds its number again."""
    return f"{run}-{number:08d}"


def number_of(message_id: str) -> int:
    """Give the number of a message by its name."""
    return int(message_id[-8:])


def _template() -> bytes:
    """Let the hub's own encoder write an event, and leave room for what differs."""
    data = {
        "addressee_number": _RESIDENT,
        "scope": {"insurance": "current"},
        "history_number": _HISTORY,
        "care_insurer_number": "172015",
        "care_insured_number": _INSURED,
        "acquired": {"raw": "2012-04-01", "precision": "day", "date": "2012-04-01"},
        "care_level": "care-2",
        "certified_from": {"raw": "2026-04-01", "precision": "day", "date": "2026-04-01"},
        "certified_to": {"raw": "2028-03-31", "precision": "day", "date": "2028-03-31"},
        "copayment_tenths": 1,
    }
    written = encode_event(
        message_id=_ID,
        system=SENDER,
        message_type=KIND,
        time=dt.datetime(2026, 11, 1, tzinfo=dt.UTC),
        data=data,
        access=AccessItems("S0101", "介護保険課", "KAIGO-T01", _REASON),
    ).decode()
    room = written.replace("%", "%%")
    for constant, place in (
        (_ID, "%s"),
        (_RESIDENT, "%s"),
        (str(_HISTORY), "%d"),
        (_INSURED, "%010d"),
    ):
        room = room.replace(constant, place, 1)
    return room.encode()
