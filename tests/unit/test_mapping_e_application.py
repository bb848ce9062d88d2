"""Applications → messages: whom the certificate leads to, and no 個人番号 but in its field."""

import hashlib

import pytest

from hub.edge.kit import BadRecord, Mapped, Row
from mappings.e_application import LAYOUT, to_messages
from schemas.application import ApplicationFiled, ApplicationType
from schemas.canonical import Insurance
from schemas.layout import load_layout

pytestmark = pytest.mark.unit

MY_NUMBER = "123456789018"
DIGEST = hashlib.sha256(b"package").hexdigest()
PLAIN = {
    "addressee_number": "000000000012345",
    "package_digest": DIGEST,
    "receipt_number": "R1",
    "application_type": "03",
    "application_name": "高額療養費支給申請",
    "filed_at": "2026-04-01T09:30:00+09:00",
    "certificate_serial": "0A1B",
    "name": "髙﨑　𠮷子",
    "birth_date": "1940-05-05",
}
FIELDS = [column.field for column in load_layout(LAYOUT).columns]


def answer(**values: str) -> Mapped | BadRecord:
    (one,) = to_messages()([Row(1, 1, dict.fromkeys(FIELDS, "") | PLAIN | values)])
    return one


def message(**values: str) -> ApplicationFiled:
    mapped = answer(**values)
    assert isinstance(mapped, Mapped)
    assert isinstance(mapped.message, ApplicationFiled)
    return mapped.message


def refusal(**values: str) -> tuple[str, str]:
    bad = answer(**values)
    assert isinstance(bad, BadRecord)
    assert not any(value and value in bad.reason for value in values.values())
    return bad.field, bad.reason


def test_an_application_becomes_a_message_about_whom_it_is_of() -> None:
    filed = message(
        my_number=MY_NUMBER,
        answers_1_item="理由",
        answers_1_text="入院",
        answers_2_item="連絡",
        attachments_1_file_name="添付.pdf",
        attachments_1_size="15",
        attachments_1_digest=DIGEST,
    )
    assert filed.addressee_number == PLAIN["addressee_number"]
    assert filed.my_number is not None
    assert filed.my_number.reveal() == MY_NUMBER
    assert filed.certificate_serial is not None
    assert filed.certificate_serial.reveal() == "0A1B"
    assert filed.application_type is ApplicationType.HIGH_COST
    assert filed.package_digest == DIGEST
    assert [(one.item, one.text) for one in filed.answers] == [("理由", "入院"), ("連絡", "")]
    assert [(one.file_name, one.size) for one in filed.attachments] == [("添付.pdf", 15)]


def test_the_reason_is_the_kind_of_application() -> None:
    mapped = answer()
    assert isinstance(mapped, Mapped)
    assert mapped.reason == "高額療養費支給申請"


def test_who_states_an_insured_number_counts_as_insured_and_others_by_birth() -> None:
    insured = message(insured_number="00000012").scope
    assert insured.insurance is Insurance.CURRENT
    unknown = message().scope
    assert unknown.insurance is Insurance.NONE
    assert unknown.eldest_birth_date is not None
    assert unknown.eldest_birth_date.raw == "1940-05-05"
    assert message(birth_date="").scope.eldest_birth_date is None
    assert refusal(insured_number="12")[0] == "insured_number"


def test_a_certificate_that_leads_to_nobody_is_refused() -> None:
    assert refusal(addressee_number="") == ("certificate_serial", "leads to no resident")


@pytest.mark.parametrize("number", ["123456789010", "12345678901", "１２３４５６７８９０１８"])
def test_a_wrong_my_number_is_refused(number: str) -> None:
    field, reason = refusal(my_number=number)
    assert field == "my_number"
    assert "個人番号" in reason


@pytest.mark.parametrize(
    "field",
    [
        "answers_1_text",
        "answers_40_text",
        "answers_1_item",
        "attachments_1_file_name",
        "address",
        "name",
        "name_kana",
        "application_name",
        "telephone",
        "birth_date",
    ],
)
def test_a_text_that_may_hold_a_my_number_is_refused(field: str) -> None:
    bad = answer(**{field: f"番号は{MY_NUMBER}"})
    assert bad == BadRecord(1, 1, field, "may hold a 個人番号, which has a field of its own")


def test_an_attachment_without_its_digest_is_refused() -> None:
    assert refusal(attachments_1_file_name="添付.pdf")[0] in {
        "size",
        "digest",
        "attachments_1_size",
        "attachments_1_digest",
    }
