"""The whole way of one message, from both sides: what the ledger says, and the journals beside it.

Made of facts alone: steps, times, names of fields and files. Nobody's data stands in it.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

from hub.errors import QuestionError
from hub.ledger.acts import Act, act
from hub.ledger.leaf import Recorded
from hub.ledger.model import Kind
from hub.ledger.schema import ledger_errors
from hub.ledger.search.ask import MOST, Question, search
from hub.ledger.store import DatabaseLedger
from hub.message import MARKED, AccessItems, MessageKey
from hub.statute.reasons import Code, Sentence, held_sentence, sentence


class Side(StrEnum):
    """Who says that a step was taken."""

    SENDER = "sender"  # the journal of the sender's adapter
    HUB = "hub"
    RECEIVER = "receiver"  # its receipt, or the journal of its adapter


class Step(StrEnum):
    """A step of the way."""

    READ = "read"
    ACCEPTED = "accepted"
    OUT_OF_SCOPE = "out-of-scope"
    REFUSED = "refused"
    HELD = "held"
    RELEASED = "released"
    DELIVERED = "delivered"
    TAKEN = "taken"
    RECEIVED = "received"
    SET_ASIDE = "set-aside"
    DEAD = "dead"
    EXPIRED = "expired"
    ASKED = "asked"
    DECLINED = "declined"
    REPLAYED = "replayed"
    DISCARDED = "discarded"
    STOPPED = "stopped"


_STEPS = {
    Kind.ACCEPTANCE: Step.ACCEPTED,
    Kind.OUT_OF_SCOPE: Step.OUT_OF_SCOPE,
    Kind.REFUSAL: Step.REFUSED,
    Kind.HOLD: Step.HELD,
    Kind.RELEASE: Step.RELEASED,
    Kind.DELIVERY: Step.DELIVERED,
    Kind.RECEIPT: Step.RECEIVED,
    Kind.DEAD_LETTER: Step.DEAD,
    Kind.EXPIRY: Step.EXPIRED,
    Kind.REPLAY: Step.REPLAYED,
}
_DECIDED: Mapping[str, Step] = {
    Code.REQUESTED: Step.ASKED,
    Code.DISCARD_REQUESTED: Step.ASKED,
    Code.RELEASE_REQUESTED: Step.ASKED,
    Code.REJECT_REQUESTED: Step.ASKED,
    Code.DECLINED: Step.DECLINED,
    Code.DISCARDED: Step.DISCARDED,
}
_LEAVES_IT = frozenset({Step.ASKED, Step.DECLINED})
_BY_PEOPLE = frozenset({Kind.RELEASE, Kind.REPLAY})


class Pair(NamedTuple):
    """One flow to one receiver; both empty for what is of no flow."""

    flow: str
    receiver: str


@dataclass(frozen=True, slots=True)
class Point:
    """A step, and when it was taken.

    ``after`` is how many seconds it came after the step before it. ``entry`` is the number of the
    ledger's entry, 0 for what a journal says; ``file`` the file that it stands in, as ``record``
    (from 1) where that is known. ``why`` says what stopped it; ``detail`` names fields, numbers
    of a list, days. ``staff`` decided it.
    """

    step: Step
    side: Side
    at: dt.datetime | None
    entry: int = 0
    code: str = ""
    why: Sentence | None = None
    detail: str = ""
    staff: str = ""
    file: str = ""
    record: int = 0
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Lane:
    """The way to one receiver by one flow; ``step`` is where it stands now."""

    pair: Pair
    points: tuple[Point, ...]
    basis: str = ""
    purpose: str = ""
    released: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()

    @property
    def step(self) -> Step:
        """Say where the message stands; what was only asked for, or declined, changes nothing."""
        stands = [one.step for one in self.points if one.step not in _LEAVES_IT]
        return stands[-1] if stands else self.points[-1].step


@dataclass(frozen=True, slots=True)
class Way:
    """All lanes of a message; ``begin`` is what belongs to none of them.

    ``resident`` is the pseudonym of whom it is about. ``entries`` are the numbers of what the
    ledger says. With ``more`` there are further entries that are not shown.
    """

    key: MessageKey
    message_type: str
    begin: tuple[Point, ...]
    lanes: tuple[Lane, ...]
    entries: tuple[int, ...]
    resident: str = field(default="", repr=False)
    more: bool = False


@dataclass(frozen=True, slots=True)
class Noted:
    """What the journals beside the adapters say; a side that is not here says nothing."""

    read: Point | None = None
    taken: Mapping[Pair, Point] = field(default_factory=dict)


Journals = Callable[[MessageKey, Collection[Pair]], Noted]
"""Asks the journals about a message that these pairs were to have."""


def no_journals(_key: MessageKey, _pairs: Collection[Pair]) -> Noted:
    """Say nothing: no journal is here."""
    return Noted()


def look_at(
    ledger: DatabaseLedger,
    key: MessageKey,
    access: AccessItems,
    at: dt.datetime,
    journals: Journals = no_journals,
) -> Way:
    """Give a message's way; that somebody looks at it is recorded first.

    Raises:
        QuestionError: the ledger has no entry of it; that somebody asked is recorded.
        LedgerError: the ledger cannot be read, or the look not be recorded.
        EdgeError: a journal cannot be read.
    """
    asked = Question(message=key.id, sender=key.sender, limit=MOST)
    with ledger_errors("be read"), ledger.engine.connect() as connection:
        found = search(connection, asked) if key.id and key.sender else None
    if found is None or not found.entries:
        # Without the id: somebody may have typed a person's number instead.
        detail = "a message of which there is no entry"
        ledger.append([act(Kind.LOG_VIEW, access, at, code=Act.MESSAGE, detail=detail)])
        raise QuestionError(
            "the ledger has no entry about such a message: there was none, or its month was "
            "destroyed"
        )
    entries = found.entries[::-1]
    resident = next((one.resident for one in entries if one.resident), "")
    detail = f"message {key.sender}/{key.id}"
    viewed = act(Kind.LOG_VIEW, access, at, code=Act.MESSAGE, detail=detail, resident=resident)
    ledger.append([viewed])
    pairs = {Pair(one.flow, one.receiver) for one in entries if one.receiver}
    return replace(way_of(entries, journals(key, pairs)), more=found.more)


def way_of(entries: Sequence[Recorded], noted: Noted | None = None) -> Way:
    """Put the way of a message together from its entries, the earliest first.

    Raises:
        ValueError: there is no entry.
    """
    if not entries:
        raise ValueError("a message without an entry has no way")
    noted = noted or Noted()
    begin = [noted.read] if noted.read else []
    lanes: dict[Pair, list[Recorded]] = {}
    for entry in entries:
        if entry.kind not in _STEPS:
            continue
        if entry.flow or entry.receiver:
            lanes.setdefault(Pair(entry.flow, entry.receiver), []).append(entry)
        else:
            begin.append(_point(entry))
    started = tuple(_timed(begin, None))
    first = started[0].at if started else None
    return Way(
        key=entries[0].message,
        message_type=next((one.message_type for one in entries if one.message_type), ""),
        begin=started,
        lanes=tuple(_lane(pair, some, noted, first) for pair, some in lanes.items()),
        entries=tuple(one.number for one in entries),
        resident=next((one.resident for one in entries if one.resident), ""),
    )


def _lane(
    pair: Pair, entries: Sequence[Recorded], noted: Noted, started: dt.datetime | None
) -> Lane:
    points = [_point(one) for one in entries]
    taken = noted.taken.get(pair)
    if taken is not None:
        receipts = [place for place, one in enumerate(points) if one.side is Side.RECEIVER]
        points.insert(receipts[-1] if receipts else len(points), taken)
    said = next((one for one in entries if one.basis), entries[0])
    return Lane(
        pair,
        tuple(_timed(points, started)),
        basis=said.basis,
        purpose=said.purpose,
        released=said.released,
        withheld=said.withheld,
    )


def _timed(points: Sequence[Point], before: dt.datetime | None) -> Iterator[Point]:
    for one in points:
        after = None
        if one.at is not None and before is not None:
            # A journal notes whole seconds, so it may seem to come just before.
            after = max(0.0, (one.at - before).total_seconds())
        yield replace(one, after=after)
        before = one.at or before


def _point(entry: Recorded) -> Point:
    step = _step(entry)
    return Point(
        step=step,
        side=Side.RECEIVER if entry.kind is Kind.RECEIPT else Side.HUB,
        at=entry.at,
        entry=entry.number,
        code=entry.code,
        why=_why(entry),
        detail=entry.detail,
        staff=entry.access.staff if entry.kind in _BY_PEOPLE else "",
    )


def _step(entry: Recorded) -> Step:
    if not entry.code:
        return _STEPS[entry.kind]
    if entry.kind is Kind.RECEIPT:
        is_received = entry.code in {"delivered", MARKED}
        return Step.RECEIVED if is_received else Step.SET_ASIDE
    if entry.kind in _BY_PEOPLE:
        return _DECIDED.get(entry.code, Step.STOPPED)
    return _STEPS[entry.kind]


def _why(entry: Recorded) -> Sentence | None:
    """Give the sentence of a code; a receiver's own code has none, and an asked one needs none."""
    if entry.kind is Kind.HOLD:
        return held_sentence(entry.code) if entry.code else None
    known = {one.value for one in Code}
    if entry.kind is Kind.RECEIPT or entry.code not in known:
        return None
    return sentence(Code(entry.code))
