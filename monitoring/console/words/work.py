"""Words of the work lists: confirmations, dead letters, refusals, late flows."""

from hub.statute.reasons import Sentence

WORDS = {
    "menu.confirmations": Sentence("Confirmations", "確認リスト"),
    "menu.dead-letters": Sentence("Dead letters", "配信不能電文"),
    "menu.refusals": Sentence("Refusals", "拒否された電文"),
    "menu.late": Sentence("Late flows", "遅れている流れ"),
    "decide": Sentence("Decide", "決定"),
    "decided": Sentence("Decided", "決定の記録"),
    "decided-in": Sentence(
        "entry {entry} of the ledger says by whom and why", "授受簿の記録番号 {entry}"
    ),
    "confirmations.help": Sentence(
        "Messages that go to nobody until a person decides. Nobody's data stands in this list.",
        "職員が決定するまで送付しない電文です。この一覧に個人の情報は表示しません。",
    ),
    "confirmations.none": Sentence("Nothing is on the list.", "該当する電文はありません。"),
    "confirmation.title": Sentence("Confirmation {number}", "確認 {number}"),
    "confirmation.fields": Sentence("What it would send", "送付する内容"),
    "confirmation.not-personal": Sentence(
        "The content is shown to those alone whose account has the right to personal details.",
        "内容は、個人情報の閲覧権限を持つ利用者だけに表示します。",
    ),
    "confirmation.masked": Sentence(
        "個人番号 are never shown. That you looked is recorded.",
        "個人番号は表示しません。閲覧は記録されました。",
    ),
    "confirmation.deleted": Sentence("The content is deleted.", "内容は削除されています。"),
    "confirmation.unread": Sentence("The content cannot be read.", "内容を読み取れません。"),
    "confirmation.overtaken": Sentence(
        "A newer message was accepted meanwhile: this one can only be rejected.",
        "より新しい電文が受け付けられています。却下のみ可能です。",
    ),
    "confirmation.release": Sentence("Release", "送付する"),
    "confirmation.release-help": Sentence(
        "Today's rules judge it once more. The known 個人番号 stays what it is.",
        "現在の規則で再度判定します。登録済みの個人番号は変わりません。",
    ),
    "confirmation.reject": Sentence("Reject", "却下する"),
    "confirmation.reject-help": Sentence(
        "It goes nowhere and its content is deleted; the facts stay in the ledger.",
        "どこにも送付せず、内容を削除します。事実は授受簿に残ります。",
    ),
    "dead-letters.none": Sentence("Nothing is on the list.", "該当する電文はありません。"),
    "requests": Sentence("Requests that wait for a second person", "別の職員の承認を待つ申請"),
    "requests.one": Sentence("Request {number}: {count} messages", "申請 {number}（{count}件）"),
    "list.count": Sentence(
        "{count} messages; the oldest {shown} are shown.", "{count}件（古い順に{shown}件を表示）"
    ),
    "dead-letters.choose": Sentence("Choose", "選択"),
    "dead-letters.choose-one": Sentence("Choose {number}", "{number} を選択"),
    "dead-letters.failed": Sentence("Failed step", "失敗した段階"),
    "dead-letters.together": Sentence("Decide about several", "まとめて申請"),
    "dead-letters.together-help": Sentence(
        "You ask, and another person approves. To decide about one, open it.",
        "申請の後、別の職員の承認が必要です。1件だけの場合は、その電文を開いてください。",
    ),
    "dead-letters.which-chosen": Sentence("those chosen above", "上で選択した電文"),
    "dead-letters.which-all": Sentence(
        "all {count} that are listed by these conditions", "この条件に合うすべて（{count}件）"
    ),
    "dead-letters.replay": Sentence("Send again", "再送する"),
    "dead-letters.discard": Sentence("Discard", "廃棄する"),
    "dead-letters.ask": Sentence("Ask for it", "申請する"),
    "dead-letters.none-chosen": Sentence("Choose one at least.", "1件以上選択してください。"),
    "dead-letters.others": Sentence(
        "There are others than were shown by now. Look at the list again.",
        "一覧の表示後に対象が変わりました。一覧を確認し直してください。",
    ),
    "dead-letter.title": Sentence("Dead letter {number}", "配信不能電文 {number}"),
    "dead-letter.original": Sentence("none: the message itself", "なし（電文そのもの）"),
    "dead-letter.digest": Sentence("Digest of the original", "原本のダイジェスト"),
    "dead-letter.overtaken": Sentence(
        "A newer message was accepted meanwhile: this one can only be discarded.",
        "より新しい電文が受け付けられています。廃棄のみ可能です。",
    ),
    "for-two": Sentence(
        "Another person has to approve what you decide here.",
        "ここでの決定には、別の職員の承認が必要です。",
    ),
    "dead-letter.history": Sentence("What the ledger says of the message", "授受簿の記録"),
    "request.title": Sentence("Request {number}", "申請 {number}"),
    "request.end": Sentence("What is asked for", "申請の内容"),
    "request.count": Sentence("Messages", "件数"),
    "request.who": Sentence("Who asks", "申請者"),
    "request.approve": Sentence("Approve", "承認する"),
    "request.decline": Sentence("Decline", "承認しない"),
    "request.own": Sentence(
        "You have asked for this: another person has to approve it.",
        "あなたの申請です。別の職員の承認が必要です。",
    ),
    "request.take-back": Sentence("Take back", "取り下げる"),
    "request.rows": Sentence("What it is about", "対象の電文"),
    "refusals.help": Sentence(
        "Messages that the hub did not take. Their content is not kept.",
        "ハブが受け付けなかった電文です。内容は保存していません。",
    ),
    "refusals.reasons": Sentence("By reason", "理由別の件数"),
    "refusals.count": Sentence("{count} refusals", "{count}件"),
    "refusals.each": Sentence("Each refusal", "拒否の一覧"),
    "refusals.newest": Sentence("The newest", "最新"),
    "refusals.no-period": Sentence(
        "That is no time: a day is written as 2026-11-28, and the last is not before the first.",
        "期間が正しくありません。日付は2026-11-28のように、終了日は開始日以後の日を入力してください。",
    ),
    "refusals.too-long": Sentence(
        "A time is {days} days long at most.", "期間は{days}日以内で入力してください。"
    ),
    "period": Sentence("Period", "期間"),
    "period.today": Sentence("today", "今日"),
    "period.week": Sentence("7 days", "7日間"),
    "period.month": Sentence("31 days", "31日間"),
    "period.help": Sentence(
        "Where a day is given, the days count and not the period: {days} at most, and so many up "
        "to the last day where there is no first.",
        "開始日又は終了日を入力すると、期間の選択より優先します（{days}日以内。開始日がないときは、"
        "終了日までの{days}日間）。",
    ),
    "late.help": Sentence(
        "When a flow is due follows from its frequency in the assessment.",
        "期限は、評価書の時期・頻度から計算しています。",
    ),
    "late.unknown": Sentence(
        "The watch does not answer, so nothing is known.", "監視が応答しないため、不明です。"
    ),
    "late.late": Sentence("Late", "遅れているもの"),
    "late.coming": Sentence("Due next", "次の期限"),
    "late.by": Sentence("Late by", "遅れ"),
    "late.never": Sentence("never seen", "受付なし"),
}
