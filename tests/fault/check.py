"""What must hold after every drill, in one place.

Everything that a sender gave is at each receiver that the catalogue permits exactly once, or the
ledger says why not; each resident's messages stand in the order in which they were sent and
accepted; ``renkei ledger verify`` and ``renkei ledger reconcile`` find nothing.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from hub.clock import today
from hub.compose.ledger import open_ledger
from hub.ledger.model import Kind
from hub.ledger.tally import Fact, Tally
from hub.message import MessageKey
from hub.statute.model import Catalogue, Standing
from tests.fault.arrivals import Arrivals, Copy
from tests.fault.ground import Ground, last_object, say
from tests.fault.load import Sent

STALL_SECONDS = 60.0
"""When nothing more has arrived for so long, what is missing is taken for lost."""
TURN_SECONDS = 0.25
SHOWN = 5
REASONS = frozenset({Kind.REFUSAL, Kind.HOLD, Kind.OUT_OF_SCOPE, Kind.DEAD_LETTER, Kind.EXPIRY})
"""The entries that say why a receiver does not have a message."""


@dataclass(frozen=True, slots=True)
class Due:
    """A copy that a receiver has to get."""

    key: MessageKey
    flow: str
    receiver: str


@dataclass(slots=True)
class Verdict:
    """What a drill came to; ``faults`` is empty where all is well.

    ``aside`` are copies that did not arrive, and of which the ledger says why.
    """

    messages: int
    copies: int
    lost: int
    aside: int
    doubled: int
    faults: list[str]


def due(catalogue: Catalogue, sent: Iterable[Sent]) -> Iterator[Due]:
    """Give the copies that follow from the catalogue."""
    ways: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for flow, leg in catalogue.legs():
        if flow.standing(today()) is Standing.PERMITTED:
            for receiver in leg.receivers:
                ways[leg.sender, flow.message_type or ""].append((flow.ref, receiver))
    for one in sent:
        for flow_ref, receiver in ways[one.key.sender, one.message_type]:
            yield Due(one.key, flow_ref, receiver)


def settled(
    ground: Ground, arrivals: Arrivals, sent: Mapping[MessageKey, Sent], stall: float
) -> None:
    """Wait until all has arrived, or nothing more does."""
    _, catalogue = ground.checked()
    wanted = {(one.key, one.receiver) for one in due(catalogue, sent.values())}
    seen, changed = -1, time.monotonic()
    while time.monotonic() - changed < stall:
        ground.tend()
        missing = sum(1 for one in wanted if one not in arrivals.first)
        if not missing:
            return
        if missing != seen:
            seen, changed = missing, time.monotonic()
        time.sleep(TURN_SECONDS)
    say(f"  {seen} copies have not arrived, and nothing moves")


def check(
    ground: Ground,
    arrivals: Arrivals,
    sent: Mapping[MessageKey, Sent],
    stall: float = STALL_SECONDS,
) -> Verdict:
    """Hold everything that was sent against what arrived, the ledger and the broker."""
    ground.whole()
    settled(ground, arrivals, sent, stall)
    arrivals.look()
    site, catalogue = ground.checked()
    ledger = open_ledger(site)
    try:
        facts = Tally(ledger.engine).about(sent.keys())
    finally:
        ledger.close()
    copies = [copy for copy in arrivals.copies if copy.key in sent]
    verdict = compared(list(due(catalogue, sent.values())), copies, sent, facts)
    verdict.faults += arrivals.faults
    verdict.faults += _said_by_commands(ground, facts)
    return verdict


def compared(
    expected: Collection[Due],
    copies: Collection[Copy],
    sent: Mapping[MessageKey, Sent],
    facts: Mapping[MessageKey, list[Fact]],
) -> Verdict:
    """Compare what had to arrive with what did, in its order, and with the ledger's entries."""
    missing = _missing(expected, copies)
    lost = [_lost(one, facts) for one in missing if not _explained(one, facts)]
    doubled = list(_doubled(copies))
    faults = [
        *_some("is lost", lost),
        *_some("is there more than once", doubled),
        *_some("arrived, although nobody sent it to there", _strange(expected, copies)),
        *_some("stands after a newer one", _misplaced(copies, sent, facts)),
    ]
    aside = len(missing) - len(lost)
    return Verdict(len(sent), len(copies), len(lost), aside, len(doubled), faults)


def _missing(expected: Iterable[Due], copies: Iterable[Copy]) -> list[Due]:
    there = {Due(copy.key, copy.flow, copy.receiver) for copy in copies}
    return [one for one in expected if one not in there]


def _lost(one: Due, facts: Mapping[MessageKey, list[Fact]]) -> str:
    known = [fact.kind.value for fact in facts.get(one.key, [])]
    return f"{_named(one)}, of which the ledger has {known},"


def _explained(one: Due, facts: Mapping[MessageKey, list[Fact]]) -> bool:
    """Say whether the ledger says why a receiver does not have a message."""
    return any(
        fact.kind in REASONS and fact.receiver in {"", one.receiver}
        for fact in facts.get(one.key, [])
    )


def _doubled(copies: Iterable[Copy]) -> Iterator[str]:
    counts = Counter((copy.key, copy.flow, copy.receiver) for copy in copies)
    for (key, flow, receiver), count in counts.items():
        if count > 1:
            yield _named(Due(key, flow, receiver))


def _strange(expected: Collection[Due], copies: Iterable[Copy]) -> Iterator[str]:
    wanted = set(expected)
    for copy in copies:
        one = Due(copy.key, copy.flow, copy.receiver)
        if one not in wanted:
            yield _named(one)


def _misplaced(
    copies: Iterable[Copy],
    sent: Mapping[MessageKey, Sent],
    facts: Mapping[MessageKey, list[Fact]],
) -> Iterator[str]:
    """Name what stands after a message of its resident that was sent, or accepted, after it."""
    newest: dict[tuple[str, str, str], tuple[int, int]] = {}
    for copy in copies:
        number = sent[copy.key].number or 0
        accepted = _accepted(facts.get(copy.key, []), copy)
        track = (copy.receiver, copy.flow, copy.resident)
        before = newest.get(track, (0, 0))
        if accepted < before[0] or 0 < number < before[1]:
            yield _named(Due(copy.key, copy.flow, copy.receiver))
        newest[track] = max(before[0], accepted), max(before[1], number)


def _accepted(facts: Iterable[Fact], copy: Copy) -> int:
    """Give the number of the entry that accepted a copy, and 0 where there is none."""
    found = (
        fact.number
        for fact in facts
        if fact.kind is Kind.ACCEPTANCE and (fact.flow, fact.receiver) == (copy.flow, copy.receiver)
    )
    return next(found, 0)


def _named(one: Due) -> str:
    return f"{one.key.sender}/{one.key.id} ({one.flow} to {one.receiver})"


def _some(what: str, names: Iterable[str]) -> list[str]:
    """Tell of the first few, and how many there are."""
    found = list(names)
    told = [f"{name} {what}" for name in found[:SHOWN]]
    return [*told, f"{len(found)} in all"] if len(found) > SHOWN else told


def _said_by_commands(ground: Ground, facts: Mapping[MessageKey, list[Fact]]) -> Iterator[str]:
    status, printed = ground.renkei("ledger", "verify", "--json")
    if status != 0:
        yield f"renkei ledger verify: {printed.strip()}"
    out = ground.folder / "reconciliation.txt"
    asked = ("ledger", "reconcile", "--day", "all", "--json", "--out", str(out))
    status, printed = ground.renkei(*asked)
    if status != 0:
        gaps = last_object(printed).get("gaps") if "{" in printed else None
        yield f"renkei ledger reconcile: {printed.strip() if gaps is None else len(gaps)} missing"
        for gap in (gaps or ())[:SHOWN]:
            told = [
                f"{fact.number} {fact.kind.value} {fact.code} {fact.receiver}"
                for fact in facts.get(MessageKey(gap["sender"], gap["id"]), [])
            ]
            yield f"{gap}, of which the ledger has {told}"
