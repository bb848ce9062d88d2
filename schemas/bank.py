"""Account transfers (口座振替) and receipts, as banks exchange them.

Widths follow 全銀協規定形式 (120-byte records); kana are half-width on the wire. Amounts are yen.
"""

import datetime as dt
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import Field, StringConstraints, model_validator

from schemas.canonical import CanonicalMessage, Part, message_type
from schemas.numbers import AccountNumber, BankCode, BranchCode
from schemas.values import PRINTABLE, FiscalYear, InstalmentNumber

BankName = Annotated[str, StringConstraints(max_length=15, pattern=PRINTABLE)]
HolderName = Annotated[str, StringConstraints(max_length=30, pattern=PRINTABLE)]
CollectorCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{10}$")]
"""委託者コード: 10 digits."""

CustomerNumber = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z -]{1,20}$")]
"""顧客番号: up to 20 characters, which the bank gives back unchanged."""

TransferAmount = Annotated[int, Field(ge=1, le=9_999_999_999)]


class AccountKind(StrEnum):
    """預金種目, 口座種別."""

    ORDINARY = "ordinary"  # 普通
    CURRENT = "current"  # 当座
    TIME = "time"  # 定期
    SAVINGS = "savings"  # 貯蓄
    TAX_RESERVE = "tax-reserve"  # 納税準備
    OTHER = "other"  # その他


class BankAccount(Part):
    """An account by its numbers; names as the bank writes them, in kana."""

    bank_code: BankCode
    bank_name_kana: BankName = ""
    branch_code: BranchCode
    branch_name_kana: BankName = ""
    account_kind: AccountKind
    account_number: AccountNumber
    holder_kana: HolderName


class TransferNovelty(StrEnum):
    """新規コード."""

    FIRST = "first"  # 1 第1回引落分
    CHANGED = "changed"  # 2 変更分
    OTHER = "other"  # 0 その他


@message_type
class AccountTransferRequested(CanonicalMessage):
    """B1: debit an instalment from an account on ``transfer_on`` (引落日)."""

    MESSAGE_TYPE: ClassVar[str] = "account-transfer.requested"

    collector_code: CollectorCode
    transfer_on: dt.date
    account: BankAccount
    amount: TransferAmount
    novelty: TransferNovelty
    customer_number: CustomerNumber
    fiscal_year: FiscalYear
    instalment_number: InstalmentNumber


class PaymentMethod(StrEnum):
    """How a payment reached the bank."""

    TRANSFER = "transfer"  # 口座振替
    SLIP = "slip"  # 納付書 (窓口)


class TransferResult(StrEnum):
    """振替結果コード."""

    DONE = "done"  # 0 振替済
    SHORT = "short"  # 1 資金不足
    NO_ACCOUNT = "no-account"  # 2 取引なし
    HOLDER_REFUSED = "holder-refused"  # 3 預金者の都合による停止
    NO_MANDATE = "no-mandate"  # 4 預金口座振替依頼書なし
    COLLECTOR_STOPPED = "collector-stopped"  # 8 委託者の都合による停止
    OTHER = "other"  # 9 その他


@message_type
class PaymentReceived(CanonicalMessage):
    """B2, 入金情報: a payment of an instalment, or the result of a transfer that failed.

    ``amount`` is what was received: present exactly where money moved. ``received_on`` is
    領収日 or 引落日, ``credited_on`` when it reaches the city. ``customer_number`` (顧客番号,
    納付番号) names the request or the slip.
    """

    MESSAGE_TYPE: ClassVar[str] = "payment.received"
    FOLLOWS: ClassVar[frozenset[str]] = frozenset({"account-transfer.requested"})

    method: PaymentMethod
    transfer_result: TransferResult | None = None
    customer_number: CustomerNumber
    fiscal_year: FiscalYear | None = None
    instalment_number: InstalmentNumber | None = None
    amount: TransferAmount | None = None
    received_on: dt.date
    credited_on: dt.date | None = None
    bank_code: BankCode
    branch_code: BranchCode | None = None

    @model_validator(mode="after")
    def _amount_goes_with_the_result(self) -> Self:
        if (self.method is PaymentMethod.TRANSFER) != (self.transfer_result is not None):
            message = "transfer_result is present exactly where the method is a transfer"
            raise ValueError(message)
        moved = self.transfer_result in {None, TransferResult.DONE}
        if moved != (self.amount is not None):
            message = "amount is present exactly where money moved"
            raise ValueError(message)
        return self
