"""情報照会: an inquiry over the 情報提供ネットワークシステム, and its answer.

Fields of the request are the 18 of one published city tool's record; those of the answer's
items are *assumed* (the item codes of 主務省令2条の表117 were not found).
"""

import datetime as dt
from enum import StrEnum
from typing import Annotated, ClassVar, NamedTuple, Self

from pydantic import Field, StringConstraints, model_validator

from schemas.canonical import CanonicalMessage, Part, message_type
from schemas.numbers import ProcessingNumber, UnifiedNumber
from schemas.values import Line20, Line100, Moment, OfficeNumber, TwoDigits

InstitutionCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{1,16}$")]
"""機関コード: up to 16 characters; fictitious ones here."""

BusinessCode = Annotated[str, StringConstraints(pattern=r"^JM[0-9A-Za-z]{1,14}$")]
ProcedureCode = Annotated[str, StringConstraints(pattern=r"^JT[0-9A-Za-z]{1,14}$")]
InformationCode = Annotated[str, StringConstraints(pattern=r"^TM[0-9A-Za-z]{1,14}$")]
ItemCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,20}$")]
Digit = Annotated[str, StringConstraints(pattern=r"^[0-9]$")]

DETAIL_ANSWERED = "09"
NAME_ANSWERED = "01"


class InquiryKey(NamedTuple):
    """What ties an answer to its request on every wire: who, asked when, about what."""

    addressee_number: str
    requested_at: dt.datetime
    information_code: str


class InquiryMessage(CanonicalMessage):
    """What request and answer both say.

    ``request_id`` is the asker's own number, absent where the wire has no place for it.
    ``requested_at`` is 照会依頼日時, ``business_code`` 事務コード, ``procedure_code``
    事務手続コード, ``provider_code`` 提供者機関コード, ``information_code``
    特定個人情報名コード.
    """

    request_id: OfficeNumber | None = None
    requested_at: Moment
    unified_number: UnifiedNumber | None = None
    inquirer_code: InstitutionCode
    business_code: BusinessCode
    procedure_code: ProcedureCode
    provider_code: InstitutionCode
    information_code: InformationCode

    @property
    def key(self) -> InquiryKey:
        """Name this inquiry; the 宛名番号 is filled to 15 digits as the wire does."""
        return InquiryKey(self.addressee_number.zfill(15), self.requested_at, self.information_code)


@message_type
class InquiryRequested(InquiryMessage):
    """I11a: ask another body for a resident's information.

    ``numbering_scheme`` is 番号体系, ``condition`` 照会条件区分, ``year_kind`` 年度区分,
    ``period_from`` and ``period_to`` 開始日 and 終了日, ``undisclosed`` 照会側不開示コード.
    """

    MESSAGE_TYPE: ClassVar[str] = "inquiry.requested"
    FOLLOWS: ClassVar[frozenset[str]] = frozenset({"inquiry.requested"})

    numbering_scheme: TwoDigits
    department_code: Line20
    user_id: Line20
    undisclosed: Digit
    delegator_code: InstitutionCode | None = None
    second_delegator_code: InstitutionCode | None = None
    condition: Digit
    year_kind: Digit | None = None
    period_from: dt.date | None = None
    period_to: dt.date | None = None


class InquiryError(StrEnum):
    """Why an inquiry has no result."""

    CODE_NOT_OBTAINED = "code-not-obtained"  # …は符号が未取得です。
    RECORD_EXISTS = "record-exists"  # 「レコード識別番号」が既に存在しています。
    NOT_PERMITTED = "not-permitted"  # …の照会は許可されていません。
    NO_REPLY = "no-reply"  # no reply by the deadline; said by the hub's side, not the network
    OTHER = "other"


class InquiredItem(Part):
    """One item of the answer, as the provider wrote it (*assumed*)."""

    item_code: ItemCode
    item_name: Line20 = ""
    value: Line100


@message_type
class InquiryAnswered(InquiryMessage):
    """I11b: what came back, or why nothing did.

    ``detail_status`` is 照会ステータス(明細) and ``name_status`` 照会ステータス(特定個人情報名);
    both are absent where the network gave no answer.
    """

    MESSAGE_TYPE: ClassVar[str] = "inquiry.answered"
    FOLLOWS: ClassVar[frozenset[str]] = frozenset({"inquiry.requested", "inquiry.answered"})

    processing_number: ProcessingNumber | None = None
    answered_at: Moment
    detail_status: TwoDigits | None = None
    name_status: TwoDigits | None = None
    error: InquiryError | None = None
    items: Annotated[tuple[InquiredItem, ...], Field(max_length=100)] = ()

    @property
    def succeeded(self) -> bool:
        """Say whether the network marked this as a result (09 and 01)."""
        return self.detail_status == DETAIL_ANSWERED and self.name_status == NAME_ANSWERED

    @model_validator(mode="after")
    def _a_result_is_no_error(self) -> Self:
        if self.error is not None and (self.succeeded or self.items):
            message = "an answer has a result or an error"
            raise ValueError(message)
        return self
