"""Read a delivery, prove its sender, judge it by the catalogue, minimise it for each receiver."""

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Any

import pydantic_core
from pydantic import TypeAdapter, ValidationError

from hub.clock import JST
from hub.ledger.model import Pseudonyms
from hub.limits import limits
from hub.message import (
    RECEIPT_TYPE,
    SOURCE_PREFIX,
    AccessItems,
    Envelope,
    Item,
    MessageId,
    MessageKey,
    MessageType,
    Receipts,
    access_items,
)
from hub.pipeline.numbers import are_own, is_in_clear, unsealed
from hub.pipeline.verdict import Permitted, Receipted, Refused, Release, Terms, Verdict
from hub.ports import Delivery
from hub.record import record
from hub.sealing.opener import Opened
from hub.sealing.seals import Seals
from hub.statute.catalogue import Catalogue
from hub.statute.reasons import Code
from hub.statute.rules import InForce, Ruling, rule
from hub.statute.scope import SCOPE_RULES, ScopeContext
from schemas import MESSAGE_TYPES
from schemas.canonical import (
    EVIDENCE_ONLY,
    CanonicalMessage,
    own_my_number_field,
    schema_uri,
)
from schemas.hidden import holds_my_number, mask_my_numbers

_MESSAGE_ID: TypeAdapter[str] = TypeAdapter(MessageId)
_MESSAGE_TYPE: TypeAdapter[str] = TypeAdapter(MessageType)
_ITEM: TypeAdapter[str] = TypeAdapter(Item)
_EVENTS: dict[str, TypeAdapter[Envelope[CanonicalMessage]]] = {
    name: TypeAdapter(Envelope[cls])  # type: ignore[valid-type] # a class made at import
    for name, cls in MESSAGE_TYPES.items()
}
_RECEIPTS: TypeAdapter[Envelope[Receipts]] = TypeAdapter(Envelope[Receipts])
_UNREADABLE = "unreadable-"
"""Begins the name that a message gets which has none of its own."""
_CUTS_KEPT = 4096
_FIELDS_SHOWN = 8
_FIELD_NAME_LENGTH = 40
_FIELD_NAME = re.compile(r"[A-Za-z_]+")


class _Stop(Exception):
    """Leave the judgement with this verdict."""

    def __init__(self, verdict: Refused) -> None:
        super().__init__(verdict.code)
        self.verdict = verdict


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges deliveries by one catalogue. Digests and pseudonyms are keyed by the site's secret.

    ``seals`` opens 個人番号, and says whether one in clear is taken; without it every one is.
    """

    catalogue: Catalogue
    pseudonyms: Pseudonyms
    about_to_reach_days: int
    seals: Seals | None = None
    _in_force: dict[tuple[str, str, dt.date], Ruling] = field(default_factory=dict)
    _cuts: dict[tuple[str, str, str, dt.date, tuple[str, ...]], Terms] = field(default_factory=dict)

    def judge(self, delivery: Delivery, now: dt.datetime, *, is_kept: bool = False) -> Verdict:
        """Say what becomes of a delivery; every input gets an answer, none raises.

        Where it ``is_kept``, it does not come from its sender: the hub had put it aside.
        """
        try:
            return self._judge(delivery, now, is_kept=is_kept)
        except _Stop as stop:
            return stop.verdict

    def _judge(self, delivery: Delivery, now: dt.datetime, *, is_kept: bool) -> Verdict:
        today = now.astimezone(JST).date()
        opened = unsealed(self.seals, delivery)
        event = _sound(opened.body, delivery.routing_key)
        claim = (
            _claim(delivery, opened.body, self.pseudonyms)
            if event is None
            else _claimed(delivery, opened.body, event)
        )
        self._prove(delivery, claim)
        if not opened.is_readable:
            raise claim.refusal(Code.NUMBER_UNREADABLE)
        if claim.message_type == RECEIPT_TYPE:
            return _receipted(delivery, claim)
        ruling = self._rule(claim.key.sender, claim.message_type, today)
        if ruling.code is not None:
            raise claim.refusal(ruling.code, ruling.detail)
        if event is None:
            event = _validated(_EVENTS[claim.message_type], claim)
        if not are_own(opened, claim.key):
            raise claim.refusal(Code.NUMBER_MISPLACED)
        # Receivers get this attribute too: it is the schema's name or nothing.
        stated = event.dataschema
        if stated is not None and stated != schema_uri(type(event.data)):
            raise claim.refusal(Code.INVALID, "dataschema")
        flows = _for_purpose(event.purpose, ruling.flows)
        if not flows:
            refs = ", ".join(carrier.flow.ref for carrier in ruling.flows)
            raise claim.refusal(Code.PURPOSE_NOT_PERMITTED, f"({refs})")
        in_clear = not is_kept and self._is_in_clear(opened, event, claim, now)
        return self._permitted(event, claim, flows, today, in_clear=in_clear)

    def _is_in_clear(
        self,
        opened: Opened,
        event: Envelope[CanonicalMessage],
        claim: "_Claim",
        now: dt.datetime,
    ) -> bool:
        """Say whether a number came in clear, where that is permitted."""
        if self.seals is None or not is_in_clear(opened, event.data):
            return False
        if not self.seals.takes_plain(now):
            raise claim.refusal(Code.NUMBER_IN_CLEAR)
        return True

    def carrier(
        self, flow: str, sender: str, message_type: str, now: dt.datetime
    ) -> InForce | None:
        """Give the flow of this name, if it may carry such a message today."""
        ruling = self._rule(sender, message_type, now.astimezone(JST).date())
        return next((one for one in ruling.flows if one.flow.ref == flow), None)

    def _rule(self, sender: str, message_type: str, today: dt.date) -> Ruling:
        # Only rulings that permit are kept: their number is bounded by the catalogue.
        asked = (sender, message_type, today)
        ruling = self._in_force.get(asked)
        if ruling is None:
            ruling = rule(self.catalogue, sender, message_type, today)
            if ruling.code is None:
                self._in_force[asked] = ruling
        return ruling

    def _prove(self, delivery: Delivery, claim: "_Claim") -> None:
        """Make sure that the broker, the attribute ``source`` and the catalogue agree."""
        if not delivery.user_id:
            raise claim.refusal(Code.SENDER_UNPROVEN)
        if delivery.user_id not in self.catalogue.systems:
            raise claim.refusal(Code.SENDER_UNKNOWN)
        if delivery.copied:
            raise claim.refusal(Code.COPIES_ASKED)
        if claim.source != SOURCE_PREFIX + delivery.user_id:
            raise claim.refusal(Code.SENDER_MISMATCH)
        if claim.message_type != delivery.routing_key:
            raise claim.refusal(Code.TYPE_MISMATCH)

    def _permitted(
        self,
        event: Envelope[CanonicalMessage],
        claim: "_Claim",
        flows: tuple[InForce, ...],
        today: dt.date,
        *,
        in_clear: bool,
    ) -> Permitted:
        message = event.data
        context = ScopeContext(today, self.about_to_reach_days)
        fields = message.model_dump(mode="json", exclude_none=True, exclude={EVIDENCE_ONLY})
        releases: list[Release] = []
        outside: list[Terms] = []
        numbered = False
        own = own_my_number_field(type(message))
        for carrier in flows:
            # The plan, which knows the ledger, sees whether what it follows was asked of it.
            inside = event.follows is not None or SCOPE_RULES[carrier.flow.whose.rule](
                message, context
            )
            for receiver in carrier.leg.receivers:
                if inside:
                    terms = self._cut(carrier, receiver, today, tuple(fields))
                    data = {name: fields[name] for name in terms.released}
                    releases.append(Release(terms, event, data))
                    if own is not None and not numbered:
                        numbered = own in carrier.leg.receivers[receiver].fields_on(today)
                else:
                    outside.append(_terms(carrier, receiver))
        return Permitted(
            key=claim.key,
            message_type=claim.message_type,
            body=claim.body,
            resident=self.pseudonyms.resident(message.addressee_number) if releases else "",
            access=access_items(event),
            releases=tuple(releases),
            outside=tuple(outside),
            repeated=claim.redelivered,
            follows=event.followed,
            answered=self._answered(type(message)) if event.follows is not None else frozenset(),
            number=self._number(message, own) if own is not None and numbered else None,
            renumbers=message.changes_my_number(),
            doubt=event.doubt,
            in_clear=in_clear,
        )

    def _cut(
        self, carrier: InForce, receiver: str, today: dt.date, fields: tuple[str, ...]
    ) -> Terms:
        """Say what a receiver gets of these fields; few sets of fields come again and again."""
        asked = (carrier.flow.ref, carrier.leg.sender, receiver, today, fields)
        terms = self._cuts.get(asked)
        if terms is None:
            allowed = carrier.leg.receivers[receiver].fields_on(today)
            released = tuple(name for name in allowed if name in fields)
            withheld = tuple(name for name in fields if name not in released)
            terms = _terms(carrier, receiver, released, withheld)
            if len(self._cuts) >= _CUTS_KEPT:
                self._cuts.clear()
            self._cuts[asked] = terms
        return terms

    def _answered(self, kind: type[CanonicalMessage]) -> frozenset[str]:
        # Else whoever was sent anything about a person could send all its types about them.
        flows = self.catalogue.flows
        return frozenset(flow.ref for flow in flows if flow.message_type in kind.FOLLOWS)

    def _number(self, message: CanonicalMessage, own: str) -> str:
        number = getattr(message, own)
        return "" if number is None else self.pseudonyms.number(number.reveal())


@record
class _Claim:
    """What a delivery says of itself before it is believed."""

    key: MessageKey
    message_type: str
    body: bytes
    source: object
    redelivered: bool

    def refusal(self, code: Code, detail: str = "") -> _Stop:
        return _Stop(
            Refused(
                key=self.key,
                message_type=self.message_type,
                body=self.body,
                code=code,
                detail=detail,
                access=_access_claimed(_read(self.body)),
                repeated=self.redelivered,
            )
        )


def named(
    delivery: Delivery, pseudonyms: Pseudonyms
) -> tuple[MessageKey, AccessItems, dict[str, Any]]:
    """Give the name of a delivery as the judge has it, who is said to have sent it, and its JSON.

    The JSON is empty where there is none. Every input gets an answer.
    """
    try:
        claim = _claim(delivery, delivery.body, pseudonyms)
    except _Stop as stop:
        return stop.verdict.key, stop.verdict.access, {}
    document = _read(claim.body)
    return claim.key, _access_claimed(document), document


def _sound(body: bytes, routing_key: str) -> Envelope[CanonicalMessage] | None:
    """Read a body that is as it should be; none where anything is wrong, and it is asked what."""
    adapter = _EVENTS.get(routing_key)
    if adapter is None or len(body) > limits().event_bytes:
        return None
    try:
        event = adapter.validate_json(body, strict=True)
    except ValidationError:
        return None
    return None if event.id.startswith(_UNREADABLE) else event


def _claimed(delivery: Delivery, body: bytes, event: Envelope[CanonicalMessage]) -> _Claim:
    key = MessageKey(delivery.user_id, event.id)
    return _Claim(key, event.type, body, event.source, delivery.redelivered)


def _claim(delivery: Delivery, body: bytes, pseudonyms: Pseudonyms) -> _Claim:
    document = _read(body)
    message_id = _or_none(_MESSAGE_ID, document.get("id")) or ""
    message_type = _or_none(_MESSAGE_TYPE, document.get("type")) or ""
    told: list[str] = []
    if holds_my_number(message_id):
        told, message_id = ["id"], ""
    if holds_my_number(message_type):
        told, message_type = [*told, "type"], ""
    unnamed = not message_id or message_id.startswith(_UNREADABLE)
    if unnamed:
        message_id = f"{_UNREADABLE}{pseudonyms.body(body)}"
    key = MessageKey(delivery.user_id, message_id)
    source = document.get("source")
    claim = _Claim(key, message_type, body, source, delivery.redelivered)
    if len(body) > limits().event_bytes:
        raise claim.refusal(Code.TOO_LARGE)
    if told:
        raise claim.refusal(Code.INVALID, _listed(told))
    if not document or not message_type or unnamed:
        raise claim.refusal(Code.UNREADABLE)
    return claim


def _read(body: bytes) -> dict[str, Any]:
    """Give the JSON object of a body, or an empty one."""
    if len(body) > limits().event_bytes:
        return {}
    try:
        document = pydantic_core.from_json(body, allow_inf_nan=False)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _or_none(adapter: TypeAdapter[str], value: object) -> str | None:
    try:
        return adapter.validate_python(value, strict=True)
    except ValidationError:
        return None


def _access_claimed(document: dict[str, Any]) -> AccessItems:
    # A refused message is recorded with whoever it says it came from, as far as the ledger can
    # keep that: a control character would make the database refuse the whole batch.
    names = ("staff", "department", "terminal", "reason", "operation")
    texts = [value if isinstance(value := document.get(name), str) else "" for name in names]
    return AccessItems(*(_or_none(_ITEM, mask_my_numbers(text)[:80]) or "" for text in texts))


def _validated(
    adapter: TypeAdapter[Envelope[CanonicalMessage]], claim: _Claim
) -> Envelope[CanonicalMessage]:
    try:
        return adapter.validate_json(claim.body, strict=True)
    except ValidationError as error:
        # Raised without its cause, which would carry the input.
        raise claim.refusal(*_fault(error)) from None


def _for_purpose(stated: str | None, flows: tuple[InForce, ...]) -> tuple[InForce, ...]:
    """Keep the flows of the purpose that the sender states; all where it states none."""
    if stated is None:
        return flows
    return tuple(carrier for carrier in flows if carrier.flow.purpose == stated)


def _fault(error: ValidationError) -> tuple[Code, str]:
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    # An unknown key is the sender's own text: it is named only where it looks like a field,
    # which has no digits.
    extra = {_place(fault["loc"]) for fault in faults if fault["type"] == "extra_forbidden"}
    if extra:
        return Code.FIELD_NOT_PERMITTED, _listed(sorted(extra))
    return Code.INVALID, _listed(sorted({_place(fault["loc"]) for fault in faults}))


def _receipted(delivery: Delivery, claim: _Claim) -> Receipted:
    try:
        event = _RECEIPTS.validate_json(claim.body, strict=True)
    except ValidationError as error:
        raise claim.refusal(*_fault(error)) from None
    return Receipted(
        key=claim.key,
        body=claim.body,
        receiver=delivery.user_id,
        receipts=tuple(event.data.receipts),
        access=access_items(event),
    )


def _place(location: tuple[int | str, ...]) -> str:
    parts = [part if _is_field_name(part) else "?" for part in map(str, location)]
    return ".".join(parts)


def _is_field_name(part: str) -> bool:
    return len(part) <= _FIELD_NAME_LENGTH and _FIELD_NAME.fullmatch(part) is not None


def _listed(places: list[str]) -> str:
    shown = ", ".join(places[:_FIELDS_SHOWN])
    rest = len(places) - _FIELDS_SHOWN
    return f"{shown} (+{rest})" if rest > 0 else shown


def _terms(
    carrier: InForce,
    receiver: str,
    released: tuple[str, ...] = (),
    withheld: tuple[str, ...] = (),
) -> Terms:
    flow = carrier.flow
    return Terms(
        flow.ref, receiver, str(carrier.basis), flow.purpose, released, withheld, flow.lasting
    )
