"""What a batch of verdicts asks for: entries to record, copies to send, entries to record then.

The order is the guarantee: ``before`` is recorded first, then ``sends`` are published, and
``confirmed`` of each that the broker confirmed is recorded, then the batch is acknowledged. A
delivery that comes again finds what was recorded and asks only for what is still missing.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pydantic_core

from hub.ledger.model import Entry, Kind, Known, Pseudonyms
from hub.message import NOTICE_TYPE, MessageKey, Notice, Receipt, encode_copy, source_of
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
    return keys


def plan_batch(
    verdicts: Iterable[Verdict],
    known: Mapping[MessageKey, Known],
    *,
    now: dt.datetime,
    pseudonyms: Pseudonyms,
    notified: frozenset[str],
) -> Plan:
    """Plan a batch, in order; a message that stands in it twice is planned once.

    ``notified`` are the systems that have a queue for notices.
    """
    # The ledger gives times back in UTC, and a copy that is sent again has the same bytes.
    planner = _Planner(dict(known), now.astimezone(dt.UTC), pseudonyms, notified)
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
    plan: Plan = field(default_factory=Plan)

    def permitted(self, verdict: Permitted) -> None:
        known = self._known(verdict.key)
        if known.accepted_digest == verdict.digest:
            self._resume(verdict, known)
        elif _sent_anew(verdict, known):
            self._accept(verdict, known)
        elif verdict.digest in known.decided:
            self._tell_again(verdict, known.decided[verdict.digest])
        elif known.accepted_digest or known.decided:
            self._refuse(verdict, known, Code.ID_REUSED)
        else:
            self._accept(verdict, known)

    def refused(self, verdict: Refused) -> None:
        known = self._known(verdict.key)
        if known.accepted_digest == verdict.digest:
            self._withdraw(verdict, known.accepted - known.settled, known)
        elif verdict.digest in known.decided:
            self._tell_again(verdict, known.decided[verdict.digest], verdict.detail)
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
                        code=_receipt_code(receipt),
                        access=verdict.access,
                    )
                )
        if unknown:
            known = self._known(verdict.key)
            if verdict.digest not in known.decided:
                self._refuse(verdict, known, Code.RECEIPT_UNKNOWN)

    def _refuse(self, verdict: Verdict, known: Known, code: Code, detail: str = "") -> None:
        known.decided[verdict.digest] = code
        self.plan.before.append(_entry(Kind.REFUSAL, verdict, self.now, code=code, detail=detail))
        self._notify(verdict, code, detail)

    def _tell_again(self, verdict: Permitted | Refused, code: str, detail: str = "") -> None:
        # A redelivery may mean that the hub died between the entry and the notice.
        if verdict.repeated and code:
            self._notify(verdict, Code(code), detail)

    def _notify(self, verdict: Verdict, code: Code, detail: str) -> None:
        if verdict.key.sender in self.notified:
            self.plan.sends.append(Send(_notice(verdict, code, detail, self.now)))

    def _known(self, key: MessageKey) -> Known:
        return self.known.setdefault(key, Known())

    def _accept(self, verdict: Permitted, known: Known) -> None:
        for terms in verdict.outside:
            self.plan.before.append(_entry(Kind.OUT_OF_SCOPE, verdict, self.now, terms))
        if not verdict.releases:
            known.decided[verdict.digest] = ""
            return
        known.accepted_digest = verdict.digest
        known.accepted_at = self.now
        for release in verdict.releases:
            known.accepted.add((release.terms.flow, release.terms.receiver))
            self.plan.before.append(_entry(Kind.ACCEPTANCE, verdict, self.now, release.terms))
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
            Kind.DELIVERY, verdict, self.now, terms, digest=self.pseudonyms.body(body)
        )
        self.plan.sends.append(Send(outgoing, delivered))


def _sent_anew(verdict: Permitted, known: Known) -> bool:
    """Say whether a message that was refused comes once more and may move now.

    It may when the catalogue was completed, or when it was not the message that was wrong but
    the way it was sent. A redelivery is no new try.
    """
    code = known.decided.get(verdict.digest, "")
    return code not in {"", Code.ID_REUSED} and not known.accepted_digest and not verdict.repeated


def _receipt_code(receipt: Receipt) -> str:
    return receipt.result if receipt.result == "delivered" else receipt.code or receipt.result


_NO_TERMS = Terms("", "", "")


def _entry(  # noqa: PLR0913 - what an entry says
    kind: Kind,
    verdict: Verdict,
    at: dt.datetime,
    terms: Terms = _NO_TERMS,
    *,
    digest: str = "",
    code: str = "",
    detail: str = "",
) -> Entry:
    moved = isinstance(verdict, Permitted) and kind in {Kind.ACCEPTANCE, Kind.DELIVERY}
    return Entry(
        kind=kind,
        at=at,
        message=verdict.key,
        message_type=verdict.message_type,
        flow=terms.flow,
        receiver=terms.receiver,
        resident=verdict.resident if isinstance(verdict, Permitted) and moved else "",
        digest=digest or verdict.digest,
        code=code,
        detail=detail,
        basis=terms.basis,
        access=verdict.access,
        released=terms.released,
        withheld=terms.withheld,
    )


def _notice(verdict: Verdict, code: Code, detail: str, at: dt.datetime) -> Outgoing:
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
    notice_id = f"notice-{verdict.digest}"
    event = {
        "specversion": "1.0",
        "id": notice_id,
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
        message_id=notice_id,
        message_type=NOTICE_TYPE,
    )
