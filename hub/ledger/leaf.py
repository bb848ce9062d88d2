"""The bytes of an entry: one JSON object, the leaf that RFC 6962's tree hashes.

``docs/ledger-events.md`` lists its keys. The database keeps the parts and not the whole: what
repeats stands once in a table of its own, already as JSON, and ``LEAF_SQL`` puts the parts
together inside the database just as ``leaf`` does here. A contract test holds the two equal.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from hub.ledger.model import Entry, Kind
from hub.message import AccessItems, MessageKey

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
SALT_CHECK_DIGITS = 16
SAID_KEPT = 1024
"""So many texts of terms, and of access items, are remembered: few come again and again."""
MOST_BYTES = 65_535
"""The longest entry that a C2SP entry bundle can hold."""

_DEFAULT_OUTCOME = {
    Kind.ACCEPTANCE: "accepted",
    Kind.OUT_OF_SCOPE: "out-of-scope",
    Kind.REFUSAL: "refused",
    Kind.DELIVERY: "delivered",
    Kind.RECEIPT: "received",
    Kind.HOLD: "held",
    Kind.RELEASE: "released",
    Kind.REPLAY: "replayed",
    Kind.DEAD_LETTER: "dead-lettered",
    Kind.EXPIRY: "expired",
    Kind.CATALOGUE_CHANGE: "in-force",
    Kind.OPERATOR_ACTION: "done",
    Kind.LOG_VIEW: "viewed",
    Kind.EXPORT: "exported",
    Kind.DESTRUCTION: "destroyed",
}


def outcomes_without_code() -> list[str]:
    """Give the words for the kinds, which stand where an entry has no code."""
    return list(_DEFAULT_OUTCOME.values())


def kinds_of_outcome(outcome: str) -> list[Kind]:
    """Give the kinds whose entries without a code have this outcome."""
    return [kind for kind, word in _DEFAULT_OUTCOME.items() if word == outcome]


def outcome_of(kind: Kind, code: str) -> str:
    """Give the outcome of an entry: its code, or the word for its kind where it has none."""
    return code or _DEFAULT_OUTCOME[kind]


class Terms(NamedTuple):
    """What many entries have in common: what happened, between whom, by which article."""

    kind: str
    message_type: str
    flow: str
    sender: str
    receiver: str
    code: str
    basis: str
    purpose: str
    released: tuple[str, ...]
    withheld: tuple[str, ...]

    def said(self) -> str:
        """Give their part of the leaf."""
        return _said(self)


@lru_cache(maxsize=SAID_KEPT)
def _said(terms: Terms) -> str:
    return _joined(
        ("kind", terms.kind),
        ("outcome", outcome_of(Kind(terms.kind), terms.code)),
        ("message_type", terms.message_type),
        ("flow", terms.flow),
        ("sender", terms.sender),
        ("receiver", terms.receiver),
        ("basis", terms.basis),
        ("purpose", terms.purpose),
        ("released", terms.released),
        ("withheld", terms.withheld),
    )


def terms_of(entry: Entry) -> Terms:
    """Take the terms of an entry.

    A code that says no more than the kind does is left out: a leaf could not tell the two apart.
    """
    return Terms(
        str(entry.kind),
        entry.message_type,
        entry.flow,
        entry.message.sender,
        entry.receiver,
        "" if entry.code == _DEFAULT_OUTCOME[entry.kind] else entry.code,
        entry.basis,
        entry.purpose,
        entry.released,
        entry.withheld,
    )


@lru_cache(maxsize=SAID_KEPT)
def access_said(items: AccessItems) -> str:
    """Give the part of the leaf that says who did it, where and why (III.3)."""
    return _joined(
        ("staff", items.staff),
        ("department", items.department),
        ("terminal", items.terminal),
        ("reason", items.reason),
        ("operation", items.operation),
    )


def _joined(*parts: tuple[str, object]) -> str:
    return ",".join(f'"{name}":{json_text(value)}' for name, value in parts)


_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def json_text(value: object) -> str:
    """Give JSON without spaces, every character as itself where JSON permits."""
    return _JSON.encode(value)


def salt_check(salt: bytes) -> str:
    """Give what shows later that a salt was not changed, and does not give it away."""
    return hashlib.sha256(salt).hexdigest()[:SALT_CHECK_DIGITS] if salt else ""


def leaf(  # noqa: PLR0913, PLR0917 - the parts of an entry, in order
    number: int,
    at: int,
    said: str,
    message: MessageKey,
    resident: str,
    digest: str,
    check: str,
    detail: str,
) -> bytes:
    """Put the leaf of an entry together.

    Args:
        number: The entry's number, from 1.
        at: Microseconds since 1970-01-01 UTC.
        said: What ``Terms.said`` and ``access_said`` gave, with a comma between.
        message: Its sender and id; neither has a character that JSON escapes.
        resident: The pseudonym, or empty.
        digest: The commitment's, or empty.
        check: What ``salt_check`` gave.
        detail: A JSON string, quoted.
    """
    return (
        f'{{"v":1,"entry":{number},"at":{at},{said},'
        f'"message":"{message.sender}/{message.id}","resident":"{resident}",'
        f'"digest":"{digest}","salt_check":"{check}","detail":{detail}}}'
    ).encode()


LEAF_SQL = (
    """'{"v":1,"entry":' || e.seq || ',"at":' || e.at || ',' || t.said || ',' || a.said"""
    """ || ',"message":"' || m.sender || '/' || m.message_id || '","resident":"' || m.resident"""
    """ || '","digest":"' || e.digest || '","salt_check":"' || e.salt_check"""
    """ || '","detail":' || e.detail || '}'"""
)
"""The same in SQL, for ``FROM_SQL``; gives a text."""

FROM_SQL = """
    FROM {entries} e
    JOIN ledger_messages m ON m.no = e.message_no
    JOIN ledger_cases c ON c.id = e.case_id
    JOIN ledger_terms t ON t.id = c.terms_id
    JOIN ledger_access a ON a.id = c.access_id
"""
"""Where the parts stand; ``{entries}`` is the table of one month."""


def microseconds(at: dt.datetime) -> int:
    """Give a time as the ledger keeps it: microseconds since 1970-01-01 UTC."""
    return (at - _EPOCH) // _MICROSECOND


def moment(at: int) -> dt.datetime:
    """Give the time, in UTC, of what ``microseconds`` gave."""
    return _EPOCH + at * _MICROSECOND


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry as it stands in the ledger, read back from its leaf.

    ``outcome`` is the entry's code, or the word for its kind where it has none.
    """

    number: int
    at: dt.datetime
    kind: Kind
    outcome: str
    message: MessageKey
    message_type: str
    flow: str
    receiver: str
    basis: str
    purpose: str
    released: tuple[str, ...]
    withheld: tuple[str, ...]
    access: AccessItems
    resident: str
    digest: str
    detail: str

    @property
    def code(self) -> str:
        """The entry's code; empty where the outcome is that of its kind."""
        return "" if self.outcome == _DEFAULT_OUTCOME[self.kind] else self.outcome


def read_leaf(content: bytes | str) -> Recorded:
    """Read a leaf back.

    Raises:
        ValueError: it is no leaf of this ledger.
    """
    said: dict[str, Any] = json.loads(content)
    try:
        if said["v"] != 1:
            raise ValueError("the entry is of another version")
        return Recorded(
            number=said["entry"],
            at=moment(said["at"]),
            kind=Kind(said["kind"]),
            outcome=said["outcome"],
            message=MessageKey(*_split(said["message"])),
            message_type=said["message_type"],
            flow=said["flow"],
            receiver=said["receiver"],
            basis=said["basis"],
            purpose=said["purpose"],
            released=tuple(said["released"]),
            withheld=tuple(said["withheld"]),
            access=AccessItems(*(said[name] for name in _ACCESS)),
            resident=said["resident"],
            digest=said["digest"],
            detail=said["detail"],
        )
    except (KeyError, TypeError) as error:
        raise ValueError("the entry lacks a part") from error


_ACCESS = ("staff", "department", "terminal", "reason", "operation")


def _split(message: str) -> Iterable[str]:
    sender, _, message_id = message.partition("/")
    return sender, message_id
