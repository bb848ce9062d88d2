"""``application.filed``: an electronic application (サービス検索・電子申請機能).

The application's files stay behind; the message has their digests. Field names inside the
package are *assumed*.
"""

import re
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, StringConstraints

from schemas.canonical import CanonicalMessage, Part, message_type
from schemas.dates import RegisterDate
from schemas.numbers import CertificateSerial, MyNumber, my_number_check_digit
from schemas.values import (
    PRINTABLE,
    Digest,
    Line20,
    Line40,
    Line100,
    Line300,
    Moment,
    OfficeNumber,
)

_TWELVE_DIGITS = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")


def _without_my_number(text: str) -> str:
    """Refuse what could be a 個人番号: it has its own field, where the rules know it."""
    for digits in _TWELVE_DIGITS.findall(text):
        if my_number_check_digit(digits[:-1]) == digits[-1]:
            message = "may hold a 個人番号, which has a field of its own"
            raise ValueError(message)
    return text


AnswerText = Annotated[
    str,
    StringConstraints(max_length=150, pattern=PRINTABLE),
    AfterValidator(_without_my_number),
]


class ApplicationType(StrEnum):
    """手続 (*assumed*; the assessment names the first two, II.4 委託事項3)."""

    LIMIT_CERTIFICATE = "limit-certificate"  # 限度額適用・減額認定証の申請
    STANDARD_INCOME = "standard-income"  # 基準収入額適用申請
    HIGH_COST = "high-cost"  # 高額療養費支給申請
    REISSUE = "reissue"  # 被保険者証等の再交付の申請
    OTHER = "other"  # その他


class Answer(Part):
    """One item of the form, as the applicant filled it in; never a 個人番号."""

    item: Line40
    text: AnswerText


class Attachment(Part):
    """A file of the application: its name in the package, its size in bytes, its SHA-256."""

    file_name: Line100
    size: Annotated[int, Field(ge=0, le=9_999_999_999)]
    digest: Digest


@message_type
class ApplicationFiled(CanonicalMessage):
    """I6: an application as received. The applicant is the resident that the message is about.

    ``receipt_number`` is 受付番号, ``package_digest`` the SHA-256 of the package on receipt,
    ``certificate_serial`` the serial number of the certificate that led to the 宛名番号.
    """

    MESSAGE_TYPE: ClassVar[str] = "application.filed"

    my_number: MyNumber | None = None
    receipt_number: OfficeNumber
    application_type: ApplicationType
    application_name: Line100
    filed_at: Moment
    certificate_serial: CertificateSerial | None = None
    package_digest: Digest
    name: Line100
    name_kana: Line100 = ""
    birth_date: RegisterDate | None = None
    address: Line300 = ""
    telephone: Line20 = ""
    answers: Annotated[tuple[Answer, ...], Field(max_length=40)] = ()
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=20)] = ()
