"""Alerts on what moves: processes, queues, adapters, flows."""

from hub.statute.reasons import Sentence
from monitoring.rules.model import Alert, Case, Group, Severity

IMMEDIATE = ("I4a",)
"""The flows that the source wants moved at once (即時)."""
QUEUE_BYTES = 4 * 1024**3
"""A queue takes so much, as ``renkei broker apply`` makes it by default."""
_OURS = r"hub[.]in[.][0-9]+|hub[.]dead-letters"
_SLOW = (
    "histogram_quantile(0.99, sum by (flow, le) (rate("
    f'renkei_critical_time_seconds_bucket{{flow=~"{"|".join(IMMEDIATE)}"}}[30m]))) > 300'
)


def _queue(queue: str, messages: str, consumers: str) -> dict[str, str]:
    return {
        f'renkei_queue_messages{{queue="{queue}"}}': messages,
        f'renkei_queue_consumers{{queue="{queue}"}}': consumers,
    }


def _slow(rate: str, last: str) -> dict[str, str]:
    bucket = 'renkei_critical_time_seconds_bucket{{system="union",flow="I4a",le="{}"}}'
    return {bucket.format("300"): rate, bucket.format("600"): last, bucket.format("+Inf"): last}


MOVING = Group(
    "renkei-moving",
    (
        Alert(
            "RenkeiWatchdog",
            "vector(1)",
            "0s",
            Severity.NONE,
            Sentence(
                "Always fires: whoever gets it knows that alerts arrive.",
                "常に発報します。届かなくなったら、監視の経路が切れています。",
            ),
            (Case("0m", 1, {}), Case("60m", 1, {})),
        ),
        Alert(
            "RenkeiProcessDown",
            'up{job="renkei"} == 0',
            "2m",
            Severity.CRITICAL,
            Sentence(
                "{{ $labels.process }} does not answer.",
                "プロセス {{ $labels.process }} が応答しません。",
            ),
            (
                Case("2m", 1, {'up{job="renkei",process="hub"}': "0+0x10"}),
                Case("1m", 0, {'up{job="renkei",process="hub"}': "0+0x10"}),
                Case("9m", 0, {'up{job="renkei",process="hub"}': "0 0 1+0x10"}),
            ),
        ),
        Alert(
            "RenkeiNothingMoves",
            "max(renkei_ledger_available) == 0 or max(renkei_ledger_writable) == 0 "
            "or max(renkei_hub_connected) == 0",
            "1m",
            Severity.CRITICAL,
            Sentence(
                "Nothing moves: the ledger takes no entry, or no worker has the broker.",
                "授受簿に記録できないか、ブローカに接続できず、電文が止まっています。",
            ),
            (
                Case("2m", 1, {"renkei_ledger_available": "0+0x9"}),
                Case("2m", 1, {"renkei_ledger_writable": "0+0x9"}),
                Case("2m", 1, {"renkei_hub_connected": "0+0x9"}),
                Case(
                    "9m",
                    0,
                    {
                        'renkei_hub_connected{process="hub"}': "0+0x9",
                        'renkei_hub_connected{process="hub-2"}': "1+0x9",
                        "renkei_ledger_available": "1+0x9",
                        "renkei_ledger_writable": "0 1+0x9",
                    },
                ),
            ),
        ),
        Alert(
            "RenkeiReceiverStopped",
            'renkei_queue_messages{queue=~"out[.].+"} > 0 and renkei_queue_consumers == 0',
            "5m",
            Severity.CRITICAL,
            Sentence(
                "{{ $value }} messages wait in {{ $labels.queue }}, and nobody fetches them.",
                "{{ $labels.queue }} に {{ $value }} 件が滞留し、受信側が停止しています。",
            ),
            (
                Case("5m", 1, _queue("out.union", "3+0x20", "0+0x20")),
                Case("4m", 0, _queue("out.union", "3+0x20", "0+0x20")),
                Case("20m", 0, _queue("out.union", "3+0x20", "1+0x20")),
                Case("20m", 0, _queue("out.union", "0+0x20", "0+0x20")),
                Case("20m", 0, _queue("hub.in.0", "3+0x20", "0+0x20")),
            ),
            held=True,
        ),
        Alert(
            "RenkeiPartitionUnserved",
            f'renkei_queue_messages{{queue=~"{_OURS}"}} > 0 and renkei_queue_consumers == 0',
            "3m",
            Severity.CRITICAL,
            Sentence(
                "{{ $value }} messages wait in {{ $labels.queue }}, and no worker takes them.",
                "{{ $labels.queue }} に {{ $value }} 件が滞留し、ハブが取り出していません。",
            ),
            (
                Case("3m", 1, _queue("hub.in.0", "3+0x20", "0+0x20")),
                Case("3m", 1, _queue("hub.dead-letters", "3+0x20", "0+0x20")),
                Case("2m", 0, _queue("hub.in.0", "3+0x20", "0+0x20")),
                Case("20m", 0, _queue("hub.in.0", "3+0x20", "1+0x20")),
                Case("20m", 0, _queue("out.union", "3+0x20", "0+0x20")),
            ),
            held=True,
        ),
        Alert(
            "RenkeiQueueOld",
            "renkei_queue_oldest_message_age_seconds > 900",
            "10m",
            Severity.WARNING,
            Sentence(
                "The oldest message of {{ $labels.queue }} came "
                "{{ $value | humanizeDuration }} ago.",
                "{{ $labels.queue }} に {{ $value | humanizeDuration }} 滞留した電文があります。",
            ),
            (
                Case("10m", 1, {'renkei_queue_oldest_message_age_seconds{queue="a"}': "901+60x20"}),
                Case("9m", 0, {'renkei_queue_oldest_message_age_seconds{queue="a"}': "901+60x20"}),
                Case("20m", 0, {'renkei_queue_oldest_message_age_seconds{queue="a"}': "900+0x20"}),
            ),
            held=True,
        ),
        Alert(
            "RenkeiQueueFull",
            f"renkei_queue_size_bytes > 0.8 * {QUEUE_BYTES}",
            "10m",
            Severity.CRITICAL,
            Sentence(
                "{{ $labels.queue }} holds {{ $value | humanize1024 }}B; with 4 GiB it is full.",
                "{{ $labels.queue }} が上限（4 GiB）に近づいています。",
            ),
            (
                Case("10m", 1, {'renkei_queue_size_bytes{queue="a"}': "3500000000+0x20"}),
                Case("20m", 0, {'renkei_queue_size_bytes{queue="a"}': "3000000000+0x20"}),
            ),
        ),
        Alert(
            "RenkeiMessagesWait",
            "sum by (receiver) (renkei_waiting_messages) > 0",
            "15m",
            Severity.WARNING,
            Sentence(
                "{{ $value }} messages wait in the hub: the queue of {{ $labels.receiver }} "
                "takes none.",
                "{{ $labels.receiver }} のキューが受け付けず、{{ $value }} 件が待っています。",
            ),
            (
                Case("15m", 1, {'renkei_waiting_messages{receiver="union"}': "5+0x30"}),
                Case("30m", 0, {'renkei_waiting_messages{receiver="union"}': "0+0x30"}),
                Case("30m", 0, {'renkei_waiting_messages{receiver="union"}': "5+0x10 0+0x20"}),
            ),
            held=True,
        ),
        Alert(
            "RenkeiAdapterUnlinked",
            "renkei_adapter_connected == 0",
            "5m",
            Severity.WARNING,
            Sentence(
                "The adapter of {{ $labels.system }} has no connection to the broker.",
                "{{ $labels.system }} のアダプタがブローカに接続できません。",
            ),
            (
                Case("5m", 1, {'renkei_adapter_connected{system="tax"}': "0+0x9"}),
                Case("4m", 0, {'renkei_adapter_connected{system="tax"}': "0+0x9"}),
                Case("9m", 0, {'renkei_adapter_connected{system="tax"}': "1+0x9"}),
            ),
        ),
        Alert(
            "RenkeiFilesWait",
            "renkei_adapter_oldest_file_age_seconds > 600",
            "10m",
            Severity.WARNING,
            Sentence(
                "A file of {{ $labels.system }} waits since {{ $value | humanizeDuration }}.",
                "{{ $labels.system }} のファイルが {{ $value | humanizeDuration }} 未処理です。",
            ),
            (
                Case("10m", 1, {'renkei_adapter_oldest_file_age_seconds{system="a"}': "601+60x20"}),
                Case("20m", 0, {'renkei_adapter_oldest_file_age_seconds{system="a"}': "0+0x20"}),
            ),
            held=True,
        ),
        Alert(
            "RenkeiFlowSilent",
            "time() > max by (flow) (renkei_flow_due_timestamp_seconds)",
            "5m",
            Severity.WARNING,
            Sentence(
                "Nothing came by the flow {{ $labels.flow }} when it was due.",
                "流れ {{ $labels.flow }} が、定められた頻度を過ぎても届いていません。",
            ),
            (
                Case("16m", 1, {'renkei_flow_due_timestamp_seconds{flow="M1e"}': "600+0x60"}),
                Case("14m", 0, {'renkei_flow_due_timestamp_seconds{flow="M1e"}': "600+0x60"}),
                Case("60m", 0, {'renkei_flow_due_timestamp_seconds{flow="M1e"}': "600+60x60"}),
            ),
        ),
        Alert(
            "RenkeiCriticalTimeLong",
            _SLOW,
            "10m",
            Severity.WARNING,
            Sentence(
                "A hundredth of the messages of {{ $labels.flow }} needs more than 5 minutes.",
                "即時の流れ {{ $labels.flow }} の一部が、届くまで5分を超えています。",
            ),
            (
                Case("60m", 1, _slow("0+0x60", "0+1x60")),
                Case("60m", 0, _slow("0+1x60", "0+1x60")),
            ),
        ),
    ),
)
