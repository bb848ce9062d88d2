"""What an entry of the ledger says; plain values, no database.

An entry never holds a name, an address, a 宛名番号 or a 個人番号: the resident is a keyed
pseudonym, the body a salted digest, and withheld and released fields are listed by name.
"""

import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

from hub.ledger.aliases import Aliases
from hub.ledger.beside import NOTHING, Beside, Shelved
from hub.message import AccessItems, MessageKey
from hub.record import record

SALT_BYTES = 16
_SALTS_AT_ONCE = 32


class Kind(StrEnum):
    """What happened; ``docs/ledger-events.md`` says for each when it is written."""

    ACCEPTANCE = "acceptance"
    OUT_OF_SCOPE = "out-of-scope"
    REFUSAL = "refusal"
    DELIVERY = "delivery"
    RECEIPT = "receipt"
    HOLD = "hold"
    RELEASE = "release"
    REPLAY = "replay"
    DEAD_LETTER = "dead-letter"
    EXPIRY = "expiry"
    CATALOGUE_CHANGE = "catalogue-change"
    OPERATOR_ACTION = "operator-action"
    LOG_VIEW = "log-view"
    EXPORT = "export"
    DESTRUCTION = "destruction"


class Commitment(NamedTuple):
    """A salted digest of a body: SHA-256 over the salt and the body, 64 hex digits.

    Whoever has the body and the salt can check it; nobody can guess a body without the salt.
    An erased salt is empty, and then the commitment is of no body any more.
    """

    digest: str
    salt: bytes

    def is_of(self, body: bytes) -> bool:
        """Say whether this is the body."""
        return bool(self.salt) and hmac.compare_digest(self.digest, _salted(body, self.salt))


def fresh_salts() -> Iterator[bytes]:
    """Give new salts of 16 random bytes, to one thread; few calls of the system bring many."""
    while True:
        some = secrets.token_bytes(SALT_BYTES * _SALTS_AT_ONCE)
        yield from (some[at : at + SALT_BYTES] for at in range(0, len(some), SALT_BYTES))


def commit(body: bytes, salt: bytes) -> Commitment:
    """Commit to a body."""
    return Commitment(_salted(body, salt), salt)


def _salted(body: bytes, salt: bytes) -> str:
    return hashlib.sha256(salt + body).hexdigest()


@record
class Entry:
    """One event in a message's life, for one flow and receiver where there is one.

    ``digest`` and ``salt`` are the commitment to the body as received (acceptance, refusal,
    out-of-scope) or as delivered (delivery); a digest without a salt is that of something
    public. ``resident`` is empty for a person out of scope and for a message that could not
    be read. ``code`` is the refusal's code or the receipt's result. ``detail`` names what an
    entry is about: fields, missing cells, days, files; never a value. ``basis`` is the law and
    article in force, ``purpose`` what the flow is for. What is no message's, such as a change
    of the catalogue, has a message key of the hub's own.
    """

    kind: Kind
    at: dt.datetime
    message: MessageKey
    message_type: str
    flow: str = ""
    receiver: str = ""
    resident: str = ""
    digest: str = ""
    salt: bytes = field(default=b"", repr=False)
    code: str = ""
    detail: str = ""
    basis: str = ""
    purpose: str = ""
    access: AccessItems = field(default_factory=AccessItems)
    released: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()


@dataclass(slots=True)
class Known:
    """What the ledger already holds of a message.

    ``decided`` maps the commitment to each body that did not move to its refusal code (empty
    for a person out of scope). The sets hold (flow, receiver) pairs; ``settled`` ones were
    delivered, expired, put with the dead letters, or withdrawn after acceptance; of these,
    ``delivered`` are those whose copy the broker has confirmed. ``outside`` are those whose flow
    is not about this person. ``resident``
    is the pseudonym of whom the message is about, as far as that is recorded. ``held_as`` is
    the commitment to a body that was put on the confirmation list, ``held_code`` why, or what was
    decided against it; ``held`` are the pairs that may still move. ``lacking`` are those whose
    receiver set the copy aside for its characters; once released they may be receipted again.
    ``dead`` are the pairs whose copy is among the dead letters and undecided, ``dead_as`` is the
    commitment to a body that is there as it was sent.
    """

    resident: str = ""
    decided: dict[Commitment, str] = field(default_factory=dict)
    accepted_as: Commitment | None = None
    accepted_at: dt.datetime | None = None
    accepted: set[tuple[str, str]] = field(default_factory=set)
    settled: set[tuple[str, str]] = field(default_factory=set)
    delivered: set[tuple[str, str]] = field(default_factory=set)
    delivered_by: dict[tuple[str, str], int] = field(default_factory=dict)
    receipted: set[tuple[str, str]] = field(default_factory=set)
    outside: set[tuple[str, str]] = field(default_factory=set)
    held_as: Commitment | None = None
    held_code: str = ""
    held: set[tuple[str, str]] = field(default_factory=set)
    lacking: set[tuple[str, str]] = field(default_factory=set)
    dead: set[tuple[str, str]] = field(default_factory=set)
    dead_as: Commitment | None = None

    def is_accepted(self, body: bytes) -> bool:
        """Say whether this very body was accepted."""
        return self.accepted_as is not None and self.accepted_as.is_of(body)

    def is_delivered_since(self, flow: str, receiver: str, number: int) -> bool:
        """Say whether a delivery is recorded after the entry of this number."""
        return self.delivered_by.get((flow, receiver), 0) > number

    def is_held(self, body: bytes) -> bool:
        """Say whether this very body was put on the confirmation list."""
        return self.held_as is not None and self.held_as.is_of(body)

    def is_dead(self, body: bytes) -> bool:
        """Say whether this very body is among the dead letters, and nobody has decided."""
        return self.dead_as is not None and self.dead_as.is_of(body)

    def decision(self, body: bytes) -> str | None:
        """Give the code by which this very body did not move; none where it was not judged."""
        if not self.decided:
            return None
        return next((code for one, code in self.decided.items() if one.is_of(body)), None)


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

    @property
    def asked_at(self) -> int | None:
        """How many entries there were when ``known`` was last asked."""
        ...

    def append(
        self, entries: Sequence[Entry], beside: Beside = NOTHING, since: int | None = None
    ) -> None:
        """Add entries, and what stands beside them, in one durable transaction: all or none.

        What another process has recorded since ``known`` was last asked is not recorded twice;
        ``since`` is where some of this was asked about before that, an ``asked_at`` of then.
        """
        ...

    def known(self, keys: Collection[MessageKey]) -> Mapping[MessageKey, Known]:
        """Tell what is already recorded of these messages; unknown ones are absent."""
        ...

    def bindings(self, residents: Collection[str]) -> Mapping[str, str]:
        """Give the digest of the number that each resident is bound to; others are absent."""
        ...

    def released(self) -> Sequence[tuple[int, str]]:
        """Give number and bucket of what was put aside, released, and has not moved."""
        ...

    def confirmations(
        self, numbers: Collection[int]
    ) -> tuple[Mapping[int, Shelved], frozenset[int]]:
        """Give what was put aside by its numbers, and what of it something newer has overtaken."""
        ...

    def recorded_deaths(self, marks: Collection[str]) -> Mapping[str, bool]:
        """Give the marks under which dead letters are recorded, and if one was not sent again."""
        ...

    def tries(self, marks: Collection[str]) -> Mapping[str, int]:
        """Give how often each suspect was tried that a process did not outlive; or leave it out."""
        ...

    def suspected(self, marks: Collection[str]) -> None:
        """Note durably that suspects are about to be tried."""
        ...

    def cleared(self, marks: Collection[str]) -> None:
        """Note that the process outlived suspects."""
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

    def tend(self) -> None:
        """Make sure that entries may be added, and sign a checkpoint where one is due."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Keyed digests, so that neither a 宛名番号 nor a body can be guessed from the ledger.

    What is written is keyed by ``key``. ``retired`` are the keys before it, the last one first:
    what was written with them, up to the entry ``last``, is still found through ``aliases``.
    """

    key: bytes = field(repr=False)
    retired: tuple[bytes, ...] = field(default=(), repr=False)
    last: int = 0
    aliases: Aliases = field(default_factory=Aliases, repr=False, compare=False)

    def resident(self, addressee_number: str) -> str:
        """Give the pseudonym of a resident: 32 hex digits of HMAC-SHA-256."""
        return self._digest(b"resident", addressee_number.encode())

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Name the keys, today's first: by something that says nothing else about them."""
        return tuple(_keyed(key, b"key-id\x00")[:8] for key in (self.key, *self.retired))

    def residents(self, addressee_number: str) -> tuple[str, ...]:
        """Give the pseudonyms of a resident: today's first, then those under retired keys."""
        today = self.resident(addressee_number)
        return (today, *self.aliases.former(today))

    def body(self, body: bytes) -> str:
        """Give a name for a body that has none of its own: 32 hex digits of HMAC-SHA-256."""
        return self._digest(b"body", body)

    def number(self, my_number: str) -> str:
        """Give what tells one 個人番号 from another: 32 hex digits of HMAC-SHA-256."""
        return self._digest(b"my-number", my_number.encode())

    def _digest(self, purpose: bytes, value: bytes) -> str:
        said = purpose + b"\x00" + value
        today = _keyed(self.key, said)
        if self.retired:
            self.aliases.learn(today, tuple(_keyed(key, said) for key in self.retired))
        return today


def _keyed(key: bytes, said: bytes) -> str:
    return hmac.digest(key, said, hashlib.sha256).hex()[:32]
