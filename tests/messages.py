"""One valid message of every type, about a person who does not exist.

``sample`` gives the message, ``sample_data`` its JSON data, for tests that make it wrong.
"""

from typing import Any

from schemas import MESSAGE_TYPES
from schemas.canonical import CanonicalMessage

ADDRESSEE = "000000000012345"
MY_NUMBER = "123456789018"
PENSION_NUMBER = "0123456789"
INSURED_NUMBER = "00012345"
HOUSEHOLD = "000000000000777"
UNIFIED_NUMBER = "000000000098765"
NAME = "髙﨑 𠮷之助"
KANA = "タカサキ ヨシノスケ"
SHA_256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

_BORN = {"raw": "1940-05-06", "precision": "day", "date": "1940-05-06"}
_DAY = {"raw": "2026-03-20", "precision": "day", "date": "2026-03-20"}
_UNSURE = {"raw": "令和8年3月頃", "precision": "unknown"}
_PERSON: dict[str, Any] = {
    "my_number": MY_NUMBER,
    "name": NAME,
    "name_kana": KANA,
    "birth_date": _BORN,
    "sex": "2",
    "postal_code": "9208577",
    "municipality_code": "172014",
    "address": "金沢市広坂一丁目",
    "building": "架空荘 101",
    "protected": True,
}
_LIABILITY: dict[str, Any] = {
    "insured_number": INSURED_NUMBER,
    "fiscal_year": 2025,
    "levy_year": 2025,
}
_ACCOUNT: dict[str, Any] = {
    "bank_code": "0001",
    "bank_name_kana": "ｶｸｳ",
    "branch_code": "012",
    "branch_name_kana": "ﾋﾛｻｶ",
    "account_kind": "ordinary",
    "account_number": "0012345",
    "holder_kana": "ﾀｶｻｷ ﾖｼﾉｽｹ",
}
_INQUIRY: dict[str, Any] = {
    "request_id": "Q-2026-0001",
    "requested_at": "2026-04-01T10:15:30.123+09:00",
    "unified_number": UNIFIED_NUMBER,
    "inquirer_code": "X172014000000001",
    "business_code": "JM0000000000117",
    "procedure_code": "JT0000000000001",
    "provider_code": "X999999000000001",
    "information_code": "TM0000000000001",
}
_SPECIAL: dict[str, Any] = {
    "city_code": "17201",
    "collector_code": "101",
    "created_on": "2026-03-15",
    "pension_number": PENSION_NUMBER,
    "pension_code": "0120",
    "birth_date": _BORN,
    "sex": "2",
    "name_kana": "ﾀｶｻｷ ﾖｼﾉｽｹ",
    "name": "高崎　吉之助",
    "postal_code": "9208577",
    "address_kana": "ｶﾅｻﾞﾜｼ ﾋﾛｻｶ",
    "address": "金沢市広坂一丁目",
    "category": "00",
    "event_date": _DAY,
    "amount_first": 12_300,
    "amount_second": 0,
}
_BENEFIT: dict[str, Any] = {
    "my_number": MY_NUMBER,
    "payment_number": "P-2026-0001",
    "correction_number": 1,
    "benefit_month": "2025-12",
    "self_payment": 44_400,
    "paid_amount": 19_800,
    "decided_on": "2026-03-10",
    "paid_on": "2026-03-25",
}

_DATA: dict[str, dict[str, Any]] = {
    "resident.changed": {
        **_PERSON,
        "history_number": 3,
        "household_number": HOUSEHOLD,
        "resident_kind": "1",
        "resident_state": "resident",
        "event_reason": "moved-within",
        "event_date": _DAY,
        "eligibility": {"insured_number": INSURED_NUMBER, "acquired": _DAY},
    },
    "income.assessed": {
        "my_number": MY_NUMBER,
        "household_number": HOUSEHOLD,
        "birth_date": _BORN,
        "tax_year": 2026,
        "undeclared": "0",
        "taxation_class": "1",
        "total_income": 1_234_567,
    },
    "eligibility.notified": {
        **_PERSON,
        "notification_number": "N-2026-0001",
        "notification_kind": "acquired",
        "notified_on": "2026-03-30",
        "event_date": _DAY,
        "immediate": True,
        "household_number": HOUSEHOLD,
        "acquisition_reason": "101",
        "previous_address": "架空市架空町1番地",
        "telephone": "076-000-0000",
    },
    "insured.decided": {
        "my_number": MY_NUMBER,
        "insured_number": INSURED_NUMBER,
        "history_number": 2,
        "household_number": HOUSEHOLD,
        "person_kind": "1",
        "name": NAME,
        "name_kana": KANA,
        "birth_date": _BORN,
        "sex": "2",
        "acquisition_reason": "101",
        "acquired": _DAY,
        "decided_on": "2026-03-31",
        "immediate": True,
        "notification_number": "N-2026-0001",
        "copayment_tenths": 2,
        "certificate": {
            "issued_on": "2026-03-31",
            "valid_from": "2026-03-31",
            "valid_to": "2026-07-31",
        },
    },
    "eligibility.recorded": {
        "insured_number": INSURED_NUMBER,
        "history_number": 2,
        "acquired": _DAY,
    },
    "addressee.registered": {
        **_PERSON,
        "history_number": 3,
        "registration": "nonresident",
        "resident_state": "removed",
        "changed_on": _UNSURE,
    },
    "nonresident.changed": {
        **_PERSON,
        "history_number": 3,
        "household_number": HOUSEHOLD,
        "relationship": "妻",
        "insured_number": INSURED_NUMBER,
        "registered_on": _DAY,
    },
    "special-address.changed": {
        **_PERSON,
        "history_number": 3,
        "household_number": HOUSEHOLD,
        "insured_number": INSURED_NUMBER,
        "previous_municipality_code": "172014",
        "previous_address": "金沢市架空町1番地",
        "facility_name": "架空苑",
        "facility_address": "架空市架空町2番地",
        "applied_from": _DAY,
    },
    "personal-code.requested": {
        "unified_number": UNIFIED_NUMBER,
        "request_id": "C-2026-0001",
        "requested_at": "2026-04-01T10:15:30.123+09:00",
    },
    "processing-number.issued": {
        "unified_number": UNIFIED_NUMBER,
        "request_id": "C-2026-0001",
        "processing_number": "202604010000000001",
        "issued_at": "2026-04-01T10:15:31+09:00",
    },
    "inquiry.requested": {
        **_INQUIRY,
        "numbering_scheme": "01",
        "department_code": "D100",
        "user_id": "S001",
        "undisclosed": "0",
        "condition": "1",
        "year_kind": "1",
        "period_from": "2025-04-01",
        "period_to": "2026-03-31",
    },
    "inquiry.answered": {
        **_INQUIRY,
        "processing_number": "202604010000000002",
        "answered_at": "2026-04-01T10:20:00+09:00",
        "detail_status": "09",
        "name_status": "01",
        "items": [{"item_code": "T001", "item_name": "総所得金額", "value": "1234567"}],
    },
    "premium.decided": {
        **_LIABILITY,
        "correction_number": 1,
        "decided_on": "2026-03-31",
        "change_reason": "12",
        "liable_months": 12,
        "income_base": 804_567,
        "income_levy": 76_800,
        "per_capita_levy": 47_520,
        "per_capita_reduction": 9_504,
        "annual_premium": 114_816,
    },
    "instalments.set": {
        **_LIABILITY,
        "correction_number": 1,
        "set_on": "2026-03-31",
        "annual_premium": 114_816,
        "instalments": [
            {"number": 1, "method": "ordinary", "due_on": "2026-07-31", "amount": 60_000},
            {"number": 2, "method": "special", "due_on": "2026-08-31", "amount": 54_816},
        ],
    },
    "premium.paid-yearly": {
        "my_number": MY_NUMBER,
        "insured_number": INSURED_NUMBER,
        "paid_year": 2025,
        "paid_amount": 114_816,
        "counted_on": "2026-03-31",
    },
    "collection.recorded": {
        **_LIABILITY,
        "record_number": "R-2026-0001",
        "collection_kind": "appropriation",
        "instalment_number": 1,
        "method": "ordinary",
        "occurred_on": "2026-03-30",
        "recorded_on": "2026-03-31",
        "amount": 5_000,
        "refund_interest": 100,
        "to_levy_year": 2025,
        "to_instalment_number": 2,
    },
    "arrears.recorded": {
        **_LIABILITY,
        "history_number": 4,
        "instalment_number": 1,
        "state": "divided",
        "due_on": "2025-07-31",
        "as_of": "2026-03-31",
        "unpaid_amount": 14_352,
        "late_charge": 600,
        "reminded_on": "2025-08-20",
    },
    "account-transfer.requested": {
        "collector_code": "1234567890",
        "transfer_on": "2026-04-30",
        "account": _ACCOUNT,
        "amount": 14_352,
        "novelty": "first",
        "customer_number": "00000000012345",
        "fiscal_year": 2025,
        "instalment_number": 1,
    },
    "payment.received": {
        "method": "transfer",
        "transfer_result": "done",
        "customer_number": "00000000012345",
        "fiscal_year": 2025,
        "instalment_number": 1,
        "amount": 14_352,
        "received_on": "2026-04-30",
        "credited_on": "2026-05-02",
        "bank_code": "0001",
        "branch_code": "012",
    },
    "high-cost.related": {
        "my_number": MY_NUMBER,
        "insured_number": INSURED_NUMBER,
        "application_number": "A-2026-0001",
        "benefit_kind": "high-cost",
        "applied_on": "2026-03-01",
        "care_month": "2025-12",
        "self_payment": 44_400,
        "account": _ACCOUNT,
    },
    "benefit.decided": {
        "my_number": MY_NUMBER,
        "insured_number": INSURED_NUMBER,
        "decision_number": "B-2026-0001",
        "application_number": "A-2026-0001",
        "outcome": "paid",
        "care_month": "2025-12",
        "decided_on": "2026-03-10",
        "self_payment": 44_400,
        "limit_amount": 24_600,
        "benefit_amount": 19_800,
        "pay_on": "2026-03-25",
    },
    "care-benefit.paid": {**_BENEFIT, "care_insured_number": "0000123456"},
    "medical-benefit.paid": {**_BENEFIT, "insured_number": INSURED_NUMBER},
    "special-collection.notified": {**_SPECIAL, "notice": "candidate"},
    "special-collection.requested": {**_SPECIAL, "notice": "request", "category": "01"},
    "application.filed": {
        "my_number": MY_NUMBER,
        "receipt_number": "E-2026-0001",
        "application_type": "limit-certificate",
        "application_name": "限度額適用・減額認定証の申請",
        "filed_at": "2026-04-01T09:00:00+09:00",
        "certificate_serial": "0A1B2C3D4E5F",
        "package_digest": SHA_256,
        "name": NAME,
        "name_kana": KANA,
        "birth_date": _BORN,
        "address": "金沢市広坂一丁目",
        "telephone": "076-000-0000",
        "answers": [{"item": "長期入院の有無", "text": "無"}],
        "attachments": [{"file_name": "form.pdf", "size": 12_345, "digest": SHA_256}],
    },
    "deposit.requested": {
        "request_id": "L-2026-0001",
        "requested_at": "2026-04-01T10:15:30.123+09:00",
        "inquirer_number": "4000020172014",
        "handler": "保険年金課",
        "name": NAME,
        "name_kana": KANA,
        "birth_date": _BORN,
        "address": "金沢市広坂一丁目",
        "banks": ["0001", "0002"],
    },
    "deposit.found": {
        "request_id": "L-2026-0001",
        "answered_on": "2026-04-03",
        "outcome": "found",
        "handler": "保険年金課",
        "name": NAME,
        "name_kana": KANA,
        "birth_date": _BORN,
        "address": "金沢市広坂一丁目",
        "match_score": 95,
        "accounts": [
            {
                "bank_name": "架空銀行",
                "bank_code": "0001",
                "branch_name": "広坂支店",
                "branch_code": "012",
                "account_kind": "savings",
                "account_number": "0012345",
                "registered_address": "金沢市架空町1番地",
                "last_transaction_on": "2026-02-15",
                "balance": 98_765,
            }
        ],
    },
    "welfare-status.changed": {
        "my_number": MY_NUMBER,
        "history_number": 2,
        "status": "physical",
        "grade": "2",
        "started": _DAY,
    },
    "care-status.changed": {
        "my_number": MY_NUMBER,
        "history_number": 2,
        "care_insurer_number": "172015",
        "care_insured_number": "0000123456",
        "acquired": _BORN,
        "care_level": "care-2",
        "certified_from": _DAY,
        "certified_to": _UNSURE,
        "copayment_tenths": 1,
    },
}


def sample_data(message_type: str, *, insured: bool = True, **changes: object) -> dict[str, Any]:
    """Give the JSON data of a valid message of a type, with these fields changed.

    ``insured`` decides whether every scope rule takes the person in or leaves them out. The
    yearly payment is that of 2025: on another day than one of 2026, change ``paid_year``.
    """
    made = {"addressee_number": ADDRESSEE, "scope": _scope(message_type, insured=insured)}
    return made | _DATA[message_type] | changes


def sample(message_type: str, *, insured: bool = True, **changes: object) -> CanonicalMessage:
    """Give a valid message of a type; see ``sample_data``."""
    cls = MESSAGE_TYPES[message_type]
    return cls.model_validate(sample_data(message_type, insured=insured, **changes))


def _scope(message_type: str, *, insured: bool) -> dict[str, Any]:
    insurance = "current" if insured else "none"
    evidence: dict[str, Any] = {"insurance": insurance}
    if message_type == "eligibility.recorded":
        evidence["own_insurance"] = insurance
    if message_type == "premium.paid-yearly":
        evidence["facility_resident"] = insured
    return evidence
