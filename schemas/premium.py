"""Premiums (後期高齢者医療保険料): decided, divided into instalments, paid in a year.

Amounts are yen; one that is not known is absent, not zero. The field family is *assumed*,
after II.3 ④ of the assessment and the terms of 高確法104条-107条.
"""

import datetime as dt
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from schemas.canonical import CanonicalMessage, Code, FacilityEvidence, Part, Yen, message_type
from schemas.numbers import InsuredNumber, MyNumber
from schemas.values import Amount, CorrectionNumber, FiscalYear, InstalmentNumber


class CollectionMethod(StrEnum):
    """徴収方法."""

    SPECIAL = "special"  # 特別徴収, from the pension
    ORDINARY = "ordinary"  # 普通徴収


class Liability(CanonicalMessage):
    """What names a premium: whose, and of which years.

    ``fiscal_year`` is 賦課年度, ``levy_year`` 相当年度 (the year the premium is for).
    """

    insured_number: InsuredNumber
    fiscal_year: FiscalYear
    levy_year: FiscalYear


@message_type
class PremiumDecided(Liability):
    """I4b, 賦課決定・保険料情報: one person's premium for a year as the union decided it, whole.

    ``correction_number`` tells which decision is newer. ``income_base`` is 賦課のもととなる
    所得金額, ``income_levy`` 所得割額, ``per_capita_levy`` 均等割額, ``per_capita_reduction``
    均等割軽減額, ``dependant_reduction`` 被扶養者軽減額, ``over_limit`` 限度超過額.
    """

    MESSAGE_TYPE: ClassVar[str] = "premium.decided"

    correction_number: CorrectionNumber
    decided_on: dt.date
    change_reason: Code | None = None
    liable_months: Annotated[int, Field(ge=0, le=12)]
    income_base: Yen | None = None
    income_levy: Amount | None = None
    per_capita_levy: Amount | None = None
    per_capita_reduction: Amount | None = None
    dependant_reduction: Amount | None = None
    over_limit: Amount | None = None
    annual_premium: Amount


class Instalment(Part):
    """期割: one instalment of a year's premium."""

    number: InstalmentNumber
    method: CollectionMethod
    due_on: dt.date
    amount: Amount


@message_type
class InstalmentsSet(Liability):
    """M1e, 期割情報: all instalments of a year's premium.

    ``correction_number`` is that of the premium decision; of two with the same one, the greater
    ``revision`` is newer (a changed method of collection moves instalments alone).
    """

    MESSAGE_TYPE: ClassVar[str] = "instalments.set"

    correction_number: CorrectionNumber
    revision: CorrectionNumber = 0
    set_on: dt.date
    annual_premium: Amount
    instalments: Annotated[tuple[Instalment, ...], Field(max_length=24)]


@message_type
class PremiumPaidYearly(CanonicalMessage):
    """M3 (held), M6: 前年中の後期高齢者医療保険料納付済額.

    ``paid_year`` is the calendar year of payment, ``paid_amount`` all that was paid in it less
    what was refunded. Only people with an amount above zero who live in a support facility are
    in M6's scope; the evidence says who does.
    """

    MESSAGE_TYPE: ClassVar[str] = "premium.paid-yearly"

    scope: FacilityEvidence
    my_number: MyNumber | None = None
    insured_number: InsuredNumber | None = None
    paid_year: FiscalYear
    paid_amount: Amount
    counted_on: dt.date
