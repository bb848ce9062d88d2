"""What a batch of verdicts asks for: entries to record, copies to send, entries to record then.

The order is the guarantee: ``before`` is recorded first, then ``sends`` are published, and
``confirmed`` of each that the broker confirmed is recorded, then the batch is acknowledged. A
delivery that comes again finds what was recorded and asks only for what is still missing.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

from hub.ledger.beside import State, Turn
from hub.ledger.model import Entry, Kind, Known, Pseudonyms, fresh_salts
from hub.message import UNENCODABLE, MessageKey, Receipt, ReleaseOrder
from hub.pipeline.book import Lacking, Plan, Send, about
from hub.pipeline.graves import Graves
from hub.pipeline.letters import Letter
from hub.pipeline.verdict import (
    Again,
    Dead,
    Ordered,
    Permitted,
    Receipted,
    Refused,
    Resent,
    Strayed,
    Verdict,
)
from hub.sealing.seals import Seals
from hub.statute.reasons import BY_CATALOGUE, Code

_ABOUT_NUMBERS = frozenset({Code.BINDING_DIFFERS, Code.BINDING_MISSING})
_HOW_A_NUMBER_CAME = frozenset(
    {Code.NUMBER_UNREADABLE, Code.NUMBER_MISPLACED, Code.NUMBER_IN_CLEAR}
)
_ALWAYS_NEWER = float("inf")
_NOBODY: Mapping[str, str] = MappingProxyType({})
_NO_DEATHS: Mapping[str, bool] = MappingProxyType({})


def keys_of(verdicts: Iterable[Verdict]) -> set[MessageKey]:
    """Give the messages whose records a plan has to know."""
    keys: set[MessageKey] = set()
    for verdict in verdicts:
        keys.add(verdict.key)
        if isinstance(verdict, Receipted):
            keys.update(MessageKey(receipt.sender, receipt.id) for receipt in verdict.receipts)
        elif isinstance(verdict, Permitted) and verdict.follows is not None:
            keys.add(verdict.follows)
    return keys


def numbered_in(verdicts: Iterable[Verdict]) -> set[str]:
    """Give the residents whose binding to a 個人番号 a plan has to know."""
    found: set[str] = set()
    for verdict in verdicts:
        if isinstance(verdict, Permitted) and verdict.number is not None:
            found.add(verdict.resident)
        elif isinstance(verdict, Resent) and verdict.number:
            found.add(verdict.again.resident)
    return found


def marks_in(verdicts: Iterable[Verdict]) -> set[str]:
    """Give the marks of the dead letters of which a plan has to know whether they are recorded."""
    dead = (verdict for verdict in verdicts if isinstance(verdict, Dead))
    return {verdict.cause.mark for verdict in dead if verdict.cause.mark}


def plan_batch(  # noqa: PLR0913 - what a plan depends on
    verdicts: Iterable[Verdict],
    known: Mapping[MessageKey, Known],
    *,
    now: dt.datetime,
    pseudonyms: Pseudonyms,
    notified: frozenset[str],
    bound: Mapping[str, str] = _NOBODY,
    deaths: Mapping[str, bool] = _NO_DEATHS,
    salt: Callable[[], bytes] | None = None,
    seals: Seals | None = None,
) -> Plan:
    """Plan a batch, in order; a message that stands in it twice is planned once.

    What is in ``known`` is changed on the way, also where it fails.

    ``notified`` are the systems that have a queue for notices; ``bound`` gives the digest of the
    number that a resident is bound to; ``deaths`` gives the marks of dead letters that are recorded
    (``marks_in``), and whether one of the mark still waits; ``salt`` gives a new salt for each body
    that is recorded, a random one by default. ``seals`` encrypts the 個人番号 of copies.
    """
    # The ledger gives times back in UTC, and a copy that is sent again has the same bytes.
    at = now.astimezone(dt.UTC)
    salt = salt or partial(next, fresh_salts())
    planner = _Planner(dict(known), dict(bound), at, pseudonyms, notified, salt)
    planner.deaths = dict(deaths)
    planner.seals = seals
    for verdict in verdicts:
        planner.take(verdict)
    return planner.plan


@dataclass(slots=True)
class _Planner(Graves):
    def take(self, verdict: Verdict) -> None:
        match verdict:
            case Permitted():
                self.permitted(verdict)
            case Refused():
                self.refused(verdict)
            case Receipted():
                self.receipted(verdict)
            case Ordered():
                self.ordered(verdict)
            case Dead():
                self.dead(verdict)
            case Strayed():
                self.strayed(verdict)
            case Resent():
                self.resent(verdict)

    def permitted(self, verdict: Permitted) -> None:
        known = self.of(verdict.key)
        decision = known.decision(verdict.body)
        if known.is_accepted(verdict.body):
            self.resume(verdict, known)
        elif verdict.again is not None:
            let_go = self._judge_anew if verdict.again.is_dead else self._let_go
            let_go(verdict, verdict.again, known)
        elif known.is_held(verdict.body):
            if verdict.repeated:
                self.tell_held(verdict, known.held_code)
        elif decision is not None and not _sent_anew(verdict, known, decision):
            self.tell_again(verdict, decision)
        elif decision is None and _is_taken(known):
            self.refuse(verdict, known, Code.ID_REUSED)
        elif not self._was_asked(verdict):
            if decision is None:
                self.refuse(verdict, known, Code.NOT_ASKED)
        elif verdict.releases and (code := self._clash(verdict) or verdict.doubt):
            self.hold(verdict, known, code)
        else:
            self.bind(verdict)
            self.accept(verdict, known, _ALWAYS_NEWER)
        self.close(verdict, known)

    def _was_asked(self, verdict: Permitted) -> bool:
        """See whether the message that this one follows asked its sender, about the same person.

        Deliveries of this very batch count: an answer may be there before the hub, killed in
        between, has recorded what it answers.
        """
        if verdict.follows is None:
            return True
        followed = self.known.get(verdict.follows)
        return (
            followed is not None
            and followed.resident == verdict.resident
            and any(
                receiver == verdict.key.sender and flow in verdict.answered
                for flow, receiver in followed.delivered
            )
        )

    def _clash(self, verdict: Permitted) -> str:
        """Say why the 個人番号 is not the one that the resident is bound to (III.2 ※1)."""
        bound = self.bound.get(verdict.resident)
        if not bound or verdict.number is None or verdict.number == bound:
            return ""
        if not verdict.number:
            return Code.BINDING_MISSING
        return "" if verdict.renumbers else Code.BINDING_DIFFERS

    def _let_go(self, verdict: Permitted, again: Again, known: Known) -> None:
        """Accept what staff released, as far as today's rules permit and it is still the newest."""
        newest = self.newest.get(about(verdict), 0)
        if again.is_overtaken or newest > again.id:
            self.give_up(verdict, known.held, known, Code.OVERTAKEN)
        elif not self._was_asked(verdict):
            self.give_up(verdict, known.held, known, Code.NOT_ASKED)
        elif known.held_code not in _ABOUT_NUMBERS and self._clash(verdict):
            # Whoever released it was asked about another doubt.
            self.give_up(verdict, known.held, known, Code.BOUND_MEANWHILE)
        else:
            inside = tuple(one for one in verdict.releases if one.terms.pair in known.held)
            self.give_up(
                verdict, known.held - {one.terms.pair for one in inside}, known, Code.WITHDRAWN
            )
            if inside:
                self.accept(replace(verdict, releases=inside, outside=()), known, again.id)

    def _judge_anew(self, verdict: Permitted, again: Again, known: Known) -> None:
        """Accept or hold a dead letter that staff let go, as if it had just come."""
        newest = self.newest.get(about(verdict), 0)
        if known.is_held(verdict.body) and known.held:
            return  # it waits on the confirmation list
        code = None
        if again.is_overtaken or newest > again.age:
            code = Code.OVERTAKEN
        elif known.is_held(verdict.body):
            code = Code.REJECTED
        elif known.accepted_as or (_is_decided(known) and known.decision(verdict.body) is None):
            code = Code.ID_REUSED
        elif not self._was_asked(verdict):
            code = Code.NOT_ASKED
        if code is not None:
            self.give_up(verdict, {again.pair}, known, code)
        elif verdict.releases and (why := self._clash(verdict) or verdict.doubt):
            self.hold(verdict, known, why)
        else:
            self.bind(verdict)
            self.accept(verdict, known, again.age)

    def refused(self, verdict: Refused) -> None:
        known = self.of(verdict.key)
        decision = known.decision(verdict.body)
        if known.is_accepted(verdict.body) and verdict.code in BY_CATALOGUE:
            self.withdraw(verdict, known.accepted - known.settled, known)
        elif verdict.again is not None:
            pairs = {verdict.again.pair} if verdict.again.is_dead else known.held
            self.give_up(verdict, pairs, known, verdict.code)
        elif known.is_held(verdict.body):
            if verdict.repeated:
                self.tell_held(verdict, known.held_code)
        elif decision is not None:
            self.tell_again(verdict, decision, verdict.detail)
        else:
            self.refuse(verdict, known, verdict.code, verdict.detail)
        self.close(verdict, known)

    def receipted(self, verdict: Receipted) -> None:
        unknown = False
        for receipt in verdict.receipts:
            known = self.known.get(MessageKey(receipt.sender, receipt.id))
            if known is None or (receipt.flow, verdict.receiver) not in known.accepted:
                unknown = True
            else:
                self._receipt(verdict, receipt, known)
        if unknown:
            known = self.of(verdict.key)
            if known.decision(verdict.body) is None:
                self.refuse(verdict, known, Code.RECEIPT_UNKNOWN)
        if verdict.again is not None:
            self.plan.turns.append(verdict.again.turn(State.MOVED))

    def _receipt(self, verdict: Receipted, receipt: Receipt, known: Known) -> None:
        """Enter a receipt; a copy that lacks characters goes on the confirmation list, once."""
        pair = (receipt.flow, verdict.receiver)
        is_lacking = receipt.outcome == UNENCODABLE
        if pair in known.receipted or (is_lacking and pair in known.lacking):
            return
        known.receipted.add(pair)
        if is_lacking:
            known.lacking.add(pair)
            order = ReleaseOrder(sender=receipt.sender, id=receipt.id, flow=receipt.flow)
            letter = Letter(receiver=verdict.receiver, order=order)
            place = len(self.plan.before)
            self.plan.lacking.append(Lacking(place, letter, known.resident, self.now))
        self.plan.before.append(
            Entry(
                kind=Kind.RECEIPT,
                at=self.now,
                message=MessageKey(receipt.sender, receipt.id),
                message_type="",
                flow=receipt.flow,
                receiver=verdict.receiver,
                resident=known.resident,
                code=receipt.outcome,
                access=verdict.access,
            )
        )

    def ordered(self, verdict: Ordered) -> None:
        """Let the receiver write a copy with marks; it is off the list once its queue has that."""
        number, known = verdict.again.id, self.of(verdict.key)
        just_now = {(sender, resident) for sender, _, resident in self.newest}
        if (verdict.key.sender, known.resident) in just_now:
            return  # it is called again, and then the ledger tells whether these overtake it
        if verdict.again.is_overtaken:
            self.give_up(verdict, {verdict.letter.pair}, known, Code.OVERTAKEN)
            self.plan.turns.append(Turn(number, State.RELEASED, State.REFUSED))
            return
        closes = verdict.again.turn(State.MOVED)
        self.plan.sends.append(Send(verdict.letter.outgoing(number, self.now), closes=closes))


def _is_taken(known: Known) -> bool:
    """Say whether the id stands for some content already."""
    return bool(known.accepted_as or known.held_as) or _is_decided(known)


def _is_decided(known: Known) -> bool:
    """Say whether some content was judged.

    One that was refused for how its number came was not: it may be this very message, and whoever
    encrypts it as it should be sends other bytes.
    """
    return not _HOW_A_NUMBER_CAME.issuperset(known.decided.values())


def _sent_anew(verdict: Permitted, known: Known, decision: str | None) -> bool:
    """Say whether a message that was refused comes once more and may move now.

    It may when the catalogue was completed, or when it was not the message that was wrong but
    the way it was sent. A redelivery is no new try.
    """
    refused = decision not in {None, "", Code.ID_REUSED}
    return refused and known.accepted_as is None and not verdict.repeated
