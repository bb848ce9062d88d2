"""Words of map, flows and messages."""

from hub.statute.reasons import Sentence

WORDS = {
    "menu.map": Sentence("Map", "全体図"),
    "menu.messages": Sentence("Messages", "電文の検索"),
    "map.title": Sentence("The statutory flows, now", "法定の流れの現在"),
    "map.old": Sentence(
        "The figures are not of now: the console does not answer.",
        "表示は最新ではありません（コンソールが応答しません）。",
    ),
    "map.help": Sentence(
        "Each arrow leads to its flow. The same stands in a table.",
        "矢印から各流れの説明を開けます。同じ内容を表でも示します。",
    ),
    "map.signs": Sentence("Signs:", "記号:"),
    "map.to-table": Sentence("To the table", "表へ"),
    "map.table": Sentence("As a table", "一覧表"),
    "map.nowhere": Sentence("(not stated)", "（記載なし）"),
    "map.figures-help": Sentence(
        "Rates and delays are of a quarter of an hour, refused and dead of an hour, or of the time "
        "since somebody began to look. A queue is the receiver's: it may hold other flows too.",
        "毎分の件数と所要時間は直近15分、拒否と配信不能は直近1時間（見始めてからの時間が短ければ"
        "その間）の値です。待ちは送付先ごとの値で、他の流れの電文を含みます。",
    ),
    "map.at": Sentence("As of", "時点"),
    "map.ledger": Sentence("Ledger", "授受簿"),
    "map.processes": Sentence("Processes", "プロセス"),
    "map.partitions": Sentence("Came, and not yet taken by the hub", "到着してハブが未処理の電文"),
    "map.waiting": Sentence("{number}, the oldest for {span}", "{number}件（最古 {span}）"),
    "map.confirmations": Sentence("Confirmations that wait", "確認待ち"),
    "map.dead-letters": Sentence("Dead letters that wait", "未処理の配信不能電文"),
    "map.maintenance": Sentence("At rest for maintenance", "保守のため停止中"),
    "map.answer": Sentence("all answer", "すべて応答"),
    "map.silent": Sentence("{number} not answering: {names}", "{number}個が応答なし: {names}"),
    "ledger.unknown": Sentence("not known: the watch does not answer", "不明（監視が応答なし）"),
    "ledger.halted": Sentence(
        "halted: a fault was found, nothing moves", "停止（不整合を検出。電文は動きません）"
    ),
    "ledger.writable": Sentence("{size} entries, written to", "{size}件、記録できる状態"),
    "ledger.away": Sentence("cannot be written to: nothing moves", "記録できません"),
    "line.ok": Sentence("moves", "正常"),
    "line.slow": Sentence("slow", "滞留"),
    "line.stopped": Sentence("stopped", "停止"),
    "line.late": Sentence("late", "遅延"),
    "line.held": Sentence("held", "保留"),
    "line.denied": Sentence("denied", "禁止"),
    "line.not-in-force": Sentence("not in force", "有効な根拠なし"),
    "line.unknown": Sentence("unknown", "不明"),
    "map.errors": Sentence(
        "refused, or among the dead letters, within the hour", "直近1時間の拒否と配信不能の件数"
    ),
    "line.rate": Sentence("{number}/min", "{number}/分"),
    "line.queue": Sentence("queue {number}", "待ち{number}"),
    "column.state": Sentence("State", "状態"),
    "column.rate": Sentence("A minute", "毎分"),
    "column.delay": Sentence("Delay", "所要時間"),
    "column.queue": Sentence("Queue", "待ち"),
    "column.oldest": Sentence("Oldest", "最古"),
    "column.refused": Sentence("Refused", "拒否"),
    "column.dead": Sentence("Dead", "配信不能"),
    "column.last": Sentence("Last", "最終"),
    "column.due": Sentence("Due", "期限"),
    "flow.day": Sentence("On", "基準日"),
    "flow.way": Sentence("Way", "経路"),
    "flow.purpose": Sentence("Purpose", "用途"),
    "flow.whose": Sentence("About whom", "対象者"),
    "flow.frequency": Sentence("Frequency", "時期・頻度"),
    "flow.transport": Sentence("Means of transfer", "移転方法"),
    "flow.lasting": Sentence("How long it is tried", "再送と失効"),
    "flow.source": Sentence("Where the assessment states it", "評価書の該当箇所"),
    "flow.note": Sentence("Remark", "備考"),
    "flow.missing": Sentence("What is missing", "不足しているもの"),
    "flow.missing-help": Sentence(
        "The city completes it in the site file, once somebody has decided it:",
        "市が決定した後、サイトファイルに次のように記入します。",
    ),
    "flow.basis": Sentence("Legal basis", "法令上の根拠"),
    "flow.basis-file": Sentence(
        "The assessment names no basis of this flow's own: that of the whole file applies (I.4).",
        "評価書に個別の根拠の記載がないため、ファイル全体の根拠（I.4）によります。",
    ),
    "flow.in-force": Sentence("in force", "有効"),
    "flow.fields": Sentence("Fields", "情報の項目"),
    "flow.fields-assumed": Sentence(
        "The assessment names the subject alone: the single fields are assumed.",
        "評価書は情報の名称のみを示すため、個々の項目は仮定です。",
    ),
    "flow.my-number": Sentence("(with 個人番号)", "（個人番号を含む）"),
    "flow.now": Sentence("Now", "現在の状態"),
    "flow.what-to-do": Sentence("What to do then", "対応の手引き"),
    "flow.newest": Sentence("The newest entries", "新しい記録"),
    "flow.newest-not": Sentence(
        "Entries of the ledger are shown to those who work with messages, and not to you.",
        "授受簿の記録は、電文を扱う役割の職員のみに表示します。",
    ),
    "flow.turns": Sentence("History by date", "日付による経緯"),
    "flow.not-yet": Sentence("(not yet)", "（未到来）"),
    "flow.changes": Sentence(
        "Changes of this flow in the ledger", "授受簿に記録されたこの流れの変更"
    ),
    "flow.digest": Sentence("catalogue", "目録"),
    "flow.all-changes": Sentence("All changes of the catalogue", "目録のすべての変更"),
    "turn.basis": Sentence("legal basis in force: {basis}", "法令上の根拠が有効: {basis}"),
    "turn.basis-ends": Sentence(
        "last day of the legal basis: {basis}", "法令上の根拠の最終日: {basis}"
    ),
    "turn.fields": Sentence(
        "fields added for {receiver}: {fields}", "{receiver}への項目の追加: {fields}"
    ),
    "turn.own": Sentence("the city's own flow, decided by {by}.", "市独自の流れを決定（{by}）。"),
    "turn.completed": Sentence(
        "what was missing was supplied by {by}.", "不足していたものを補って決定（{by}）。"
    ),
    "turn.closed": Sentence("closed by {by}.", "停止を決定（{by}）。"),
    "turn.timed": Sentence(
        "how long copies are tried was decided by {by}.", "再送と失効の期間を決定（{by}）。"
    ),
    "turned.first": Sentence("in the first catalogue on record", "最初に記録された目録"),
    "turned.added": Sentence("added", "追加"),
    "turned.removed": Sentence("removed", "削除"),
    "turned.changed": Sentence("changed", "変更"),
    "turned.closed": Sentence("closed", "停止"),
    "turned.opened": Sentence("opened again", "再開"),
    "turned.completed": Sentence("completed", "補完"),
    "turned.unknown": Sentence(
        "another catalogue; the entry does not say which flows differ",
        "別の目録が発効（変更された流れは記録されていません）",
    ),
    "messages.title": Sentence("Search the ledger", "授受簿の検索"),
    "messages.help": Sentence(
        "Each search is recorded. A message's content is not in the ledger and not shown here.",
        "検索はすべて記録されます。電文の内容は授受簿になく、ここでは表示しません。",
    ),
    "messages.addressee": Sentence("宛名番号", "宛名番号"),
    "messages.addressee-help": Sentence(
        "Not the 個人番号. The ledger keeps the pseudonym alone.",
        "個人番号は入力しないでください。授受簿には仮名のみ記録されます。",
    ),
    "messages.message": Sentence("Id of the message", "電文の識別子"),
    "messages.system": Sentence("From or to", "送付元又は送付先"),
    "messages.outcome": Sentence("Outcome", "結果コード"),
    "messages.outcome-help": Sentence(
        "such as delivered or binding-differs", "例: delivered、binding-differs"
    ),
    "messages.staff": Sentence("Staff", "職員"),
    "messages.begin": Sentence("From day", "開始日"),
    "messages.end": Sentence("To day", "終了日"),
    "messages.search": Sentence("Search", "検索する"),
    "messages.found": Sentence("Entries found", "検索結果"),
    "messages.count": Sentence("{count} entries, the newest first.", "{count}件（新しい順）"),
    "messages.pages": Sentence("Pages of the list", "一覧のページ"),
    "messages.newer": Sentence("Newer", "新しい記録"),
    "messages.older": Sentence("Older", "古い記録"),
    "messages.again": Sentence("Search again", "検索し直す"),
    "messages.gone": Sentence(
        "The list is gone: it is kept for 15 minutes. Search again.",
        "検索結果の保持時間（15分）が過ぎました。検索し直してください。",
    ),
    "messages.too-long": Sentence("A word is too long.", "入力が長すぎます。"),
    "messages.my-number": Sentence(
        "That looks like a 個人番号: it is never searched by.",
        "個人番号と思われる番号では検索できません。",
    ),
    "addressee.none": Sentence(
        "That is no 宛名番号: it is 1 to 15 digits and nothing else.",
        "宛名番号（1～15桁の数字のみ）ではありません。",
    ),
    "addressee.my-number": Sentence(
        "That looks like a 個人番号, and nobody in the ledger has it as 宛名番号.",
        "個人番号と思われる番号です。この番号を宛名番号とする方の記録はありません。",
    ),
    "addressee.doubtful": Sentence(
        "The number looks like a 個人番号. Somebody in the ledger has it as 宛名番号: see that "
        "this is whom you mean.",
        "個人番号にも見える番号です。宛名番号としての記録がありますので、本人の番号か確認してください。",
    ),
    "messages.not-staff": Sentence(
        "You may not search by staff.", "職員での検索は許可されていません。"
    ),
    "messages.not-persons": Sentence(
        "You may not search by person.", "宛名番号での検索は許可されていません。"
    ),
    "messages.no-kind": Sentence("There is no such kind of entry.", "その種類の記録はありません。"),
    "messages.no-day": Sentence("That is no day.", "日付が正しくありません。"),
    "message.title": Sentence("The way of a message", "電文の経過"),
    "message.entries": Sentence("Entries", "記録の件数"),
    "message.help": Sentence(
        "From both sides: what the sender's and the receiver's adapter noted, and what the hub "
        "recorded. That you looked is recorded.",
        "送付元と送付先の両側の記録です。閲覧は記録されました。",
    ),
    "message.begin": Sentence("Before it was shared out", "振り分けの前"),
    "message.no-time": Sentence("(time not noted)", "（時刻の記録なし）"),
    "message.after": Sentence("{span} later", "{span}後"),
    "message.file": Sentence("File", "ファイル"),
    "message.record": Sentence("record {number}", "{number}件目"),
    "message.released": Sentence("Fields given", "提供した項目"),
    "message.withheld": Sentence("Fields withheld", "提供しなかった項目"),
    "message.proof": Sentence("Proof", "証明"),
    "message.proved": Sentence(
        "{count} entries were proved just now to stand in the ledger of {size} entries that the "
        "hub has signed.",
        "{count}件の記録が、ハブの署名した{size}件の授受簿に含まれることを今確認しました。",
    ),
    "message.get-proof": Sentence("Get the proof as a file", "証明をファイルで受け取る"),
}
