"""Number linkage with the intermediate server: codes asked for, and the numbers of that.

Source: I.2 システム6 ②③ of the assessment. The intermediate server and the 住基GW get no
個人番号 here: the source names 統合宛名番号 and 処理通番 alone.
"""

from typing import ClassVar

from schemas.canonical import CanonicalMessage, message_type
from schemas.numbers import ProcessingNumber, UnifiedNumber
from schemas.values import Moment, OfficeNumber


@message_type
class PersonalCodeRequested(CanonicalMessage):
    """I9: a 統合宛名番号 is registered, and its 情報提供用個人識別符号 asked for.

    ``request_id`` is the asker's own, and comes back with the 処理通番.
    """

    MESSAGE_TYPE: ClassVar[str] = "personal-code.requested"
    FOLLOWS: ClassVar[frozenset[str]] = frozenset({"addressee.registered"})

    unified_number: UnifiedNumber
    request_id: OfficeNumber
    requested_at: Moment


@message_type
class ProcessingNumberIssued(CanonicalMessage):
    """I10a, I10b: the 処理通番 that the intermediate server gave to a code request."""

    MESSAGE_TYPE: ClassVar[str] = "processing-number.issued"
    FOLLOWS: ClassVar[frozenset[str]] = frozenset(
        {"personal-code.requested", "processing-number.issued"}
    )

    unified_number: UnifiedNumber
    request_id: OfficeNumber | None = None
    processing_number: ProcessingNumber
    issued_at: Moment
