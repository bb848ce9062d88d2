"""What a reconciliation is about: one message as each side tells it, and what can be missing.

``docs/operations/reconciliation.md`` defines each word.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from hub.ledger.tally import Fact
from hub.message import MessageKey

HUB = "hub.in"
"""Stands for the hub's own queues together."""


class Pair(NamedTuple):
    """One flow to one receiver."""

    flow: str
    receiver: str


class Origin(StrEnum):
    """What the sender's side says of a message."""

    FILE = "file"  # a record of a file that was read; the broker confirmed it
    NOWHERE = "nowhere"  # the sender's journal is here, and does not have it
    UNKNOWN = "unknown"  # there is no journal of the sender, or it is older than the numbers


@dataclass(frozen=True, slots=True)
class Message:
    """A message as each side tells it.

    ``message_type`` is what its file is for; empty where it is from none. ``facts`` are the
    ledger's entries, in order. ``taken`` are the receivers' own records: whether the receipt
    was sent.
    """

    key: MessageKey
    origin: Origin
    message_type: str
    facts: Sequence[Fact]
    taken: Mapping[Pair, bool]


class Lack(StrEnum):
    """What is missing, and on which side."""

    NOT_JUDGED = "sent, but neither in the ledger nor in the hub's queues"
    NOT_SENT = "in the ledger, but in none of the sender's files"
    NOT_ACCEPTED = "moved on, but its acceptance is not in the ledger"
    NOT_DELIVERED = "accepted, but neither delivered nor in the hub's queues"
    NOT_RECEIVED = "delivered, but neither receipted nor in the receiver's queue"
    RECEIPT_LOST = "taken by the receiver, but its receipt is neither in the ledger nor on its way"
    NOT_RECORDED = "receipted, but its delivery is not in the ledger"
    NOT_TAKEN = "receipted, but not in the receiver's own record"
    TAKEN_ONLY = "in the receiver's own record, but not accepted for it in the ledger"
    TWICE = "in the ledger more than once"

    @property
    def code(self) -> str:
        """Give its name for programs, such as ``not-judged``."""
        return self.name.lower().replace("_", "-")


class Gap(NamedTuple):
    """A message of the gap; flow and receiver are empty where it is about all of them."""

    sender: str
    id: str
    flow: str
    receiver: str
    lack: Lack


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many messages wait in the broker's queues at this moment.

    ``taken`` says how many a process has taken and not acknowledged, as the broker's statistics
    of the last seconds tell it; none where they could not be read. ``note`` says what else is
    to be known about it, such as that the broker is no more.
    """

    hub: int
    out: Mapping[str, int]
    dead: int = 0
    taken: Mapping[str, int] | None = None
    note: str = ""

    def holds(self, queue: str) -> int:
        """Say how many wait in a receiver's queue, or with ``HUB`` in the hub's own."""
        ready = self.hub if queue == HUB else self.out.get(queue, 0)
        return ready + (self.taken or {}).get(queue, 0)
