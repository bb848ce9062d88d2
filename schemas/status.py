"""Status that other offices know: public assistance and disability, and long-term care.

Source: II.3 ① and I.2 of the assessment name the subjects (生活保護・障害, 介護保険); the single
fields are *assumed*. Each message is the whole state of one status.
"""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import StringConstraints

from schemas.canonical import CanonicalMessage, Code, message_type
from schemas.dates import RegisterDate
from schemas.numbers import CareInsuredNumber, MyNumber
from schemas.values import HistoryNumber

CareInsurerNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
"""介護保険の保険者番号: 6 digits; leading zeros are kept."""


class WelfareStatus(StrEnum):
    """Which status a message is about."""

    PUBLIC_ASSISTANCE = "public-assistance"  # 生活保護
    PHYSICAL = "physical"  # 身体障害者手帳
    INTELLECTUAL = "intellectual"  # 療育手帳
    MENTAL = "mental"  # 精神障害者保健福祉手帳


@message_type
class WelfareStatusChanged(CanonicalMessage):
    """I3a: one status of a person. It is in force from ``started`` until before ``ended``.

    ``grade`` is the 等級 of a handbook. ``history_number`` tells which state of the same status
    is newer.
    """

    MESSAGE_TYPE: ClassVar[str] = "welfare-status.changed"

    my_number: MyNumber | None = None
    history_number: HistoryNumber
    status: WelfareStatus
    grade: Code | None = None
    started: RegisterDate | None = None
    ended: RegisterDate | None = None


class CareLevel(StrEnum):
    """要介護状態区分."""

    NONE = "none"  # 非該当
    SUPPORT_1 = "support-1"  # 要支援1
    SUPPORT_2 = "support-2"  # 要支援2
    CARE_1 = "care-1"  # 要介護1
    CARE_2 = "care-2"  # 要介護2
    CARE_3 = "care-3"  # 要介護3
    CARE_4 = "care-4"  # 要介護4
    CARE_5 = "care-5"  # 要介護5


@message_type
class CareStatusChanged(CanonicalMessage):
    """I3b: a person's long-term care insurance, whole.

    ``acquired`` and ``lost`` bound the eligibility, ``certified_from`` and ``certified_to`` the
    certification (認定有効期間). ``care_level`` is absent for one who never asked for it.
    ``history_number`` tells which state is newer.
    """

    MESSAGE_TYPE: ClassVar[str] = "care-status.changed"

    my_number: MyNumber | None = None
    history_number: HistoryNumber
    care_insurer_number: CareInsurerNumber
    care_insured_number: CareInsuredNumber
    acquired: RegisterDate | None = None
    lost: RegisterDate | None = None
    care_level: CareLevel | None = None
    certified_from: RegisterDate | None = None
    certified_to: RegisterDate | None = None
    copayment_tenths: Literal[1, 2, 3] | None = None
