"""Files in and files out over a real broker, each system as its own user."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.broker.link import PikaLink
from hub.edge.delimited import check_file
from hub.edge.kit import Adapter
from hub.edge.loop import run_adapter
from hub.message import RECEIPT_TYPE
from hub.names import OUT_EXCHANGE, outbound_queue, partition_queue
from hub.ports import Delivery, Link, Outgoing, Sent
from hub.site import HUB_USER
from tests.conftest import Vhost
from tests.edge_rig import ALPHA, BETA, IN_CLEAR, NOTES_OUT, Rig, Standing, use_test_layouts

pytestmark = pytest.mark.integration

PARTITIONS = 2
RECORDS = 1200
LIMIT_SECONDS = 30.0


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    use_test_layouts(monkeypatch)
    return Rig(tmp_path)


def run(rig: Rig, vhost: Vhost, adapter: Adapter, done: Callable[[], bool]) -> None:
    """Run an adapter over the real broker until its work is done."""
    end = time.monotonic() + LIMIT_SECONDS
    settings = vhost.settings(adapter.system, (outbound_queue(adapter.system),))

    def connect() -> Link | None:
        return PikaLink(settings)

    run_adapter(
        adapter,
        rig.site(adapter.system, poll_seconds=0.05, file_records=500, file_seconds=0.2),
        connect=connect,
        stopping=lambda: done() or time.monotonic() > end,
        walls=Standing(adapter.system),
        numbers=IN_CLEAR,
        observe=rig.recorder,
    )
    assert done()


def take_all(link: Link, count: int) -> list[Delivery]:
    taken: list[Delivery] = []
    while len(taken) < count:
        more = link.take(1000, 5.0)
        assert more, f"only {len(taken)} of {count} came"
        taken += more
    return taken


def copy_to_beta(delivery: Delivery) -> Outgoing:
    event = json.loads(delivery.body)
    access = ("staff", "department", "terminal", "reason", "operation")
    kept = {name: value for name, value in event.items() if name not in access}
    kept["data"] = {name: value for name, value in event["data"].items() if name != "scope"}
    body = json.dumps(kept | {"flow": "F1", "acceptedtime": event["time"]}).encode()
    return Outgoing(OUT_EXCHANGE, "beta", body, event["id"], event["type"])


def test_records_go_from_file_to_file_with_receipts(rig: Rig, vhost: Vhost) -> None:
    vhost.apply(["alpha", "beta"], PARTITIONS)
    rows = [(str(n // 2), str(n), f"n{n}") for n in range(2, RECORDS + 2)]
    rig.give("notes_1.csv", rows)
    run(rig, vhost, ALPHA, lambda: bool(rig.names("alpha", "processed")))

    queues = tuple(partition_queue(number) for number in range(PARTITIONS))
    with PikaLink(vhost.settings(HUB_USER, queues, prefetch=5000)) as link:
        taken = take_all(link, RECORDS)
        assert {delivery.user_id for delivery in taken} == {"alpha"}
        assert {delivery.queue for delivery in taken} == set(queues)
        assert set(link.publish([copy_to_beta(one) for one in taken])) == {Sent.CONFIRMED}
        link.ack(taken)

    run(rig, vhost, BETA, lambda: len(rig.recorder.all("receipts_sent")) >= 3 and written(rig))
    assert sorted(rig.written()) == sorted((person, note) for _, person, note in rows)
    for path in rig.at("beta", "from-hub").iterdir():
        check_file(path, NOTES_OUT)

    with PikaLink(vhost.settings(HUB_USER, queues)) as link:
        events = take_all(link, len(rig.recorder.all("receipts_sent")))
        assert {(event.user_id, event.routing_key) for event in events} == {("beta", RECEIPT_TYPE)}
        receipts = [one for event in events for one in json.loads(event.body)["data"]["receipts"]]
        assert len({receipt["id"] for receipt in receipts}) == len(receipts) == RECORDS
        assert link.take(10, 0.2) == []
    with PikaLink(vhost.settings("beta", (outbound_queue("beta"),))) as link:
        assert link.take(10, 0.2) == []


def written(rig: Rig) -> bool:
    return len(rig.written()) == RECORDS
