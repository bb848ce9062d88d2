"""Benefits and statuses of the synthetic office's people: medical, long-term care, welfare."""

import datetime as dt
from collections.abc import Iterator

from adapters.simulation.insured import Insured, care_insured_number
from adapters.simulation.money import account_of
from schemas.benefit import (
    BenefitDecided,
    BenefitOutcome,
    CareBenefitPaid,
    HighCostKind,
    HighCostRelated,
    MedicalBenefitPaid,
)
from schemas.dates import known
from schemas.numbers import MyNumber
from schemas.status import CareLevel, CareStatusChanged, WelfareStatus, WelfareStatusChanged

_CARE_INSURER = "172015"
_LIMIT = 18_000
_LEVELS = tuple(CareLevel)
_STATUSES = tuple(WelfareStatus)


def _month(one: Insured) -> str:
    """Give the month of care: two before the day's."""
    before = one.date.replace(day=1) - dt.timedelta(days=40)
    return f"{before:%Y-%m}"


def _borne(one: Insured) -> int:
    return one.rng("borne").randrange(_LIMIT, 90_000, 10)


def _my_number(one: Insured) -> MyNumber | None:
    return MyNumber(one.person.my_number) if one.person.my_number else None


def _who(one: Insured) -> dict[str, object]:
    return {"addressee_number": one.person.number, "scope": one.scope}


def applications(insured: tuple[Insured, ...]) -> Iterator[HighCostRelated]:
    """M1h: what the office drew up of applications for high-cost benefits."""
    for one in insured[::2]:
        yield HighCostRelated(
            **_who(one),
            my_number=_my_number(one),
            insured_number=one.insured_number,
            application_number=f"S{one.reference}",
            benefit_kind=HighCostKind.COMBINED if one.place == 0 else HighCostKind.HIGH_COST,
            applied_on=one.date,
            care_month=_month(one),
            self_payment=_borne(one),
            account=account_of(one),
        )


def decisions(insured: tuple[Insured, ...]) -> Iterator[BenefitDecided]:
    """I4c: the union decides on benefits; one is refused."""
    for one in insured[::2]:
        paid, borne = one.place != 0, _borne(one)
        yield BenefitDecided(
            **_who(one),
            my_number=_my_number(one),
            insured_number=one.insured_number,
            decision_number=f"K{one.reference}",
            application_number=f"S{one.reference}",
            outcome=BenefitOutcome.PAID if paid else BenefitOutcome.REFUSED,
            care_month=_month(one),
            decided_on=one.date,
            self_payment=borne,
            limit_amount=_LIMIT,
            benefit_amount=borne - _LIMIT if paid else 0,
            pay_on=one.date + dt.timedelta(days=20) if paid else None,
            refusal_reason="" if paid else "自己負担限度額を超えていないため",
        )


def medical_payments(insured: tuple[Insured, ...]) -> Iterator[MedicalBenefitPaid]:
    """U8b: what was paid for medical care."""
    for one in insured[1::3]:
        yield MedicalBenefitPaid(
            **_payment(one, "I"), insured_number=one.insured_number, my_number=_my_number(one)
        )


def care_payments(insured: tuple[Insured, ...]) -> Iterator[CareBenefitPaid]:
    """U8a: what was paid for long-term care."""
    for one in insured[1::3]:
        yield CareBenefitPaid(
            **_payment(one, "G"),
            care_insured_number=care_insured_number(one.person),
            my_number=_my_number(one),
        )


def _payment(one: Insured, kind: str) -> dict[str, object]:
    borne = _borne(one)
    return _who(one) | {
        "payment_number": f"{kind}{one.reference}",
        "benefit_month": _month(one),
        "self_payment": borne,
        "paid_amount": borne - _LIMIT,
        "decided_on": one.date,
        "paid_on": one.date + dt.timedelta(days=20),
    }


def care_statuses(insured: tuple[Insured, ...]) -> Iterator[CareStatusChanged]:
    """I3b: long-term care insurance of some, one of whom never asked for a level."""
    for one in insured[::2]:
        asked = one.place != 0
        yield CareStatusChanged(
            **_who(one),
            my_number=_my_number(one),
            history_number=one.day + 1,
            care_insurer_number=_CARE_INSURER,
            care_insured_number=care_insured_number(one.person),
            acquired=known(one.date - dt.timedelta(days=3650)),
            care_level=one.rng("level").choice(_LEVELS) if asked else None,
            certified_from=known(one.date) if asked else None,
            certified_to=known(one.date + dt.timedelta(days=364)) if asked else None,
            copayment_tenths=one.rng("copayment").choice((1, 2, 3)),
        )


def welfare_statuses(insured: tuple[Insured, ...]) -> Iterator[WelfareStatusChanged]:
    """I3a: public assistance and handbooks, each kind in turn."""
    for one in insured[::3]:
        status = _STATUSES[(one.place // 3 + one.day) % len(_STATUSES)]
        yield WelfareStatusChanged(
            **_who(one),
            my_number=_my_number(one),
            history_number=one.day + 1,
            status=status,
            grade=None if status is WelfareStatus.PUBLIC_ASSISTANCE else "2",
            started=known(one.date),
        )
