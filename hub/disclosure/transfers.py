"""Makes the rows of a report from a resident's entries: one for each message and receiver."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from hub.clock import JST
from hub.disclosure.labels import named_fields, named_flow, named_system
from hub.disclosure.model import Access, Named, Outcome, Receipt, ReceiptResult, Row, View
from hub.ledger.beside import UNDECIDED
from hub.ledger.leaf import Recorded
from hub.ledger.model import Kind
from hub.message import MARKED, AccessItems, MessageKey
from hub.statute.model import Catalogue

_BECAME = {
    Kind.ACCEPTANCE: Outcome.PENDING,
    Kind.RELEASE: Outcome.PENDING,
    Kind.REPLAY: Outcome.PENDING,
    Kind.HOLD: Outcome.HELD,
    Kind.DELIVERY: Outcome.DELIVERED,
    Kind.REFUSAL: Outcome.REFUSED,
    Kind.EXPIRY: Outcome.EXPIRED,
    Kind.DEAD_LETTER: Outcome.DEAD_LETTER,
}
_DEATHS = frozenset({Kind.DEAD_LETTER, Kind.EXPIRY})
_WITH_REASON = frozenset({Outcome.HELD, Outcome.REFUSED, Outcome.EXPIRED, Outcome.DEAD_LETTER})


@dataclass(frozen=True, slots=True)
class Period:
    """Days in Japan, both included; an absent one leaves it open."""

    start: dt.date | None = None
    end: dt.date | None = None

    def has(self, at: dt.datetime) -> bool:
        """Say whether a time is in it."""
        day = at.astimezone(JST).date()
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)

    def meets(self, month: int) -> bool:
        """Say whether a month, such as 202611, has a day in it."""
        first = self.start.year * 100 + self.start.month if self.start else month
        last = self.end.year * 100 + self.end.month if self.end else month
        return first <= month <= last


def rows_and_views(
    entries: Iterable[Recorded], catalogue: Catalogue, period: Period
) -> tuple[tuple[Row, ...], tuple[View, ...]]:
    """Give the transfers, and the looks at the ledger, of which anything is in a period.

    ``entries`` are those about the resident, in order. Where the acceptance is destroyed and
    what followed it in the next month is not, the row begins with what is left. A message that
    died as it was sent has a row of its own only where it has none for a receiver.
    """
    transfers: dict[tuple[MessageKey, str, str], _Transfer] = {}
    views: list[View] = []
    for entry in entries:
        if entry.kind is Kind.LOG_VIEW:
            if period.has(entry.at):
                views.append(View(entry.number, entry.at, entry.code, _access(entry.access)))
        elif entry.kind in _BECAME or entry.kind is Kind.RECEIPT:
            key = entry.message, entry.flow, entry.receiver
            transfers.setdefault(key, _Transfer(entry)).learn(entry)
    carried = {message for message, _, receiver in transfers if receiver}
    rows = (
        one.row(catalogue)
        for (message, _, receiver), one in transfers.items()
        if any(period.has(at) for at in one.times)
        and not (one.has_died and not receiver and message in carried)
    )
    return tuple(rows), tuple(views)


@dataclass(slots=True)
class _Transfer:
    """What is known of one message for one receiver; ``said`` is the entry with its terms."""

    said: Recorded
    state: Outcome = Outcome.PENDING
    reason: Recorded | None = None
    delivered_at: dt.datetime | None = None
    receipt: Receipt | None = None
    times: list[dt.datetime] = field(default_factory=list)
    has_died: bool = False

    def learn(self, entry: Recorded) -> None:
        self.times.append(entry.at)
        self.has_died = self.has_died or entry.kind in _DEATHS
        if entry.kind is Kind.REPLAY and entry.code:
            return  # asked for, declined, discarded, or not permitted any more: it stays there
        if entry.kind is Kind.RELEASE and entry.code in UNDECIDED:
            return
        if entry.kind is Kind.ACCEPTANCE or not self.said.basis:
            self.said = entry
        if entry.kind is Kind.RECEIPT:
            self.receipt = _receipt(entry)
            return
        # A release with a code was none: it was rejected, or could not move any more.
        stopped = entry.kind is Kind.RELEASE and entry.code
        self.state = Outcome.REFUSED if stopped else _BECAME[entry.kind]
        self.reason = entry if self.state in _WITH_REASON else None
        if entry.kind is Kind.DELIVERY:
            self.delivered_at = entry.at

    def row(self, catalogue: Catalogue) -> Row:
        said = self.said
        return Row(
            entry=said.number,
            # A receipt is the receiver's own word: it has the message, whatever was recorded.
            outcome=Outcome.DELIVERED if self.receipt else self.state,
            accepted_at=said.at,
            sender=named_system(catalogue, said.message.sender),
            message_type=Named(said.message_type),
            receiver=named_system(catalogue, said.receiver) if said.receiver else None,
            flow=named_flow(catalogue, said.flow) if said.flow else None,
            delivered_at=self.delivered_at,
            receipt=self.receipt,
            basis=said.basis,
            purpose=said.purpose,
            released=named_fields(said.released),
            withheld=named_fields(said.withheld),
            access=_access(said.access),
            code=self.reason.code if self.reason else "",
            detail=self.reason.detail if self.reason else "",
        )


def _receipt(entry: Recorded) -> Receipt:
    if entry.code in {"", ReceiptResult.DELIVERED, MARKED}:
        return Receipt(entry.at)
    code = "" if entry.code == ReceiptResult.SET_ASIDE else entry.code
    return Receipt(entry.at, ReceiptResult.SET_ASIDE, code)


def _access(items: AccessItems) -> Access:
    return Access(items.department, items.reason, items.operation, items.staff)
