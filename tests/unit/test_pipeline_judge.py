"""Every delivery gets an answer, whatever is in it, and no answer tells what was in it."""

import json
from dataclasses import asdict
from typing import Any

import pytest

from hub.message import MAX_BODY_BYTES
from hub.pipeline.plan import plan_batch
from hub.pipeline.verdict import Permitted, Receipted, Refused, Verdict
from hub.ports import Delivery
from hub.statute.reasons import Code
from tests.samples import (
    ADDRESSEE,
    CHANGED,
    MY_NUMBER,
    NAME,
    NOW,
    PSEUDONYMS,
    REGISTRY,
    delivery,
    event,
    judge,
    receipts_event,
    resident,
    tax_event,
    wire,
)

pytestmark = pytest.mark.unit

VALUE = "秘密の値"
WRONG_NUMBER = "123456789012"
VALUES = (VALUE, WRONG_NUMBER, MY_NUMBER, NAME, ADDRESSEE, "広坂")
JUDGE = judge()
ALL = frozenset(JUDGE.catalogue.systems)


def without(name: str) -> dict[str, Any]:
    made = event()
    del made[name]
    return made


def raw(text: str) -> bytes:
    """Give a valid event with this text in place of its last brace."""
    return wire(event())[:-1] + text.encode()


def nested(depth: int) -> bytes:
    return raw(', "x": ' + "[" * depth + "]" * depth + "}")


HOSTILE: dict[str, tuple[Delivery, Code]] = {
    "no user_id": (delivery(user_id=""), Code.SENDER_UNPROVEN),
    "unknown user": (delivery(user_id="guest"), Code.SENDER_UNKNOWN),
    "the hub's own user": (delivery(user_id="hub"), Code.SENDER_UNKNOWN),
    "another's source": (delivery(user_id="tax"), Code.SENDER_MISMATCH),
    "source with more": (
        delivery(event(source=f"/systems/{REGISTRY}/x"), user_id=REGISTRY),
        Code.SENDER_MISMATCH,
    ),
    "no source": (delivery(without("source")), Code.SENDER_MISMATCH),
    "a list as source": (delivery(event(source=["x"]), user_id=REGISTRY), Code.SENDER_MISMATCH),
    "foreign routing key": (delivery(routing_key="income.assessed"), Code.TYPE_MISMATCH),
    "empty routing key": (delivery(routing_key=""), Code.TYPE_MISMATCH),
    "CC": (delivery(copied=True), Code.COPIES_ASKED),
    "a neighbour": (
        delivery(event(source="/systems/family-registry")),
        Code.NEIGHBOUR,
    ),
    "a type of another": (delivery(event(source="/systems/tax")), Code.TYPE_NOT_PERMITTED),
    "a type without flow": (delivery(event(type="resident.married")), Code.NO_FLOW),
    "a notice from a system": (delivery(event(type="hub.notice")), Code.NO_FLOW),
    "extra field": (delivery(event(resident(shoe_size=VALUE))), Code.FIELD_NOT_PERMITTED),
    "extra field deep": (
        delivery(event(resident(scope={"insurance": "current", "name": VALUE}))),
        Code.FIELD_NOT_PERMITTED,
    ),
    "extra attribute": (delivery(event(receivers=[VALUE])), Code.FIELD_NOT_PERMITTED),
    "extra field named by a value": (
        delivery(event(resident(**{WRONG_NUMBER: 1, VALUE: 2, f"n{MY_NUMBER}": 3}))),
        Code.FIELD_NOT_PERMITTED,
    ),
    "wrong check digit": (delivery(event(resident(my_number=WRONG_NUMBER))), Code.INVALID),
    "full-width digits": (
        delivery(event(resident(my_number="１２３４５６７８９０１８"))),
        Code.INVALID,
    ),
    "My Number as a number": (delivery(event(resident(my_number=int(MY_NUMBER)))), Code.INVALID),
    "no data": (delivery(without("data")), Code.INVALID),
    "data of another type": (delivery(event(tax_event()["data"])), Code.FIELD_NOT_PERMITTED),
    "data null": (delivery(event(data=None) | {"data": None}), Code.INVALID),
    "data a list": (delivery(event() | {"data": [1]}), Code.INVALID),
    "number as text": (delivery(event(resident(history_number="1"))), Code.INVALID),
    "fraction as number": (delivery(event(resident(history_number=1.0))), Code.INVALID),
    "huge number": (delivery(event(resident(history_number=10**4000))), Code.INVALID),
    "text as truth": (delivery(event(resident(protected="off"))), Code.INVALID),
    "name too long": (delivery(event(resident(name=VALUE * 100))), Code.INVALID),
    "unknown code": (delivery(event(resident(event_reason=VALUE))), Code.INVALID),
    "a date of no calendar": (
        delivery(
            event(
                resident(birth_date={"raw": VALUE, "precision": "day", "date": "2026-02-29"}),
            )
        ),
        Code.INVALID,
    ),
    "time without zone": (delivery(event(time="2026-04-01T11:59:00")), Code.INVALID),
    "time as number": (delivery(event(time=1_700_000_000)), Code.INVALID),
    "another version": (delivery(event(specversion="0.3")), Code.INVALID),
    "another content type": (delivery(event(datacontenttype=VALUE)), Code.INVALID),
    "text in dataschema": (delivery(event(dataschema=VALUE)), Code.INVALID),
    "another schema": (delivery(event(dataschema="urn:renkei:resident.changed:2")), Code.INVALID),
    "text in traceparent": (delivery(event(traceparent=VALUE)), Code.INVALID),
    "control character": (delivery(event(staff="a\x00b")), Code.INVALID),
    "staff a list": (delivery(event(staff=[VALUE])), Code.INVALID),
    "no id": (delivery(without("id")), Code.UNREADABLE),
    "empty id": (delivery(event(id="")), Code.UNREADABLE),
    "id with a space": (delivery(event(id="a b")), Code.UNREADABLE),
    "id with a line end": (delivery(event(id="a\n")), Code.UNREADABLE),
    "id with kanji": (delivery(event(id=VALUE)), Code.UNREADABLE),
    "id with quotes": (delivery(event(id="a' OR 1=1 --")), Code.UNREADABLE),
    "id too long": (delivery(event(id="a" * 81)), Code.UNREADABLE),
    "id a number": (delivery(event(id=5)), Code.UNREADABLE),
    "id like the hub's own": (delivery(event(id="unreadable-x")), Code.UNREADABLE),
    "no type": (delivery(without("type")), Code.UNREADABLE),
    "type of 10 kB": (delivery(event(type="a." + "b" * 10_000)), Code.UNREADABLE),
    "type of one word": (delivery(event(type="resident")), Code.UNREADABLE),
    "type with a line end": (delivery(event(type=CHANGED + "\n")), Code.UNREADABLE),
    "empty": (delivery(b""), Code.UNREADABLE),
    "no JSON": (delivery(VALUE.encode()), Code.UNREADABLE),
    "half of it": (delivery(wire(event())[:-2]), Code.UNREADABLE),
    "two of it": (delivery(wire(event()) * 2), Code.UNREADABLE),
    "a JSON list": (delivery(b"[" + wire(event()) + b"]"), Code.UNREADABLE),
    "a JSON text": (delivery(b'"' + VALUE.encode() + b'"'), Code.UNREADABLE),
    "an empty object": (delivery(b"{}"), Code.UNREADABLE),
    "NaN": (delivery(raw(', "x": NaN}')), Code.UNREADABLE),
    "Infinity": (delivery(raw(', "x": -Infinity}')), Code.UNREADABLE),
    "no UTF-8": (delivery(raw(', "x": "').replace(b"T-01", b"\xff") + b'"}'), Code.UNREADABLE),
    "a lone surrogate": (delivery(raw(', "x": "\\ud800"}')), Code.UNREADABLE),
    "byte order mark": (delivery(b"\xef\xbb\xbf" + wire(event())), Code.UNREADABLE),
    "UTF-16": (delivery(json.dumps(event()).encode("utf-16")), Code.UNREADABLE),
    "deep": (delivery(nested(100_000)), Code.UNREADABLE),
    "not so deep": (delivery(nested(150)), Code.FIELD_NOT_PERMITTED),
    "huge": (delivery(raw(', "x": "' + "a" * MAX_BODY_BYTES + '"}')), Code.TOO_LARGE),
    "huge and no JSON": (delivery(b"\x00" * (MAX_BODY_BYTES + 1)), Code.TOO_LARGE),
    "doubled source, the own one last": (
        delivery(raw(', "source": "/systems/tax"}'), user_id=REGISTRY),
        Code.SENDER_MISMATCH,
    ),
    "a number in the id": (delivery(event(id=f"move-{MY_NUMBER}")), Code.INVALID),
    "a number in the type": (delivery(event(type=f"resident.{MY_NUMBER}")), Code.INVALID),
    "a number in id and type": (
        delivery(event(id=MY_NUMBER, type=f"a.n-{MY_NUMBER}")),
        Code.INVALID,
    ),
    "a number in a receipt's code": (
        delivery(
            receipts_event(
                "union", [{"sender": "t", "id": "x", "flow": "I1", "code": f"n-{MY_NUMBER}"}]
            )
        ),
        Code.INVALID,
    ),
    "receipts without any": (delivery(receipts_event("union", [])), Code.INVALID),
    "too many receipts": (
        delivery(receipts_event("union", [{"sender": "tax", "id": "x", "flow": "I1"}] * 1001)),
        Code.INVALID,
    ),
    "a receipt with free text": (
        delivery(
            receipts_event("union", [{"sender": "t", "id": "x", "flow": "I1", "code": VALUE}])
        ),
        Code.INVALID,
    ),
    "another's receipts": (
        delivery(
            receipts_event("union", [{"sender": "t", "id": "x", "flow": "I1"}]), user_id="tax"
        ),
        Code.SENDER_MISMATCH,
    ),
}


def everything_said(verdict: Verdict) -> str:
    """Give all that a verdict leaves behind, but the bytes for the receivers."""
    plan = plan_batch([verdict], {}, now=NOW, pseudonyms=PSEUDONYMS, notified=ALL)
    said = [repr(asdict(entry)) for entry in plan.before]
    said += [send.outgoing.body.decode() for send in plan.sends if send.confirmed is None]
    said += [repr(asdict(send.confirmed)) for send in plan.sends if send.confirmed is not None]
    return "\n".join(said) + str(getattr(verdict, "detail", ""))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_delivery_is_refused_and_its_values_are_told_nobody(name: str) -> None:
    sent, code = HOSTILE[name]
    verdict = JUDGE.judge(sent, NOW)
    assert isinstance(verdict, Refused), name
    assert verdict.code is code
    assert verdict.key.sender == sent.user_id
    said = everything_said(verdict)
    assert not [secret for secret in VALUES if secret in said]
    assert not any(character.isdigit() for character in verdict.detail.split(" (+")[0])
    assert len(verdict.detail) < 500


def test_a_refusal_carries_no_input_in_its_causes() -> None:
    verdict = JUDGE.judge(HOSTILE["wrong check digit"][0], NOW)
    assert isinstance(verdict, Refused)
    assert verdict.detail == "data.my_number"
    assert WRONG_NUMBER not in repr(verdict)


def test_an_extra_field_is_named_where_it_looks_like_a_field() -> None:
    verdict = JUDGE.judge(HOSTILE["extra field"][0], NOW)
    assert isinstance(verdict, Refused)
    assert verdict.detail == "data.shoe_size"
    verdict = JUDGE.judge(HOSTILE["extra field named by a value"][0], NOW)
    assert isinstance(verdict, Refused)
    assert verdict.detail == "data.?"


def test_a_refused_message_is_recorded_with_the_items_that_can_be_kept() -> None:
    made = event(resident(name=5), staff="あ" * 100, terminal="a\x00b", reason=7)
    verdict = JUDGE.judge(delivery(made), NOW)
    assert isinstance(verdict, Refused)
    assert verdict.access.staff == "あ" * 80
    assert verdict.access.department == "市民課"
    assert (verdict.access.terminal, verdict.access.reason) == ("", "")


@pytest.mark.parametrize(
    ("attributes", "detail"),
    [
        ({"id": f"move-{MY_NUMBER}"}, "id"),
        ({"type": f"resident.{MY_NUMBER}"}, "type"),
        ({"id": MY_NUMBER, "type": f"a.{MY_NUMBER}"}, "id, type"),
    ],
)
def test_a_number_where_none_belongs_is_refused_by_the_attributes_name(
    attributes: dict[str, str], detail: str
) -> None:
    verdict = JUDGE.judge(delivery(event() | attributes), NOW)
    assert isinstance(verdict, Refused)
    assert verdict.detail == detail
    assert ("id" in attributes) == verdict.key.id.startswith("unreadable-")


def test_a_receipts_code_is_named() -> None:
    verdict = JUDGE.judge(HOSTILE["a number in a receipt's code"][0], NOW)
    assert isinstance(verdict, Refused)
    assert verdict.detail.endswith(".code")


ITEMS = ("staff", "department", "terminal", "reason", "operation")
WIDE_NUMBER = MY_NUMBER.translate({ord(str(digit)): ord("０") + digit for digit in range(10)})


@pytest.mark.parametrize("item", ITEMS)
@pytest.mark.parametrize("number", [MY_NUMBER, WIDE_NUMBER, "1234 5678 9018"])
@pytest.mark.parametrize("refused", [True, False])
def test_a_number_in_an_access_item_is_masked(item: str, number: str, *, refused: bool) -> None:
    data = resident(name=5) if refused else resident()
    verdict = JUDGE.judge(delivery(event(data, **{item: f"{number}の件"})), NOW)
    assert isinstance(verdict, Refused if refused else Permitted)
    assert getattr(verdict.access, item) == "[個人番号]の件"
    assert number not in everything_said(verdict)
    made = receipts_event("union", [{"sender": "t", "id": "x", "flow": "I1"}], **{item: number})
    assert getattr(JUDGE.judge(delivery(made), NOW).access, item) == "[個人番号]"


def test_a_number_is_masked_before_a_long_text_is_cut() -> None:
    made = event(resident(name=5), reason="あ" * 70 + MY_NUMBER)
    verdict = JUDGE.judge(delivery(made), NOW)
    assert verdict.access.reason == "あ" * 70 + "[個人番号]"


def test_the_proven_sender_and_the_read_id_stand_in_every_refusal() -> None:
    verdict = JUDGE.judge(delivery(user_id="tax", redelivered=True), NOW)
    assert isinstance(verdict, Refused)
    assert verdict.key == ("tax", "file-1.7")
    assert verdict.repeated


def test_two_unreadable_messages_have_two_names() -> None:
    first, second = (JUDGE.judge(delivery(body), NOW) for body in (b"one", b"two"))
    assert first.key != second.key
    assert first.key == JUDGE.judge(delivery(b"one"), NOW).key


def test_the_judged_event_is_the_one_whose_sender_was_proven() -> None:
    """Two readers of the same JSON must not see two senders or ids in it."""
    body = b'{"source": "/systems/tax", "id": "theirs", "type": "x.y", ' + wire(event())[1:]
    verdict = JUDGE.judge(delivery(body, user_id=REGISTRY, routing_key=CHANGED), NOW)
    assert isinstance(verdict, Permitted)
    for release in verdict.releases:
        assert release.event.key == verdict.key == (REGISTRY, "file-1.7")
        assert release.event.type == verdict.message_type == CHANGED


def test_a_valid_event_is_permitted_with_each_receivers_fields() -> None:
    verdict = JUDGE.judge(delivery(), NOW)
    assert isinstance(verdict, Permitted)
    by_receiver = {release.terms.receiver: release for release in verdict.releases}
    assert {"premium-collection", "union"} <= by_receiver.keys()
    for release in verdict.releases:
        assert release.terms.basis
        assert set(release.data) == set(release.terms.released)
        assert "note" in release.terms.withheld
        assert "scope" not in {*release.terms.withheld, *release.data}
        assert release.data["name"] == NAME
    assert verdict.resident == PSEUDONYMS.resident(ADDRESSEE)
    assert verdict.access.operation == CHANGED


def test_a_person_out_of_scope_goes_nowhere_and_leaves_no_pseudonym() -> None:
    verdict = JUDGE.judge(delivery(event(resident(scope={"insurance": "none"}))), NOW)
    assert isinstance(verdict, Permitted)
    assert verdict.releases == ()
    assert {terms.flow for terms in verdict.outside} >= {"I1", "M1b"}
    assert verdict.resident == ""
    assert not [secret for secret in VALUES if secret in everything_said(verdict)]


def test_receipts_are_read_for_their_proven_sender() -> None:
    made = receipts_event("union", [{"sender": REGISTRY, "id": "file-1.7", "flow": "M1b"}])
    verdict = JUDGE.judge(delivery(made), NOW)
    assert isinstance(verdict, Receipted)
    assert verdict.receiver == "union"
