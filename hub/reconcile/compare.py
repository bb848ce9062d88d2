"""Hold the sides against each other for one message; pure."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from hub.ledger.beside import UNDECIDED
from hub.ledger.model import Kind
from hub.ledger.tally import DECISIONS, Fact
from hub.reconcile.model import HUB, Gap, Lack, Message, Origin, Pair


class Fate(StrEnum):
    """What became of a message: each has exactly one."""

    ACCEPTED = "accepted"  # for one receiver at least
    HELD = "held"
    REFUSED = "refused"
    OUT_OF_SCOPE = "out-of-scope"
    WAITING = "waiting"  # nobody has decided about it yet


class Step(StrEnum):
    """How far a copy has come that was accepted for a receiver: each has exactly one."""

    PENDING = "pending"
    DELIVERED = "delivered"
    EXPIRED = "expired"
    DEAD_LETTERED = "dead-lettered"
    WITHDRAWN = "withdrawn"


_STEPS = {
    Kind.DELIVERY: Step.DELIVERED,
    Kind.EXPIRY: Step.EXPIRED,
    Kind.DEAD_LETTER: Step.DEAD_LETTERED,
    Kind.REFUSAL: Step.WITHDRAWN,
    Kind.REPLAY: Step.PENDING,
}


_DEATHS = frozenset({Kind.DEAD_LETTER, Kind.EXPIRY})
_BY_STAFF = frozenset({Kind.RELEASE, Kind.REPLAY})


@dataclass(frozen=True, slots=True)
class CopyFate:
    """One flow to one receiver: where the copy is, and whether the receiver's word is there."""

    pair: Pair
    step: Step
    receipted: bool


@dataclass(slots=True)
class Judged:
    """What the sides say of a message together.

    ``code`` says why it was refused. ``gaps`` are certain. ``waits`` are gaps unless the queue
    holds at least as many: which messages a queue holds is not known, only how many. For
    ``one_holds`` a single message in the hub's queues is enough: it brings many receipts.
    """

    message_type: str
    fate: Fate
    code: str = ""
    copies: list[CopyFate] = field(default_factory=list)
    outside: set[Pair] = field(default_factory=set)
    held: set[Pair] = field(default_factory=set)
    gaps: list[Gap] = field(default_factory=list)
    waits: list[tuple[str, Gap]] = field(default_factory=list)
    one_holds: list[Gap] = field(default_factory=list)


def judge(message: Message, recorded: Collection[str]) -> Judged:
    """Hold the sides against each other; ``recorded`` are receivers with a journal here."""
    by_pair = _by_pair(message.facts)
    result = Judged(_type_of(message), Fate.WAITING)
    for pair, facts in by_pair.items():
        _judge_pair(message, pair, facts, recorded, result)
    result.fate, result.code = _fate(message.facts, result)
    if not message.facts:
        result.waits.append((HUB, _gap(message, Lack.NOT_JUDGED)))
    if message.origin is Origin.NOWHERE and result.fate is not Fate.REFUSED:
        result.gaps.append(_gap(message, Lack.NOT_SENT))
    return result


def _by_pair(facts: Sequence[Fact]) -> dict[Pair, list[Fact]]:
    found: dict[Pair, list[Fact]] = {}
    for fact in facts:
        if fact.receiver:
            found.setdefault(Pair(fact.flow, fact.receiver), []).append(fact)
    return found


def _type_of(message: Message) -> str:
    kinds = (fact.message_type for fact in message.facts if fact.kind in DECISIONS)
    return message.message_type or next(kinds, "")


def _fate(facts: Sequence[Fact], result: Judged) -> tuple[Fate, str]:
    if result.copies:
        return Fate.ACCEPTED, ""
    if result.held:
        return Fate.HELD, ""
    codes = [fact.code for fact in facts if fact.kind is Kind.REFUSAL or _is_rejection(fact)]
    if codes:
        return Fate.REFUSED, codes[-1]
    return (Fate.OUT_OF_SCOPE if result.outside else Fate.WAITING), ""


def _is_rejection(fact: Fact) -> bool:
    # Any code: what staff released may still not have moved (withdrawn, overtaken).
    return bool(fact.code) and fact.kind in _BY_STAFF and fact.code not in UNDECIDED


def _has_died(facts: Sequence[Fact]) -> bool:
    """Say whether the message as it was sent is among the dead letters."""
    kinds = [
        fact.kind
        for fact in facts
        if not fact.receiver and (fact.kind in _DEATHS or _is_step(fact))
    ]
    return bool(kinds) and kinds[-1] in _DEATHS


def _judge_pair(
    message: Message,
    pair: Pair,
    facts: Sequence[Fact],
    recorded: Collection[str],
    result: Judged,
) -> None:
    counts = Counter(fact.kind for fact in facts if _counts(fact))
    if counts[Kind.ACCEPTANCE]:
        step = _step(facts)
        if step is Step.PENDING and _has_died(message.facts):
            step = Step.DEAD_LETTERED
        copy = CopyFate(pair, step, bool(counts[Kind.RECEIPT]))
        result.copies.append(copy)
        _follow(message, copy, recorded, result)
    elif any(_is_step(fact) or fact.kind is Kind.RECEIPT for fact in facts):
        result.gaps.append(_gap(message, Lack.NOT_ACCEPTED, pair))
    elif counts[Kind.HOLD]:
        if not any(map(_is_rejection, facts)):
            result.held.add(pair)
    elif counts[Kind.OUT_OF_SCOPE]:
        result.outside.add(pair)
    if _is_doubled(counts):
        result.gaps.append(_gap(message, Lack.TWICE, pair))


def _step(facts: Sequence[Fact]) -> Step:
    steps = [_STEPS[fact.kind] for fact in facts if _is_step(fact)]
    return steps[-1] if steps else Step.PENDING


def _is_step(fact: Fact) -> bool:
    # What is said of a replay, such as that it was asked for or overtaken, moves nothing.
    return fact.kind in _STEPS and not (fact.kind is Kind.REPLAY and fact.code)


def _counts(fact: Fact) -> bool:
    """Say whether an entry counts: a release or replay only where it was not merely asked for."""
    if fact.kind is Kind.RELEASE:
        return fact.code not in UNDECIDED
    return fact.kind is not Kind.REPLAY or _is_step(fact)


def _is_doubled(counts: Counter[Kind]) -> bool:
    again = counts[Kind.REPLAY]
    # A copy that was set aside for its characters, and then released, is receipted once more.
    if counts[Kind.RECEIPT] > 1 + counts[Kind.RELEASE]:
        return True
    return any(counts[kind] > 1 for kind in _ONCE) or any(
        counts[kind] > 1 + again for kind in _ONCE_A_TRY
    )


_ONCE = frozenset({Kind.ACCEPTANCE, Kind.OUT_OF_SCOPE})
_ONCE_A_TRY = frozenset(_STEPS) - {Kind.REPLAY}


def _follow(message: Message, copy: CopyFate, recorded: Collection[str], result: Judged) -> None:
    """See whether an accepted copy is where it can be."""
    pair = copy.pair
    taken = message.taken.get(pair)
    if copy.receipted:
        if copy.step is not Step.DELIVERED and copy.step is not Step.DEAD_LETTERED:
            result.gaps.append(_gap(message, Lack.NOT_RECORDED, pair))
        if taken is None and pair.receiver in recorded:
            result.gaps.append(_gap(message, Lack.NOT_TAKEN, pair))
    elif copy.step is Step.PENDING:
        result.waits.append((HUB, _gap(message, Lack.NOT_DELIVERED, pair)))
    elif taken:
        result.one_holds.append(_gap(message, Lack.RECEIPT_LOST, pair))
    elif copy.step is Step.DELIVERED:
        # Also where the receiver has it and has not sent its receipt: it acknowledges after that.
        result.waits.append((pair.receiver, _gap(message, Lack.NOT_RECEIVED, pair)))


def _gap(message: Message, lack: Lack, pair: Pair | None = None) -> Gap:
    return Gap(*message.key, *(pair or ("", "")), lack)


def taken_only(
    receiver: str, taken: Collection[tuple[str, str, str]], accepted: Collection[object]
) -> Iterator[Gap]:
    """Name what a receiver took, as (sender, id, flow), and the ledger did not accept for it.

    ``accepted`` holds (sender, id, flow, receiver).
    """
    for sender, message_id, flow in taken:
        if (sender, message_id, flow, receiver) not in accepted:
            yield Gap(sender, message_id, flow, receiver, Lack.TAKEN_ONLY)
