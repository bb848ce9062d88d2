"""High-cost benefits: medical (高額療養費) and long-term care (高額介護サービス費).

Source: I.2 システム2 給付業務, II.3 ⑧ and II.5 移転先1 ③ of the assessment; the fields are
*assumed*. Amounts are yen; one that is not known is absent, not zero.
"""

import datetime as dt
from enum import StrEnum
from typing import ClassVar

from schemas.bank import BankAccount
from schemas.canonical import CanonicalMessage, message_type
from schemas.numbers import CareInsuredNumber, InsuredNumber, MyNumber
from schemas.values import Amount, CorrectionNumber, Line100, OfficeNumber, YearMonth


class BenefitOutcome(StrEnum):
    """支給区分."""

    PAID = "paid"  # 支給
    REFUSED = "refused"  # 不支給
    RECLAIMED = "reclaimed"  # 返納


class HighCostKind(StrEnum):
    """What was applied for (*assumed*)."""

    HIGH_COST = "high-cost"  # 高額療養費
    COMBINED = "combined"  # 高額介護合算療養費
    OUTPATIENT_YEAR = "outpatient-year"  # 外来年間合算


@message_type
class HighCostRelated(CanonicalMessage):
    """M1h, 高額療養費関連情報: what the office drew up from an application.

    ``care_month`` is 診療年月. ``account`` is where the benefit is to be paid.
    """

    MESSAGE_TYPE: ClassVar[str] = "high-cost.related"

    my_number: MyNumber | None = None
    insured_number: InsuredNumber
    application_number: OfficeNumber
    correction_number: CorrectionNumber = 0
    benefit_kind: HighCostKind
    applied_on: dt.date
    care_month: YearMonth
    self_payment: Amount | None = None
    account: BankAccount | None = None


@message_type
class BenefitDecided(CanonicalMessage):
    """I4c, 高額療養費支給決定通知: what the union decided for a month of care.

    ``correction_number`` tells which decision is newer. ``self_payment`` is 自己負担額,
    ``limit_amount`` 自己負担限度額, ``benefit_amount`` 支給額 (of a reclaim: 返納額).
    """

    MESSAGE_TYPE: ClassVar[str] = "benefit.decided"

    my_number: MyNumber | None = None
    insured_number: InsuredNumber
    decision_number: OfficeNumber
    correction_number: CorrectionNumber = 0
    application_number: OfficeNumber | None = None
    outcome: BenefitOutcome
    care_month: YearMonth
    decided_on: dt.date
    self_payment: Amount | None = None
    limit_amount: Amount | None = None
    benefit_amount: Amount | None = None
    pay_on: dt.date | None = None
    refusal_reason: Line100 = ""


class BenefitPaid(CanonicalMessage):
    """What both benefits say to one another for 高額介護合算療養費.

    ``payment_number`` is the payer's own, ``correction_number`` tells which state is newer;
    ``benefit_month`` is the month of care or service, ``paid_amount`` what was paid for it and
    ``self_payment`` what the person had borne.
    """

    my_number: MyNumber | None = None
    payment_number: OfficeNumber
    correction_number: CorrectionNumber = 0
    benefit_month: YearMonth
    self_payment: Amount | None = None
    paid_amount: Amount
    decided_on: dt.date
    paid_on: dt.date | None = None


@message_type
class CareBenefitPaid(BenefitPaid):
    """U8a: 高額介護サービス費 of one month, from 介護保険課."""

    MESSAGE_TYPE: ClassVar[str] = "care-benefit.paid"

    care_insured_number: CareInsuredNumber


@message_type
class MedicalBenefitPaid(BenefitPaid):
    """U8b: 高額療養費 of one month, for 介護保険課."""

    MESSAGE_TYPE: ClassVar[str] = "medical-benefit.paid"

    insured_number: InsuredNumber
