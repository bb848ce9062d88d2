"""The Japanese words of a disclosure: dates, outcomes, and the texts that explain it."""

import datetime as dt
from collections.abc import Mapping, Sequence

from hub.clock import JST
from hub.disclosure.model import (
    Access,
    Disclosure,
    Named,
    Outcome,
    Receipt,
    ReceiptResult,
    Row,
)
from hub.statute.reasons import Code, sentence
from schemas.hidden import mask_my_numbers

TITLE = "特定個人情報の提供・移転の記録（授受簿）の開示"
NOT_RECORDED = "記録なし"
NONE = "なし"
SAME_AS_TYPE = "電文種別に同じ"
NOT_DELIVERED = "提供していないもの又は提供先の受取りを確認できないもの"

_ERAS = (
    ("令和", dt.date(2019, 5, 1)),
    ("平成", dt.date(1989, 1, 8)),
    ("昭和", dt.date(1926, 12, 25)),
)

OUTCOMES: Mapping[Outcome, str] = {
    Outcome.DELIVERED: "提供済み",
    Outcome.PENDING: "受付のみ（まだ提供していません）",
    Outcome.HELD: "保留中（提供していません）",
    Outcome.REFUSED: "拒否（提供していません）",
    Outcome.EXPIRED: "期限切れ（提供先の受取りを確認できません）",
    Outcome.DEAD_LETTER: "配送不能（提供先の受取りを確認できません）",
}
RECEIPTS: Mapping[ReceiptResult, str] = {
    ReceiptResult.DELIVERED: "受領",
    ReceiptResult.SET_ASIDE: "届いたが、取り込まずに保留",
}

EMPTY = "対象期間に、対象者に関する提供・移転の記録はありませんでした。"
NAMELESS = (
    "氏名、住所及び個人番号（マイナンバー）は、授受簿に記録していないため、この書類に記載して"
    "いません。"
)
KINDS = (
    "同じ内容の提供をまとめて「種類」とし、渡した情報の項目、法令上の根拠及び利用の目的を種類ごとに"
    "示します。その後に、1件ごとの記録を受付の早い順に並べます。"
)

VIEWS: Mapping[str, str] = {
    "search": "授受簿の検索",
    "disclosure": "開示のための閲覧",
    "proof": "記録の証明のための閲覧",
}
"""What somebody looked for, by the code of the entry."""
VIEWED = (
    "対象期間に、市の職員が対象者の宛名番号によって授受簿の記録を見た履歴です。授受簿を見ることも"
    "授受簿に記録しています。"
)
NOT_VIEWED = "対象期間に、対象者の宛名番号によって授受簿の記録を見た履歴はありませんでした。"

TERMS = (
    ("授受簿", "特定個人情報を、いつ、どこからどこへ、何を根拠に渡したかを残す記録です。"),
    ("特定個人情報", "個人番号（マイナンバー）をその内容に含む個人情報です。"),
    (
        "提供・移転",
        (
            "市の外の機関へ渡すことを「提供」、市の中の別の事務へ渡すことを「移転」といいます。"
            "この書類の表では、どちらも「提供」と書きます。"
        ),
    ),
    ("連携ハブ", "市の事務のシステムの間で情報を受け渡し、授受簿に記録する仕組みです。"),
    (
        "宛名番号",
        "市が事務に使う、対象者の番号です。個人番号（マイナンバー）とは別の番号です。",
    ),
    ("提供元・提供先", "情報を送り出したシステムと、受け取ったシステムです。"),
    (
        "受付・提供・受領",
        (
            "「受付」は連携ハブが情報を受け付けた時、「提供」は提供先へ送った時、「受領」は提供先が"
            "受け取ったと知らせた時です。いずれも日本時間です。"
        ),
    ),
    (
        "提供した項目・提供しなかった項目",
        "送り出された情報のうち、提供先に渡した項目と、渡さずに取り除いた項目です。",
    ),
    ("法令上の根拠", "その日に有効であった、情報を渡すことを認める法令の条項です。"),
    ("利用の目的", "提供先がその情報を何のために使うかを示したものです。"),
    ("電文種別", "システムの間で受け渡す情報の種類を示す、システム上の名称です。"),
    ("記録番号", "授受簿の中の通し番号です。お問い合わせの際にお知らせください。"),
    (
        "部署と事由",
        "提供元で処理をした部署、処理の事由及び処理の内容です。提供元のシステムが記録したとおりに示します。",
    ),
    (
        "英字の名称",
        "日本語の名称が定められていないものは、システム上の英字の名称で示しています。",
    ),
)

KNOWN = (
    "対象者の情報を、連携ハブを通して、いつ、どこからどこへ渡したか。",
    "渡した項目及び渡さなかった項目の名称、法令上の根拠並びに利用の目的。",
    "受け付けたものの提供しなかった情報と、その理由。",
)
UNKNOWN = (
    "項目の中身（金額、住所など）。授受簿には項目の名称だけを記録しています。",
    "連携ハブを通らない受渡し（書面、電話、窓口、画面での照会など）。",
    (
        "対象者の範囲に含まれないため提供しなかった情報と、受け付ける前に拒否した電文。これらの記録は"
        "個人と結び付けていないため、この書類に載せることができません。いずれも提供先には渡して"
        "いません。"
    ),
    "提供先が受け取った後に、その情報をどのように使ったか。",
    "保存期間（原則として7年）を過ぎて廃棄した記録。",
    "国の情報提供ネットワークシステムを使った情報連携の記録の全体。マイナポータルでも確認できます。",
)
AS_RECORDED = (
    "項目、法令上の根拠及び利用の目的は、記録した当時のものです。システムの名称及び情報の名称は、"
    "この書類を作成した時点の法定の流れの目録によります。"
)
PROOF = (
    "次の英数字は、この書類を作成した時点の授受簿全体の状態に、市が電子署名をしたもの（チェックポイント）"
    "です。授受簿が後から書き換えられていないことの確認を、市以外の専門家に依頼するときにお使い"
    "ください。長い行は折り返して印字しています。正確な文字列は、同時に作成するJSON形式のファイルの"
    "「checkpoint」にあります。"
)
NO_PROOF = "この書類を作成した時点で、署名された授受簿の状態（チェックポイント）はありません。"


def day(date: dt.date) -> str:
    """Give a day in the Japanese era and in the western year.

    >>> day(dt.date(2019, 5, 1))
    '令和元年5月1日（2019年5月1日）'
    """
    western = f"{date.year}年{date.month}月{date.day}日"
    for era, first in _ERAS:
        if date >= first:
            year = date.year - first.year + 1
            return f"{era}{'元' if year == 1 else year}年{date.month}月{date.day}日（{western}）"
    return western


def clock(at: dt.datetime) -> str:
    """Give the time of day in Japan, to the second."""
    there = at.astimezone(JST)
    return f"{there.hour}時{there.minute:02}分{there.second:02}秒"


def moment(at: dt.datetime) -> str:
    """Give a day and time in Japan in one line."""
    return f"{day(at.astimezone(JST).date())} {clock(at)}"


def stacked_moment(at: dt.datetime) -> str:
    """Give a day and time in Japan on short lines, for a narrow column."""
    date = day(at.astimezone(JST).date()).replace("（", "\n").rstrip("）")
    return f"{date}\n{clock(at)}"


def period(start: dt.date | None, end: dt.date | None) -> str:
    """Give the period of a report; open ends are said."""
    first = f"{day(start)}から" if start else "記録の始めから"
    last = f"{day(end)}まで" if end else "作成日時まで"
    return f"{first}\n{last}"


def destroyed(months: Sequence[int]) -> str:
    """Say which months' entries are gone; neighbours are told as one."""
    runs: list[list[int]] = []
    for month in sorted(months):
        if runs and month == _month_after(runs[-1][-1]):
            runs[-1].append(month)
        else:
            runs.append([month])
    told = "、".join(
        _month(run[0]) if len(run) == 1 else f"{_month(run[0])}から{_month(run[-1])}まで"
        for run in runs
    )
    return f"次の月の記録は、保存期間を過ぎたため廃棄しており、載せることができません。{told}"


def _month(month: int) -> str:
    return f"{month // 100}年{month % 100}月"


def _month_after(month: int) -> int:
    return month + 1 if month % 100 < 12 else month + 89  # noqa: PLR2004 - December


def name(named: Named) -> str:
    """Give the Japanese name, or the id where there is none."""
    return named.name or named.id


def receipt(said: Receipt | None) -> str:
    """Give when the receiver had a message, and what else it said of it."""
    if said is None:
        return NOT_RECORDED
    if said.result is ReceiptResult.DELIVERED:
        return stacked_moment(said.at)
    code = f"（理由コード {said.code}）" if said.code else ""
    return f"{stacked_moment(said.at)}\n{RECEIPTS[said.result]}{code}"


def reason(row: Row) -> str:
    """Say why a message did not move; a code that this version does not know stands alone."""
    if not row.code:
        return ""
    detail = mask_my_numbers(row.detail)
    if row.code not in {code.value for code in Code}:
        return detail
    return sentence(Code(row.code), detail).ja


def access(of: Disclosure, row: Row) -> Access:
    """Give the access-log items that the report shows.

    They are the sender's words, so what is taken for a 個人番号 in them is masked here too.
    """
    return shown_access(of, row.access)


def shown_access(of: Disclosure, items: Access) -> Access:
    """Give what the report shows of access-log items; see ``access``."""
    return Access(
        department=mask_my_numbers(items.department),
        reason=mask_my_numbers(items.reason),
        operation=mask_my_numbers(items.operation),
        staff=mask_my_numbers(items.staff) if of.show_staff else "",
    )
