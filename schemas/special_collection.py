"""特別徴収: collection from pensions, between the office and the 国保連合会.

Fields are those of the federation's data record of 500 bytes, without what the file itself
says (媒体, 制度, reserves). Amounts are yen. What 各種区分 and the three amounts mean depends
on 通知内容; documented values of 各種区分 are

- of 01: 01 対象, 02 住所地特例, 03 非対象;
- of 22: 00 正常, 01 失権, 02 差止, 03 年金額不足, 05 他制度による中止, 10;
- of 41: 01 死亡, 02 転出, 03 特別事情, 04 適用除外.
"""

import datetime as dt
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import StringConstraints

from schemas.canonical import CanonicalMessage, Code, message_type
from schemas.dates import RegisterDate
from schemas.numbers import PensionNumber
from schemas.values import PRINTABLE, Amount, PostalCode, TwoDigits

CityCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{5}$")]
"""市町村コード without its check digit."""

CollectorCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")]
"""特別徴収義務者コード."""

PensionCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]
CertificateNumber = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z -]{1,15}$")]
NameKana = Annotated[str, StringConstraints(max_length=25, pattern=PRINTABLE)]
Name = Annotated[str, StringConstraints(max_length=25, pattern=PRINTABLE)]
AddressKana = Annotated[str, StringConstraints(max_length=80, pattern=PRINTABLE)]
Address = Annotated[str, StringConstraints(max_length=80, pattern=PRINTABLE)]


class FederationNotice(StrEnum):
    """通知内容 of what the federation sends."""

    CANDIDATE = "candidate"  # 00 対象者
    REQUEST_PROCESSED = "request-processed"  # 02 依頼処理結果
    RESULT = "result"  # 22 結果, odd months only
    ADDED_CANDIDATE = "added-candidate"  # 30 追加候補者
    ADDED_PROCESSED = "added-processed"  # 32 追加依頼処理結果
    LOSS_PROCESSED = "loss-processed"  # 42 資格喪失等処理結果
    PROVISIONAL_PROCESSED = "provisional-processed"  # 62 仮徴収額変更処理結果
    ADDRESS_PROCESSED = "address-processed"  # 82 住所地特例処理結果


class OfficeNotice(StrEnum):
    """通知内容 of what the office sends."""

    REQUEST = "request"  # 01 依頼
    ADDED_REQUEST = "added-request"  # 31 追加依頼
    LOSS = "loss"  # 41 資格喪失等
    PROVISIONAL_CHANGE = "provisional-change"  # 61 仮徴収額変更
    ADDRESS_EXCEPTION = "address-exception"  # 81 住所地特例


class SpecialCollection(CanonicalMessage):
    """The data record. ``created_on`` (作成年月日) tells which notice is newer.

    ``collector_code`` is 特別徴収義務者, ``category`` 各種区分, ``event_date`` 各種年月日,
    ``transferred`` 後期移管, ``mutual_aid_certificate`` 共済年金証書番号; what is blank on the
    wire is absent or empty here.
    """

    city_code: CityCode
    collector_code: CollectorCode
    created_on: dt.date
    pension_number: PensionNumber
    pension_code: PensionCode
    birth_date: RegisterDate | None = None
    sex: Code
    name_kana: NameKana
    name: Name = ""
    postal_code: PostalCode = ""
    address_kana: AddressKana = ""
    address: Address = ""
    category: TwoDigits | None = None
    result: TwoDigits | None = None
    transferred: Code | None = None
    event_date: RegisterDate | None = None
    amount_first: Amount | None = None
    amount_second: Amount | None = None
    amount_third: Amount | None = None
    mutual_aid_certificate: CertificateNumber | None = None


@message_type
class SpecialCollectionNotified(SpecialCollection):
    """I5: candidates (特別徴収対象候補者情報) and results, from the federation."""

    MESSAGE_TYPE: ClassVar[str] = "special-collection.notified"
    FOLLOWS: ClassVar[frozenset[str]] = frozenset({"special-collection.requested"})

    notice: FederationNotice


@message_type
class SpecialCollectionRequested(SpecialCollection):
    """O5: start, change and stop of collection from a pension, by the office."""

    MESSAGE_TYPE: ClassVar[str] = "special-collection.requested"

    notice: OfficeNotice
