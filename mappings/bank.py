"""口座振替 and payment slips: requests of the office → records of a bank, its records → messages.

The result of a transfer follows the request with the same 顧客番号. A slip (納付書) follows
nothing: it carries a 納付番号 that this office gave out for a premium, of the same make, and that
is what is known of the person (*assumed*: 宛名番号 in 15 digits, the last two of the 年度, two of
the 期).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hub.edge.kit import Asked, Asking, BadRecord, Desk, Mapped, Question, Row
from hub.message import Copy
from mappings.columns import fields_of
from mappings.fields import read_fields, write_fields
from mappings.refusal import Refused, answered
from mappings.widths import bank_kana
from schemas.bank import AccountTransferRequested, PaymentMethod, PaymentReceived, TransferResult
from schemas.canonical import Insurance, ScopeEvidence
from schemas.layout import load_layout

TRANSFERS, RESULTS, RECEIPTS = "bank.transfers", "bank.results", "bank.receipts"
QUESTION = "transfer"
RESULT_REASON = "口座振替の結果"
RECEIPT_REASON = "納付書による収納"
_OUT = load_layout(TRANSFERS)
_WRITTEN = fields_of(_OUT, AccountTransferRequested)
_READ = fields_of(load_layout(RECEIPTS), PaymentReceived)
_RESULTS: Mapping[str, str] = next(
    column.means for column in load_layout(RESULTS).columns if column.field == "transfer_result"
)
_KANA = ("account_bank_name_kana", "account_branch_name_kana", "account_holder_kana")
_FACTS = ("transfer_on", "amount", "fiscal_year", "instalment_number")
_CUSTOMER = re.compile(r"(?P<person>[0-9]{15})(?P<year>[0-9]{2})(?P<instalment>[0-9]{2})")
_PAYER = ScopeEvidence(insurance=Insurance.PAST)
"""Who has a premium of this office to pay is or was insured; nothing says which of both."""


def question_of(customer_number: str) -> Question:
    """Name what a request with this 顧客番号 asks."""
    return Question(QUESTION, customer_number)


# -- to the bank -----------------------------------------------------------------------


def to_transfer_row(copy: Copy) -> Mapping[str, str]:
    """Give the columns of ``bank.transfers`` for a copy of ``account-transfer.requested``."""
    values = dict.fromkeys((column.field for column in _OUT.columns), "")
    write_fields(_WRITTEN, copy.data, values)
    values["transfer_month_day"] = str(copy.data.get("transfer_on", ""))[5:].replace("-", "")
    for field in _KANA:
        values[field] = bank_kana(values[field])
    return values


def asks(copy: Copy) -> Asking | None:
    """Say what a copy asks: the result of this transfer."""
    facts = {name: copy.data.get(name) for name in _FACTS}
    return Asking(question_of(str(copy.data["customer_number"])), facts)


# -- from the bank ---------------------------------------------------------------------


def to_results(rows: Sequence[Row], desk: Desk) -> list[Mapped | BadRecord]:
    """Map 口座振替結果."""
    return [answered(row, lambda r: _result(r, desk)) for row in rows if row.sound]


def to_receipts(rows: Sequence[Row]) -> list[Mapped | BadRecord]:
    """Map 納付書収納情報."""
    return [answered(row, _receipt) for row in rows if row.sound]


def _result(row: Row, desk: Desk) -> Mapped:
    value = row.values
    question = question_of(value["customer_number"])
    asked = desk.asked(question)
    if asked is None:
        raise Refused("customer_number", "no request asks for this result")
    if asked.closed:
        raise Refused("customer_number", "the request was answered before")
    message = PaymentReceived.model_validate(_result_fields(value, asked))
    return Mapped(row.number, message, RESULT_REASON, asked.message, question)


def _result_fields(value: Mapping[str, str], asked: Asked) -> dict[str, Any]:
    facts = asked.facts
    if str(facts["transfer_on"])[5:].replace("-", "") != value["transfer_month_day"]:
        raise Refused("transfer_month_day", "is not the day of the request")
    if int(value["transfer_amount"]) != facts["amount"]:
        raise Refused("transfer_amount", "is not that of the request")
    result = TransferResult(_RESULTS[value["transfer_result"]])
    return {
        "addressee_number": asked.addressee_number,
        "scope": _PAYER,
        "method": PaymentMethod.TRANSFER,
        "transfer_result": result,
        "customer_number": value["customer_number"],
        "fiscal_year": facts["fiscal_year"],
        "instalment_number": facts["instalment_number"],
        "amount": facts["amount"] if result is TransferResult.DONE else None,
        "received_on": facts["transfer_on"],
        "bank_code": value["account_bank_code"],
        "branch_code": value["account_branch_code"],
    }


def _receipt(row: Row) -> Mapped:
    value = row.values
    number = _CUSTOMER.fullmatch(value["customer_number"])
    if number is None:
        raise Refused("customer_number", "is not of this office's make")
    if number["year"] != value["fiscal_year"][2:]:
        raise Refused("fiscal_year", "is not that of the 納付番号")
    if number["instalment"] != value["instalment_number"]:
        raise Refused("instalment_number", "is not that of the 納付番号")
    message = PaymentReceived.model_validate(
        {
            **read_fields(_READ, value),
            "addressee_number": number["person"],
            "scope": _PAYER,
            "method": PaymentMethod.SLIP,
        }
    )
    return Mapped(row.number, message, RECEIPT_REASON)
