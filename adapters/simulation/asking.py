"""What the synthetic office asks others: inquiries, deposits, collection from pensions.

Institutions and codes are fictitious; those of 主務省令2条の表117 are assumed.
"""

import datetime as dt
from collections.abc import Iterator

from adapters.simulation.insured import Insured, pension_number
from adapters.simulation.money import instalments_of
from adapters.simulation.names import half_width
from hub.clock import JST
from schemas.dates import read_register_date
from schemas.deposit import DepositRequested
from schemas.inquiry import InquiryRequested
from schemas.numbers import PensionNumber, corporate_check_digit
from schemas.special_collection import OfficeNotice, SpecialCollectionRequested

CITY_CODE = "17201"
OFFICE = "9917201000000001"
PROVIDER = "9900000000000002"
BUSINESS, PROCEDURE, INFORMATION = "JM01", "JT0117", "TM0117"
DEPARTMENT = "KOUKI"
_COLLECTOR = "001"
_PENSION_KIND = "1150"
_CITY_BODY = "000020172014"
_KANA_NAME, _NAME, _ADDRESS = 25, 25, 80


def _moment(one: Insured, hour: int) -> dt.datetime:
    """Give a moment of the day, another one for each person."""
    seconds, milliseconds = divmod(one.place * 1_117, 1000)
    at = dt.datetime.combine(one.date, dt.time(hour), JST)
    return at + dt.timedelta(seconds=seconds, milliseconds=milliseconds)


def inquiries(insured: tuple[Insured, ...]) -> Iterator[InquiryRequested]:
    """I11a: inquiries over the 情報提供ネットワークシステム."""
    for one in insured[::4]:
        yield InquiryRequested(
            addressee_number=one.person.number,
            scope=one.scope,
            request_id=f"Q{one.reference}",
            requested_at=_moment(one, 10),
            inquirer_code=OFFICE,
            business_code=BUSINESS,
            procedure_code=PROCEDURE,
            provider_code=PROVIDER,
            information_code=INFORMATION,
            numbering_scheme="01",
            department_code=DEPARTMENT,
            user_id="S0301",
            undisclosed="0",
            condition="1",
        )


def deposits(insured: tuple[Insured, ...]) -> Iterator[DepositRequested]:
    """I12a: persons whose deposits are to be looked up."""
    for one in insured[1::4]:
        yield DepositRequested(
            addressee_number=one.person.number,
            scope=one.scope,
            request_id=f"D{one.reference}",
            requested_at=_moment(one, 11),
            inquirer_number=corporate_check_digit(_CITY_BODY) + _CITY_BODY,
            handler="収納係　架空一郎",
            name=one.person.name,
            name_kana=one.person.kana,
            birth_date=read_register_date(one.person.birth.text),
            address=one.household.place.address,
        )


def special_collections(insured: tuple[Insured, ...]) -> Iterator[SpecialCollectionRequested]:
    """O5: collection from pensions is to begin."""
    for one in insured[::3]:
        person, place = one.person, one.household.place
        yield SpecialCollectionRequested(
            addressee_number=person.number,
            scope=one.scope,
            notice=OfficeNotice.REQUEST,
            created_on=one.date,
            **pension_person(one),
            postal_code=place.postal_code,
            address=in_jis(place.address)[:_ADDRESS],
            category="01",
            amount_first=instalments_of(one)[0].amount,
        )


def pension_person(one: Insured) -> dict[str, object]:
    """Give what names a person to the federation: numbers, birth date, sex, names."""
    person = one.person
    kana = half_width(person.kana).replace("\u3000", " ")
    return {
        "city_code": CITY_CODE,
        "collector_code": _COLLECTOR,
        "pension_number": PensionNumber(pension_number(person)),
        "pension_code": _PENSION_KIND,
        "birth_date": read_register_date(person.birth.text),
        "sex": person.sex,
        "name_kana": (kana if in_jis(kana, kana=True) else "")[:_KANA_NAME] or "ﾌﾒｲ",
        "name": in_jis(person.name)[:_NAME],
    }


def in_jis(text: str, *, kana: bool = False) -> str:
    """Give a text if JIS X 0208 (or JIS X 0201) has all of it, and nothing otherwise."""
    try:
        text.encode("shift_jis" if kana else "iso2022_jp")
    except UnicodeEncodeError:
        return ""
    return text
