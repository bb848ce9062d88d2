"""What a batch of verdicts asks for: entries to record, copies to send, entries to record then.

The order is the guarantee: ``before`` is recorded first, then ``sends`` are published, and
``confirmed`` of each that the broker confirmed is recorded, then the batch is acknowledged. A
delivery that comes again finds what was recorded and asks only for what is still missing.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import pydantic_core

from hub.ledger.model import (
    Commitment,
    Entry,
    Kind,
    Known,
    Pseudonyms,
    commit,
    fresh_salt,
)
from hub.message import NOTICE_TYPE, MessageKey, Notice, encode_copy, source_of
from hub.names import OUT_EXCHANGE
from hub.pipeline.verdict import Permitted, Receipted, Refused, Release, Terms, Verdict
from hub.ports import Outgoing
from hub.site import HUB_USER
from hub.statute.reasons import Code, sentence


@dataclass(frozen=True, slots=True)
class Send:
    """A message to publish, and the entry that says so once it is confirmed.

    A notice has no entry: the refusal that it tells of has one.
    """

    outgoing: Outgoing
    confirmed: Entry | None = None


@dataclass(slots=True)
class Plan:
    """What a batch asks for."""

    before: list[Entry] = field(default_factory=list)
    sends: list[Send] = field(default_factory=list)


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


def plan_batch(  # noqa: PLR0913 - what a plan depends on
    verdicts: Iterable[Verdict],
    known: Mapping[MessageKey, Known],
    *,
    now: dt.datetime,
    pseudonyms: Pseudonyms,
    notified: frozenset[str],
    salt: Callable[[], bytes] = fresh_salt,
) -> Plan:
    """Plan a batch, in order; a message that stands in it twice is planned once.

    ``notified`` are the systems that have a queue for notices; ``salt`` gives a new salt for
    each body that is recorded.
    """
    # The ledger gives times back in UTC, and a copy that is sent again has the same bytes.
    planner = _Planner(dict(known), now.astimezone(dt.UTC), pseudonyms, notified, salt)
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
    now: dt.datetime
    pseudonyms: Pseudonyms
    notified: frozenset[str]
    salt: Callable[[], bytes]
    plan: Plan = field(default_factory=Plan)

    def permitted(self, verdict: Permitted) -> None:
        known = self._known(verdict.key)
        decision = known.decision(verdict.body)
        if known.is_accepted(verdict.body):
            self._resume(verdict, known)
        elif decision is not None and not _sent_anew(verdict, known, decision):
            self._tell_again(verdict, decision)
        elif decision is None and (known.accepted_as or known.decided):
            self._refuse(verdict, known, Code.ID_REUSED)
        elif self._was_asked(verdict):
            self._accept(verdict, known)
        elif decision is None:
            self._refuse(verdict, known, Code.NOT_ASKED)

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

    def refused(self, verdict: Refused) -> None:
        known = self._known(verdict.key)
        decision = known.decision(verdict.body)
        if known.is_accepted(verdict.body):
            self._withdraw(verdict, known.accepted - known.settled, known)
        elif decision is not None:
            self._tell_again(verdict, decision, verdict.detail)
        else:
            self._refuse(verdict, known, verdict.code, verdict.detail)

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
                        code=receipt.outcome,
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
        entry = _entry(Kind.REFUSAL, verdict, self.now, body=body, code=code, detail=detail)
        self.plan.before.append(entry)
        self._notify(verdict, code, detail)

    def _tell_again(self, verdict: Permitted | Refused, code: str, detail: str = "") -> None:
        # A redelivery may mean that the hub died between the entry and the notice.
        if verdict.repeated and code:
            self._notify(verdict, Code(code), detail)

    def _notify(self, verdict: Verdict, code: Code, detail: str) -> None:
        if verdict.key.sender in self.notified:
            name = f"notice-{self.pseudonyms.body(verdict.body)}"
            self.plan.sends.append(Send(_notice(name, verdict, code, detail, self.now)))

    def _known(self, key: MessageKey) -> Known:
        return self.known.setdefault(key, Known())

    def _accept(self, verdict: Permitted, known: Known) -> None:
        body = commit(verdict.body, self.salt())
        for terms in verdict.outside:
            entry = _entry(Kind.OUT_OF_SCOPE, verdict, self.now, terms, body=body)
            self.plan.before.append(entry)
        if not verdict.releases:
            known.decided[body] = ""
            return
        known.accepted_as = body
        known.accepted_at = self.now
        known.resident = verdict.resident
        for release in verdict.releases:
            known.accepted.add((release.terms.flow, release.terms.receiver))
            entry = _entry(
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
            pair = (release.terms.flow, release.terms.receiver)
            if pair in open_pairs:
                open_pairs.discard(pair)
                self._send(verdict, release, known)
        self._withdraw(verdict, open_pairs, known)

    def _withdraw(
        self, verdict: Permitted | Refused, pairs: set[tuple[str, str]], known: Known
    ) -> None:
        """Close what the catalogue no longer permits: it goes nowhere."""
        reason = verdict.code if isinstance(verdict, Refused) else ""
        for flow, receiver in sorted(pairs):
            known.settled.add((flow, receiver))
            entry = _entry(
                Kind.REFUSAL,
                verdict,
                self.now,
                Terms(flow, receiver, basis=""),
                body=known.accepted_as or _NO_BODY,
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
        known.settled.add((terms.flow, terms.receiver))
        known.delivered.add((terms.flow, terms.receiver))
        body = encode_copy(release.event, terms.flow, release.data, known.accepted_at or self.now)
        outgoing = Outgoing(
            exchange=OUT_EXCHANGE,
            routing_key=terms.receiver,
            body=body,
            message_id=verdict.key.id,
            message_type=verdict.message_type,
            order_key=f"{terms.receiver} {verdict.resident}",
        )
        delivered = _entry(
            Kind.DELIVERY,
            verdict,
            self.now,
            terms,
            body=commit(body, self.salt()),
            resident=verdict.resident,
        )
        self.plan.sends.append(Send(outgoing, delivered))


def _sent_anew(verdict: Permitted, known: Known, decision: str | None) -> bool:
    """Say whether a message that was refused comes once more and may move now.

    It may when the catalogue was completed, or when it was not the message that was wrong but
    the way it was sent. A redelivery is no new try.
    """
    refused = decision not in {None, "", Code.ID_REUSED}
    return refused and known.accepted_as is None and not verdict.repeated


_NO_TERMS = Terms("", "", "")
_NO_BODY = Commitment("", b"")


def _entry(  # noqa: PLR0913 - what an entry says
    kind: Kind,
    verdict: Verdict,
    at: dt.datetime,
    terms: Terms = _NO_TERMS,
    *,
    body: Commitment,
    resident: str = "",
    code: str = "",
    detail: str = "",
) -> Entry:
    return Entry(
        kind=kind,
        at=at,
        message=verdict.key,
        message_type=verdict.message_type,
        flow=terms.flow,
        receiver=terms.receiver,
        resident=resident,
        digest=body.digest,
        salt=body.salt,
        code=code,
        detail=detail,
        basis=terms.basis,
        purpose=terms.purpose,
        access=verdict.access,
        released=terms.released,
        withheld=terms.withheld,
    )


def _notice(name: str, verdict: Verdict, code: Code, detail: str, at: dt.datetime) -> Outgoing:
    """Tell the proven sender, on its own queue, what was not taken and why."""
    said = sentence(code, detail)
    notice = Notice(
        id=verdict.key.id,
        message_type=verdict.message_type,
        code=code,
        reason_en=said.en,
        reason_ja=said.ja,
        at=at,
    )
    event = {
        "specversion": "1.0",
        "id": name,
        "source": source_of(HUB_USER),
        "type": NOTICE_TYPE,
        "time": at.isoformat(),
        "datacontenttype": "application/json",
        "data": notice.model_dump(mode="json"),
    }
    return Outgoing(
        exchange=OUT_EXCHANGE,
        routing_key=verdict.key.sender,
        body=pydantic_core.to_json(event),
        message_id=name,
        message_type=NOTICE_TYPE,
    )
