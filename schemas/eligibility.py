"""Eligibility for 後期高齢者医療: notified by residents, decided by the union, recorded.

Widths of 被保険者番号, 個人区分, 取得事由 and 喪失事由 follow デジタル庁 標準仕様 後期高齢者医療.
The other fields are *assumed*: the union's layouts are not public.
"""

import datetime as dt
from enum import StrEnum
from typing import ClassVar, Literal

from schemas.canonical import CanonicalMessage, Code, Part, PersonEvidence, message_type
from schemas.dates import RegisterDate
from schemas.numbers import HouseholdNumber, InsuredNumber, MyNumber
from schemas.person import PersonMessage
from schemas.values import HistoryNumber, Line20, Line100, Line300, OfficeNumber, Reason


class NotificationKind(StrEnum):
    """届出の種類: what a resident notified at the city's counter (*assumed*)."""

    ACQUIRED = "acquired"  # 資格取得
    LOST = "lost"  # 資格喪失
    CHANGED = "changed"  # 資格変更
    DISABILITY = "disability"  # 障害認定の申請
    REISSUE = "reissue"  # 被保険者証等の再交付の申請


class Certificate(Part):
    """被保険者証等: when it was issued and for which days it is good."""

    issued_on: dt.date
    valid_from: dt.date
    valid_to: dt.date | None = None


@message_type
class EligibilityNotified(PersonMessage):
    """M1a, 届出情報: a notification of eligibility, taken at the counter (高確法54条).

    ``notification_number`` is the office's own; ``event_date`` is when what is notified came
    about. ``immediate`` asks for a decision at once (即時交付).
    """

    MESSAGE_TYPE: ClassVar[str] = "eligibility.notified"

    notification_number: OfficeNumber
    notification_kind: NotificationKind
    notified_on: dt.date
    event_date: RegisterDate | None = None
    immediate: bool = False
    insured_number: InsuredNumber | None = None
    household_number: HouseholdNumber
    acquisition_reason: Reason | None = None
    loss_reason: Reason | None = None
    previous_address: Line300 = ""
    telephone: Line20 = ""


@message_type
class InsuredDecided(CanonicalMessage):
    """I4a, 被保険者情報: an insured person's eligibility as the union decided it, whole.

    ``history_number`` tells which decision is newer. ``notification_number`` is that of the
    notification which led to it, if any; ``immediate`` marks an 即時交付 decision.
    ``copayment_tenths`` is 一部負担割合 (高確法67条).
    """

    MESSAGE_TYPE: ClassVar[str] = "insured.decided"

    my_number: MyNumber | None = None
    insured_number: InsuredNumber
    history_number: HistoryNumber
    household_number: HouseholdNumber | None = None
    person_kind: Code
    name: Line100
    name_kana: Line100 = ""
    birth_date: RegisterDate | None = None
    sex: Code
    acquisition_reason: Reason | None = None
    acquired: RegisterDate | None = None
    loss_reason: Reason | None = None
    lost: RegisterDate | None = None
    decided_on: dt.date
    immediate: bool = False
    notification_number: OfficeNumber | None = None
    copayment_tenths: Literal[1, 2, 3] | None = None
    certificate: Certificate | None = None


@message_type
class EligibilityRecorded(CanonicalMessage):
    """M2: what 市民課 prints on a 住民票 (住民基本台帳法7条の10).

    ``history_number`` tells which state is newer. A person without any eligibility is out of
    the flow's scope, which the evidence says.
    """

    MESSAGE_TYPE: ClassVar[str] = "eligibility.recorded"

    scope: PersonEvidence
    insured_number: InsuredNumber
    history_number: HistoryNumber
    acquired: RegisterDate | None = None
    lost: RegisterDate | None = None
