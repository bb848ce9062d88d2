"""The page for teams whose system speaks AMQP: its code runs, and its contract holds."""

import hashlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pika
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker

from hub.ledger.model import Kind
from hub.ledger.store import DatabaseLedger
from hub.site import HUB_USER
from tests.client_rig import (
    LIMIT_SECONDS,
    PARTITIONS,
    Recorder,
    certificates_in,
    hub_at_work,
    url_of,
)
from tests.conftest import Vhost
from tests.demo_rig import OURS
from tests.samples import SIGNER
from tests.servers.ledgers import rows_of

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/howto/connect-your-own-system.md").read_text(encoding="utf-8")
SYSTEMS = ["resident-registry", "premium-collection", "union"]
MESSAGE_ID = "move-2026-000123"
NUMBER = "123456789018"


def block(language: str, name: str) -> str:
    (found,) = re.findall(rf"^```{language} {name}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    return str(found)


@pytest.fixture
def ready(vhost: Vhost) -> Vhost:
    vhost.apply(SYSTEMS, PARTITIONS)
    return vhost


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return certificates_in(tmp_path, HUB_USER, *SYSTEMS)


@pytest.fixture
def hub(ready: Vhost, keys: Path, tmp_path: Path) -> Iterator[Recorder]:
    with hub_at_work(ready, tmp_path, SYSTEMS, keys) as recorder:
        yield recorder


# -- the Python of the page ------------------------------------------------------------------


def started(name: str, vhost: Vhost, system: str, folder: Path) -> subprocess.Popen[bytes]:
    settings = {"HUB_URL": url_of(vhost, system), "HUB_CERTIFICATES": str(folder / "pki")}
    environment = os.environ | settings | {"PYTHONPATH": str(ROOT)}
    command = [*OURS, sys.executable, "-W", "error", "-c", block("python", name)]
    return subprocess.Popen(command, cwd=folder, env=environment)


def test_the_pages_code_publishes_receives_and_is_in_the_ledger(
    ready: Vhost, hub: Recorder, tmp_path: Path
) -> None:
    receiving = started("receive", ready, "union", tmp_path)
    try:
        for _ in range(2):
            assert started("publish", ready, "resident-registry", tmp_path).wait(LIMIT_SECONDS) == 0
        hub.until(lambda: bool(hub.of(Kind.RECEIPT)) and hub.taken >= 3)
        receiving.send_signal(signal.SIGTERM)
        assert receiving.wait(LIMIT_SECONDS) == 0
    finally:
        receiving.kill()
        receiving.wait()
    with sqlite3.connect(tmp_path / "copies.sqlite3") as database:
        rows = database.execute("SELECT sender, id, flow, data FROM copies").fetchall()
    database.close()
    assert [row[:3] for row in rows] == [("resident-registry", MESSAGE_ID, "M1b")]
    assert json.loads(rows[0][3])["name"] == "髙﨑　花子"
    assert json.loads(rows[0][3])["my_number"] == NUMBER
    ledger = DatabaseLedger(f"sqlite:///{tmp_path / 'ledger.sqlite3'}", SIGNER)
    entries = [dict(row) for row in rows_of(ledger)]
    ledger.close()
    kinds = [(entry["kind"], entry["receiver"]) for entry in entries]
    assert kinds.count(("acceptance", "union")) == 1
    assert kinds.count(("receipt", "union")) == 1
    assert {entry["reason"] for entry in entries if entry["kind"] == "acceptance"} == {"転居"}


# -- the contract, by plain pika, from what the page says ------------------------------------


@pytest.fixture
def connections(ready: Vhost) -> Iterator[Any]:
    opened: list[pika.BlockingConnection] = []

    def open_channel(system: str) -> BlockingChannel:
        connection = pika.BlockingConnection(pika.URLParameters(url_of(ready, system)))
        opened.append(connection)
        channel = connection.channel()
        channel.confirm_delivery()
        return channel

    yield open_channel
    for connection in opened:
        if connection.is_open:
            connection.close()


def partition(text: str) -> str:
    digest = hashlib.blake2b(text.encode(), digest_size=4).digest()
    return str(int.from_bytes(digest, "big") % 16)


def publish(channel: BlockingChannel, system: str, event: dict[str, Any], about: str) -> None:
    channel.basic_publish(
        exchange=f"in.{system}",
        routing_key=event["type"],
        body=json.dumps(event).encode(),
        properties=pika.BasicProperties(
            user_id=system,
            delivery_mode=2,
            content_type="application/cloudevents+json",
            message_id=event["id"],
            type=event["type"],
            headers={"partition": partition(about)},
        ),
        mandatory=True,
    )


def example(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(block("json", name))
    return document


def one_from(channel: BlockingChannel, system: str) -> tuple[Any, Any, dict[str, Any]]:
    channel.basic_qos(prefetch_count=50)
    for method, properties, body in channel.consume(f"out.{system}", inactivity_timeout=10):
        assert body is not None, "nothing came"
        return method, properties, json.loads(body)
    raise AssertionError


def test_another_client_publishes_receives_and_receipts(hub: Recorder, connections: Any) -> None:  # noqa: ANN401 - a factory
    event = example("event")
    publish(
        connections("resident-registry"),
        "resident-registry",
        event,
        event["data"]["addressee_number"],
    )
    channel = connections("union")
    method, properties, copy = one_from(channel, "union")
    assert (properties.user_id, properties.type) == ("hub", "resident.changed")
    assert copy.keys() == example("copy").keys()
    assert copy["id"] == event["id"]
    assert "scope" not in copy["data"]
    receipt = example("receipt")
    assert receipt["data"]["receipts"][0] == {
        "sender": copy["source"].removeprefix("/systems/"),
        "id": copy["id"],
        "flow": copy["flow"],
        "result": "delivered",
        "code": "",
    }
    publish(channel, "union", receipt, receipt["id"])
    channel.basic_ack(method.delivery_tag)
    hub.until(lambda: bool(hub.of(Kind.RECEIPT)))
    (entry,) = hub.of(Kind.RECEIPT)
    assert (entry.receiver, entry.message.id, entry.code) == ("union", event["id"], "delivered")


def test_another_client_encrypts_a_number_and_opens_that_of_its_copy(
    hub: Recorder,
    keys: Path,
    connections: Any,  # noqa: ANN401 - a factory
) -> None:
    page: dict[str, Any] = {}
    exec(block("python", "seal"), page)  # noqa: S102 - the page's own code
    event, about = example("event"), ("resident-registry", MESSAGE_ID)
    (path,) = (keys / "parties").glob("hub.*.pem")
    key, event["datakey"] = page["new_data_key"](
        x509.load_pem_x509_certificate(path.read_bytes()), HUB_USER
    )
    event["data"]["my_number"] = page["sealed"](NUMBER, key, *about)
    sender = connections("resident-registry")
    publish(sender, "resident-registry", event, event["data"]["addressee_number"])
    _, _, copy = one_from(connections("union"), "union")
    assert not hub.of(Kind.REFUSAL)
    (own,) = (keys / "union" / "enc").glob("*.key")
    private = load_pem_private_key(own.read_bytes(), None)
    whose = (HUB_USER, "union", copy["flow"], *about)
    token = copy["data"]["my_number"]
    assert NUMBER not in token
    assert page["opened"](token, copy["datakey"], private, *whose) == NUMBER
    with pytest.raises(AssertionError, match="another copy"):
        page["opened"](token, copy["datakey"], private, *whose[:-1], "move-2026-000124")


def test_another_client_that_sends_a_number_in_clear_is_refused(
    hub: Recorder,
    connections: Any,  # noqa: ANN401 - a factory
) -> None:
    event = example("event")
    event["data"]["my_number"] = NUMBER
    sender = connections("resident-registry")
    publish(sender, "resident-registry", event, event["data"]["addressee_number"])
    _, _, notice = one_from(sender, "resident-registry")
    assert notice["data"]["code"] == "number-in-clear"
    assert NUMBER not in json.dumps(notice)
    assert [entry.code for entry in hub.of(Kind.REFUSAL)] == ["number-in-clear"]


def test_another_client_gets_a_notice(hub: Recorder, connections: Any) -> None:  # noqa: ANN401 - a factory
    event = example("event")
    event["data"]["name"] = None
    channel = connections("resident-registry")
    publish(channel, "resident-registry", event, event["data"]["addressee_number"])
    _, properties, notice = one_from(channel, "resident-registry")
    assert (properties.user_id, properties.type) == ("hub", "hub.notice")
    shown = example("notice")
    assert notice.keys() == shown.keys()
    assert notice["data"].keys() == shown["data"].keys()
    for name in ("id", "message_type", "code", "reason_en", "reason_ja"):
        assert notice["data"][name] == shown["data"][name]
    assert hub.of(Kind.REFUSAL)


def test_the_broker_refuses_as_the_page_says(hub: Recorder, connections: Any) -> None:  # noqa: ANN401 - a factory
    del hub
    event = example("event")
    with pytest.raises(ChannelClosedByBroker) as foreign_exchange:
        publish(connections("union"), "resident-registry", event, "1")
    with pytest.raises(ChannelClosedByBroker) as foreign_queue:
        one_from(connections("union"), "premium-collection")
    channel = connections("union")
    with pytest.raises(ChannelClosedByBroker) as foreign_user:
        channel.basic_publish(
            "in.union", event["type"], b"{}", pika.BasicProperties(user_id="resident-registry")
        )
    assert [e.value.reply_code for e in (foreign_exchange, foreign_queue)] == [403, 403]
    assert foreign_user.value.reply_code == 406


def test_a_message_without_a_user_is_refused_by_the_hub(hub: Recorder, connections: Any) -> None:  # noqa: ANN401 - a factory
    event = example("event")
    connections("resident-registry").basic_publish(
        "in.resident-registry", event["type"], json.dumps(event).encode()
    )
    hub.until(lambda: bool(hub.of(Kind.REFUSAL)))
    assert hub.of(Kind.REFUSAL)[0].code == "sender-unproven"
