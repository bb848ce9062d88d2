"""What the judge says of a delivery."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from hub.ledger.beside import Cause, State, Turn
from hub.message import RECEIPT_TYPE, RELEASE_TYPE, AccessItems, Envelope, MessageKey, Receipt
from hub.pipeline.letters import Letter
from hub.record import record
from hub.statute.model import Lasting
from hub.statute.reasons import Code
from schemas.canonical import CanonicalMessage

_A_DAY = Lasting(dt.timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Terms:
    """One flow to one receiver: the article in force, what for, what is released and withheld.

    ``lasting`` says for how long a copy is tried, and until when it may be delivered.
    """

    flow: str
    receiver: str
    basis: str
    purpose: str = ""
    released: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    lasting: Lasting = _A_DAY

    @property
    def pair(self) -> tuple[str, str]:
        """Flow and receiver."""
        return (self.flow, self.receiver)


@record
class Release:
    """What one receiver gets: the fields of ``event`` that its flow releases, in ``data``."""

    terms: Terms
    event: Envelope[CanonicalMessage]
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Again:
    """A message that staff released, and that comes once more.

    ``id`` is its number on the list. ``is_overtaken`` says that a newer message of the same sender,
    type and resident was accepted meanwhile, as far as the ledger has it. ``is_dead`` says that it
    comes from the dead letters. ``state``, ``age``, ``resident``, ``bucket`` and ``pair`` (flow and
    receiver of a copy) are those of its row. ``number`` is the keyed digest of the 個人番号 that is
    encrypted in a dead copy, as the broker gave it back, or empty.
    """

    id: int
    is_overtaken: bool
    is_dead: bool = False
    state: State = State.RELEASED
    age: int = 0
    resident: str = ""
    bucket: str = ""
    pair: tuple[str, str] = ("", "")
    number: str = field(default="", repr=False)

    def turn(self, now: State) -> Turn:
        """Take it to another state."""
        return Turn(self.id, self.state, now)


@record
class Permitted:
    """A message that flows may carry; ``outside`` are the flows whose rule excludes the person.

    ``resident`` is the keyed pseudonym; empty when nothing is released. ``repeated`` says
    that the broker has delivered the message before; ``tried`` are the receivers whose copies were
    tried in vain.

    Where ``follows`` names a message, the scope rule is satisfied only if the ledger shows that
    the hub delivered that one to this sender about the same resident, by one of the flows
    ``answered``: those of the types that a message of this type may follow.

    ``number`` is the keyed digest of the resident's 個人番号 as some receiver would get it, empty
    where that field is blank, and none where no receiver gets the field. ``renumbers`` says that
    this event may change it. ``in_clear`` says that it came without a seal, and was taken all the
    same. ``doubt`` is why the sender asks for a person's look.
    """

    key: MessageKey
    message_type: str
    body: bytes = field(repr=False)
    resident: str
    access: AccessItems
    releases: tuple[Release, ...]
    outside: tuple[Terms, ...]
    repeated: bool = False
    tried: frozenset[str] = frozenset()
    follows: MessageKey | None = None
    answered: frozenset[str] = frozenset()
    number: str | None = field(default=None, repr=False)
    renumbers: bool = False
    doubt: str = ""
    again: Again | None = None
    in_clear: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that nothing permits, or that cannot be read.

    ``key.sender`` is the proven sender, or empty. ``detail`` names fields or cells.
    ``repeated``: as above.
    """

    key: MessageKey
    message_type: str
    body: bytes = field(repr=False)
    code: Code
    detail: str = ""
    access: AccessItems = field(default_factory=AccessItems)
    repeated: bool = False
    again: Again | None = None


@dataclass(frozen=True, slots=True)
class Receipted:
    """Receipts from a receiver; ``key`` is that of the event that brought them."""

    key: MessageKey
    body: bytes = field(repr=False)
    receiver: str
    receipts: tuple[Receipt, ...]
    access: AccessItems
    message_type: str = RECEIPT_TYPE
    again: Again | None = None


@dataclass(frozen=True, slots=True)
class Ordered:
    """A copy that staff released although its receiver's encoding lacks characters of it."""

    key: MessageKey
    body: bytes = field(repr=False)
    letter: Letter
    again: Again
    access: AccessItems = field(default_factory=AccessItems)
    message_type: str = RELEASE_TYPE


@dataclass(frozen=True, slots=True)
class Dead:
    """A message that the broker, or the hub itself, gave up: as it was sent, or a copy of it.

    ``pair`` is flow and receiver of a copy; both are empty for a message as it was sent.
    ``resident`` is the pseudonym as the body gives it, or empty. ``bucket`` is where a marker has
    its place. ``is_hubs`` says that it is none of a system's, such as a notice: it is recorded, and
    there is nothing to decide. ``again``: it had been released, and the hub failed on it.
    """

    key: MessageKey
    message_type: str
    body: bytes = field(repr=False)
    code: Code
    cause: Cause
    pair: tuple[str, str] = ("", "")
    resident: str = ""
    bucket: str = ""
    access: AccessItems = field(default_factory=AccessItems)
    is_hubs: bool = False
    repeated: bool = False
    again: Again | None = None


@dataclass(frozen=True, slots=True)
class Strayed:
    """A marker that died: what it was to move waits for a person once more; ``row`` says what."""

    key: MessageKey
    message_type: str
    code: Code
    again: Again
    cause: Cause
    body: bytes = b""
    access: AccessItems = field(default_factory=AccessItems)


@dataclass(frozen=True, slots=True)
class Resent:
    """A dead copy that staff released, by today's rules.

    ``copy`` is what its receiver may get of it today, and ``terms`` by what. Where there is none,
    nothing may move, and ``code`` and ``detail`` say why. ``number`` is the keyed digest of the
    個人番号 that would be sent, or empty; ``is_sealed`` says that it is encrypted in ``copy``.
    ``bucket`` is the one that the copy has to carry, or empty.
    """

    key: MessageKey
    message_type: str
    body: bytes = field(repr=False)
    again: Again
    terms: Terms | None = None
    copy: bytes = field(default=b"", repr=False)
    code: Code | None = None
    detail: str = ""
    number: str = field(default="", repr=False)
    is_sealed: bool = False
    bucket: str = ""
    access: AccessItems = field(default_factory=AccessItems)


Verdict = Permitted | Refused | Receipted | Ordered | Dead | Strayed | Resent
