"""Whose data may flow: the rules that a route names in ``whose.rule``.

A rule looks at the evidence that the sender states about the person's household
(``schemas.canonical.ScopeEvidence``) and answers whether the person may be sent. A rule is
sure or it says no: a date that is partly unknown counts from its last possible day.
"""

import datetime as dt
from collections.abc import Callable, Mapping

from hub.record import record
from schemas.canonical import CanonicalMessage, FacilityEvidence, Insurance, PersonEvidence
from schemas.premium import PremiumPaidYearly

INSURED_FROM_AGE = 75
"""高齢者の医療の確保に関する法律 50条1号: a person is insured from the 75th birthday."""


@record
class ScopeContext:
    """The day of acceptance, and how many days before 75 count as about to reach it."""

    today: dt.date
    about_to_reach_days: int


def birthday(born: dt.date, age: int) -> dt.date:
    """Give the day on which a person born then is this old; 02-29 becomes 03-01.

    A birthday past the last year that a date can hold counts as that year's last day.

    >>> birthday(dt.date(1952, 2, 29), 75)
    datetime.date(2027, 3, 1)
    """
    if born.year + age > dt.MAXYEAR:
        return dt.date.max
    try:
        return born.replace(year=born.year + age)
    except ValueError:
        return dt.date(born.year + age, 3, 1)


def insured_household(message: CanonicalMessage, context: ScopeContext) -> bool:
    """Permit insured persons, those about to be, past ones, and their households' members.

    Source: 移転先1 ⑤ of the assessment (75 or older, 年齢到達予定者 included; certified
    disability; 世帯構成員; 過去の被保険者とその世帯).
    """
    evidence = message.scope
    if evidence.insurance is not Insurance.NONE:
        return True
    eldest = evidence.eldest_birth_date.latest() if evidence.eldest_birth_date else None
    if eldest is None:
        return False
    horizon = context.today + dt.timedelta(days=context.about_to_reach_days)
    return birthday(eldest, INSURED_FROM_AGE) <= horizon


def eligibility_history(message: CanonicalMessage, _context: ScopeContext) -> bool:
    """Permit persons who are or were insured themselves; a household member is not enough.

    Source: 移転先2 ⑤ (資格履歴を有する者). Evidence that does not speak of the person alone
    permits nobody.
    """
    evidence = message.scope
    return isinstance(evidence, PersonEvidence) and evidence.own_insurance is not Insurance.NONE


def facility_payer(message: CanonicalMessage, context: ScopeContext) -> bool:
    """Permit residents of support facilities who paid premiums in the year before.

    Source: 移転先6 ⑤ (障害者支援施設入所者等のうち前年中に保険料を納付した者).
    """
    return (
        isinstance(message, PremiumPaidYearly)
        and isinstance(message.scope, FacilityEvidence)
        and message.scope.facility_resident
        and message.paid_year == context.today.year - 1
        and message.paid_amount > 0
    )


ScopeRule = Callable[[CanonicalMessage, ScopeContext], bool]

SCOPE_RULES: Mapping[str, ScopeRule] = {
    "insured-household": insured_household,
    "eligibility-history": eligibility_history,
    "facility-payer": facility_payer,
}
"""Every rule that a route may name."""
