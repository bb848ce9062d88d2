"""Words of the pages of evidence: standing, days, disclosures, catalogue changes."""

from hub.statute.reasons import Sentence

WORDS = {
    "menu.evidence": Sentence("Evidence", "証跡"),
    "menu.days": Sentence("Days", "日次照合"),
    "menu.disclosures": Sentence("Disclosures", "開示資料"),
    "menu.reviews": Sentence("Review", "点検"),
    "menu.catalogue-changes": Sentence("Catalogue", "目録の変更"),
    "evidence.help": Sentence(
        "The ledger is a log to which entries are only added; its checkpoint is signed.",
        "授受簿は追記のみの記録で、その要約（チェックポイント）に署名しています。",
    ),
    "evidence.size": Sentence("Entries", "記録の件数"),
    "evidence.origin": Sentence("Name of the ledger", "授受簿の名称"),
    "evidence.root": Sentence("Root of the tree", "ハッシュ木の根"),
    "evidence.signatures": Sentence("Signatures of the checkpoint", "チェックポイントの署名数"),
    "evidence.watch": Sentence("The watch says", "監視の結果"),
    "evidence.writable": Sentence("verified, may be added to", "正常（追記可能）"),
    "evidence.away": Sentence("cannot be added to now", "追記できません"),
    "evidence.halted": Sentence(
        "halted: the ledger was changed, or is damaged",
        "停止中: 授受簿の改変または破損を検知しました",
    ),
    "evidence.verified": Sentence("Verified through entry", "検証済みの記録"),
    "evidence.age": Sentence("Age of the checkpoint", "チェックポイントの経過時間"),
    "evidence.backup": Sentence("Last backup", "最終バックアップ"),
    "evidence.drill": Sentence("Last try to restore", "最終復元訓練"),
    "evidence.cosigned": Sentence("Last cosigned", "最終の連署"),
    "evidence.never": Sentence("never", "なし"),
    "catalogue-changes.help": Sentence(
        "Each time that another catalogue of flows came into force, or was refused.",
        "流れの目録が発効した、または拒否された履歴です。",
    ),
    "change.in-force": Sentence("came into force", "発効"),
    "change.catalogue-refused": Sentence("was refused", "拒否"),
    "table.day": Sentence("Day", "日"),
    "days.help": Sentence(
        "For each day: do files, ledger, queues and receivers have the same messages?",
        "日ごとに、ファイル・授受簿・キュー・送付先の電文が一致するかを照合します。",
    ),
    "day.reconciled": Sentence("✓ agrees", "✓ 一致"),
    "day.gap": Sentence("! messages are missing", "! 不一致"),
    "day.not": Sentence("– not reconciled", "– 未照合"),
    "days.now": Sentence("Reconcile a day now", "今すぐ照合する"),
    "days.button": Sentence("Reconcile", "照合する"),
    "days.no-day": Sentence("That is no day up to today.", "今日までの日付を入力してください。"),
    "days.result": Sentence("Reconciliation of {day}", "{day}の照合結果"),
    "days.whole": Sentence("Everything agrees.", "すべて一致しました。"),
    "days.gaps": Sentence(
        "It does not agree, or a side could not be asked: {number} messages are missing.",
        "一致しないか、確認できない箇所があります。不足: {number}件",
    ),
    "days.document": Sentence("What it came to", "照合の内容"),
    "days.more": Sentence(
        "There are more lines: renkei ledger reconcile writes them to a file.",
        "続きは renkei ledger reconcile でファイルに出力できます。",
    ),
    "disclosures.help": Sentence(
        "A file about a person is asked for with a reason, permitted by another person, and had "
        "once within 24 hours by who asked. Each step is recorded.",
        "個人に関する資料は、理由を付けて申請し、別の職員の承認を受けた後、申請者が24時間以内に"
        "1回だけ取得できます。すべて記録されます。",
    ),
    "disclosures.one": Sentence("Request {id}", "申請 {id}"),
    "disclosures.number": Sentence("宛名番号", "宛名番号"),
    "disclosures.number-help": Sentence(
        "1 to 15 digits; no 個人番号.", "1～15桁の数字。個人番号は入力しないでください。"
    ),
    "disclosures.hidden": Sentence("(not shown to this account)", "（表示権限がありません）"),
    "disclosures.period": Sentence("Period", "期間"),
    "disclosures.open": Sentence("open", "指定なし"),
    "disclosures.begin": Sentence("First day", "開始日"),
    "disclosures.end": Sentence("Last day", "終了日"),
    "disclosures.format": Sentence("Format", "形式"),
    "disclosures.staff": Sentence("Asked by", "申請者"),
    "disclosures.waits": Sentence("waits for another person", "承認待ち"),
    "disclosures.permitted": Sentence("permitted by {staff}", "承認済（{staff}）"),
    "disclosures.until": Sentence("Ends at", "期限"),
    "disclosures.take": Sentence("Get the file, once", "資料を取得する（1回のみ）"),
    "disclosures.approve": Sentence("Permit", "承認する"),
    "disclosures.decline": Sentence("Decline", "却下する"),
    "disclosures.take-back": Sentence("Take it back", "取り下げる"),
    "disclosures.none": Sentence("Nothing waits.", "申請はありません。"),
    "disclosures.ask": Sentence("Ask for a disclosure report", "開示資料を申請する"),
    "disclosures.send": Sentence("Ask", "申請する"),
    "disclosures.wrong": Sentence(
        "The number has 1 to 15 digits, and the period ends after it begins. Nothing was asked.",
        "宛名番号（1～15桁）または期間が正しくありません。申請していません。",
    ),
}
