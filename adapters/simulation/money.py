"""Premiums of the synthetic office: what is owed, received, owed late, debited, paid in a year.

All of a person's amounts follow from the person, so that they hang together: the instalments
add up to the premium, a receipt is an instalment's amount, arrears are one that was not paid.
"""

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple

from adapters.simulation.insured import Insured
from adapters.simulation.names import half_width
from hub.clock import today
from schemas.bank import AccountKind, AccountTransferRequested, BankAccount, TransferNovelty
from schemas.canonical import FacilityEvidence
from schemas.collection import ArrearsRecorded, ArrearsState, CollectionKind, CollectionRecorded
from schemas.premium import (
    CollectionMethod,
    Instalment,
    InstalmentsSet,
    PremiumDecided,
    PremiumPaidYearly,
)

COLLECTOR = "1720100001"
PER_CAPITA = 52_680
_RATE = 0.1044
_LIMIT = 800_000
_ROUNDED_TO = 100
_APRIL, _JULY = 4, 7
_ORDINARY_INSTALMENTS = 9
_SPECIAL_INSTALMENTS = 6
_BANKS = (("9901", "ｶｶﾞﾔｷﾝｺｳ"), ("9902", "ｻｲｶﾞﾜｼﾝﾖｳｷﾝｺ"), ("9903", "ｱｻﾉｶﾞﾜﾉｳｷﾖｳ"))
"""Banks that do not exist."""


class Premium(NamedTuple):
    """A year's premium in its parts, in yen."""

    income_base: int
    income_levy: int
    reduction: int
    over_limit: int
    annual: int


def fiscal_year(date: dt.date) -> int:
    """Give the 年度 of a day."""
    return date.year if date.month >= _APRIL else date.year - 1


def premium_of(insured: Insured) -> Premium:
    """Work out a person's premium for a year: 所得割 and 均等割, reduced, limited, rounded down."""
    rng = insured.rng("premium")
    base = rng.randrange(0, 2_400_000, 1000) if rng.random() < 2 / 3 else 0
    levy = int(base * _RATE)
    reduction = PER_CAPITA * 7 // 10 if base == 0 else 0
    whole = levy + PER_CAPITA - reduction
    annual = min(whole, _LIMIT) // _ROUNDED_TO * _ROUNDED_TO
    return Premium(base, levy, reduction, max(0, whole - _LIMIT), annual)


def method_of(insured: Insured) -> CollectionMethod:
    """Say how a person pays: most from their pension."""
    special = insured.rng("method").random() < 2 / 3
    return CollectionMethod.SPECIAL if special else CollectionMethod.ORDINARY


def instalments_of(insured: Insured) -> tuple[Instalment, ...]:
    """Divide a person's premium; what cannot be divided evenly is in the first."""
    method, year = method_of(insured), fiscal_year(insured.date)
    special = method is CollectionMethod.SPECIAL
    count = _SPECIAL_INSTALMENTS if special else _ORDINARY_INSTALMENTS
    each = premium_of(insured).annual // count // _ROUNDED_TO * _ROUNDED_TO
    first = premium_of(insured).annual - each * (count - 1)
    step, start = (2, _APRIL) if special else (1, _JULY)
    return tuple(
        Instalment(
            number=number + 1,
            method=method,
            due_on=_month(year, start + step * number, 15 if special else 28),
            amount=first if number == 0 else each,
        )
        for number in range(count)
    )


def _month(year: int, month: int, day: int) -> dt.date:
    """Give a day of the month that is so many after last December; 13 is January."""
    return dt.date(year + (month - 1) // 12, (month - 1) % 12 + 1, day)


def account_of(insured: Insured) -> BankAccount:
    """Give a person's account, at a bank that does not exist."""
    rng = insured.rng("account")
    code, name = rng.choice(_BANKS)
    holder = half_width(insured.person.kana).upper().replace("\u3000", " ")
    return BankAccount(
        bank_code=code,
        bank_name_kana=name,
        branch_code=f"{rng.randint(1, 99):03d}",
        branch_name_kana="ﾎﾝﾃﾝ",
        account_kind=AccountKind.ORDINARY,
        account_number=f"{rng.randrange(10**7):07d}",
        holder_kana=(holder or "ﾌﾒｲ")[:30],
    )


def customer_number(insured: Insured, instalment: int) -> str:
    """Give the 顧客番号 of an instalment: 宛名番号, 年度 and 期 (19 digits, assumed)."""
    year = fiscal_year(insured.date) % 100
    return f"{insured.person.number:0>15}{year:02d}{instalment:02d}"


# -- the facts of a day ----------------------------------------------------------------


def premiums(insured: tuple[Insured, ...]) -> Iterator[PremiumDecided]:
    """I4b: the union decides premiums."""
    for one in insured:
        premium = premium_of(one)
        yield PremiumDecided(
            **_liability(one),
            correction_number=one.day,
            decided_on=one.date,
            change_reason="01" if one.day else None,
            liable_months=12,
            income_base=premium.income_base,
            income_levy=premium.income_levy,
            per_capita_levy=PER_CAPITA,
            per_capita_reduction=premium.reduction,
            over_limit=premium.over_limit,
            annual_premium=premium.annual,
        )


def instalments(insured: tuple[Insured, ...]) -> Iterator[InstalmentsSet]:
    """M1e: the office divides premiums."""
    for one in insured:
        yield InstalmentsSet(
            **_liability(one),
            correction_number=one.day,
            set_on=one.date,
            annual_premium=premium_of(one).annual,
            instalments=instalments_of(one),
        )


def collections(insured: tuple[Insured, ...]) -> Iterator[CollectionRecorded]:
    """M1f: receipts, now and then a refund, an appropriation or a cancellation."""
    for one in insured:
        first, second = instalments_of(one)[:2]
        common = _liability(one) | {
            "method": first.method,
            "instalment_number": first.number,
            "occurred_on": one.date,
            "recorded_on": one.date,
        }
        receipt = f"R{one.reference}"
        kind = CollectionKind.RECEIPT
        yield CollectionRecorded(
            **common, record_number=receipt, collection_kind=kind, amount=first.amount
        )
        if one.place == 0:
            kind = CollectionKind.CANCELLATION
            yield CollectionRecorded(
                **common,
                record_number=f"C{one.reference}",
                collection_kind=kind,
                cancelled_number=receipt,
                amount=first.amount,
            )
        elif one.place == 1:
            kind = CollectionKind.REFUND
            yield CollectionRecorded(
                **common,
                record_number=f"K{one.reference}",
                collection_kind=kind,
                amount=first.amount,
                refund_interest=first.amount // 1000,
            )
        elif one.place == 2:  # noqa: PLR2004 - the third person of the day
            kind = CollectionKind.APPROPRIATION
            yield CollectionRecorded(
                **common,
                record_number=f"J{one.reference}",
                collection_kind=kind,
                amount=first.amount,
                to_levy_year=fiscal_year(one.date),
                to_instalment_number=second.number,
            )


def arrears(insured: tuple[Insured, ...]) -> Iterator[ArrearsRecorded]:
    """M1g: of every third person the first instalment of the year before is owed."""
    for one in insured[::3]:
        first = instalments_of(one)[0]
        year = fiscal_year(one.date) - 1
        settled = one.place == 0
        yield ArrearsRecorded(
            **_liability(one, year),
            history_number=one.day,
            instalment_number=first.number,
            state=ArrearsState.SETTLED if settled else ArrearsState.OPEN,
            due_on=first.due_on.replace(year=first.due_on.year - 1),
            as_of=one.date,
            unpaid_amount=0 if settled else first.amount,
            late_charge=None if settled else first.amount // 100,
            reminded_on=dt.date(year + 1, 1, 20),
        )


def transfers(insured: tuple[Insured, ...]) -> Iterator[AccountTransferRequested]:
    """B1: instalments to be debited."""
    for one in insured[::2]:
        first = instalments_of(one)[0]
        yield AccountTransferRequested(
            addressee_number=one.person.number,
            scope=one.scope,
            collector_code=COLLECTOR,
            transfer_on=one.date + dt.timedelta(days=10),
            account=account_of(one),
            amount=first.amount,
            novelty=TransferNovelty.FIRST if one.place == 0 else TransferNovelty.OTHER,
            customer_number=customer_number(one, first.number),
            fiscal_year=fiscal_year(one.date),
            instalment_number=first.number,
        )


def paid_last_year(insured: tuple[Insured, ...]) -> Iterator[PremiumPaidYearly]:
    """M6: what residents of support facilities paid in the calendar year before this one.

    The true calendar counts here, as for the hub: it lets nothing else through.
    """
    for one in insured[1::4]:
        scope = one.scope
        yield PremiumPaidYearly(
            addressee_number=one.person.number,
            scope=FacilityEvidence(
                eldest_birth_date=scope.eldest_birth_date,
                insurance=scope.insurance,
                facility_resident=True,
            ),
            insured_number=one.insured_number,
            paid_year=today().year - 1,
            paid_amount=premium_of(one).annual,
            counted_on=dt.date(today().year, 6, 1),
        )


def _liability(one: Insured, levy_year: int | None = None) -> dict[str, object]:
    year = fiscal_year(one.date)
    return {
        "addressee_number": one.person.number,
        "scope": one.scope,
        "insured_number": one.insured_number,
        "fiscal_year": year,
        "levy_year": levy_year or year,
    }
