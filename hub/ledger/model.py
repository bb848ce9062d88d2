"""What an entry of the ledger says; plain values, no database.

An entry never holds a name, an address, a 宛名番号 or a 個人番号: the resident is a keyed
pseudonym, the body a keyed digest, and withheld and released fields are listed by name.
"""

import datetime as dt
import hashlib
import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from hub.message import AccessItems, MessageKey


class Kind(StrEnum):
    """What happened."""

    ACCEPTANCE = "acceptance"
    OUT_OF_SCOPE = "out-of-scope"
    REFUSAL = "refusal"
    DELIVERY = "delivery"
    RECEIPT = "receipt"
    CATALOGUE_CHANGE = "catalogue-change"


@dataclass(frozen=True, slots=True)
class Entry:
    """One event in a message's life, for one flow and receiver where there is one.

    ``digest`` is the keyed digest of the body as received (acceptance, refusal,
    out-of-scope) or as delivered (delivery). ``resident`` is empty for a person out of scope
    and for a message that could not be read. ``code`` is the refusal's code or the receipt's
    result. ``detail`` names what a refusal is about: fields, missing cells, days; never a
    value. ``basis`` is the law and article in force. A change of the catalogue is no message's:
    see ``hub.ledger.changes``.
    """

    kind: Kind
    at: dt.datetime
    message: MessageKey
    message_type: str
    flow: str = ""
    receiver: str = ""
    resident: str = ""
    digest: str = ""
    code: str = ""
    detail: str = ""
    basis: str = ""
    access: AccessItems = field(default_factory=AccessItems)
    released: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()


@dataclass(slots=True)
class Known:
    """What the ledger already holds of a message.

    ``decided`` maps the digest of each body that did not move to its refusal code (empty for
    a person out of scope). The sets hold (flow, receiver) pairs; ``settled`` ones were
    delivered, or withdrawn after acceptance.
    """

    decided: dict[str, str] = field(default_factory=dict)
    accepted_digest: str = ""
    accepted_at: dt.datetime | None = None
    accepted: set[tuple[str, str]] = field(default_factory=set)
    settled: set[tuple[str, str]] = field(default_factory=set)
    receipted: set[tuple[str, str]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class FlowCount:
    """Counts of one (sender, message type, flow, receiver); refusals may have no flow."""

    sender: str
    message_type: str
    flow: str
    receiver: str
    kind: Kind
    code: str
    count: int


class Ledger(Protocol):
    """Where entries are kept; every method raises ``LedgerError`` when it cannot be done."""

    def append(self, entries: Sequence[Entry]) -> None:
        """Add entries in one durable transaction: all of them, or none and an error."""
        ...

    def known(self, keys: Collection[MessageKey]) -> Mapping[MessageKey, Known]:
        """Tell what is already recorded of these messages; unknown ones are absent."""
        ...

    def catalogue(self) -> str:
        """Give the digest of the catalogue last recorded as in force; empty when none is."""
        ...

    def counts(self) -> list[FlowCount]:
        """Count the entries by sender, type, flow, receiver, kind and code."""
        ...

    def size(self) -> int:
        """Count all entries."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Keyed digests, so that neither a 宛名番号 nor a body can be guessed from the ledger."""

    key: bytes = field(repr=False)

    def resident(self, addressee_number: str) -> str:
        """Give the pseudonym of a resident: 32 hex digits of HMAC-SHA-256."""
        return self._digest(b"resident", addressee_number.encode())

    def body(self, body: bytes) -> str:
        """Give the digest of a body: 32 hex digits of HMAC-SHA-256."""
        return self._digest(b"body", body)

    def _digest(self, purpose: bytes, value: bytes) -> str:
        return hmac.digest(self.key, purpose + b"\x00" + value, hashlib.sha256).hex()[:32]
