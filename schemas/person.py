"""The fields of messages that say who and where a person is.

Widths follow デジタル庁 標準仕様 (宛名, 住民情報), as in ``resident.changed``.
"""

from schemas.canonical import CanonicalMessage, Code
from schemas.dates import RegisterDate
from schemas.numbers import MunicipalityCode, MyNumber
from schemas.values import Line100, Line300, PostalCode


class PersonMessage(CanonicalMessage):
    """A message with a person's name, birth date and address.

    ``municipality_code`` (団体コード) is that of the address, absent where it has none.
    ``protected`` (支援対象者) is always said, so that nobody takes its absence for no.
    """

    my_number: MyNumber | None = None
    name: Line100
    name_kana: Line100 = ""
    birth_date: RegisterDate | None = None
    sex: Code
    postal_code: PostalCode = ""
    municipality_code: MunicipalityCode | None = None
    address: Line300
    building: Line300 = ""
    protected: bool
