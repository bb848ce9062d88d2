"""Entries as a hub writes them: two receivers a message, acceptances, deliveries, receipts."""

import datetime as dt
import hashlib
from collections.abc import Iterator

from hub.ledger.model import Entry, Kind, commit, fresh_salts
from hub.message import AccessItems, MessageKey

RESIDENTS = 100_000
FILE_RECORDS = 20_000
ENTRIES_A_MESSAGE = 6
BEGIN = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
_FIELDS = (
    "addressee_number",
    "history_number",
    "household_number",
    "resident_kind",
    "resident_state",
    "event_reason",
    "name",
    "name_kana",
    "birth_date",
    "sex",
    "postal_code",
    "municipality_code",
    "address",
    "moved_on",
)
_SALTS = fresh_salts()
_BASIS = "高齢者の医療の確保に関する法律 第138条第1項、番号法第9条第1項 別表の85の項"


def batches(count: int, size: int, first: int = 0) -> Iterator[list[Entry]]:
    """Give ``count`` batches of about ``size`` entries; ``first`` numbers the messages."""
    a_time = max(size // ENTRIES_A_MESSAGE, 1)
    for number in range(count):
        start = first + number * a_time
        messages = range(start, start + a_time)
        made = [_about(one) for one in messages]
        # As the hub does: acceptances first, then deliveries, receipts later.
        yield [entry for step in zip(*made, strict=True) for entry in step]


def _about(number: int) -> list[Entry]:
    file, record = divmod(number, FILE_RECORDS)
    name = hashlib.md5(str(file).encode(), usedforsecurity=False).hexdigest()
    resident = hashlib.md5(str(number * 7919 % RESIDENTS).encode(), usedforsecurity=False)
    key = MessageKey("resident-registry", f"{name}-{record + 1}")
    at = BEGIN + dt.timedelta(milliseconds=number)
    access = AccessItems(
        "", "市民課", f"T-{file % 10:02}", f"異動 {number % 12}", "resident.changed"
    )
    body = commit(key.id.encode(), next(_SALTS))

    def entry(kind: Kind, flow: str, receiver: str) -> Entry:
        said = kind is not Kind.RECEIPT
        what = body if kind is Kind.ACCEPTANCE else commit(receiver.encode(), next(_SALTS))
        return Entry(
            kind=kind,
            at=at,
            message=key,
            message_type="resident.changed" if said else "",
            flow=flow,
            receiver=receiver,
            resident=resident.hexdigest(),
            digest=what.digest if said else "",
            salt=what.salt if said else b"",
            code="" if said else "delivered",
            basis=_BASIS if said else "",
            purpose="被保険者の資格管理" if said else "",
            access=access,
            released=_FIELDS[: 10 + number % 4] if said else (),
            withheld=("my_number", "note") if said else (),
        )

    return [
        entry(kind, flow, receiver)
        for kind in (Kind.ACCEPTANCE, Kind.DELIVERY, Kind.RECEIPT)
        for flow, receiver in (("I1", "premium-collection"), ("M1b", "union"))
    ]
