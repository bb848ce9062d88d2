"""The intermediate server's answers: of whom they are, what they say, and what is set aside."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.intermediate_server import ADAPTER
from adapters.simulation.misbehaviour import Misbehaviour
from hub.edge.kit import Asked, BadRecord, KnownPerson, Mapped, Question, Row
from hub.message import RECEIPT_TYPE, Copy, MessageKey
from hub.statute.catalogue import load_catalogue
from mappings import inquiries
from mappings import intermediate_server as mapping
from schemas.inquiry import InquiryAnswered, InquiryError
from schemas.layout import load_layout
from schemas.linkage import ProcessingNumberIssued
from schemas.permitted import permitted, permitted_inquiries
from tests.edge_rig import CREATED, Rig, Standing
from tests.network_rig import network

pytestmark = pytest.mark.unit

PERSON = "12345"
UNIFIED = "100000000012345"
REQUEST: dict[str, Any] = {
    "addressee_number": PERSON,
    "requested_at": "2026-04-01T09:00:00.123000+09:00",
    "unified_number": UNIFIED,
    "inquirer_code": "9917201000000001",
    "business_code": "JM01",
    "procedure_code": "JT0117",
    "provider_code": "9900000000000002",
    "information_code": "TM0117",
    "numbering_scheme": "01",
    "department_code": "KOUKI",
    "user_id": "S0301",
    "undisclosed": "0",
    "condition": "1",
    "period_from": "2026-03-01",
}
CODE_REQUEST: dict[str, Any] = {
    "addressee_number": PERSON,
    "unified_number": UNIFIED,
    "request_id": "Q-1",
    "requested_at": "2026-04-01T09:00:00.123000+09:00",
}
KEY = "000000000012345|20260401090000123|TM0117"


def copy_of(kind: str, flow: str, data: Mapping[str, Any], number: int = 1) -> Copy:
    event = {
        "id": f"m-{number}",
        "source": "/systems/number-linkage",
        "type": kind,
        "time": CREATED,
        "flow": flow,
        "acceptedtime": CREATED,
        "data": dict(data),
    }
    return Copy.model_validate(event)


INQUIRY = copy_of("inquiry.requested", "I11a", REQUEST)
CODE = copy_of("personal-code.requested", "I9", CODE_REQUEST)


@dataclass
class OneDesk:
    """A desk with what the copies asked."""

    open_ones: dict[Question, Asked] = field(default_factory=dict)

    def asked(self, question: Question) -> Asked | None:
        return self.open_ones.get(question)

    def persons(self, field: str, value: str) -> list[KnownPerson]:
        raise AssertionError(field, value)


def desk(*, closed: bool = False) -> OneDesk:
    found = {}
    for copy, asks in ((INQUIRY, mapping.asks_inquiry), (CODE, mapping.asks_code)):
        asking = asks(copy)
        one = Asked(asking.question, copy.key, PERSON, asking.facts, closed=closed)
        found[asking.question] = one
    return OneDesk(found)


def result(**changes: str) -> Row:
    values = dict.fromkeys((one.field for one in load_layout(mapping.INQUIRY_RESULTS).columns), "")
    row = mapping.to_inquiry_row(INQUIRY)
    values |= {name: text for name, text in row.items() if name in values}
    values |= {
        "processing_number": "SKI1",
        "permit_number": "P1",
        "answered_at": "2026-04-01T09:07:00+09:00",
        "detail_status": "09",
        "name_status": "01",
        "items_1_item_code": "0117-001",
        "items_1_item_name": "所得",
        "items_1_value": "回答",
    }
    return Row(1, 1, values | changes)


def answer(row: Row, at: OneDesk | None = None) -> Mapped | BadRecord:
    (one,) = mapping.to_answers([row], at or desk())
    return one


def answered(row: Row) -> InquiryAnswered:
    one = answer(row)
    assert isinstance(one, Mapped)
    assert isinstance(one.message, InquiryAnswered)
    return one.message


def test_a_request_is_written_with_its_numbers_filled() -> None:
    row = mapping.to_inquiry_row(INQUIRY)
    assert row["addressee_number"] == "000000000012345"
    assert row["message_id"] == "m-1"
    assert row["period_from"] == "2026-03-01"
    asking = mapping.asks_inquiry(INQUIRY)
    assert asking.question == Question("inquiry", KEY)
    assert asking.within == mapping.ANSWER_WITHIN


def test_a_result_goes_back_about_the_person_who_was_asked_about() -> None:
    one = answer(result())
    assert isinstance(one, Mapped)
    message = one.message
    assert isinstance(message, InquiryAnswered)
    assert message.addressee_number == PERSON
    assert message.succeeded
    assert message.error is None
    assert [(item.item_code, item.value) for item in message.items] == [("0117-001", "回答")]
    assert one.follows == MessageKey("number-linkage", "m-1")
    assert one.closes == Question("inquiry", KEY)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("照会対象者は符号が未取得です。", InquiryError.CODE_NOT_OBTAINED),
        ("「レコード識別番号」が既に存在しています。", InquiryError.RECORD_EXISTS),
        ("TM0117の照会は許可されていません。", InquiryError.NOT_PERMITTED),
        ("提供者が回答できません。", InquiryError.OTHER),
        ("", InquiryError.OTHER),
    ],
)
@pytest.mark.parametrize("statuses", [("", ""), ("05", "02"), ("09", "02"), ("77", "01")])
def test_every_known_error_is_told_and_any_other_is_other(
    text: str, error: InquiryError, statuses: tuple[str, str]
) -> None:
    detail, name = statuses
    message = answered(result(message=text, detail_status=detail, name_status=name))
    assert message.error is error
    assert not message.items
    assert message.detail_status == (detail or None)


@given(
    detail=st.from_regex(r"[0-9]{2}|", fullmatch=True),
    name=st.from_regex(r"[0-9]{2}|", fullmatch=True),
)
def test_nothing_but_09_and_01_is_ever_a_result(detail: str, name: str) -> None:
    message = answered(result(detail_status=detail, name_status=name))
    assert (message.error is None) == ((detail, name) == ("09", "01"))


@pytest.mark.parametrize(
    "changes",
    [
        {"message": "照会対象者は符号が未取得です。"},
        {"inquirer_code": "9917201000000009"},
        {"business_code": "JM02"},
        {"procedure_code": "JT0118"},
        {"provider_code": "9900000000000003"},
        {"unified_number": "100000000099999"},
        {"items_1_item_code": "0118-001"},
        {"items_1_item_code": ""},
        {"processing_number": "SKI 1"},
    ],
)
def test_what_does_not_answer_what_was_asked_is_set_aside(changes: dict[str, str]) -> None:
    one = answer(result(**changes))
    assert isinstance(one, BadRecord)
    assert all(text not in one.reason for text in changes.values() if text)


@pytest.mark.parametrize(
    "changes",
    [
        {"addressee_number": "000000000012346"},
        {"requested_at": "2026-04-01T09:00:00.124+09:00"},
        {"information_code": "TM0118"},
    ],
)
def test_an_answer_that_nobody_asked_for_is_set_aside(changes: dict[str, str]) -> None:
    one = answer(result(**changes))
    assert isinstance(one, BadRecord)
    assert one.reason == inquiries.NOBODY_ASKED


def test_a_second_or_late_answer_is_set_aside() -> None:
    one = answer(result(), desk(closed=True))
    assert isinstance(one, BadRecord)
    assert one.reason == inquiries.ANSWERED_BEFORE


def test_no_reply_by_the_deadline_is_told_as_an_error() -> None:
    values = {"kind": "inquiry", "key": KEY, "due_at": "2026-04-04T09:00:00+00:00"}
    (one,) = inquiries.no_reply([Row(1, 1, values)], desk())
    assert isinstance(one, Mapped)
    assert isinstance(one.message, InquiryAnswered)
    assert one.message.error is InquiryError.NO_REPLY
    assert one.message.key == answered(result()).key
    assert one.follows == MessageKey("number-linkage", "m-1")
    (late,) = inquiries.no_reply([Row(1, 1, values)], desk(closed=True))
    assert isinstance(late, BadRecord)


def test_the_permitted_inquiry_list_says_each_thing_once() -> None:
    lines = [line.model_dump(exclude={"name", "items"}) for line in permitted_inquiries()]
    assert all(permitted(codes) is not None for codes in lines)
    assert len({tuple(codes.values()) for codes in lines}) == len(lines)
    assert permitted({}) is None


# -- codes -------------------------------------------------------------------------------


def code_result(**changes: str) -> Row:
    values = dict.fromkeys((one.field for one in load_layout(mapping.CODE_RESULTS).columns), "")
    values |= {
        "message_id": "m-1",
        "processing_number": "FGU1",
        "unified_number": UNIFIED,
        "request_id": "Q-1",
        "issued_at": "2026-04-01T09:07:00+09:00",
    }
    return Row(1, 1, values | changes)


def test_a_processing_number_answers_its_code_request() -> None:
    (one,) = mapping.to_numbers([code_result()], desk())
    assert isinstance(one, Mapped)
    assert isinstance(one.message, ProcessingNumberIssued)
    assert one.message.addressee_number == PERSON
    assert one.message.processing_number == "FGU1"
    assert one.follows == MessageKey("number-linkage", "m-1")
    assert one.closes == Question("code", UNIFIED)


@pytest.mark.parametrize(
    ("changes", "closed"),
    [
        ({"unified_number": "100000000099999"}, False),
        ({"request_id": "Q-2"}, False),
        ({"processing_number": ""}, False),
        ({"message": "エラー"}, False),
        ({}, True),
    ],
)
def test_any_other_code_result_is_set_aside(changes: dict[str, str], closed: bool) -> None:  # noqa: FBT001
    (one,) = mapping.to_numbers([code_result(**changes)], desk(closed=closed))
    assert isinstance(one, BadRecord)


# -- the adapter as a whole --------------------------------------------------------------


@dataclass
class City:
    """The adapter on a fake broker, and its courier against the simulated server."""

    rig: Rig

    def runs(self, seconds: float = 8.0) -> None:
        walls = Standing(ADAPTER.system, load_catalogue())
        still = ADAPTER.__class__(ADAPTER.system, ADAPTER.inbound, ADAPTER.outbound)
        self.rig.run(still, walls=walls, seconds=seconds)

    def sent(self) -> list[dict[str, Any]]:
        bodies = [json.loads(stored.body) for stored in self.rig.broker.published(ADAPTER.system)]
        return [body for body in bodies if body["type"] != RECEIPT_TYPE]


@pytest.fixture
def city(tmp_path: Path) -> City:
    rig = Rig(tmp_path)
    rig.broker.routes[f"in.{ADAPTER.system}"] = ADAPTER.system
    for copy in (CODE, INQUIRY):
        body = copy.model_dump_json(exclude_none=True).encode()
        rig.broker.put(f"out.{ADAPTER.system}", body)
    return City(rig)


def test_two_requests_become_two_messages_and_second_results_are_rejected(
    city: City, tmp_path: Path
) -> None:
    with network(tmp_path, misbehaves=frozenset({Misbehaviour.DUPLICATE})) as server:
        city.runs()
        drive = city.rig.at(ADAPTER.system, "")
        assert sorted(path.name for path in (drive / "from-hub").iterdir()) == [
            "FGU_00000001.xml",
            "SKI_00000001.xml",
        ]
        server.use(drive)
        assert server.rounds(5) == [None] * 5
        city.runs()
    sent = city.sent()
    assert [(one["type"], one["data"]["addressee_number"]) for one in sent] == [
        ("processing-number.issued", PERSON),
        ("inquiry.answered", PERSON),
    ]
    assert sent[1]["data"]["items"][0]["item_code"] == "0117-001"
    assert not any(city.rig.names(ADAPTER.system, "to-hub"))
    assert len(city.rig.names(ADAPTER.system, "rejects")) == 2
    assert not city.rig.names(ADAPTER.system, "set-aside")


def test_without_a_reply_the_asker_is_told_and_a_late_one_is_rejected(
    city: City, tmp_path: Path
) -> None:
    with network(tmp_path) as server:
        city.runs()
        city.rig.broker.clock.advance(mapping.ANSWER_WITHIN.total_seconds() + 1)
        city.runs()
        (told,) = city.sent()
        assert told["data"]["error"] == "no-reply"
        due = dt.datetime.fromisoformat(told["data"]["answered_at"])
        assert due - CREATED >= mapping.ANSWER_WITHIN
        server.use(city.rig.at(ADAPTER.system, ""))
        server.rounds(4)
        city.runs()
    assert [one["type"] for one in city.sent()] == ["inquiry.answered", "processing-number.issued"]
    assert len(city.rig.names(ADAPTER.system, "rejects")) == 1
