"""Words of the manual; its pages have their own."""

from hub.statute.reasons import Sentence

WORDS = {
    "menu.help": Sentence("Help", "手引き"),
    "help.language": Sentence(
        "The pages are in English; what staff do every day is in Japanese, too.",
        "本文は主に英語です。日々の業務の手順は日本語でも書かれています。",
    ),
    "help.guides": Sentence("How to work with it", "運用の手引き"),
    "help.alerts": Sentence("What to do when an alert comes", "警報への対応"),
    "help.alert": Sentence("Alert", "警報"),
    "help.severity": Sentence("Severity", "重大度"),
    "help.says": Sentence("What it says", "内容"),
    "help.all": Sentence("All pages of the manual", "手引きの一覧"),
    "help.late": Sentence("What to do about a late flow", "遅れている流れへの対応"),
    "help.this": Sentence("How this list is worked with", "この一覧の手引き"),
    "help.troubles": Sentence("What to do then", "対応の手引き"),
    "severity.critical": Sentence("critical", "緊急"),
    "severity.warning": Sentence("warning", "警告"),
    "severity.info": Sentence("info", "情報"),
    "severity.none": Sentence("none", "なし"),
}
