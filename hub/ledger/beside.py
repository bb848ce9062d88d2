"""What is written beside entries, in their transaction: bindings, and messages put aside.

A binding is the keyed digest of the 個人番号 under which a resident is known. A message put
aside waits on the confirmation list (確認リスト) for a person; its body is encrypted. Neither is
evidence, so neither is under the tree's hash: the entries say what was held and decided.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from hub.message import MessageKey


class State(StrEnum):
    """Where a message on the confirmation list stands; the last three are the end."""

    OPEN = "open"  # waits for a person
    RELEASED = "released"  # a person let it go; the hub is about to move it
    MOVED = "moved"
    REJECTED = "rejected"  # by a person
    REFUSED = "refused"  # released, but not permitted any more, or overtaken


KEPT = (State.OPEN, State.RELEASED)
"""The states in which the body is kept."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A resident's number: its digest ``before`` (empty where there was none) and ``after``."""

    resident: str
    before: str
    after: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Aside:
    """A message to put aside.

    Its row gets the number of its first entry, which is the one at ``place`` among those
    appended with it. ``bucket`` keeps it with the resident's other messages
    (``hub.message.partition_of``). ``seal`` encrypts its body for the row of this number.
    """

    place: int
    key: MessageKey
    message_type: str
    resident: str
    code: str
    bucket: str
    at: dt.datetime
    seal: Callable[[int], bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Turn:
    """A message on the list goes from one state to the next; it must be in the first one."""

    id: int
    was: State
    now: State


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
class Confirmation:
    """A message on the confirmation list, as its row says it.

    ``id`` is the number of the entry that says that it is held, ``decided`` that of the entry by
    which a person decided, or 0. ``sealed`` is the encrypted body, empty once the end is reached.
    """

    id: int
    at: dt.datetime
    key: MessageKey
    message_type: str
    resident: str
    code: str
    bucket: str
    state: State
    decided: int
    sealed: bytes = field(repr=False, default=b"")
