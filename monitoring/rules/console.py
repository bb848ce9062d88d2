"""Alerts on the console: who tries what is not theirs to do."""

from hub.statute.reasons import Sentence
from monitoring.rules.model import Alert, Case, Group, Severity, risen

_denied = 'renkei_console_denied_total{{why="{}"}}'.format

CONSOLE = Group(
    "renkei-console",
    (
        Alert(
            "RenkeiLogins",
            risen('renkei_console_logins_total{outcome="locked"}', "process", "15m"),
            "0s",
            Severity.WARNING,
            Sentence(
                "Somebody tried a password so often that an account of the console is locked.",
                "コンソールのログイン失敗が続き、アカウントがロックされました。",
            ),
            (
                Case("5m", 1, {'renkei_console_logins_total{outcome="locked"}': "0 0 1+0x40"}),
                Case("30m", 0, {'renkei_console_logins_total{outcome="locked"}': "0 0 1+0x40"}),
                Case("5m", 0, {'renkei_console_logins_total{outcome="wrong"}': "0 0 1+0x40"}),
            ),
        ),
        Alert(
            "RenkeiConsoleDenied",
            risen('renkei_console_denied_total{why=~"origin|foreign|self"}', "process, why", "15m")
            + " or sum by (process, why) "
            '(increase(renkei_console_denied_total{why=~"right|form"}[15m])) > 10',
            "0s",
            Severity.WARNING,
            Sentence(
                "The console refused ({{ $labels.why }}): somebody tries what is not theirs to do.",
                "コンソールが許されない操作を拒否しました（{{ $labels.why }}）。",
            ),
            (
                Case("5m", 1, {_denied("foreign"): "0 0 1+0x40"}),
                Case("30m", 0, {_denied("foreign"): "0 0 1+0x40"}),
                Case("5m", 2, {_denied("origin"): "0 0 1+0x9", _denied("self"): "0 0 1+0x9"}),
                Case("15m", 1, {_denied("right"): "0+2x40"}),
                Case("15m", 0, {_denied("form"): "0 0 1+0x40"}),
                Case("5m", 0, {_denied("busy"): "0+20x40"}),
            ),
        ),
        Alert(
            "RenkeiAccountDamaged",
            "max by (process) (renkei_console_accounts_damaged) > 0",
            "0s",
            Severity.WARNING,
            Sentence(
                "{{ $value }} accounts of the console were not written by it: they are locked.",
                "コンソールが書いたものでないアカウントが {{ $value }} 件あり、使えません。",
            ),
            (
                Case("5m", 1, {"renkei_console_accounts_damaged": "0 0 1+0x9"}),
                Case("5m", 0, {"renkei_console_accounts_damaged": "0+0x9"}),
            ),
        ),
    ),
)
