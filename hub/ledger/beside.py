"""What is written beside entries, in their transaction: bindings, and messages put aside.

A binding is the keyed digest of the 個人番号 under which a resident is known. A message put
aside waits for a person, on the confirmation list (確認リスト) or among the dead letters
(配信不能電文); its body is encrypted. Neither is evidence, so neither is under the tree's hash: the
entries say what was held, what died, and what was decided.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from hub.message import MessageKey


class Shelf(StrEnum):
    """Which list a message stands on."""

    CONFIRMATION = "confirmation"
    DEAD_LETTER = "dead-letter"


class State(StrEnum):
    """Where a message put aside stands; the last four are the end."""

    OPEN = "open"  # waits for a person
    REQUESTED = "requested"  # one person asks for a decision; a second one makes it
    RELEASED = "released"  # a person let it go; the hub is about to move it
    SENDING = "sending"  # the hub is moving it: its copy may be with the receiver already
    MOVED = "moved"
    REJECTED = "rejected"  # by a person
    DISCARDED = "discarded"  # a dead letter, by a person
    REFUSED = "refused"  # released, but not permitted any more, or overtaken


KEPT = (State.OPEN, State.REQUESTED, State.RELEASED, State.SENDING)
"""The states in which the body is kept."""
GOING = (State.RELEASED, State.SENDING)
"""The states in which the hub is to move it."""

UNDECIDED = frozenset(
    {"requested", "discard-requested", "release-requested", "reject-requested", "declined"}
)
"""The codes of entries ``replay`` and ``release`` after which a message is where it was."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A resident's number: its digest ``before`` (empty where there was none) and ``after``.

    ``was`` is the pseudonym, by a retired key, under which the row stands that is replaced.
    """

    resident: str
    before: str
    after: str = field(repr=False)
    was: str = ""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a message is among the dead letters.

    Attributes:
        step: Which step failed: ``hub.ledger.beside.Step``.
        detail: The error in words: names, never a value.
        history: What the broker says of it, as JSON; empty where the hub itself gave up.
        mark: Tells one death from another, so that none is recorded twice; empty where the hub
            itself gave up.
        died: When the broker took it out of its queue.
    """

    step: str
    detail: str = ""
    history: str = ""
    mark: str = ""
    died: dt.datetime | None = None


class Step(StrEnum):
    """Which step failed."""

    TAKE = "take"  # the hub did not get through with a message of its own queue
    SEND = "send"  # the receiver's queue did not take the copy in its time
    RECEIVE = "receive"  # the receiver did not take the copy out of its queue


@dataclass(frozen=True, slots=True)
class Aside:
    """A message to put aside.

    Its row gets the number of its first entry, which is the one at ``place`` among those
    appended with it. ``bucket`` keeps it with the resident's other messages
    (``hub.message.partition_of``). ``seal`` encrypts its body for the row of this number.
    ``cause`` is that of a dead letter, and ``flow`` and ``receiver`` where it is a copy.
    """

    place: int
    key: MessageKey
    message_type: str
    resident: str
    code: str
    bucket: str
    at: dt.datetime
    seal: Callable[[int], bytes] = field(repr=False)
    cause: Cause | None = None
    flow: str = ""
    receiver: str = ""

    @property
    def shelf(self) -> Shelf:
        """Say which list it goes on."""
        return Shelf.CONFIRMATION if self.cause is None else Shelf.DEAD_LETTER


@dataclass(frozen=True, slots=True)
class Turn:
    """A message put aside goes from one state to the next; it must be in the first one.

    ``request`` is the place, among the entries appended with it, of the entry that asks for a
    second person's approval, where this is such a turn. ``asked`` is the number of the request
    that it must be waiting under, where it ``was`` asked for: it may have been taken back and
    asked for anew.
    """

    id: int
    was: State
    now: State
    request: int | None = None
    asked: int = 0


@dataclass(frozen=True, slots=True)
class Beside:
    """What is to be written in the transaction of the entries."""

    bindings: Sequence[Binding] = ()
    asides: Sequence[Aside] = ()
    turns: Sequence[Turn] = ()

    def __bool__(self) -> bool:
        """Say whether there is anything."""
        return bool(self.bindings or self.asides or self.turns)


NOTHING = Beside()


@dataclass(frozen=True, slots=True)
class Shelved:
    """A message put aside, as its row says it: a confirmation, or a dead letter with its cause.

    ``id`` is the number of the entry that says that it is there, ``decided`` that of the entry by
    which a person decided, or 0. ``request`` is the number of the request that a second person
    decided about, or is to, or 0. ``sealed`` is the encrypted body, empty once the end is reached
    and where rows are listed.
    ``age`` is the number of the entry by which it is older or newer than others: that of its
    message's acceptance where it is a copy, else its own.
    """

    id: int
    shelf: Shelf
    at: dt.datetime
    key: MessageKey
    message_type: str
    resident: str
    code: str
    bucket: str
    state: State
    decided: int
    flow: str = ""
    receiver: str = ""
    cause: Cause | None = None
    request: int = 0
    age: int = 0
    sealed: bytes = field(repr=False, default=b"")
