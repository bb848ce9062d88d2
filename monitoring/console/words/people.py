"""Words of the pages about accounts and maintenance."""

from hub.statute.reasons import Sentence

WORDS = {
    "menu.people": Sentence("People", "利用者"),
    "menu.maintenance": Sentence("Maintenance", "保守"),
    "people.help": Sentence(
        "Accounts are personal. Every change stands in the ledger.",
        "利用者IDは個人ごとです。変更はすべて授受簿に記録されます。",
    ),
    "people.one": Sentence("Account {id}", "利用者 {id}"),
    "people.and": Sentence(", ", "、"),
    "people.last": Sentence("Last login", "最終ログイン"),
    "people.added": Sentence("Added, or unlocked", "登録・ロック解除の日時"),
    "people.open": Sentence("open", "有効"),
    "people.new": Sentence("not set up yet", "未登録"),
    "people.locked": Sentence("locked by an administrator", "管理者によるロック"),
    "people.locked-out": Sentence(
        "locked: wrong tries, or long unused", "ロック中（入力誤りまたは長期未使用）"
    ),
    "people.damaged": Sentence(
        "damaged: written by somebody else, or with another key",
        "破損（別の鍵で書かれたか、改変されています）",
    ),
    "people.add": Sentence("Add an account", "利用者を追加"),
    "people.id-help": Sentence(
        "2-31 small letters, figures, dots and hyphens; a letter first.",
        "英小文字で始まる2～31文字（英小文字・数字・ピリオド・ハイフン）。",
    ),
    "people.wrong": Sentence(
        "That cannot be so; nothing was changed.", "指定が正しくありません。変更していません。"
    ),
    "people.change": Sentence("Change", "変更"),
    "people.change-help": Sentence(
        "Whoever is logged in with it is logged out.", "ログイン中の場合はログアウトされます。"
    ),
    "people.reset": Sentence("Set up anew", "再登録"),
    "people.reset-help": Sentence(
        "Password and second factor end; a new one-time code is shown.",
        "パスワードと二要素認証を無効にし、新しいワンタイムコードを表示します。",
    ),
    "people.lock": Sentence("Lock", "ロック"),
    "people.lock-help": Sentence(
        "Nobody can log in with it until it is unlocked.", "解除するまでログインできません。"
    ),
    "people.unlock": Sentence("Unlock", "ロック解除"),
    "people.unlock-help": Sentence(
        "It can be used again, with the same password.", "同じパスワードで再び利用できます。"
    ),
    "people.remove": Sentence("Remove", "削除"),
    "people.remove-help": Sentence(
        "The ledger keeps what was done with it.", "これまでの操作の記録は授受簿に残ります。"
    ),
    "people.code-title": Sentence("One-time code for {id}", "{id} のワンタイムコード"),
    "people.code-help": Sentence(
        "Shown once, and good for 72 hours. Give it to the person in another way than mail.",
        "一度だけ表示され、72時間有効です。メール以外の方法で本人に渡してください。",
    ),
    "maintenance.help": Sentence(
        "At rest the hub takes nothing; files are read and queues hold. It ends by itself.",
        "保守中はハブが処理を止めます。ファイルの読取は続き、電文はキューに残ります。"
        "期限になると自動で終わります。",
    ),
    "maintenance.on": Sentence("The hub rests until {until}.", "{until} まで保守中です。"),
    "maintenance.off": Sentence("The hub is at work.", "ハブは稼働しています。"),
    "maintenance.begin": Sentence("Begin maintenance", "保守を開始する"),
    "maintenance.again": Sentence("Another time or reason", "期限や理由を変更する"),
    "maintenance.minutes": Sentence("For how long, at the most", "最長の時間"),
    "maintenance.button": Sentence("Have the hub at rest", "ハブを停止する"),
    "maintenance.end": Sentence("Let the hub go on", "保守を終了する"),
}
