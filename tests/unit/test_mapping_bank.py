"""Banks: requests as banks read them, results that follow requests, receipts that name one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from adapters.bank import ADAPTER
from hub.edge.forms import form_of
from hub.edge.kit import Asked, BadRecord, KnownPerson, Mapped, Question, Row, Unencodable
from hub.message import Copy, MessageKey
from mappings import bank as mapping
from schemas.bank import PaymentReceived
from schemas.canonical import Insurance
from tests import messages

pytestmark = pytest.mark.unit

CUSTOMER = "0000000000123452601"
FACTS = {
    "transfer_on": "2026-04-30",
    "amount": 14352,
    "fiscal_year": 2026,
    "instalment_number": 1,
}
RESULT = {
    "collector_code": "1234567890",
    "transfer_month_day": "0430",
    "account_bank_code": "0001",
    "account_bank_name_kana": "",
    "account_branch_code": "012",
    "account_branch_name_kana": "",
    "account_account_kind": "1",
    "account_account_number": "0012345",
    "account_holder_kana": "ﾀｶｻｷ",
    "transfer_amount": "14352",
    "novelty": "0",
    "customer_number": CUSTOMER,
    "transfer_result": "0",
}
RECEIPT = {
    "created_on": "2026-05-02",
    "collector_code": "1234567890",
    "customer_number": CUSTOMER,
    "received_on": "2026-05-01",
    "credited_on": "2026-05-02",
    "amount": "14352",
    "bank_code": "0001",
    "bank_name_kana": "",
    "branch_code": "",
    "branch_name_kana": "",
    "fiscal_year": "2026",
    "instalment_number": "01",
}


@dataclass
class FakeDesk:
    """Knows one request, or none."""

    closed: bool = False
    knows: bool = True
    looked: list[Question] = field(default_factory=list)

    def asked(self, question: Question) -> Asked | None:
        self.looked.append(question)
        if not self.knows:
            return None
        facts: Mapping[str, object] = {} if self.closed else FACTS
        key = MessageKey("premium-collection", "m-1")
        return Asked(question, key, "000000000012345", facts, closed=self.closed)

    def persons(self, field: str, value: str) -> Sequence[KnownPerson]:
        raise AssertionError(field + value)


def result(desk: FakeDesk | None = None, **changes: str) -> Mapped | BadRecord:
    (answered,) = ADAPTER.inbound[0].to_messages([Row(1, 2, RESULT | changes)], desk or FakeDesk())
    return answered


def receipt(**changes: str) -> Mapped | BadRecord:
    (answered,) = ADAPTER.inbound[1].to_messages([Row(1, 2, RECEIPT | changes)], FakeDesk())
    return answered


def test_a_result_follows_the_request_and_closes_it() -> None:
    desk = FakeDesk()
    mapped = result(desk)
    assert isinstance(mapped, Mapped)
    message = mapped.message
    assert isinstance(message, PaymentReceived)
    assert message.addressee_number == "000000000012345"
    assert (message.method, message.transfer_result) == ("transfer", "done")
    assert (message.amount, str(message.received_on)) == (14352, "2026-04-30")
    assert (message.fiscal_year, message.instalment_number) == (2026, 1)
    assert mapped.follows == MessageKey("premium-collection", "m-1")
    assert mapped.closes == Question("transfer", CUSTOMER)
    assert desk.looked == [Question("transfer", CUSTOMER)]


@pytest.mark.parametrize("code", ["1", "2", "3", "4", "8", "9"])
def test_a_transfer_that_failed_moved_no_money(code: str) -> None:
    mapped = result(transfer_result=code)
    assert isinstance(mapped, Mapped)
    assert isinstance(mapped.message, PaymentReceived)
    assert mapped.message.amount is None
    assert mapped.message.transfer_result not in {None, "done"}


@pytest.mark.parametrize(
    ("desk", "changes", "field_", "reason"),
    [
        (FakeDesk(knows=False), {}, "customer_number", "no request asks for this result"),
        (FakeDesk(closed=True), {}, "customer_number", "the request was answered before"),
        (FakeDesk(), {"transfer_amount": "14353"}, "transfer_amount", "is not that of the request"),
        (FakeDesk(), {"transfer_month_day": "0501"}, "transfer_month_day", "is not the day of"),
    ],
)
def test_a_result_that_is_none_is_set_aside(
    desk: FakeDesk, changes: dict[str, str], field_: str, reason: str
) -> None:
    refused = result(desk, **changes)
    assert isinstance(refused, BadRecord)
    assert refused.field == field_
    assert refused.reason.startswith(reason)


def test_a_slip_names_the_person_by_its_number() -> None:
    mapped = receipt()
    assert isinstance(mapped, Mapped)
    message = mapped.message
    assert isinstance(message, PaymentReceived)
    assert message.addressee_number == "000000000012345"
    assert message.scope.insurance is Insurance.PAST
    assert (message.method, message.transfer_result) == ("slip", None)
    assert (message.amount, message.fiscal_year, message.instalment_number) == (14352, 2026, 1)
    assert message.branch_code is None
    assert mapped.follows is None


@pytest.mark.parametrize(
    ("field_", "text"),
    [
        ("customer_number", "12345"),
        ("customer_number", f"{CUSTOMER}1"),
        ("fiscal_year", "2025"),
        ("instalment_number", "02"),
        ("amount", "0"),
    ],
)
def test_a_slip_that_contradicts_its_number_is_refused(field_: str, text: str) -> None:
    refused = receipt(**{field_: text})
    assert isinstance(refused, BadRecord)
    assert refused.field == field_
    assert text not in refused.reason


def _data(message_type: str) -> dict[str, Any]:
    whole = messages.sample(message_type)
    return whole.model_dump(mode="json", exclude_none=True, exclude={"scope"})


def copy_of(**changes: object) -> Copy:
    data = _data("account-transfer.requested") | changes
    return Copy.model_validate(
        {
            "id": "m-1",
            "source": "/systems/premium-collection",
            "type": "account-transfer.requested",
            "time": "2026-04-01T09:00:00+09:00",
            "flow": "B1",
            "acceptedtime": "2026-04-01T09:00:00+09:00",
            "data": data,
        }
    )


def _account(**changes: str) -> dict[str, object]:
    return {**_data("account-transfer.requested")["account"], **changes}


def test_a_request_is_written_as_banks_read_it() -> None:
    (wire,) = ADAPTER.outbound
    copy = copy_of(account=_account(holder_kana="キョウコ　サトー"))
    row = wire.to_row(copy)
    assert row["account_holder_kana"] == "ｷﾖｳｺ ｻﾄ-"
    assert row["transfer_month_day"] == "0430"
    form_of(wire.layout).encoder(None).record(row)
    asking = wire.asks(copy)
    assert asking is not None
    assert asking.question == Question("transfer", copy.data["customer_number"])
    assert asking.facts["amount"] == copy.data["amount"]


@pytest.mark.parametrize(("kana", "lacking"), [("髙", "髙"), ("NGUYEN an", "an"), ("ｱ&ｲ", "&")])
def test_what_no_bank_reads_is_not_written(kana: str, lacking: str) -> None:
    row = mapping.to_transfer_row(copy_of(account=_account(holder_kana=kana)))
    with pytest.raises(Unencodable) as caught:
        form_of(mapping.TRANSFERS).encoder(None).record(row)
    assert caught.value.characters == set(lacking)
