"""Persons as addressees (宛名): for number linkage, and for the union's registers.

The person's own fields follow デジタル庁 標準仕様; the periods and the facility are *assumed*.
"""

from enum import StrEnum
from typing import ClassVar

from schemas.canonical import message_type
from schemas.dates import RegisterDate
from schemas.numbers import HouseholdNumber, InsuredNumber, MunicipalityCode
from schemas.person import PersonMessage
from schemas.resident import ResidentState
from schemas.values import HistoryNumber, Line20, Line100, Line300


class Registration(StrEnum):
    """Whether an addressee is in the 住民基本台帳 of the city."""

    RESIDENT = "resident"  # 住登者
    NONRESIDENT = "nonresident"  # 住登外者


@message_type
class AddresseeRegistered(PersonMessage):
    """I8a, I8b: an addressee's whole state, for the 統合宛名DB (システム6①).

    ``history_number`` tells which state is newer within its sender.
    """

    MESSAGE_TYPE: ClassVar[str] = "addressee.registered"

    history_number: HistoryNumber
    registration: Registration
    resident_state: ResidentState
    changed_on: RegisterDate | None = None


@message_type
class NonresidentChanged(PersonMessage):
    """M1c, 住登外登録情報: a person outside the city's register, whole, by household.

    ``registered_on`` and ``ended_on`` bound the registration; ``history_number`` tells which
    state is newer.
    """

    MESSAGE_TYPE: ClassVar[str] = "nonresident.changed"

    history_number: HistoryNumber
    household_number: HouseholdNumber
    relationship: Line20 = ""
    insured_number: InsuredNumber | None = None
    registered_on: RegisterDate | None = None
    ended_on: RegisterDate | None = None


@message_type
class SpecialAddressChanged(PersonMessage):
    """M1i, 住所地特例対象者情報: one who moved into a facility and stays insured where they were.

    The address is the person's present one; ``previous_*`` tell where they came from.
    ``applied_from`` and ``ended_on`` bound the exception; ``history_number`` tells which state
    is newer.
    """

    MESSAGE_TYPE: ClassVar[str] = "special-address.changed"

    history_number: HistoryNumber
    household_number: HouseholdNumber
    insured_number: InsuredNumber | None = None
    previous_municipality_code: MunicipalityCode | None = None
    previous_address: Line300 = ""
    facility_name: Line100 = ""
    facility_address: Line300 = ""
    applied_from: RegisterDate | None = None
    ended_on: RegisterDate | None = None
