"""Collection of premiums: what was received, refunded or appropriated, and what is owed.

Source: I.2 システム1 収納, 滞納 and II.5 移転先1 ③ of the assessment; the fields are *assumed*.
Amounts are yen.
"""

import datetime as dt
from enum import StrEnum
from typing import ClassVar, Self

from pydantic import model_validator

from schemas.canonical import message_type
from schemas.premium import CollectionMethod, Liability
from schemas.values import Amount, FiscalYear, HistoryNumber, InstalmentNumber, OfficeNumber


class CollectionKind(StrEnum):
    """What happened to money."""

    RECEIPT = "receipt"  # 収納
    REFUND = "refund"  # 還付
    APPROPRIATION = "appropriation"  # 充当
    CANCELLATION = "cancellation"  # 取消し


@message_type
class CollectionRecorded(Liability):
    """M1f, 収納情報: one receipt, refund or appropriation of one instalment.

    ``record_number`` is the office's own and unique; a cancellation names the record that it
    undoes in ``cancelled_number``. ``late_charge`` is 延滞金, ``refund_interest`` 還付加算金.
    An appropriation (充当) names the instalment it goes to in ``to_*``.
    """

    MESSAGE_TYPE: ClassVar[str] = "collection.recorded"

    record_number: OfficeNumber
    collection_kind: CollectionKind
    cancelled_number: OfficeNumber | None = None
    instalment_number: InstalmentNumber
    method: CollectionMethod
    occurred_on: dt.date
    recorded_on: dt.date
    amount: Amount
    late_charge: Amount | None = None
    refund_interest: Amount | None = None
    to_levy_year: FiscalYear | None = None
    to_instalment_number: InstalmentNumber | None = None

    @model_validator(mode="after")
    def _fields_go_with_the_kind(self) -> Self:
        cancels = self.collection_kind is CollectionKind.CANCELLATION
        if cancels != (self.cancelled_number is not None):
            message = "cancelled_number is present exactly in a cancellation"
            raise ValueError(message)
        appropriates = self.collection_kind is CollectionKind.APPROPRIATION
        target = (self.to_levy_year, self.to_instalment_number)
        if any((part is not None) != appropriates for part in target):
            message = "to_levy_year and to_instalment_number are present in an appropriation only"
            raise ValueError(message)
        return self


class ArrearsState(StrEnum):
    """滞納整理の状況."""

    OPEN = "open"  # 未納
    DIVIDED = "divided"  # 分割納付
    DEFERRED = "deferred"  # 徴収猶予
    SUSPENDED = "suspended"  # 滞納処分の停止
    SEIZED = "seized"  # 差押え
    WRITTEN_OFF = "written-off"  # 不納欠損
    SETTLED = "settled"  # 完納


@message_type
class ArrearsRecorded(Liability):
    """M1g, 滞納者情報: what is owed on one instalment, whole.

    ``history_number`` tells which state is newer. ``unpaid_amount`` is what is left of the
    premium, ``late_charge`` 延滞金 up to ``as_of``; ``reminded_on`` is 督促状発付日,
    ``demanded_on`` the last 催告.
    """

    MESSAGE_TYPE: ClassVar[str] = "arrears.recorded"

    history_number: HistoryNumber
    instalment_number: InstalmentNumber
    state: ArrearsState
    due_on: dt.date
    as_of: dt.date
    unpaid_amount: Amount
    late_charge: Amount | None = None
    reminded_on: dt.date | None = None
    demanded_on: dt.date | None = None
