"""Alerts on the ledger and on what a person has to look at: refusals, lists, reconciling."""

from hub.statute.reasons import ATTEMPTS, Sentence
from monitoring.rules.model import Alert, Case, Group, Severity, risen

_HOUR, _DAY = 3600, 86_400
_REFUSED = 'sum(increase(renkei_ledger_entries_total{kind="refusal"}[30m]))'
_DECIDED = (
    'sum(increase(renkei_ledger_entries_total{kind=~"refusal|acceptance|out-of-scope|hold"}[30m]))'
)
_ATTEMPT = 'renkei_ledger_entries_total{kind="refusal",sender="tax",code="denied"}'
_ignored = 'renkei_adapter_files_ignored{{system="tax",reason="{}"}}'.format


def _verified(through: str) -> dict[str, str]:
    return {
        "renkei_ledger_size_entries": "100+10x60",
        "renkei_ledger_verified_through_entry": through,
    }


def _list(name: str) -> str:
    return f'renkei_aside_oldest_timestamp_seconds{{list="{name}"}}'


def _refusals(refused: str, accepted: str) -> dict[str, str]:
    return {
        'renkei_ledger_entries_total{kind="refusal",code="invalid"}': refused,
        'renkei_ledger_entries_total{kind="acceptance",code=""}': accepted,
    }


EVIDENCE = Group(
    "renkei-evidence",
    (
        Alert(
            "RenkeiLedgerHalted",
            "renkei_ledger_halted == 1",
            "0s",
            Severity.CRITICAL,
            Sentence(
                "A check of the ledger failed; until it is mended nothing moves.",
                "授受簿の検証に失敗し、電文の授受を停止しました。",
            ),
            (
                Case("1m", 1, {"renkei_ledger_halted": "1+0x9"}),
                Case("9m", 0, {"renkei_ledger_halted": "0+0x9"}),
            ),
        ),
        Alert(
            "RenkeiWatchAbsent",
            "absent(renkei_ledger_size_entries)",
            "5m",
            Severity.CRITICAL,
            Sentence("Nobody watches the ledger.", "授受簿の監視プロセスから値が得られません。"),
            (
                Case("5m", 1, {}),
                Case("4m", 0, {}),
                Case("20m", 0, {"renkei_ledger_size_entries": "0+0x20"}),
            ),
        ),
        Alert(
            "RenkeiSweepOld",
            f"time() - renkei_ledger_last_sweep_timestamp_seconds > {_DAY}",
            "2h",
            Severity.WARNING,
            Sentence(
                "The whole ledger was not found right for a day.",
                "授受簿全体の検証が1日以上完了していません。",
            ),
            (
                Case("27h", 1, {"renkei_ledger_last_sweep_timestamp_seconds": "1+0x1800"}),
                Case("25h", 0, {"renkei_ledger_last_sweep_timestamp_seconds": "1+0x1800"}),
                Case("27h", 0, {"renkei_ledger_last_sweep_timestamp_seconds": "1+60x1800"}),
            ),
        ),
        Alert(
            "RenkeiCheckpointOld",
            "renkei_ledger_checkpoint_age_seconds > 120",
            "2m",
            Severity.WARNING,
            Sentence(
                "Entries are there since {{ $value | humanizeDuration }} without a checkpoint.",
                "チェックポイントが {{ $value | humanizeDuration }} 作成されていません。",
            ),
            (
                Case("2m", 1, {"renkei_ledger_checkpoint_age_seconds": "121+60x9"}),
                Case("9m", 0, {"renkei_ledger_checkpoint_age_seconds": "30+0x9"}),
            ),
        ),
        Alert(
            "RenkeiVerificationBehind",
            "renkei_ledger_size_entries - renkei_ledger_verified_through_entry > 0 "
            "unless changes(renkei_ledger_verified_through_entry[15m]) > 0",
            "15m",
            Severity.WARNING,
            Sentence(
                "{{ $value }} new entries are not recomputed, and it does not go on.",
                "新しい記録 {{ $value }} 件の検証が進んでいません。",
            ),
            (
                Case("60m", 1, _verified("100+0x60")),
                Case("60m", 0, _verified("90+10x60")),
            ),
        ),
        Alert(
            "RenkeiAttempt",
            risen(
                f'renkei_ledger_entries_total{{kind="refusal",code=~"{"|".join(ATTEMPTS)}"}}',
                "sender, code",
                "10m",
            ),
            "0s",
            Severity.CRITICAL,
            Sentence(
                "Refused as {{ $labels.code }}: somebody tries what {{ $labels.sender }} may not.",
                "許されない送信の試み（{{ $labels.code }}）を拒否しました。送信元: "
                "{{ $labels.sender }}",
            ),
            (
                Case("5m", 1, {_ATTEMPT: "0 0 1+0x20"}),
                Case("5m", 1, {_ATTEMPT: "_ _ 1+0x20"}),
                Case("30m", 0, {_ATTEMPT: "_ _ 1+0x40"}),
                Case("30m", 0, {_ATTEMPT.replace("denied", "invalid"): "0+1x40"}),
            ),
        ),
        Alert(
            "RenkeiRefusalsMany",
            f"{_REFUSED} / {_DECIDED} > 0.05 and {_REFUSED} >= 20",
            "10m",
            Severity.WARNING,
            Sentence(
                "{{ $value | humanizePercentage }} of what came in half an hour was refused.",
                "直近30分の電文の {{ $value | humanizePercentage }} を拒否しました。",
            ),
            (
                Case("60m", 1, _refusals("0+2x60", "0+8x60")),
                Case("60m", 0, _refusals("0+2x60", "0+80x60")),
                Case("60m", 0, _refusals("0+0.5x60", "0+0x60")),
            ),
        ),
        Alert(
            "RenkeiFilesSetAside",
            risen("renkei_adapter_files_set_aside_total", "system, code", "1h"),
            "0s",
            Severity.WARNING,
            Sentence(
                "A file of {{ $labels.system }} was set aside whole: {{ $labels.code }}.",
                "{{ $labels.system }} のファイルを丸ごと退避しました（{{ $labels.code }}）。",
            ),
            (
                Case("5m", 1, {"renkei_adapter_files_set_aside_total": "_ 1+0x200"}),
                Case("5m", 1, {"renkei_adapter_files_set_aside_total": "0 1+0x200"}),
                Case("120m", 0, {"renkei_adapter_files_set_aside_total": "_ 1+0x200"}),
            ),
        ),
        Alert(
            "RenkeiFilesIgnored",
            "renkei_adapter_files_ignored > 0",
            "10m",
            Severity.WARNING,
            Sentence(
                "{{ $value }} names in the folder of {{ $labels.system }} are never read: "
                "{{ $labels.reason }}.",
                "{{ $labels.system }} の to-hub に、読み取られない名前が {{ $value }} 件あります"
                "（{{ $labels.reason }}）。",
            ),
            (
                Case("10m", 1, {_ignored("link"): "1+0x20"}),
                Case("10m", 2, {_ignored("link"): "1+0x20", _ignored("pattern"): "3+0x20"}),
                Case("9m", 0, {_ignored("link"): "1+0x20"}),
                Case("20m", 0, {_ignored("link"): "1 1 0+0x20", _ignored("pattern"): "0+0x20"}),
            ),
        ),
        Alert(
            "RenkeiRecordsRejected",
            risen("renkei_adapter_records_rejected_total", "system", "1h"),
            "0s",
            Severity.WARNING,
            Sentence(
                "Records of {{ $labels.system }} are bad and stand in its folder rejects.",
                "{{ $labels.system }} の不正なレコードを rejects に退避しました。",
            ),
            (
                Case("5m", 1, {"renkei_adapter_records_rejected_total": "0 2+0x200"}),
                Case("5m", 0, {"renkei_adapter_records_rejected_total": "_ 0+0x200"}),
                Case("120m", 0, {"renkei_adapter_records_rejected_total": "0 2+0x200"}),
            ),
        ),
        Alert(
            "RenkeiDeadLetters",
            'renkei_dead_letters{state="open"} > 0',
            "5m",
            Severity.WARNING,
            Sentence(
                "{{ $value }} dead letters wait for a person.",
                "配信不能電文 {{ $value }} 件が、職員の判断を待っています。",
            ),
            (
                Case("5m", 1, {'renkei_dead_letters{state="open"}': "1+0x9"}),
                Case("9m", 0, {'renkei_dead_letters{state="open"}': "0+0x9"}),
                Case("9m", 0, {'renkei_dead_letters{state="requested"}': "1+0x9"}),
            ),
        ),
        Alert(
            "RenkeiDeadLettersOld",
            f"time() - {_list('dead-letter')} > {_DAY}",
            "0s",
            Severity.WARNING,
            Sentence(
                "A dead letter waits for a person or for an approval since "
                "{{ $value | humanizeDuration }}.",
                "配信不能電文が {{ $value | humanizeDuration }} 未判断又は承認待ちです。",
            ),
            (
                Case("25h", 1, {_list("dead-letter"): "1+0x1800"}),
                Case("23h", 0, {_list("dead-letter"): "1+0x1800"}),
                Case("25h", 0, {_list("confirmation"): "1+0x1800"}),
            ),
        ),
        Alert(
            "RenkeiConfirmationsOld",
            f"time() - {_list('confirmation')} > {_DAY}",
            "0s",
            Severity.WARNING,
            Sentence(
                "A message waits on the confirmation list, or for an approval, since "
                "{{ $value | humanizeDuration }}.",
                "確認リストの電文が {{ $value | humanizeDuration }} 未判断又は承認待ちです。",
            ),
            (
                Case("25h", 1, {_list("confirmation"): "1+0x1800"}),
                Case("23h", 0, {_list("confirmation"): "1+0x1800"}),
                Case("25h", 0, {_list("dead-letter"): "1+0x1800"}),
            ),
        ),
        Alert(
            "RenkeiReleasedStays",
            'renkei_confirmations{state="released"} > 0 '
            'or renkei_dead_letters{state=~"released|sending"} > 0',
            "10m",
            Severity.WARNING,
            Sentence(
                "{{ $value }} messages that a person released do not move.",
                "職員が提供又は再送とした {{ $value }} 件が動いていません。",
            ),
            (
                Case("10m", 1, {'renkei_confirmations{state="released"}': "1+0x20"}),
                Case("10m", 1, {'renkei_dead_letters{state="sending"}': "1+0x20"}),
                Case("20m", 0, {'renkei_confirmations{state="open"}': "1+0x20"}),
                Case("20m", 0, {'renkei_dead_letters{state="released"}': "1 0+0x20"}),
            ),
            held=True,
        ),
        Alert(
            "RenkeiNumbersPlain",
            risen("renkei_numbers_plain_total", "sender", "1h"),
            "0s",
            Severity.WARNING,
            Sentence(
                "{{ $labels.sender }} still sends My Numbers in clear.",
                "{{ $labels.sender }} が個人番号を平文で送っています。",
            ),
            (
                Case("5m", 1, {'renkei_numbers_plain_total{sender="tax"}': "_ 1+0x200"}),
                Case("120m", 0, {'renkei_numbers_plain_total{sender="tax"}': "_ 1+0x200"}),
            ),
        ),
        Alert(
            "RenkeiReconciliationMissing",
            "time() - renkei_reconciliation_last_success_timestamp_seconds > " + str(36 * _HOUR),
            "1h",
            Severity.WARNING,
            Sentence(
                "No day was reconciled without a gap for 36 hours.",
                "突合が36時間以上、一致で完了していません。",
            ),
            (
                Case(
                    "38h", 1, {"renkei_reconciliation_last_success_timestamp_seconds": "1+0x3000"}
                ),
                Case(
                    "36h", 0, {"renkei_reconciliation_last_success_timestamp_seconds": "1+0x3000"}
                ),
            ),
        ),
        Alert(
            "RenkeiGap",
            "renkei_reconciliation_missing_messages > 0",
            "0s",
            Severity.CRITICAL,
            Sentence(
                "The last reconciliation found {{ $value }} messages missing on a side.",
                "突合で {{ $value }} 件の不一致が見つかりました。",
            ),
            (
                Case("1m", 1, {"renkei_reconciliation_missing_messages": "2+0x9"}),
                Case("9m", 0, {"renkei_reconciliation_missing_messages": "0+0x9"}),
            ),
        ),
        Alert(
            "RenkeiBackupOld",
            "time() - renkei_backup_last_timestamp_seconds > " + str(50 * _HOUR),
            "1h",
            Severity.WARNING,
            Sentence(
                "The ledger was not backed up for 50 hours.",
                "授受簿のバックアップが50時間以上ありません。",
            ),
            (
                Case("52h", 1, {"renkei_backup_last_timestamp_seconds": "1+0x3600"}),
                Case("50h", 0, {"renkei_backup_last_timestamp_seconds": "1+0x3600"}),
            ),
        ),
    ),
)
