"""What a batch of verdicts asks for: entries to record, copies to send, entries to record then.

The order is the guarantee: ``before`` is recorded first, then ``sends`` are published, and
``confirmed`` of each that the broker confirmed is recorded, then the batch is acknowledged. A
delivery that comes again finds what was recorded and asks only for what is still missing.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from hub.ledger.beside import Binding, State, Turn
from hub.ledger.model import Commitment, Entry, Kind, Known, Pseudonyms, commit, fresh_salt
from hub.message import MessageKey, Receipt, encode_copy, partition_of
from hub.names import OUT_EXCHANGE
from hub.pipeline.said import NO_BODY, entry_of, notice_of
from hub.pipeline.verdict import Again, Permitted, Receipted, Refused, Release, Terms, Verdict
from hub.ports import Outgoing
from hub.statute.reasons import Code, Sentence, held_sentence, sentence

_ALWAYS_NEWER = float("inf")
_NOBODY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Send:
    """A message to publish, and the entry that says so once it is confirmed.

    A notice has no entry: the refusal that it tells of has one. ``closes`` is the number on the
    confirmation list of a message that is at its end once all its copies are confirmed, or 0.
    """

    outgoing: Outgoing
    confirmed: Entry | None = None
    closes: int = 0


@dataclass(frozen=True, slots=True)
class Hold:
    """A message to put on the confirmation list; its first entry is at ``place`` of ``before``.

    ``bucket`` is its partition.
    """

    place: int
    verdict: Permitted
    code: str
    bucket: str
    at: dt.datetime


@dataclass(slots=True)
class Plan:
    """What a batch asks for; ``bindings``, ``holds`` and ``turns`` are recorded with ``before``."""

    before: list[Entry] = field(default_factory=list)
    sends: list[Send] = field(default_factory=list)
    bindings: dict[str, Binding] = field(default_factory=dict)
    holds: list[Hold] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)


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
    return {
        verdict.resident
        for verdict in verdicts
        if isinstance(verdict, Permitted) and verdict.number is not None
    }


def plan_batch(  # noqa: PLR0913 - what a plan depends on
    verdicts: Iterable[Verdict],
    known: Mapping[MessageKey, Known],
    *,
    now: dt.datetime,
    pseudonyms: Pseudonyms,
    notified: frozenset[str],
    bound: Mapping[str, str] = _NOBODY,
    salt: Callable[[], bytes] = fresh_salt,
) -> Plan:
    """Plan a batch, in order; a message that stands in it twice is planned once.

    ``notified`` are the systems that have a queue for notices; ``bound`` gives the digest of the
    number that a resident is bound to; ``salt`` gives a new salt for each body that is recorded.
    """
    # The ledger gives times back in UTC, and a copy that is sent again has the same bytes.
    at = now.astimezone(dt.UTC)
    planner = _Planner(dict(known), dict(bound), at, pseudonyms, notified, salt)
    for verdict in verdicts:
        match verdict:
            case Permitted():
                planner.permitted(verdict)
            case Refused():
                planner.refused(verdict)
            case Receipted():
                planner.receipted(verdict)
    return planner.plan


@dataclass(slots=True)
class _Planner:
    known: dict[MessageKey, Known]
    bound: dict[str, str]
    now: dt.datetime
    pseudonyms: Pseudonyms
    notified: frozenset[str]
    salt: Callable[[], bytes]
    plan: Plan = field(default_factory=Plan)
    newest: dict[tuple[str, str, str], float] = field(default_factory=dict)

    def permitted(self, verdict: Permitted) -> None:
        known = self._known(verdict.key)
        decision = known.decision(verdict.body)
        if known.is_accepted(verdict.body):
            self._resume(verdict, known)
        elif verdict.again is not None:
            self._let_go(verdict, verdict.again, known)
        elif known.is_held(verdict.body):
            if verdict.repeated:
                self._tell_held(verdict, known.held_code)
        elif decision is not None and not _sent_anew(verdict, known, decision):
            self._tell_again(verdict, decision)
        elif decision is None and (known.accepted_as or known.decided or known.held_as):
            self._refuse(verdict, known, Code.ID_REUSED)
        elif not self._was_asked(verdict):
            if decision is None:
                self._refuse(verdict, known, Code.NOT_ASKED)
        elif verdict.releases and (code := self._clash(verdict) or verdict.doubt):
            self._hold(verdict, known, code)
        else:
            self._bind(verdict)
            self._accept(verdict, known, _ALWAYS_NEWER)
        self._close(verdict, known)

    def _was_asked(self, verdict: Permitted) -> bool:
        """See whether the message that this one follows went to its sender, about the same person.

        Deliveries of this very batch count: an answer may be there before the hub, killed in
        between, has recorded what it answers.
        """
        if verdict.follows is None:
            return True
        followed = self.known.get(verdict.follows)
        return (
            followed is not None
            and followed.resident == verdict.resident
            and any(receiver == verdict.key.sender for _, receiver in followed.delivered)
        )

    def _clash(self, verdict: Permitted) -> str:
        """Say why the 個人番号 is not the one that the resident is bound to (III.2 ※1)."""
        bound = self.bound.get(verdict.resident)
        if not bound or verdict.number is None or verdict.number == bound:
            return ""
        if not verdict.number:
            return Code.BINDING_MISSING
        return "" if verdict.renumbers else Code.BINDING_DIFFERS

    def _bind(self, verdict: Permitted) -> None:
        resident, number = verdict.resident, verdict.number
        before = self.bound.get(resident, "")
        if number and number != before:
            self.bound[resident] = number
            first = self.plan.bindings.get(resident)
            before = first.before if first is not None else before
            self.plan.bindings[resident] = Binding(resident, before, number)

    def _hold(self, verdict: Permitted, known: Known, code: str) -> None:
        """Put a message on the confirmation list: it goes to nobody until a person decides."""
        body = commit(verdict.body, self.salt())
        known.held_as, known.held_code, known.resident = body, code, verdict.resident
        self._leave_out(verdict, body)
        addressee = verdict.releases[0].event.data.addressee_number
        bucket = partition_of(addressee)
        self.plan.holds.append(Hold(len(self.plan.before), verdict, code, bucket, self.now))
        for release in verdict.releases:
            known.held.add(release.terms.pair)
            entry = entry_of(
                Kind.HOLD,
                verdict,
                self.now,
                Terms(*release.terms.pair, basis=""),
                body=body,
                resident=verdict.resident,
                code=code,
            )
            self.plan.before.append(entry)
        self._tell_held(verdict, code)

    def _let_go(self, verdict: Permitted, again: Again, known: Known) -> None:
        """Accept what staff released, as far as today's rules permit and it is still the newest."""
        newest = self.newest.get(_about(verdict), 0)
        if again.is_overtaken or newest > again.id:
            self._give_up(verdict, known.held, known, Code.OVERTAKEN)
        elif not self._was_asked(verdict):
            self._give_up(verdict, known.held, known, Code.NOT_ASKED)
        else:
            inside = tuple(one for one in verdict.releases if one.terms.pair in known.held)
            self._give_up(
                verdict, known.held - {one.terms.pair for one in inside}, known, Code.WITHDRAWN
            )
            if inside:
                self._accept(replace(verdict, releases=inside, outside=()), known, again.id)

    def _give_up(
        self, verdict: Permitted | Refused, pairs: set[tuple[str, str]], known: Known, code: Code
    ) -> None:
        """Say that what was released goes nowhere after all."""
        for pair in sorted(pairs):
            entry = entry_of(
                Kind.RELEASE,
                verdict,
                self.now,
                Terms(*pair, basis=""),
                body=NO_BODY,
                resident=known.resident,
                code=code,
            )
            self.plan.before.append(entry)
        if pairs:
            self._notify(verdict, code)
            known.held = known.held - pairs

    def _close(self, verdict: Permitted | Refused, known: Known) -> None:
        """Take what came from the confirmation list off it, unless copies are still to be sent."""
        again = verdict.again
        if again is None or any(send.closes == again.id for send in self.plan.sends):
            return
        end = State.MOVED if known.accepted_as is not None else State.REFUSED
        self.plan.turns.append(Turn(again.id, State.RELEASED, end))

    def refused(self, verdict: Refused) -> None:
        known = self._known(verdict.key)
        decision = known.decision(verdict.body)
        if known.is_accepted(verdict.body):
            self._withdraw(verdict, known.accepted - known.settled, known)
        elif verdict.again is not None:
            self._give_up(verdict, known.held, known, verdict.code)
        elif known.is_held(verdict.body):
            if verdict.repeated:
                self._tell_held(verdict, known.held_code)
        elif decision is not None:
            self._tell_again(verdict, decision, verdict.detail)
        else:
            self._refuse(verdict, known, verdict.code, verdict.detail)
        self._close(verdict, known)

    def receipted(self, verdict: Receipted) -> None:
        unknown = False
        for receipt in verdict.receipts:
            known = self.known.get(MessageKey(receipt.sender, receipt.id))
            pair = (receipt.flow, verdict.receiver)
            if known is None or pair not in known.accepted:
                unknown = True
            elif pair not in known.receipted:
                known.receipted.add(pair)
                self.plan.before.append(
                    Entry(
                        kind=Kind.RECEIPT,
                        at=self.now,
                        message=MessageKey(receipt.sender, receipt.id),
                        message_type="",
                        flow=receipt.flow,
                        receiver=verdict.receiver,
                        resident=known.resident,
                        code=_receipt_code(receipt),
                        access=verdict.access,
                    )
                )
        if unknown:
            known = self._known(verdict.key)
            if known.decision(verdict.body) is None:
                self._refuse(verdict, known, Code.RECEIPT_UNKNOWN)

    def _refuse(self, verdict: Verdict, known: Known, code: Code, detail: str = "") -> None:
        body = commit(verdict.body, self.salt())
        known.decided[body] = code
        entry = entry_of(Kind.REFUSAL, verdict, self.now, body=body, code=code, detail=detail)
        self.plan.before.append(entry)
        self._notify(verdict, code, detail)

    def _tell_again(self, verdict: Permitted | Refused, code: str, detail: str = "") -> None:
        # A redelivery may mean that the hub died between the entry and the notice.
        if verdict.repeated and code:
            self._notify(verdict, Code(code), detail)

    def _notify(self, verdict: Verdict, code: Code, detail: str = "") -> None:
        self._tell(verdict, code, sentence(code, detail))

    def _tell_held(self, verdict: Verdict, code: str) -> None:
        self._tell(verdict, code, held_sentence(code))

    def _tell(self, verdict: Verdict, code: str, said: Sentence) -> None:
        if verdict.key.sender in self.notified:
            name = f"notice-{self.pseudonyms.body(verdict.body)}"
            self.plan.sends.append(Send(notice_of(name, verdict, code, said, self.now)))

    def _known(self, key: MessageKey) -> Known:
        return self.known.setdefault(key, Known())

    def _leave_out(self, verdict: Permitted, body: Commitment) -> None:
        for terms in verdict.outside:
            entry = entry_of(Kind.OUT_OF_SCOPE, verdict, self.now, terms, body=body)
            self.plan.before.append(entry)

    def _accept(self, verdict: Permitted, known: Known, order: float) -> None:
        """Accept a message; ``order`` is its place among those about the same."""
        body = commit(verdict.body, self.salt())
        self._leave_out(verdict, body)
        if not verdict.releases:
            known.decided[body] = ""
            return
        known.accepted_as = body
        known.accepted_at = self.now
        known.resident = verdict.resident
        about = _about(verdict)
        self.newest[about] = max(order, self.newest.get(about, 0))
        for release in verdict.releases:
            known.accepted.add(release.terms.pair)
            entry = entry_of(
                Kind.ACCEPTANCE,
                verdict,
                self.now,
                release.terms,
                body=body,
                resident=known.resident,
            )
            self.plan.before.append(entry)
            self._send(verdict, release, known)

    def _resume(self, verdict: Permitted, known: Known) -> None:
        """Send what was accepted and is not recorded as delivered."""
        open_pairs = known.accepted - known.settled
        for release in verdict.releases:
            if release.terms.pair in open_pairs:
                open_pairs.discard(release.terms.pair)
                self._send(verdict, release, known)
        self._withdraw(verdict, open_pairs, known)

    def _withdraw(
        self, verdict: Permitted | Refused, pairs: set[tuple[str, str]], known: Known
    ) -> None:
        """Close what the catalogue no longer permits: it goes nowhere."""
        reason = verdict.code if isinstance(verdict, Refused) else ""
        for flow, receiver in sorted(pairs):
            known.settled.add((flow, receiver))
            entry = entry_of(
                Kind.REFUSAL,
                verdict,
                self.now,
                Terms(flow, receiver, basis=""),
                body=known.accepted_as or NO_BODY,
                resident=known.resident,
                code=Code.WITHDRAWN,
                detail=reason,
            )
            self.plan.before.append(entry)
        if pairs:
            flows = ", ".join(sorted({flow for flow, _ in pairs}))
            self._notify(verdict, Code.WITHDRAWN, f"({flows})")

    def _send(self, verdict: Permitted, release: Release, known: Known) -> None:
        terms = release.terms
        known.settled.add(terms.pair)
        known.delivered.add(terms.pair)
        body = encode_copy(release.event, terms.flow, release.data, known.accepted_at or self.now)
        outgoing = Outgoing(
            exchange=OUT_EXCHANGE,
            routing_key=terms.receiver,
            body=body,
            message_id=verdict.key.id,
            message_type=verdict.message_type,
            order_key=f"{terms.receiver} {verdict.resident}",
        )
        delivered = entry_of(
            Kind.DELIVERY,
            verdict,
            self.now,
            terms,
            body=commit(body, self.salt()),
            resident=verdict.resident,
        )
        closes = verdict.again.id if verdict.again is not None else 0
        self.plan.sends.append(Send(outgoing, delivered, closes))


def _about(verdict: Permitted) -> tuple[str, str, str]:
    return (verdict.key.sender, verdict.message_type, verdict.resident)


def _sent_anew(verdict: Permitted, known: Known, decision: str | None) -> bool:
    """Say whether a message that was refused comes once more and may move now.

    It may when the catalogue was completed, or when it was not the message that was wrong but
    the way it was sent. A redelivery is no new try.
    """
    refused = decision not in {None, "", Code.ID_REUSED}
    return refused and known.accepted_as is None and not verdict.repeated


def _receipt_code(receipt: Receipt) -> str:
    return receipt.result if receipt.result == "delivered" else receipt.code or receipt.result
