"""What the judge says of a delivery."""

from dataclasses import dataclass, field
from typing import Any

from hub.message import RECEIPT_TYPE, RELEASE_TYPE, AccessItems, Envelope, MessageKey, Receipt
from hub.pipeline.letters import Letter
from hub.statute.reasons import Code
from schemas.canonical import CanonicalMessage


@dataclass(frozen=True, slots=True)
class Terms:
    """One flow to one receiver: the article in force, what for, what is released and withheld."""

    flow: str
    receiver: str
    basis: str
    purpose: str = ""
    released: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()

    @property
    def pair(self) -> tuple[str, str]:
        """Flow and receiver."""
        return (self.flow, self.receiver)


@dataclass(frozen=True, slots=True)
class Release:
    """What one receiver gets: the fields of ``event`` that its flow releases, in ``data``."""

    terms: Terms
    event: Envelope[CanonicalMessage]
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Again:
    """A message that staff released from the confirmation list, and that comes once more.

    ``id`` is its number there. ``is_overtaken`` says that a newer message of the same sender,
    type and resident was accepted meanwhile, as far as the ledger has it.
    """

    id: int
    is_overtaken: bool


@dataclass(frozen=True, slots=True)
class Permitted:
    """A message that flows may carry; ``outside`` are the flows whose rule excludes the person.

    ``resident`` is the keyed pseudonym; empty when nothing is released. ``repeated`` says
    that the broker has delivered the message before.

    Where ``follows`` names a message, the scope rule is satisfied only if the ledger shows that
    the hub delivered that one to this sender about the same resident, by one of the flows
    ``answered``: those of the types that a message of this type may follow.

    ``number`` is the keyed digest of the resident's 個人番号 as some receiver would get it, empty
    where that field is blank, and none where no receiver gets the field. ``renumbers`` says that
    this event may change it. ``doubt`` is why the sender asks for a person's look.
    """

    key: MessageKey
    message_type: str
    body: bytes = field(repr=False)
    resident: str
    access: AccessItems
    releases: tuple[Release, ...]
    outside: tuple[Terms, ...]
    repeated: bool = False
    follows: MessageKey | None = None
    answered: frozenset[str] = frozenset()
    number: str | None = field(default=None, repr=False)
    renumbers: bool = False
    doubt: str = ""
    again: Again | None = None


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


@dataclass(frozen=True, slots=True)
class Ordered:
    """A copy that staff released although its receiver's encoding lacks characters of it."""

    key: MessageKey
    body: bytes = field(repr=False)
    letter: Letter
    again: Again
    access: AccessItems = field(default_factory=AccessItems)
    message_type: str = RELEASE_TYPE


Verdict = Permitted | Refused | Receipted | Ordered
