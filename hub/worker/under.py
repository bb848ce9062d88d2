"""A batch whose copies are under way: what they are of, and what they are about."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hub.ledger.model import Entry
from hub.message import MessageKey
from hub.pipeline.book import Send
from hub.pipeline.plan import keys_of
from hub.pipeline.verdict import Dead, Permitted, Receipted, Resent, Strayed
from hub.ports import Delivery, Sending, Sent
from hub.worker.traced import Followed
from hub.worker.verdicts import Judged

log = logging.getLogger(__name__)

FEW = 50
"""Batches of at most so many messages need not wait for one another's confirms."""

Origins = Mapping[tuple[MessageKey, str, str], Delivery]
"""By message, flow and receiver; without these two, that of all other copies of the message."""


@dataclass(frozen=True, slots=True)
class Under:
    """A batch whose copies are under way; ``held`` are those that were not published now.

    ``of`` gives the delivery that each copy was planned for. ``keys`` are the messages that their
    plan asked about, where all are plain; ``names`` are those and the residents that they are
    about, where they are few. It ``began`` and was ``published`` at these
    times of the monotonic clock. ``asked_at`` is where the ledger stood when
    they were planned. ``traced`` are those of its messages that are followed.
    """

    deliveries: Sequence[Delivery]
    of: Origins
    sends: Sequence[Send]
    held: Sequence[Send]
    sending: Sending
    began: float
    published: float
    keys: frozenset[MessageKey]
    names: frozenset[object]
    asked_at: int | None
    traced: Followed | None = None

    def origin(self, entry: Entry) -> Delivery:
        """Give the delivery that the copy of an entry was planned for."""
        return origin(self.of, entry)

    def told(self, fates: Sequence[Sent]) -> None:
        """Tell what became of the copies of those that are followed."""
        if self.traced is not None:
            self.traced.delivered(self.sends, fates, self.published)


def plain_keys(judged: Sequence[Judged]) -> frozenset[MessageKey]:
    """Give the messages that the plan of plain messages asks about; none of others."""
    # What is refused today may have been accepted on another day, and be planned by that.
    if any(
        case.again is not None or not isinstance(verdict, Permitted | Receipted)
        for case, verdict in judged
    ):
        return frozenset()
    return frozenset(keys_of(verdict for _, verdict in judged))


def names_of(judged: Sequence[Judged], keys: frozenset[MessageKey]) -> frozenset[object]:
    """Give the messages and residents that a few plain messages are about; none of others.

    ``keys`` are their ``plain_keys``.
    """
    if len(judged) > FEW or not keys:
        return frozenset()
    residents = {
        verdict.resident
        for _, verdict in judged
        if isinstance(verdict, Permitted) and verdict.resident
    }
    return keys | residents


def are_apart(names: frozenset[object], under: Iterable[Under]) -> bool:
    """Say whether these are known, and about other messages and residents than all under way."""
    return bool(names) and all(one.names and names.isdisjoint(one.names) for one in under)


def are_others(keys: frozenset[MessageKey], under: Iterable[Under]) -> bool:
    """Say whether these are known, and other messages than all that is under way asks about."""
    return bool(keys) and all(one.keys and keys.isdisjoint(one.keys) for one in under)


def origins_of(judged: Sequence[Judged]) -> Origins:
    """Give the delivery that each copy comes from.

    A dead copy, and the marker of one, have the key of the message that it is a copy of, which may
    stand in the same batch: each is the origin of its own copy alone. So may the same message, sent
    in a wrong way: what may move comes before that.
    """
    of: dict[tuple[MessageKey, str, str], Delivery] = {}
    for case, verdict in reversed(judged):
        if isinstance(verdict, Resent) and verdict.terms is not None:
            of[verdict.key, *verdict.terms.pair] = case.taken
        elif isinstance(verdict, Permitted):
            of[verdict.key, "", ""] = case.taken
        elif not isinstance(verdict, Dead | Strayed | Resent):
            of.setdefault((verdict.key, "", ""), case.taken)
    return of


def origin(of: Origins, entry: Entry) -> Delivery:
    """Give the delivery that the copy of an entry comes from."""
    own = of.get((entry.message, entry.flow, entry.receiver))
    return own if own is not None else of[entry.message, "", ""]


def tell(sends: Sequence[Send], fates: Sequence[Sent]) -> None:
    """Log what was not taken.

    A notice that its queue does not take is let go: the refusal that it tells of is in the
    ledger, and a system that reads no notices must not hold up the others.
    """
    lacking = [
        (send, fate) for send, fate in zip(sends, fates, strict=True) if fate is not Sent.CONFIRMED
    ]
    untold = sum(send.confirmed is None for send, _ in lacking)
    if untold:
        log.warning("%d notices of refusals were not taken by their queues", untold)
    said = {
        f"{send.outgoing.routing_key} ({fate})"
        for send, fate in lacking
        if send.confirmed is not None and fate is not Sent.WITHHELD
    }
    if said:
        log.warning("the broker did not take copies for %s: they wait", ", ".join(sorted(said)))
