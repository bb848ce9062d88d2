"""Records once what is done once, also where another process was quicker."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection

from hub.errors import LedgerError
from hub.ledger.beside import Step
from hub.ledger.model import Entry, Kind, Known
from hub.ledger.months import Month
from hub.ledger.recall import DYING, recall, touched_since
from hub.message import UNENCODABLE, MessageKey


def refuse_twice(
    connection: Connection, months: Sequence[Month], asked_at: int, new: Sequence[Entry]
) -> frozenset[MessageKey]:
    """See that nothing new is recorded already by what came after the entry ``asked_at``.

    Returns:
        The messages among them of which there is nothing in the ledger.

    Raises:
        LedgerError: something is; ask again.
    """
    once = [entry for entry in new if _is_once(entry)]
    keys = {entry.message for entry in once}
    touched, absent = touched_since(connection, keys, months, asked_at)
    found = recall(connection, touched).known if touched else {}
    for entry in once:
        known = found.get(entry.message)
        if known is not None and _is_done(known, entry, asked_at):
            raise LedgerError("another worker has recorded the same meanwhile: asking again")
    return absent


def _is_delivered(known: Known, entry: Entry, asked_at: int) -> bool:
    return known.is_delivered_since(entry.flow, entry.receiver, asked_at)


def _is_receipted(known: Known, entry: Entry, _asked_at: int) -> bool:
    pair = (entry.flow, entry.receiver)
    return pair in known.receipted or (entry.code == UNENCODABLE and pair in known.lacking)


_DONE: Mapping[Kind, Callable[[Known, Entry, int], bool]] = {
    Kind.ACCEPTANCE: lambda known, entry, _: (entry.flow, entry.receiver) in known.accepted,
    Kind.OUT_OF_SCOPE: lambda known, entry, _: (entry.flow, entry.receiver) in known.outside,
    Kind.HOLD: lambda known, *_: known.held_as is not None,
    Kind.DELIVERY: _is_delivered,
    Kind.RECEIPT: _is_receipted,
}
_DONE_WHOLE: Mapping[Kind, Callable[[Known], bool]] = {
    Kind.REFUSAL: lambda known: bool(known.decided or known.accepted or known.held_as),
    Kind.DEAD_LETTER: lambda known: known.dead_as is not None,
}
"""Of a message itself, and not of a copy to one receiver."""


def _is_once(entry: Entry) -> bool:
    is_whole = not entry.receiver and entry.kind in _DONE_WHOLE
    return entry.kind in _DONE or is_whole or _is_given_up(entry)


def _is_given_up(entry: Entry) -> bool:
    """Say whether the hub itself gives up a copy here, which nobody else may have sent meanwhile.

    What dies in its receiver's queue was delivered to it before.
    """
    if not entry.receiver:
        return False
    if entry.kind is Kind.REFUSAL:
        return True
    return entry.kind in DYING and entry.detail.partition(":")[0] == Step.SEND


def _is_done(known: Known, entry: Entry, asked_at: int) -> bool:
    if _is_given_up(entry):
        return (entry.flow, entry.receiver) in known.settled
    if entry.kind in _DONE:
        return _DONE[entry.kind](known, entry, asked_at)
    return _DONE_WHOLE[entry.kind](known)
