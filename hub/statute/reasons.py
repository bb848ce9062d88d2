"""Why a message is not taken: a code for machines, a sentence in English and in Japanese."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from hub.message import UNENCODABLE
from hub.statute.model import Cell


class Sentence(NamedTuple):
    """A reason in both languages; it never quotes the message."""

    en: str
    ja: str


class Code(StrEnum):
    """What kept a message from moving."""

    TOO_LARGE = "too-large"
    UNREADABLE = "unreadable"
    SENDER_UNPROVEN = "sender-unproven"
    SENDER_UNKNOWN = "sender-unknown"
    SENDER_MISMATCH = "sender-mismatch"
    COPIES_ASKED = "copies-asked"
    TYPE_MISMATCH = "type-mismatch"
    NEIGHBOUR = "neighbour"
    NO_FLOW = "no-flow"
    TYPE_NOT_PERMITTED = "message-type-not-permitted"
    HELD = "held"
    DENIED = "denied"
    CLOSED = "closed"
    NOT_IN_FORCE = "not-in-force"
    PURPOSE_NOT_PERMITTED = "purpose-not-permitted"
    FIELD_NOT_PERMITTED = "field-not-permitted"
    INVALID = "invalid"
    NUMBER_UNREADABLE = "number-unreadable"
    NUMBER_MISPLACED = "number-misplaced"
    NUMBER_IN_CLEAR = "number-in-clear"
    ID_REUSED = "id-reused"
    NOT_ASKED = "not-asked"
    BINDING_DIFFERS = "binding-differs"
    BINDING_MISSING = "binding-missing"
    IN_DOUBT = "in-doubt"
    OVERTAKEN = "overtaken"
    BOUND_MEANWHILE = "bound-meanwhile"
    REJECTED = "rejected"
    RECEIPT_UNKNOWN = "receipt-unknown"
    WITHDRAWN = "withdrawn"
    NOT_ACCEPTED = "not-accepted"
    DELIVERY_LIMIT = "delivery-limit"
    QUEUE_FULL = "queue-full"
    EXPIRED = "expired"
    NOT_TAKEN = "not-taken"
    HUB_FAULT = "hub-fault"
    NO_KEY = "no-key"
    KEY_AWAITED = "key-awaited"
    REQUESTED = "requested"
    DISCARD_REQUESTED = "discard-requested"
    RELEASE_REQUESTED = "release-requested"
    REJECT_REQUESTED = "reject-requested"
    DECLINED = "declined"
    DISCARDED = "discarded"
    RECEIVED = "received"
    FORGOTTEN = "forgotten"


BY_CATALOGUE = frozenset(
    {
        Code.NO_FLOW,
        Code.TYPE_NOT_PERMITTED,
        Code.HELD,
        Code.DENIED,
        Code.CLOSED,
        Code.NOT_IN_FORCE,
        Code.PURPOSE_NOT_PERMITTED,
        Code.FIELD_NOT_PERMITTED,
        Code.INVALID,
    }
)
"""What the catalogue and the schemas say of a message itself, whichever way it came."""
ATTEMPTS = (
    *(Code.SENDER_UNPROVEN, Code.SENDER_UNKNOWN, Code.SENDER_MISMATCH, Code.COPIES_ASKED),
    *(Code.DENIED, Code.NUMBER_MISPLACED, Code.RECEIPT_UNKNOWN),
)
"""What may be an attempt to send what nobody may: a person is to look at each."""

_SENTENCES = {
    Code.TOO_LARGE: Sentence(
        "The message is larger than the hub reads.", "電文が受付可能な大きさを超えています。"
    ),
    Code.UNREADABLE: Sentence(
        "The message is no CloudEvents 1.0 event in structured JSON.",
        "CloudEvents 1.0（構造化JSON）の電文として読めません。",
    ),
    Code.SENDER_UNPROVEN: Sentence(
        "The property user_id is missing, so the broker did not prove the sender.",
        "user_id がなく、送信元が証明されていません。",
    ),
    Code.SENDER_UNKNOWN: Sentence(
        "The sender is no system of the catalogue.", "送信元が目録にないシステムです。"
    ),
    Code.SENDER_MISMATCH: Sentence(
        "The attribute source names another system than the one that the broker proved.",
        "source の示すシステムが、証明された送信元と異なります。",
    ),
    Code.COPIES_ASKED: Sentence(
        "The message asks for copies (CC); the catalogue alone chooses receivers.",
        "写しの送付（CC）は指定できません。宛先は目録が定めます。",
    ),
    Code.TYPE_MISMATCH: Sentence(
        "The routing key and the attribute type differ.",
        "ルーティングキーと type が一致しません。",
    ),
    Code.NEIGHBOUR: Sentence(
        "The sender is a neighbour system: the assessment names it with no flow of this office.",
        "送信元は隣接システムです。評価書は当該事務との流れを定めていません。",
    ),
    Code.NO_FLOW: Sentence(
        "No flow of the catalogue carries this message type.",
        "この種別の電文を運ぶ法定の流れがありません。",
    ),
    Code.TYPE_NOT_PERMITTED: Sentence(
        "No statute permits this system to send this message type.",
        "このシステムがこの種別の電文を送る法令上の根拠がありません。",
    ),
    Code.HELD: Sentence("The flow is held: its entry lacks", "この流れは保留中です。未確定の項目:"),
    Code.DENIED: Sentence(
        "The flow is denied by the assessment.", "この流れは評価書により禁止されています。"
    ),
    Code.CLOSED: Sentence(
        "The city has closed the flow.", "この流れは市の判断で閉鎖されています。"
    ),
    Code.NOT_IN_FORCE: Sentence(
        "No article of the flow's basis is in force on the day of acceptance.",
        "受付日に有効な法令上の根拠がありません。",
    ),
    Code.PURPOSE_NOT_PERMITTED: Sentence(
        "The attribute purpose is the purpose of no flow that carries this message:",
        "purpose の示す用途は、この電文を運ぶどの流れの用途でもありません:",
    ),
    Code.FIELD_NOT_PERMITTED: Sentence(
        "The data has fields that this message type does not have:",
        "この種別にない項目が含まれています:",
    ),
    Code.INVALID: Sentence("Fields are missing or wrong:", "項目の不足又は誤りがあります:"),
    Code.NUMBER_UNREADABLE: Sentence(
        "The 個人番号 was encrypted for a key that the hub has not, or was changed on its way; "
        "send the message again once the hub's certificate is the newest.",
        "個人番号を復号できません（ハブの鍵と合わないか、途中で改変されています）。"
        "ハブの最新の証明書で再送してください。",
    ),
    Code.NUMBER_MISPLACED: Sentence(
        "The 個人番号 was encrypted for another message, and stands in this one.",
        "別の電文のために暗号化された個人番号が含まれています。",
    ),
    Code.NUMBER_IN_CLEAR: Sentence(
        "The 個人番号 came in clear; the hub takes it only encrypted for it.",
        "個人番号が暗号化されていません。ハブは暗号化された個人番号のみ受け付けます。",
    ),
    Code.ID_REUSED: Sentence(
        "The id was used before for another content.",
        "この識別子は別の内容で既に使われています。",
    ),
    Code.NOT_ASKED: Sentence(
        "The attribute follows names no message that the hub has delivered to this system about "
        "this person and that a message of this type answers.",
        "follows の示す電文は、この本人について当該システムに送付され、"
        "この種別の電文で回答するものではありません。",
    ),
    Code.BINDING_DIFFERS: Sentence(
        "The message waits on the confirmation list: this person is known under another 個人番号.",
        "個人番号がこの本人の既知の番号と異なるため、確認リストで職員の確認を待っています。",
    ),
    Code.BINDING_MISSING: Sentence(
        "The message waits on the confirmation list: this person's 個人番号 is known, and is "
        "missing here.",
        "既知の個人番号が空欄のため、確認リストで職員の確認を待っています。",
    ),
    Code.IN_DOUBT: Sentence(
        "The message waits on the confirmation list, as its sender asked:",
        "送信元の求めにより、確認リストで職員の確認を待っています:",
    ),
    Code.OVERTAKEN: Sentence(
        "A person let the message go, but a newer one about the same person had been accepted "
        "meanwhile.",
        "職員が送付を決定しましたが、同じ本人のより新しい電文が先に受け付けられました。",
    ),
    Code.BOUND_MEANWHILE: Sentence(
        "A person let the message go, but meanwhile its person became known under another "
        "個人番号; send it again, and it waits for that.",
        "職員が送付を決定しましたが、その間に本人の別の個人番号が確認されました。再送すると確認待ちになります。",
    ),
    Code.REJECTED: Sentence(
        "A person decided that the message, which waited on the confirmation list, goes nowhere.",
        "確認リストの電文について、職員が送付しないと決定しました。",
    ),
    Code.RECEIPT_UNKNOWN: Sentence(
        "The receipt is for a message that this system was not sent.",
        "このシステムに送付していない電文の受領通知です。",
    ),
    Code.WITHDRAWN: Sentence(
        "The flow was withdrawn after acceptance and before delivery.",
        "受付後、送付前にこの流れが廃止されました。",
    ),
    Code.NOT_ACCEPTED: Sentence(
        "The message was turned away by the one who took it out of its queue.",
        "受け取った側が電文を受け入れませんでした。",
    ),
    Code.DELIVERY_LIMIT: Sentence(
        "The message was handed out as often as the broker does, and nobody got through with it.",
        "上限の回数まで配信されましたが、処理が完了しませんでした。",
    ),
    Code.QUEUE_FULL: Sentence(
        "The message was dropped from a queue that was full.",
        "キューが満杯のため、電文が取り除かれました。",
    ),
    Code.EXPIRED: Sentence(
        "The message was not taken in its time.", "期限内に受け取られませんでした。"
    ),
    Code.NOT_TAKEN: Sentence(
        "The receiver's queue did not take the copy for as long as the flow is tried.",
        "送付先のキューが、再試行の期限までに写しを受け付けませんでした。",
    ),
    Code.HUB_FAULT: Sentence(
        "The hub failed on the message, by a fault of its own.",
        "ハブの不具合により、電文を処理できませんでした。",
    ),
    Code.NO_KEY: Sentence(
        "The receiver has no encryption certificate in force: the 個人番号 could not be encrypted.",
        "送付先の有効な暗号化証明書がなく、個人番号を暗号化できません。",
    ),
    Code.KEY_AWAITED: Sentence(
        "The 個人番号 was encrypted for a key of the hub that has not been brought to it yet; "
        "the hub keeps the message.",
        "ハブにまだ置かれていない鍵で個人番号が暗号化されています。電文はハブが保存しています。",
    ),
    Code.REQUESTED: Sentence(
        "One person asks to send it once more, and a second one decides.",
        "再送が申請され、別の職員の承認を待っています。",
    ),
    Code.DISCARD_REQUESTED: Sentence(
        "One person asks to discard it, and a second one decides.",
        "廃棄が申請され、別の職員の承認を待っています。",
    ),
    Code.RELEASE_REQUESTED: Sentence(
        "One person asks to release it, and a second one decides.",
        "送付が申請され、別の職員の承認を待っています。",
    ),
    Code.REJECT_REQUESTED: Sentence(
        "One person asks to reject it, and a second one decides.",
        "却下が申請され、別の職員の承認を待っています。",
    ),
    Code.DECLINED: Sentence(
        "The request was declined by another person, or taken back by who made it.",
        "申請は承認されず、又は取り下げられました。",
    ),
    Code.DISCARDED: Sentence(
        "A person decided that the dead letter goes nowhere.",
        "配信不能電文について、職員が再送しないと決定しました。",
    ),
    Code.RECEIVED: Sentence(
        "The receiver's receipt shows that it has the message already.",
        "送付先は既に受領しています（受領通知あり）。",
    ),
    Code.FORGOTTEN: Sentence(
        "The ledger does not know any more that the message was accepted for this receiver.",
        "この送付先への受付の記録が授受簿に残っていません。",
    ),
}

DEATHS = (
    Code.NOT_ACCEPTED,
    Code.DELIVERY_LIMIT,
    Code.QUEUE_FULL,
    Code.EXPIRED,
    Code.NOT_TAKEN,
    Code.HUB_FAULT,
    Code.NO_KEY,
    Code.KEY_AWAITED,
)
"""Why a message is among the dead letters."""


def sentence(code: Code, detail: str = "") -> Sentence:
    """Say why, in both languages; ``detail`` names fields or cells, never values."""
    said = _SENTENCES[code]
    return Sentence(f"{said.en} {detail}".rstrip(), f"{said.ja} {detail}".rstrip())


_UNENCODABLE = Sentence(
    "The encoding of the receiver lacks characters of it; once released it is written with 〓 "
    "in their place.",
    "送付先の文字コードにない文字があります。送付を決定すると、その文字を〓として書き込みます。",
)

_DOUBTS = {
    "ambiguous-match": Sentence(
        "The message waits on the confirmation list: it may be about another person, as more than "
        "one is like what came or what came agrees only in part.",
        "該当する本人を一人に特定できないため、確認リストで職員の確認を待っています。",
    ),
}
"""The doubts that adapters of the office have; each adapter's page says when."""
DOUBTS = frozenset(_DOUBTS)


def held_sentence(code: str) -> Sentence:
    """Say why a message waits on the confirmation list; ``code`` may be a sender's own doubt."""
    if code == UNENCODABLE:
        return _UNENCODABLE
    if code in _DOUBTS:
        return _DOUBTS[code]
    if code in {Code.BINDING_DIFFERS, Code.BINDING_MISSING}:
        return sentence(Code(code))
    return sentence(Code.IN_DOUBT, code)


_CELLS = {
    Cell.BASIS: Sentence("legal basis", "法令上の根拠"),
    Cell.PURPOSE: Sentence("purpose", "用途"),
    Cell.DATA: Sentence("data", "情報の項目"),
    Cell.DESTINATION: Sentence("destination", "移転先"),
    Cell.PERSONS: Sentence("range of persons", "対象となる本人の範囲"),
    Cell.FREQUENCY: Sentence("time and frequency", "時期・頻度"),
    Cell.TRANSPORT: Sentence("means of transfer", "移転方法"),
}


def cells(missing: Iterable[Cell]) -> Sentence:
    """Name the missing cells of a flow in both languages."""
    named = [_CELLS[cell] for cell in missing]
    return Sentence(", ".join(one.en for one in named), "、".join(one.ja for one in named))


def cells_named(missing: Iterable[Cell]) -> str:
    """Name the missing cells so that a sentence in either language can end with them."""
    return ", ".join(f"{_CELLS[cell].en}（{_CELLS[cell].ja}）" for cell in missing)
