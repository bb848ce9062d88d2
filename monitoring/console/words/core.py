"""Words of what is around every page, and of the person's own account."""

from hub.statute.reasons import Sentence

WORDS = {
    "console": Sentence("Renkei Hub", "連携ハブ"),
    "skip": Sentence("To the content", "本文へ"),
    "menu": Sentence("Pages", "メニュー"),
    "other-language": Sentence("日本語", "English"),
    "logout": Sentence("Log out", "ログアウト"),
    "required": Sentence("required", "必須"),
    "yes": Sentence("yes", "はい"),
    "no": Sentence("no", "いいえ"),
    "reason": Sentence("Reason", "理由"),
    "reason-help": Sentence(
        "It stands in the ledger: no names and numbers of persons.",
        "授受簿に記録されます。氏名や番号は書かないでください。",
    ),
    "reason-missing": Sentence("Say why: it stands in the ledger.", "理由を入力してください。"),
    "back": Sentence("Back", "戻る"),
    "login.title": Sentence("Log in", "ログイン"),
    "login.id": Sentence("Account id", "利用者ID"),
    "login.password": Sentence("Password", "パスワード"),
    "login.code": Sentence("Six digits of the authenticator", "認証コード（6桁）"),
    "login.button": Sentence("Log in", "ログイン"),
    "login.enrol": Sentence(
        "First time, with a one-time code", "初めての方（ワンタイムコードをお持ちの方）"
    ),
    "login.recorded": Sentence(
        "Each login and each page that is opened is recorded in the ledger.",
        "ログインと画面の閲覧は、すべて授受簿に記録されます。",
    ),
    "login.refused": Sentence(
        "That is not right, or the account is locked. After some wrong tries it is, for a time.",
        "入力が正しくないか、利用者がロックされています。誤りが続くと一定時間ロックされます。",
    ),
    "login.limited": Sentence(
        "Too many tries from this address. Wait a minute.",
        "この端末からの試行が多すぎます。1分待ってください。",
    ),
    "ended.idle": Sentence(
        "You were logged out: nothing was done for a time.",
        "一定時間操作がなかったため、ログアウトしました。",
    ),
    "ended.lifetime": Sentence(
        "You were logged out: the session has reached its time.",
        "利用できる時間が終わったため、ログアウトしました。",
    ),
    "ended.replaced": Sentence(
        "You were logged out: this account has logged in anew.",
        "同じ利用者が新しくログインしたため、ログアウトしました。",
    ),
    "ended.foreign": Sentence(
        "You were logged out: the session came from another address.",
        "別の端末からの利用があったため、ログアウトしました。",
    ),
    "ended.revoked": Sentence(
        "You were logged out: the account was changed.",
        "利用者の設定が変更されたため、ログアウトしました。",
    ),
    "ended.logout": Sentence("You are logged out.", "ログアウトしました。"),
    "ended.enrolled": Sentence(
        "Done. Log in with the password and the authenticator.",
        "登録しました。パスワードと認証コードでログインしてください。",
    ),
    "enrol.title": Sentence("Set up the account", "利用者の登録"),
    "enrol.code": Sentence("One-time code", "ワンタイムコード"),
    "enrol.password": Sentence("New password", "新しいパスワード"),
    "enrol.again": Sentence("The same once more", "新しいパスワード（確認）"),
    "enrol.rule": Sentence(
        "At least {least} characters. Several words are good.",
        "{least}文字以上。複数の単語をつなげると覚えやすく安全です。",
    ),
    "enrol.next": Sentence("Go on", "次へ"),
    "enrol.differ": Sentence(
        "The two passwords are not the same.", "2つのパスワードが一致しません。"
    ),
    "enrol.short": Sentence("The password is too short.", "パスワードが短すぎます。"),
    "enrol.long": Sentence("The password is too long.", "パスワードが長すぎます。"),
    "enrol.weak": Sentence(
        "The password is one that others try first.", "推測されやすいパスワードです。"
    ),
    "enrol.refused": Sentence(
        "That is not right, or the code has ended. An administrator can give a new one.",
        "入力が正しくないか、コードの期限が過ぎています。管理者に再発行を依頼してください。",
    ),
    "factor.title": Sentence("Second factor", "二要素認証の登録"),
    "factor.scan": Sentence(
        "Scan this with the authenticator, or type the text below it.",
        "認証アプリで読み取るか、下の文字を入力してください。",
    ),
    "factor.picture": Sentence("QR code for the authenticator", "認証アプリ用のQRコード"),
    "factor.confirm": Sentence("Confirm", "確認する"),
    "factor.wrong": Sentence("That code is not right.", "認証コードが正しくありません。"),
    "me.title": Sentence("Own account", "自分の利用者情報"),
    "me.id": Sentence("Id", "利用者ID"),
    "me.name": Sentence("Name", "氏名"),
    "me.department": Sentence("Department", "部署"),
    "me.roles": Sentence("Roles", "役割"),
    "me.personal": Sentence("May see details of persons", "個人の詳細の閲覧"),
    "me.began": Sentence("Logged in since", "ログイン日時"),
    "me.terminal": Sentence("Terminal", "端末"),
    "role.viewer": Sentence("viewer", "閲覧者"),
    "role.operator": Sentence("operator", "担当者"),
    "role.approver": Sentence("approver", "承認者"),
    "role.auditor": Sentence("auditor", "監査者"),
    "role.administrator": Sentence("administrator", "管理者"),
    "menu.me": Sentence("Own account", "自分の情報"),
    "step-up.title": Sentence("Confirm that it is you", "本人の確認"),
    "step-up.why": Sentence(
        "The last code was given some time ago. Give a new one to go on.",
        "前回の認証から時間が経っています。続けるには新しい認証コードを入力してください。",
    ),
    "step-up.anew": Sentence(
        "You logged in some time ago. Log out and in again, then do it once more.",
        "ログインから時間が経っています。一度ログアウトし、ログインし直してから操作してください。",
    ),
    "step-up.button": Sentence("Go on", "続ける"),
    "trouble.title": Sentence("This cannot be shown", "表示できません"),
    "trouble.400": Sentence("The request cannot be read.", "要求を読み取れません。"),
    "trouble.403": Sentence(
        "This account may not do that. The try is recorded.",
        "この利用者には権限がありません。この操作は記録されました。",
    ),
    "trouble.404": Sentence("There is no such page.", "ページがありません。"),
    "trouble.409": Sentence("That could not be done.", "実行できませんでした。"),
    "trouble.413": Sentence("The request is too large.", "要求が大きすぎます。"),
    "trouble.429": Sentence(
        "Too many pages in a short time. Wait a few seconds.",
        "短時間の要求が多すぎます。数秒待ってください。",
    ),
    "trouble.500": Sentence(
        "Something went wrong. The log of the console says what.",
        "エラーが発生しました。詳細はログを確認してください。",
    ),
    "trouble.503": Sentence(
        "Nothing can be recorded now, so nothing is shown.",
        "記録ができないため、表示できません。",
    ),
    "trouble.503-help": Sentence(
        "renkei top and renkei doctor still tell how things are.",
        "状態は renkei top と renkei doctor で確認できます。",
    ),
    "trouble.form": Sentence(
        "This form was sent from elsewhere, is too old, or was sent twice. Nothing was done by it.",
        "フォームが古いか、二重に送信されました。この送信では何も実行していません。",
    ),
}
