"""What a disclosure says: plain values, no database.

The report answers a request for disclosure (個人情報の保護に関する法律 第76条): who received
what about one resident, under which article, for which purpose, when. Whoever searches the
ledger fills these values; the renderings only word them.

The 宛名番号 stands on the report in full: it goes to the resident, and the office finds the
request by it. A name, an address or a 個人番号 never stands in a ledger, so none stands here.
"""

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """What became of one message for one receiver."""

    DELIVERED = "delivered"
    PENDING = "pending"
    HELD = "held"
    REFUSED = "refused"
    EXPIRED = "expired"
    DEAD_LETTER = "dead-letter"


class ReceiptResult(StrEnum):
    """What a receiver said of a message (``hub.message.Receipt``)."""

    DELIVERED = "delivered"
    SET_ASIDE = "set-aside"


@dataclass(frozen=True, slots=True)
class Named:
    """A thing with an id in code and a Japanese name; the name is empty where none is known."""

    id: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Access:
    """The access-log items that a report may show (評価書 III.3).

    ``staff`` is shown only where the disclosure says ``show_staff``.
    """

    department: str = ""
    reason: str = ""
    operation: str = ""
    staff: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The receiver's word; ``code`` says why it set the message aside."""

    at: dt.datetime
    result: ReceiptResult = ReceiptResult.DELIVERED
    code: str = ""

    def __post_init__(self) -> None:
        _aware("receipt", self.at)


@dataclass(frozen=True, slots=True)
class Row:
    """One transfer, or one that did not happen: one message for one receiver.

    ``entry`` is the number of its first entry in the ledger. ``receiver`` and ``flow`` are
    absent where a refusal came before the catalogue could name them. ``basis`` is the article
    in force on the day, as recorded; ``purpose`` is 用途. ``code`` is a refusal's code
    (``hub.statute.reasons``), ``detail`` what it is about: names of fields or cells.

    Raises:
        ValueError: a time has no offset from UTC.
    """

    entry: int
    outcome: Outcome
    accepted_at: dt.datetime
    sender: Named
    message_type: Named
    receiver: Named | None = None
    flow: Named | None = None
    delivered_at: dt.datetime | None = None
    receipt: Receipt | None = None
    basis: str = ""
    purpose: str = ""
    released: tuple[Named, ...] = ()
    withheld: tuple[Named, ...] = ()
    access: Access = field(default_factory=Access)
    code: str = ""
    detail: str = ""

    def __post_init__(self) -> None:
        _aware("accepted_at", self.accepted_at)
        if self.delivered_at is not None:
            _aware("delivered_at", self.delivered_at)


@dataclass(frozen=True, slots=True)
class View:
    """One look at the ledger about the resident; ``what`` is its code, such as ``search``.

    Raises:
        ValueError: the time has no offset from UTC.
    """

    entry: int
    at: dt.datetime
    what: str
    access: Access = field(default_factory=Access)

    def __post_init__(self) -> None:
        _aware("at", self.at)


@dataclass(frozen=True, slots=True)
class Maker:
    """Who made the report: the member of staff as the command names them, and the department."""

    staff: str
    department: str


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a resident asks: for what, whom, and how. ``source`` is where that is published."""

    about: str
    place: str
    how: str
    source: str


CITY = "金沢市"
OFFICE = "市民局保険年金課"
CONTACTS = (
    Contact(
        about="特定個人情報の開示・訂正・利用停止請求",
        place="金沢市都市政策局広報広聴課市政情報係\n〒920-8577 金沢市広坂1丁目1番1号\n"
        "電話 076-220-2348",
        how="指定様式による書面の提出により、開示・訂正・利用停止請求を受け付けます。",
        source="特定個人情報保護評価書（評価書番号17）IV 1",
    ),
    Contact(
        about="特定個人情報ファイルの取扱いに関する問合せ",
        place="市民局保険年金課\n電話 076-220-2255",
        how="お問い合わせの受付時に受付票を作り、対応を記録します。",
        source="特定個人情報保護評価書（評価書番号17）IV 2",
    ),
)
"""The city's own contacts, as its assessment no. 17 of 2025-01-14 publishes them."""


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Everything that one report says.

    ``start`` and ``end`` are days in Japan, both included; absent ones leave the period open.
    ``ledger_size`` counts all entries when the report was made. ``checkpoint`` is the signed
    note (C2SP ``tlog-checkpoint``) of that tree, empty where there is none yet. ``destroyed``
    are the months of the period, such as 202611, whose entries are past their time and gone.

    Raises:
        ValueError: a time has no offset from UTC, or the period ends before it starts.
    """

    city: str
    office: str
    addressee_number: str
    made_at: dt.datetime
    made_by: Maker
    ledger_size: int
    checkpoint: str = ""
    start: dt.date | None = None
    end: dt.date | None = None
    rows: tuple[Row, ...] = ()
    views: tuple[View, ...] = ()
    destroyed: tuple[int, ...] = ()
    show_staff: bool = False
    contacts: tuple[Contact, ...] = CONTACTS

    def __post_init__(self) -> None:
        _aware("made_at", self.made_at)
        if self.start is not None and self.end is not None and self.end < self.start:
            raise ValueError("the period of a disclosure ends before it starts")


def _aware(name: str, at: dt.datetime) -> None:
    if at.utcoffset() is None:
        raise ValueError(f"{name} has no offset from UTC")
