"""What a plan writes down: entries, copies, notices, bindings, and what goes on the list."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

from hub.ledger.beside import Binding, Cause, State, Turn
from hub.ledger.model import Commitment, Entry, Kind, Known, Pseudonyms, commit
from hub.message import MessageKey, Seal, encode_copy, partition_of
from hub.names import OUT_EXCHANGE
from hub.pipeline.letters import Letter
from hub.pipeline.said import NO_BODY, entry_of, notice_of
from hub.pipeline.verdict import Permitted, Refused, Release, Terms, Verdict
from hub.ports import Outgoing
from hub.record import record
from hub.sealing.seals import Seals
from hub.statute.model import Lasting
from hub.statute.reasons import Code, Sentence, held_sentence, sentence
from schemas.canonical import own_my_number_field


@record
class Send:
    """A message to publish, and the entry that says so once it is confirmed.

    A notice has no entry: the refusal that it tells of has one. ``closes`` is how a message put
    aside comes to its end once all its copies are confirmed. ``overdue`` says that the copy would
    be given up by now if it had been tried.
    """

    outgoing: Outgoing
    confirmed: Entry | None = None
    closes: Turn | None = None
    overdue: bool = False


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


@dataclass(frozen=True, slots=True)
class Lacking:
    """A copy to put on the list for its characters; its receipt is at ``place`` of ``before``."""

    place: int
    letter: Letter
    resident: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Buried:
    """A dead letter to put on their list; its entry is at ``place`` of ``before``."""

    place: int
    verdict: Verdict
    body: bytes = field(repr=False)
    code: str
    cause: Cause
    resident: str
    bucket: str
    at: dt.datetime
    pair: tuple[str, str] = ("", "")


@dataclass(slots=True)
class Plan:
    """What a batch asks for.

    ``bindings``, ``holds``, ``lacking``, ``buried`` and ``turns`` are recorded with ``before``.
    """

    before: list[Entry] = field(default_factory=list)
    sends: list[Send] = field(default_factory=list)
    bindings: dict[str, Binding] = field(default_factory=dict)
    holds: list[Hold] = field(default_factory=list)
    lacking: list[Lacking] = field(default_factory=list)
    buried: list[Buried] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)


@dataclass(slots=True)
class Book:
    """The plan of a batch while it is made, and what is known as far as it is planned.

    ``bound`` gives the digest of the number that a resident is bound to. ``newest`` gives, of
    those accepted in this batch about the same (sender, type, resident), the place of the newest:
    its number on the confirmation list, or infinity where it has just come. ``newest_at`` gives the
    same of what a receiver is sent: (sender, type, resident, receiver). ``deaths`` are the marks of
    dead letters that are recorded, and whether one of the mark still waits. ``seals`` encrypts the
    個人番号 of copies; without it they go in clear.
    """

    known: dict[MessageKey, Known]
    bound: dict[str, str]
    now: dt.datetime
    pseudonyms: Pseudonyms
    notified: frozenset[str]
    salt: Callable[[], bytes]
    plan: Plan = field(default_factory=Plan)
    newest: dict[tuple[str, str, str], float] = field(default_factory=dict)
    newest_at: dict[tuple[str, str, str, str], float] = field(default_factory=dict)
    deaths: dict[str, bool] = field(default_factory=dict)
    seals: Seals | None = None

    def refuse(self, verdict: Verdict, known: Known, code: Code, detail: str = "") -> None:
        """Refuse a message that was not judged before, and tell its sender."""
        body = commit(verdict.body, self.salt())
        known.decided[body] = code
        entry = entry_of(Kind.REFUSAL, verdict, self.now, body=body, code=code, detail=detail)
        self.plan.before.append(entry)
        self.notify(verdict, code, detail)

    def tell_again(self, verdict: Permitted | Refused, code: str, detail: str = "") -> None:
        """Tell the sender once more of what was decided before."""
        # A redelivery may mean that the hub died between the entry and the notice.
        if verdict.repeated and code:
            self.notify(verdict, Code(code), detail)

    def notify(self, verdict: Verdict, code: Code, detail: str = "") -> None:
        """Tell the sender why a message does not move."""
        self.tell(verdict, code, sentence(code, detail))

    def tell_held(self, verdict: Verdict, code: str) -> None:
        """Tell the sender that a message waits for a person, and why."""
        self.tell(verdict, code, held_sentence(code))

    def tell(self, verdict: Verdict, code: str, said: Sentence) -> None:
        """Tell the sender, where it has a queue for notices."""
        if verdict.key.sender in self.notified:
            name = f"notice-{self.pseudonyms.body(verdict.body)}"
            self.plan.sends.append(Send(notice_of(name, verdict, code, said, self.now)))

    def of(self, key: MessageKey) -> Known:
        """Give what is known of a message, to be changed as it is planned."""
        known = self.known.get(key)
        if known is None:
            known = self.known[key] = Known()
        return known

    def leave_out(self, verdict: Permitted, body: Commitment) -> None:
        """Enter the flows that do not carry this person."""
        for terms in verdict.outside:
            entry = entry_of(Kind.OUT_OF_SCOPE, verdict, self.now, terms, body=body)
            self.plan.before.append(entry)

    def bind(self, verdict: Permitted) -> None:
        """Bind the resident to the number that the message gives, if it is another."""
        resident, number = verdict.resident, verdict.number
        before = self.bound.get(resident, "")
        if number and number != before:
            self.bound[resident] = number
            first = self.plan.bindings.get(resident)
            before = first.before if first is not None else before
            self.plan.bindings[resident] = Binding(resident, before, number)

    def hold(self, verdict: Permitted, known: Known, code: str) -> None:
        """Put a message on the confirmation list: it goes to nobody until a person decides."""
        body = commit(verdict.body, self.salt())
        known.held_as, known.held_code, known.resident = body, code, verdict.resident
        self.leave_out(verdict, body)
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
        self.tell_held(verdict, code)

    def give_up(
        self,
        verdict: Verdict,
        pairs: set[tuple[str, str]],
        known: Known,
        code: Code,
        detail: str = "",
    ) -> None:
        """Say that what was released goes nowhere after all."""
        is_dead = verdict.again is not None and verdict.again.is_dead
        for pair in sorted(pairs):
            entry = entry_of(
                Kind.REPLAY if is_dead else Kind.RELEASE,
                verdict,
                self.now,
                Terms(*pair, basis=""),
                body=NO_BODY,
                resident=known.resident,
                code=code,
                detail=detail,
            )
            self.plan.before.append(entry)
        if pairs:
            self.notify(verdict, code, detail)
            known.held = known.held - pairs

    def close(self, verdict: Permitted | Refused, known: Known) -> None:
        """Take what came from the confirmation list off it, unless copies are still to be sent."""
        again = verdict.again
        if again is None or any(_closes(send, again.id) for send in self.plan.sends):
            return
        # A dead letter that is judged anew may come to wait on the confirmation list.
        has_moved = known.is_accepted(verdict.body) or (again.is_dead and known.held)
        self.plan.turns.append(again.turn(State.MOVED if has_moved else State.REFUSED))

    def accept(self, verdict: Permitted, known: Known, order: float) -> None:
        """Accept a message; ``order`` is its place among those about the same."""
        body = commit(verdict.body, self.salt())
        self.leave_out(verdict, body)
        if not verdict.releases:
            known.decided[body] = ""
            return
        known.accepted_as = body
        known.accepted_at = self.now
        known.resident = verdict.resident
        same = about(verdict)
        self.newest[same] = max(order, self.newest.get(same, 0))
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
            self.note_newest(verdict, known.resident, release.terms.receiver, order)
            self.send(verdict, release, known)

    def note_newest(self, verdict: Verdict, resident: str, receiver: str, order: float) -> None:
        """Remember how new what the receiver is sent is, among those about the same."""
        there = (verdict.key.sender, verdict.message_type, resident, receiver)
        self.newest_at[there] = max(order, self.newest_at.get(there, 0))

    def withdraw(
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
            self.notify(verdict, Code.WITHDRAWN, f"({flows})")

    def send(self, verdict: Permitted, release: Release, known: Known) -> None:
        """Send a copy; that it is delivered is entered once the broker has confirmed it.

        Raises:
            KeyMissing: its 個人番号 cannot be encrypted for its receiver; nothing is planned.
        """
        addressee = release.event.data.addressee_number
        # A copy that does not say whom it is about keeps its place in order by this alone.
        bucket = "" if "addressee_number" in release.data else partition_of(addressee)
        seal = None if self.seals is None else self.seals.to_receiver(release.terms.receiver)
        body = self.copy_of(release, known, seal)
        number = "" if seal is None else _sealed_number(verdict, release)
        closes, since = None, known.accepted_at
        if verdict.again is not None:
            closes, since = verdict.again.turn(State.MOVED), None
        self.publish(verdict, release.terms, body, known, bucket, closes, since, number)

    def publish(  # noqa: PLR0913, PLR0917 - what a copy is
        self,
        verdict: Verdict,
        terms: Terms,
        body: bytes,
        known: Known,
        bucket: str,
        closes: Turn | None,
        since: dt.datetime | None = None,
        number: str = "",
    ) -> None:
        """Send the copy with this body; its time runs since its acceptance, or from now on.

        ``number`` is the keyed digest of the 個人番号 that is encrypted in it.
        """
        known.settled.add(terms.pair)
        known.delivered.add(terms.pair)
        age = self.now - (since or self.now)
        outgoing = Outgoing(
            exchange=OUT_EXCHANGE,
            routing_key=terms.receiver,
            body=body,
            message_id=verdict.key.id,
            message_type=verdict.message_type,
            order_key=f"{terms.receiver} {known.resident}",
            partition=bucket,
            expires_ms=_left(terms.lasting, age),
            number=number,
        )
        delivered = entry_of(
            Kind.DELIVERY,
            verdict,
            self.now,
            terms,
            body=commit(body, self.salt()),
            resident=known.resident,
        )
        overdue = age >= terms.lasting.retry
        self.plan.sends.append(Send(outgoing, delivered, closes, overdue))

    def copy_of(self, release: Release, known: Known, seal: Seal | None = None) -> bytes:
        """Write what a receiver gets; without ``seal`` what is kept of it under the ledger's own.

        Raises:
            KeyMissing: ``seal`` has no key.
        """
        at = known.accepted_at or self.now
        return encode_copy(release.event, release.terms.flow, release.data, at, seal=seal)


def about(verdict: Permitted) -> tuple[str, str, str]:
    """Say what a message is about: sender, type, resident."""
    return (verdict.key.sender, verdict.message_type, verdict.resident)


def _sealed_number(verdict: Permitted, release: Release) -> str:
    own = own_my_number_field(type(release.event.data))
    return (verdict.number or "") if own in release.data else ""


def _left(lasting: Lasting, age: dt.timedelta) -> int | None:
    """Give the milliseconds that are left to a copy of this age; none where it has no end."""
    if lasting.expires is None:
        return None
    return max(1, (lasting.expires - age) // dt.timedelta(milliseconds=1))


def _closes(send: Send, number: int) -> bool:
    return send.closes is not None and send.closes.id == number
