"""The dashboards: an overview, flows, the broker, the ledger, processes with the console."""

from hub.statute.reasons import Sentence
from monitoring.dashboards.model import FLOW, Board, Kind, Panel, Query, Unit, per_minute, quantile

_ENTRIES = "renkei_ledger_entries_total"
_OF_FLOW = f'{{flow=~"${FLOW}"}}'


def _number(
    en: str, ja: str, expression: str, unit: Unit = Unit.PLAIN, red: float | None = None
) -> Panel:
    return Panel(Sentence(en, ja), (Query(expression),), Kind.NUMBER, unit, red)


def _graph(en: str, ja: str, expression: str, legend: str, unit: Unit = Unit.PLAIN) -> Panel:
    return Panel(Sentence(en, ja), (Query(expression, legend),), Kind.GRAPH, unit)


def _quantiles(en: str, ja: str, histogram: str, by: str) -> Panel:
    queries = tuple(
        Query(quantile(share, histogram, by), f"p{share * 100:g} {{{{{by}}}}}")
        for share in (0.5, 0.99)
    )
    return Panel(Sentence(en, ja), queries, Kind.GRAPH, Unit.SECONDS)


OVERVIEW = Board(
    "overview",
    Sentence("Overview", "概況"),
    (
        _number(
            "Alerts",
            "発報中",
            'count(ALERTS{alertstate="firing",severity=~"critical|warning"}) or vector(0)',
            red=1,
        ),
        _number("Processes down", "応答なし", 'count(up{job="renkei"} == 0) or vector(0)', red=1),
        _number(
            "Oldest in a queue",
            "最古の滞留",
            "max(renkei_queue_oldest_message_age_seconds)",
            Unit.SECONDS,
            900,
        ),
        _number("Dead letters", "配信不能", 'sum(renkei_dead_letters{state="open"})', red=1),
        _number("To confirm", "確認待ち", 'sum(renkei_confirmations{state="open"})', red=50),
        _number("Not writable", "記録不可", "1 - min(renkei_ledger_writable)", red=1),
        _graph(
            "Entries", "授受簿の記録", per_minute(_ENTRIES, "kind"), "{{kind}}", Unit.PER_MINUTE
        ),
        _graph(
            "Refusals",
            "拒否",
            per_minute(f'{_ENTRIES}{{kind="refusal"}}', "code"),
            "{{code}}",
            Unit.PER_MINUTE,
        ),
        _graph("In queues", "滞留", "renkei_queue_messages", "{{queue}}"),
        _quantiles("Critical time", "発生から到達まで", "renkei_critical_time_seconds", "flow"),
        _graph("Files that wait", "未処理ファイル", "renkei_adapter_files_waiting", "{{system}}"),
        Panel(
            Sentence("What fires", "発報の内容"),
            (Query('ALERTS{alertstate="firing",severity!="none"}'),),
            Kind.TABLE,
        ),
    ),
)

FLOWS = Board(
    "flows",
    Sentence("Flows", "提供・移転・入手の流れ"),
    (
        _graph(
            "Accepted",
            "受付",
            per_minute(f'{_ENTRIES}{{kind="acceptance",flow=~"${FLOW}"}}', "flow, sender"),
            "{{flow}} {{sender}}",
            Unit.PER_MINUTE,
        ),
        _graph(
            "Delivered",
            "提供",
            per_minute(f'{_ENTRIES}{{kind="delivery",flow=~"${FLOW}"}}', "flow, receiver"),
            "{{flow}} {{receiver}}",
            Unit.PER_MINUTE,
        ),
        _graph(
            "Received",
            "受領",
            per_minute(f'{_ENTRIES}{{kind="receipt",flow=~"${FLOW}"}}', "flow, receiver, code"),
            "{{flow}} {{receiver}} {{code}}",
            Unit.PER_MINUTE,
        ),
        _graph(
            "Held, dead, out of scope",
            "保留・配信不能・対象外",
            per_minute(
                f'{_ENTRIES}{{kind=~"hold|dead-letter|expiry|out-of-scope",flow=~"${FLOW}"}}',
                "flow, kind",
            ),
            "{{flow}} {{kind}}",
            Unit.PER_MINUTE,
        ),
        _quantiles(
            "Critical time", "発生から到達まで", f"renkei_critical_time_seconds{_OF_FLOW}", "flow"
        ),
        _quantiles(
            "Delivery time", "受付から到達まで", f"renkei_delivery_time_seconds{_OF_FLOW}", "flow"
        ),
        _graph(
            "Since the newest message",
            "最終の電文から",
            f"time() - renkei_flow_last_message_timestamp_seconds{_OF_FLOW}",
            "{{flow}}",
            Unit.SECONDS,
        ),
        _graph(
            "Until the next is due",
            "次の期限まで",
            f"renkei_flow_due_timestamp_seconds{_OF_FLOW} - time()",
            "{{flow}}",
            Unit.SECONDS,
        ),
    ),
    by_flow=True,
)

BROKER = Board(
    "broker",
    Sentence("Broker and queues", "ブローカとキュー"),
    (
        _number("Nodes down", "停止ノード", "max(renkei_broker_nodes_down)", red=1),
        _number("Nodes silent", "応答なしノード", "max(renkei_broker_nodes_silent)", red=1),
        _number("Split", "分断", "max(renkei_broker_partitions)", red=1),
        _number("Alarms", "資源警報", "sum(renkei_broker_alarms)", red=1),
        _number(
            "Without majority", "過半数喪失", "max(renkei_broker_queues_without_majority)", red=1
        ),
        _number("Short of members", "複製不足", "max(renkei_broker_queues_short)", red=1),
        _graph("Messages", "件数", "renkei_queue_messages", "{{queue}}"),
        _graph(
            "Oldest",
            "最古の滞留",
            "renkei_queue_oldest_message_age_seconds",
            "{{queue}}",
            Unit.SECONDS,
        ),
        _graph("Bytes", "大きさ", "renkei_queue_size_bytes", "{{queue}}", Unit.BYTES),
        _graph("Consumers", "受信者", "renkei_queue_consumers", "{{queue}}"),
        _graph(
            "Waiting in the hub",
            "ハブで待機",
            "sum by (receiver) (renkei_waiting_messages)",
            "{{receiver}}",
        ),
        _graph(
            "Tried again",
            "再試行",
            per_minute("renkei_retries_total", "receiver"),
            "{{receiver}}",
            Unit.PER_MINUTE,
        ),
        _graph(
            "Given out once more",
            "再配信",
            per_minute("renkei_redeliveries_total", "process"),
            "{{process}}",
            Unit.PER_MINUTE,
        ),
        _graph(
            "Connections lost",
            "切断",
            per_minute("renkei_link_losses_total", "process"),
            "{{process}}",
            Unit.PER_MINUTE,
        ),
    ),
)

LEDGER = Board(
    "ledger",
    Sentence("Ledger and evidence", "授受簿と証跡"),
    (
        _number("Halted", "停止", "max(renkei_ledger_halted)", red=1),
        _number("Entries", "記録数", "max(renkei_ledger_size_entries)"),
        _number(
            "Not yet verified",
            "未検証",
            "max(renkei_ledger_size_entries - renkei_ledger_verified_through_entry)",
        ),
        _number(
            "Without a checkpoint since",
            "チェックポイントなし",
            "max(renkei_ledger_checkpoint_age_seconds)",
            Unit.SECONDS,
            120,
        ),
        _number(
            "Since a day was reconciled",
            "最後の突合から",
            "time() - max(renkei_reconciliation_last_success_timestamp_seconds)",
            Unit.SECONDS,
            129_600,
        ),
        _number(
            "Since the backup",
            "最後のバックアップから",
            "time() - max(renkei_backup_last_timestamp_seconds)",
            Unit.SECONDS,
            180_000,
        ),
        _graph("Entries", "記録", per_minute(_ENTRIES, "kind"), "{{kind}}", Unit.PER_MINUTE),
        _quantiles("Stages of a batch", "処理段階", "renkei_stage_duration_seconds", "stage"),
        _quantiles("A batch", "一括処理", "renkei_batch_duration_seconds", "process"),
        _graph(
            "Messages in a batch",
            "一括の件数",
            "sum by (process) (rate(renkei_batch_messages_sum[$__rate_interval])) "
            "/ sum by (process) (rate(renkei_batch_messages_count[$__rate_interval]))",
            "{{process}}",
        ),
        _graph("Size", "大きさ", "max(renkei_ledger_size_bytes)", "ledger", Unit.BYTES),
        _graph("Dead letters", "配信不能電文", "sum by (state) (renkei_dead_letters)", "{{state}}"),
        _graph(
            "Confirmation list", "確認リスト", "sum by (state) (renkei_confirmations)", "{{state}}"
        ),
    ),
)

PROCESSES = Board(
    "processes",
    Sentence("Processes and console", "プロセスとコンソール"),
    (
        _graph("Answering", "応答", 'up{job="renkei"}', "{{process}}"),
        _graph(
            "Processor",
            "CPU",
            'rate(process_cpu_seconds_total{job="renkei"}[$__rate_interval])',
            "{{process}}",
            Unit.SHARE,
        ),
        _graph(
            "Memory",
            "メモリ",
            'process_resident_memory_bytes{job="renkei"}',
            "{{process}}",
            Unit.BYTES,
        ),
        _graph(
            "Free disk",
            "ディスクの空き",
            "renkei_disk_free_bytes / renkei_disk_size_bytes",
            "{{process}} {{place}}",
            Unit.SHARE,
        ),
        _graph(
            "Certificates end in",
            "証明書等の残り",
            "renkei_certificate_expiry_timestamp_seconds - time()",
            "{{process}} {{certificate}}",
            Unit.SECONDS,
        ),
        _graph("Checks that try", "動作確認", "renkei_health_check_success", "{{check}}"),
        _graph(
            "Console: requests",
            "コンソール: 要求",
            per_minute("renkei_console_requests_total", "page, status"),
            "{{page}} {{status}}",
            Unit.PER_MINUTE,
        ),
        _quantiles(
            "Console: answers",
            "コンソール: 応答",
            "renkei_console_request_duration_seconds",
            "page",
        ),
        _graph(
            "Console: logins",
            "コンソール: ログイン",
            per_minute("renkei_console_logins_total", "outcome"),
            "{{outcome}}",
            Unit.PER_MINUTE,
        ),
        _graph(
            "Console: refused",
            "コンソール: 拒否",
            per_minute("renkei_console_denied_total", "why"),
            "{{why}}",
            Unit.PER_MINUTE,
        ),
        _graph(
            "Console: sessions", "コンソール: 利用中", "sum(renkei_console_sessions)", "sessions"
        ),
        Panel(
            Sentence("Versions", "版"),
            (Query("count by (version, python) (renkei_build_info)"),),
            Kind.TABLE,
        ),
        Panel(
            Sentence("Catalogues in force", "有効な目録"),
            (Query("count by (digest) (renkei_catalogue_info or renkei_adapter_catalogue_info)"),),
            Kind.TABLE,
        ),
    ),
)

BOARDS = (OVERVIEW, FLOWS, BROKER, LEDGER, PROCESSES)
