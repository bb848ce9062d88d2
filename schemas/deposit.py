"""預貯金等照会: a person to look up, and the accounts that were found.

The answer's fields are those of the sheet 回答書（単票）of one large service; the request and
the outcome codes are *assumed*. Amounts are yen.
"""

import datetime as dt
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from schemas.bank import AccountKind
from schemas.canonical import CanonicalMessage, Part, Yen, message_type
from schemas.dates import RegisterDate
from schemas.numbers import AccountNumber, BankCode, BranchCode, CorporateNumber
from schemas.values import Line40, Line100, Line300, Moment, OfficeNumber


@message_type
class DepositRequested(CanonicalMessage):
    """I12a: look up a person's deposits.

    ``inquirer_number`` is the 法人番号 of the body that asks, ``handler`` 処分担当,
    ``address`` 住民票住所. ``banks`` limits the inquiry; empty asks all that the service reaches.
    """

    MESSAGE_TYPE: ClassVar[str] = "deposit.requested"

    request_id: OfficeNumber
    requested_at: Moment
    inquirer_number: CorporateNumber
    handler: Line40
    name: Line100
    name_kana: Line100
    birth_date: RegisterDate | None = None
    address: Line300
    previous_address: Line300 = ""
    banks: Annotated[tuple[BankCode, ...], Field(max_length=50)] = ()


class DepositOutcome(StrEnum):
    """What the lookup came to (*assumed*)."""

    FOUND = "found"  # 該当あり
    NONE = "none"  # 該当なし
    NO_REPLY = "no-reply"  # no reply by the deadline; said by the hub's side, not the service


class DepositAccount(Part):
    """One account. ``balance`` is 残高 in yen, ``registered_address`` 届出住所."""

    bank_name: Line40
    bank_code: BankCode | None = None
    branch_name: Line40
    branch_code: BranchCode
    account_kind: AccountKind
    account_number: AccountNumber
    registered_address: Line300 = ""
    last_transaction_on: dt.date | None = None
    balance: Yen | None = None


@message_type
class DepositFound(CanonicalMessage):
    """I12b: the answer to a request, whole.

    ``match_score`` says how well name, kana, birth date and address agree with the request, in
    hundredths (absent where nothing was found).
    """

    MESSAGE_TYPE: ClassVar[str] = "deposit.found"
    FOLLOWS: ClassVar[frozenset[str]] = frozenset({"deposit.requested"})

    request_id: OfficeNumber
    answered_on: dt.date
    outcome: DepositOutcome
    handler: Line40 = ""
    name: Line100 = ""
    name_kana: Line100 = ""
    birth_date: RegisterDate | None = None
    address: Line300 = ""
    match_score: Annotated[int, Field(ge=0, le=100)] | None = None
    accounts: Annotated[tuple[DepositAccount, ...], Field(max_length=20)] = ()

    @model_validator(mode="after")
    def _accounts_go_with_the_outcome(self) -> Self:
        if (self.outcome is DepositOutcome.FOUND) != bool(self.accounts):
            message = "accounts are present exactly where some were found"
            raise ValueError(message)
        return self
