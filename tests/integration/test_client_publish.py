"""Publishing with the client kit while the network and the broker misbehave."""

import logging
import secrets
import threading
import time
import traceback
from pathlib import Path

import pytest

from hub.client import (
    ClientClosed,
    Event,
    HubClient,
    Notice,
    NotSent,
    OutcomeUnknown,
    Refused,
    Timing,
    Unroutable,
)
from hub.ledger.model import Kind
from hub.names import inbound_exchange
from tests.client_rig import (
    PARTITIONS,
    QUICK,
    SOON,
    change,
    client_of,
    hub_at_work,
    url_of,
)
from tests.conftest import Vhost
from tests.proxy import Proxy

pytestmark = pytest.mark.integration

SENDER = "resident-registry"
RECEIVERS = ["premium-collection", "union"]
TYPE = "resident.changed"


@pytest.fixture
def ready(vhost: Vhost) -> Vhost:
    vhost.apply([SENDER, *RECEIVERS], PARTITIONS)
    return vhost


def test_a_change_reaches_the_hub_and_is_accepted(ready: Vhost, tmp_path: Path) -> None:
    with (
        hub_at_work(ready, tmp_path, RECEIVERS) as hub,
        client_of(ready, SENDER) as client,
    ):
        client.publish(TYPE, change(), message_id="one")
        hub.until(lambda: len(hub.of(Kind.DELIVERY, "one")) == 2)
    assert {entry.receiver for entry in hub.of(Kind.DELIVERY)} == set(RECEIVERS)


def test_a_swallowed_confirm_leads_to_a_repetition_that_changes_nothing(
    ready: Vhost, tmp_path: Path
) -> None:
    with (
        hub_at_work(ready, tmp_path, RECEIVERS) as hub,
        Proxy(ready.broker.host, ready.broker.port) as proxy,
        client_of(ready, SENDER, port=proxy.port) as client,
    ):
        client.publish(TYPE, change("1"), message_id="before")
        proxy.deafen()
        client.publish(TYPE, change("2"), message_id="swallowed")
        hub.until(lambda: hub.taken == 3)
        assert proxy.connections == 2
        assert len(hub.of(Kind.ACCEPTANCE, "swallowed")) == len(RECEIVERS)
        assert len(hub.of(Kind.DELIVERY, "swallowed")) == len(RECEIVERS)
        assert not hub.of(Kind.REFUSAL)


def test_a_connection_cut_between_publish_and_confirm(ready: Vhost, tmp_path: Path) -> None:
    with (
        hub_at_work(ready, tmp_path, RECEIVERS) as hub,
        Proxy(ready.broker.host, ready.broker.port) as proxy,
        client_of(ready, SENDER, port=proxy.port, timing=Timing(confirm=30.0)) as client,
    ):
        client.publish(TYPE, change("1"), message_id="before")
        proxy.deafen()

        def cut_when_taken() -> None:
            hub.until(lambda: bool(hub.of(Kind.ACCEPTANCE, "cut")))
            proxy.cut()

        cutter = threading.Thread(target=cut_when_taken)
        cutter.start()
        client.publish(TYPE, change("2"), message_id="cut")
        cutter.join()
        hub.until(lambda: hub.taken == 3)
        assert len(hub.of(Kind.ACCEPTANCE, "cut")) == len(RECEIVERS)
        assert not hub.of(Kind.REFUSAL)


def test_what_arrives_late_on_a_given_up_connection_counts_once(
    ready: Vhost, tmp_path: Path
) -> None:
    with (
        hub_at_work(ready, tmp_path, RECEIVERS) as hub,
        Proxy(ready.broker.host, ready.broker.port) as proxy,
        client_of(ready, SENDER, port=proxy.port) as client,
    ):
        client.publish(TYPE, change("1"), message_id="before")
        proxy.hold()
        client.publish(TYPE, change("2"), message_id="held")
        client.publish(TYPE, change("2", history_number=2), message_id="newer")
        hub.until(lambda: hub.taken == 3)
        proxy.release()
        hub.until(lambda: hub.taken == 4)
        delivered = [entry.message.id for entry in hub.of(Kind.DELIVERY)]
        assert delivered.count("held") == len(RECEIVERS)
        assert not hub.of(Kind.REFUSAL)


def test_when_the_time_is_up_the_outcome_is_unknown_and_the_event_can_be_given_again(
    ready: Vhost, tmp_path: Path
) -> None:
    timing = Timing(connect=1.0, confirm=1.0, give_up=1.0)
    with (
        hub_at_work(ready, tmp_path, RECEIVERS) as hub,
        Proxy(ready.broker.host, ready.broker.port) as proxy,
        client_of(ready, SENDER, port=proxy.port, timing=timing) as client,
    ):
        client.publish(TYPE, change("1"), message_id="before")
        proxy.deafen()
        with pytest.raises(OutcomeUnknown, match="again is safe") as failure:
            client.publish(TYPE, change("2"), message_id="unknown")
        client.publish_many(failure.value.events)
        hub.until(lambda: hub.taken == 3)
        assert len(hub.of(Kind.ACCEPTANCE, "unknown")) == len(RECEIVERS)
        assert not hub.of(Kind.REFUSAL)


def publish_some(client: HubClient, most: int) -> None:
    for number in range(most):
        client.publish(TYPE, change(str(number)), message_id=f"m{number}")


def test_a_full_queue_holds_the_sender_up_and_is_no_loss(
    ready: Vhost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The last attempt begins long enough before the time is up to hear that it is in vain.
    monkeypatch.setattr("hub.client.publisher.pause", lambda _: 0.7)
    limit = {"pattern": "^hub", "definition": {"max-length": 1}, "apply-to": "queues"}
    policy = limit | {"priority": 99}  # above the hub's own
    ready.management.put("policies", ready.name, "full", body=policy)
    timing = Timing(confirm=2.0, give_up=2.0)
    with client_of(ready, SENDER, timing=timing) as client:
        # A quorum queue is held to its length a little late.
        with pytest.raises(NotSent, match="full") as failure:
            publish_some(client, 200)
        (left,) = failure.value.events
        number = int(left.message_id.removeprefix("m"))
        with hub_at_work(ready, tmp_path, RECEIVERS) as hub:
            client.publish_many([left])
            hub.until(lambda: len(hub.of(Kind.DELIVERY)) == (number + 1) * len(RECEIVERS))


def test_a_closed_connection_is_found_before_the_next_publish(ready: Vhost) -> None:
    with (
        Proxy(ready.broker.host, ready.broker.port) as proxy,
        client_of(ready, SENDER, port=proxy.port, timing=Timing(confirm=30.0)) as client,
    ):
        client.publish(TYPE, change(), message_id="one")
        proxy.cut()
        began = time.monotonic()
        client.publish(TYPE, change(), message_id="two")
        assert time.monotonic() - began < 5.0


def test_many_changes_go_in_order_for_each_resident(ready: Vhost, tmp_path: Path) -> None:
    events = [Event(TYPE, change(str(n % 7), history_number=n), f"m{n:04}") for n in range(300)]
    with hub_at_work(ready, tmp_path, RECEIVERS) as hub, client_of(ready, SENDER) as client:
        client.publish_many(events)
        hub.until(lambda: len(hub.of(Kind.DELIVERY)) == len(events) * len(RECEIVERS))
    for resident in range(7):
        expected = [event.message_id for event in events[resident::7]]
        of_resident = [
            entry.message.id
            for entry in hub.of(Kind.ACCEPTANCE)
            if entry.receiver == "union" and entry.message.id in expected
        ]
        assert of_resident == expected


def test_a_foreign_exchange_is_refused_at_once(ready: Vhost) -> None:
    body = {"configure": "^$", "write": "^in\\.tax$", "read": "^$"}
    ready.management.put("permissions", ready.name, SENDER, body=body)
    with client_of(ready, SENDER) as client, pytest.raises(Refused, match="403"):
        client.publish(TYPE, change(), message_id="one")


def test_a_wrong_password_is_refused_at_once_and_not_shown(
    ready: Vhost, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = secrets.token_hex(8)
    url = url_of(ready, SENDER).replace(ready.passwords[SENDER].get_secret_value(), wrong)
    with HubClient(url, SENDER, timing=QUICK) as client, pytest.raises(Refused) as refused:
        client.publish(TYPE, change(), message_id="one")
    shown = "".join(traceback.format_exception(refused.value))
    assert "403" in shown
    assert wrong not in f"{shown} {client!r} {caplog.text}"


def test_a_message_that_no_queue_is_bound_for_is_an_error(vhost: Vhost) -> None:
    vhost.apply([SENDER])
    name = inbound_exchange(SENDER)
    vhost.management.delete("exchanges", vhost.name, name)
    vhost.management.put("exchanges", vhost.name, name, body={"type": "topic", "durable": True})
    with client_of(vhost, SENDER) as client, pytest.raises(Unroutable):
        client.publish(TYPE, change(), message_id="one")


def test_nobody_there_is_not_sent(ready: Vhost) -> None:
    with Proxy(ready.broker.host, ready.broker.port) as proxy:
        port = proxy.port
    timing = Timing(connect=0.5, give_up=0.8)
    with client_of(ready, SENDER, port=port, timing=timing) as client, pytest.raises(NotSent):
        client.publish(TYPE, change(), message_id="one")


def test_closing_ends_a_publish_soon(ready: Vhost, tmp_path: Path) -> None:
    with (
        hub_at_work(ready, tmp_path, RECEIVERS) as hub,
        Proxy(ready.broker.host, ready.broker.port) as proxy,
    ):
        client = client_of(ready, SENDER, port=proxy.port, timing=Timing(confirm=30.0))
        client.publish(TYPE, change(), message_id="one")
        proxy.deafen()
        failures: list[Exception] = []

        def publish() -> None:
            try:
                client.publish(TYPE, change(), message_id="two")
            except OutcomeUnknown as failure:
                failures.append(failure)

        thread = threading.Thread(target=publish)
        thread.start()
        hub.until(lambda: hub.taken == 2)
        began = time.monotonic()
        client.close()
        thread.join()
        assert time.monotonic() - began < SOON
        assert len(failures) == 1
        with pytest.raises(ClientClosed):
            client.publish(TYPE, change(), message_id="three")


def test_a_refusal_by_the_hub_comes_back_as_a_notice(ready: Vhost, tmp_path: Path) -> None:
    notices: list[Notice] = []
    with (
        hub_at_work(ready, tmp_path, [SENDER]),
        client_of(ready, SENDER) as client,
    ):
        client.publish("income.assessed", change(), message_id="not-mine")
        client.receive(lambda _: None, on_notice=notices.append, stopping=lambda: bool(notices))
    assert [(notice.id, notice.code) for notice in notices] == [
        ("not-mine", "message-type-not-permitted")
    ]
