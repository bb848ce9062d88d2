"""Alerts on what the hub stands on: broker, certificates, catalogue, disks."""

from hub.statute.reasons import Sentence
from monitoring.rules.model import Alert, Case, Group, Severity, older, risen

_DAY = 86_400
_ENDS = "renkei_certificate_expiry_timestamp_seconds"
_LIST = 'certificate="revocation-list"'
_NO_LIST = 'certificate!="revocation-list"'


def _ends(days: int, list_days: int) -> str:
    """Ask which certificate ends within so many days, and which list within its own, fewer ones."""
    return (
        f"{_ENDS}{{{_NO_LIST}}} - time() < {days * _DAY} "
        f"or {_ENDS}{{{_LIST}}} - time() < {list_days * _DAY}"
    )


def _free(share: float) -> str:
    return f"renkei_disk_free_bytes / renkei_disk_size_bytes < {share}"


def _disk(free: int) -> dict[str, str]:
    return {
        'renkei_disk_free_bytes{place="ledger"}': f"{free}+0x20",
        'renkei_disk_size_bytes{place="ledger"}': "1000+0x20",
    }


def _certificate(name: str, days: float) -> dict[str, str]:
    return {f'{_ENDS}{{certificate="{name}"}}': f"{int(days * _DAY)}+0x120"}


_check = 'renkei_health_check_success{{check="{}"}}'.format
_refused = 'renkei_broker_logins_refused_total{{protocol="{}"}}'.format
_STARTS = 'process_start_time_seconds{job="renkei",process="hub"}'
_DIGEST = 'renkei_catalogue_info{{process="hub",digest="{}"}}'.format
_EDGE_DIGEST = 'renkei_adapter_catalogue_info{{system="tax",digest="{}"}}'.format

UPKEEP = Group(
    "renkei-upkeep",
    (
        Alert(
            "RenkeiCheckFails",
            "renkei_health_check_success == 0",
            "5m",
            Severity.CRITICAL,
            Sentence(
                "The watch tried {{ $labels.check }}, and it does not work.",
                "動作確認（{{ $labels.check }}）に失敗しています。",
            ),
            (
                Case("5m", 1, {_check("round-trip"): "0+0x9"}),
                Case("5m", 2, {_check("round-trip"): "0+0x9", _check("witness"): "0+0x9"}),
                Case("4m", 0, {_check("round-trip"): "0+0x9"}),
                Case("9m", 0, {_check("round-trip"): "0 0 1+0x9", _check("witness"): "1+0x9"}),
            ),
        ),
        Alert(
            "RenkeiBrokerNode",
            "renkei_broker_nodes_down > 0 or renkei_broker_nodes_silent > 0 "
            "or renkei_broker_queues_short > 0",
            "1m",
            Severity.WARNING,
            Sentence(
                "A node of the broker is away, or queues have fewer copies than planned.",
                "ブローカのノードが停止しているか、キューの複製が不足しています。",
            ),
            (
                Case("1m", 1, {"renkei_broker_nodes_down": "1+0x9"}),
                Case("1m", 1, {"renkei_broker_nodes_silent": "1+0x9"}),
                Case("1m", 1, {"renkei_broker_queues_short": "1+0x9"}),
                Case("9m", 0, {"renkei_broker_nodes_down": "0+0x9"}),
            ),
        ),
        Alert(
            "RenkeiBrokerLogins",
            risen('renkei_broker_logins_refused_total{protocol="amqp"}', "protocol", "15m")
            + " or sum by (protocol) "
            '(increase(renkei_broker_logins_refused_total{protocol="http"}[15m])) > 5',
            "0s",
            Severity.WARNING,
            Sentence(
                "The broker refused logins ({{ $labels.protocol }}): somebody tries passwords, or "
                "another's name.",
                "ブローカへのログイン（{{ $labels.protocol }}）が拒否されました。",
            ),
            (
                Case("5m", 1, {_refused("amqp"): "0 0 1+0x40"}),
                Case("30m", 0, {_refused("amqp"): "0 0 1+0x40"}),
                Case("15m", 1, {_refused("http"): "0+1x40"}),
                Case("5m", 0, {_refused("http"): "0 0 1+0x40"}),
            ),
        ),
        Alert(
            "RenkeiBrokerBlocked",
            "sum by (resource) (renkei_broker_alarms) > 0 or renkei_broker_partitions > 0 "
            "or renkei_broker_queues_without_majority > 0",
            "0s",
            Severity.CRITICAL,
            Sentence(
                "The broker takes nothing: an alarm, a split cluster, or queues without majority.",
                "ブローカが受け付けていません（資源警報、クラスタ分断又は過半数喪失）。",
            ),
            (
                Case("1m", 1, {'renkei_broker_alarms{resource="memory"}': "1+0x9"}),
                Case("1m", 1, {"renkei_broker_partitions": "1+0x9"}),
                Case("1m", 1, {"renkei_broker_queues_without_majority": "2+0x9"}),
                Case("9m", 0, {'renkei_broker_alarms{resource="memory"}': "0+0x9"}),
            ),
        ),
        Alert(
            "RenkeiBrokerUnseen",
            f"{older('renkei_broker_last_survey_timestamp_seconds', 60)} "
            "or absent(renkei_queue_messages)",
            "2m",
            Severity.WARNING,
            Sentence(
                "The watch cannot see the broker: a receiver that stops would go unnoticed.",
                "監視がブローカの状態を取得できません。",
            ),
            (
                Case("2m", 1, {"renkei_broker_last_survey_timestamp_seconds": "0+0x9"}),
                Case(
                    "9m",
                    1,
                    {
                        "renkei_broker_last_survey_timestamp_seconds": "1+0x9",
                        'renkei_queue_messages{queue="a"}': "0+0x9",
                    },
                ),
                Case("9m", 0, {'renkei_queue_messages{queue="a"}': "0+0x9"}),
            ),
        ),
        Alert(
            "RenkeiCertificateEndsSoon",
            _ends(21, 5),
            "1h",
            Severity.WARNING,
            Sentence(
                "{{ $labels.certificate }} of {{ $labels.process }} ends in "
                "{{ $value | humanizeDuration }}.",
                "証明書等（{{ $labels.certificate }}）の期限が近づいています。",
            ),
            (
                Case("60m", 1, _certificate("own", 20)),
                Case("60m", 0, _certificate("own", 22)),
                Case("60m", 1, _certificate("broker-mq.example", 20)),
                Case("60m", 0, _certificate("broker-mq.example", 30)),
                Case("60m", 1, _certificate("revocation-list", 4)),
                Case("60m", 0, _certificate("revocation-list", 6)),
            ),
        ),
        Alert(
            "RenkeiCertificateEnds",
            _ends(3, 1),
            "1h",
            Severity.CRITICAL,
            Sentence(
                "{{ $labels.certificate }} of {{ $labels.process }} ends within days: "
                "then nobody can connect.",
                "証明書等（{{ $labels.certificate }}）がまもなく失効します。",
            ),
            (
                Case("60m", 1, _certificate("own", 2)),
                Case("60m", 0, _certificate("own", 4)),
                Case("60m", 1, _certificate("postgresql", 0)),
                Case("60m", 1, _certificate("revocation-list", 0)),
                Case("60m", 0, _certificate("revocation-list", 2)),
            ),
        ),
        Alert(
            "RenkeiCatalogueRefused",
            "increase(renkei_catalogue_refused_total[15m]) > 0 "
            "or increase(renkei_adapter_catalogue_refused_total[15m]) > 0",
            "0s",
            Severity.WARNING,
            Sentence(
                "{{ $labels.process }} refused a changed catalogue; the earlier one holds.",
                "変更後の目録に誤りがあり、従前の目録のまま動作しています。",
            ),
            (
                Case("5m", 1, {"renkei_catalogue_refused_total": "0 0 1+0x40"}),
                Case("5m", 1, {"renkei_adapter_catalogue_refused_total": "0 0 1+0x40"}),
                Case("30m", 0, {"renkei_catalogue_refused_total": "0 0 1+0x40"}),
            ),
        ),
        Alert(
            "RenkeiCataloguesDiffer",
            "count(count by (digest) (renkei_catalogue_info or renkei_adapter_catalogue_info)) > 1",
            "2m",
            Severity.WARNING,
            Sentence(
                "The processes run by {{ $value }} different catalogues.",
                "プロセス間で目録が一致していません。",
            ),
            (
                Case("5m", 1, {_DIGEST("a"): "1+0x9", _EDGE_DIGEST("b"): "1+0x9"}),
                Case("9m", 0, {_DIGEST("a"): "1+0x9", _EDGE_DIGEST("a"): "1+0x9"}),
            ),
        ),
        Alert(
            "RenkeiRestarts",
            'changes(process_start_time_seconds{job="renkei"}[15m]) > 3',
            "0s",
            Severity.WARNING,
            Sentence(
                "{{ $labels.process }} was started again and again within 15 minutes.",
                "{{ $labels.process }} が15分間に何度も再起動しています。",
            ),
            (
                Case("9m", 1, {_STARTS: "1+1x9"}),
                Case("30m", 0, {_STARTS: "1 2+0x40"}),
            ),
        ),
        Alert(
            "RenkeiWorkersMissing",
            "max(renkei_hub_workers) < max(renkei_hub_workers_planned)",
            "2m",
            Severity.WARNING,
            Sentence(
                "Fewer hub workers are alive than the site file names: {{ $value }}.",
                "稼働中のハブが計画より少なくなっています（{{ $value }}）。",
            ),
            (
                Case(
                    "5m", 1, {"renkei_hub_workers": "1+0x9", "renkei_hub_workers_planned": "2+0x9"}
                ),
                Case(
                    "9m", 0, {"renkei_hub_workers": "2+0x9", "renkei_hub_workers_planned": "2+0x9"}
                ),
            ),
            held=True,
        ),
        Alert(
            "RenkeiDiskLow",
            _free(0.1),
            "5m",
            Severity.WARNING,
            Sentence(
                "{{ $value | humanizePercentage }} of the disk of {{ $labels.place }} are free.",
                "{{ $labels.place }} のディスクの空きが {{ $value | humanizePercentage }} です。",
            ),
            (Case("5m", 1, _disk(90)), Case("4m", 0, _disk(90)), Case("20m", 0, _disk(110))),
        ),
        Alert(
            "RenkeiDiskFull",
            _free(0.03),
            "5m",
            Severity.CRITICAL,
            Sentence(
                "{{ $value | humanizePercentage }} of the disk of {{ $labels.place }} are free: "
                "soon nothing moves.",
                "{{ $labels.place }} のディスクがほぼ満杯です（空き "
                "{{ $value | humanizePercentage }}）。",
            ),
            (Case("5m", 1, _disk(20)), Case("20m", 0, _disk(90))),
        ),
        Alert(
            "RenkeiMaintenance",
            "max(renkei_maintenance) == 1",
            "0s",
            Severity.INFO,
            Sentence(
                "The hub rests because people said so; alerts that follow from it are silent.",
                "保守のため、ハブは電文の取出しを止めています。",
            ),
            (
                Case("1m", 1, {"renkei_maintenance": "1+0x9"}),
                Case("9m", 0, {"renkei_maintenance": "0+0x9"}),
            ),
        ),
    ),
)
