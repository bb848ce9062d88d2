"""``resident.changed``: one resident's entry in the 住民基本台帳, whole, after a change.

Field widths follow デジタル庁 標準仕様 住民基本台帳 (住民情報); names in Japanese stand in
``docs/glossary.md``. Every message carries the resident's whole state, so the newest one is
enough; ``history_number`` (履歴番号) tells which is newer.
"""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from schemas.canonical import (
    CanonicalMessage,
    Code,
    Insurance,
    Part,
    Text72,
    Text100,
    Text300,
    message_type,
)
from schemas.dates import RegisterDate
from schemas.numbers import HouseholdNumber, InsuredNumber, MyNumber


class EventReason(StrEnum):
    """異動事由: why the entry changed; the classes of 標準仕様 (記載, 消除, 修正).

    ``LISTED`` is no event: the entry stands in an initial load, or its household moved.
    """

    LISTED = "listed"
    MOVED_IN = "moved-in"  # 国内転入
    MOVED_IN_FROM_ABROAD = "moved-in-from-abroad"  # 国外転入等
    BORN = "born"  # 出生
    ENTERED_EX_OFFICIO = "entered-ex-officio"  # 職権記載
    EVENT_CANCELLED = "event-cancelled"  # 異動の取消し
    MOVED_OUT = "moved-out"  # 国内転出
    MOVED_ABROAD = "moved-abroad"  # 国外転出
    DIED = "died"  # 死亡
    REMOVED_EX_OFFICIO = "removed-ex-officio"  # 職権消除
    MOVED_WITHIN = "moved-within"  # 転居
    MINOR_CORRECTION = "minor-correction"  # 軽微な修正
    MY_NUMBER_CHANGED = "my-number-changed"  # 個人番号の変更請求
    HOUSEHOLD_SPLIT = "household-split"  # 世帯分離
    HOUSEHOLD_MERGED = "household-merged"  # 世帯合併
    HEAD_CHANGED = "head-changed"  # 世帯主変更
    COMMON_NAME_CHANGED = "common-name-changed"  # 通称ほか


class ResidentState(StrEnum):
    """住民状態."""

    RESIDENT = "resident"
    REMOVED = "removed"


class Eligibility(Part):
    """後期高齢者医療の資格 as the register holds it (住民基本台帳法7条の10)."""

    insured_number: InsuredNumber
    acquired: RegisterDate | None = None
    lost: RegisterDate | None = None

    def insurance(self) -> Insurance:
        """Say whether this eligibility is in force or past."""
        return Insurance.CURRENT if self.lost is None else Insurance.PAST


@message_type
class ResidentChanged(CanonicalMessage):
    """One resident's entry after a change, or as listed in an initial load."""

    MESSAGE_TYPE: ClassVar[str] = "resident.changed"

    my_number: MyNumber | None = None
    history_number: Annotated[int, Field(ge=0, le=99_999)]
    household_number: HouseholdNumber
    previous_household_number: HouseholdNumber | None = None
    relationship_codes: Annotated[str, Field(pattern=r"^[0-9]{0,8}$")] = ""
    relationship: Annotated[str, Field(max_length=20)] = ""
    resident_kind: Code
    resident_state: ResidentState
    event_reason: EventReason
    event_date: RegisterDate | None = None
    name: Text100
    name_kana: Text100 = ""
    common_name: Text100 = ""
    birth_date: RegisterDate | None = None
    sex: Code
    postal_code: Annotated[str, Field(pattern=r"^([0-9]{7})?$")] = ""
    municipality_code: Annotated[str, Field(pattern=r"^[0-9]{6}$")]
    town_code: Annotated[str, Field(pattern=r"^([0-9]{7})?$")] = ""
    address: Text300
    building: Text300 = ""
    previous_address: Text300 = ""
    protected: bool = False
    eligibility: Eligibility | None = None
    note: Text72 = ""

    def changes_my_number(self) -> bool:
        """Permit another 個人番号 in a 個人番号の変更請求 alone (III.2 ※1)."""
        return self.event_reason is EventReason.MY_NUMBER_CHANGED
