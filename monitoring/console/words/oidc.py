"""Words of the way in by the office's own login."""

from hub.statute.reasons import Sentence

WORDS = {
    "oidc.button": Sentence("Log in with the office's account", "庁内の認証でログイン"),
    "oidc.emergency": Sentence(
        "Password and authenticator: for emergencies alone",
        "パスワードと認証コードでのログイン（緊急用の利用者のみ）",
    ),
    "oidc.away": Sentence(
        "The office's login does not answer.", "庁内の認証システムが応答しません。"
    ),
    "oidc.refused": Sentence(
        "The office's login did not let you in, or took too long. Begin again.",
        "庁内の認証でログインできなかったか、時間が経ちすぎました。最初からやり直してください。",
    ),
    "oidc.done": Sentence("You are logged in", "ログインしました"),
    "oidc.on": Sentence("Go on", "進む"),
}
