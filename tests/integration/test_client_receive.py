"""Receiving with the client kit: receipts, faults of handlers, of the network, of the broker."""

import time
from pathlib import Path

import pytest

from hub.broker.link import PikaLink
from hub.client import CannotUse, Copy, Event, Refused, Timing
from hub.ledger.model import Kind
from hub.names import DEAD_QUEUE, outbound_queue
from hub.ports import Outgoing, Sent
from hub.site import HUB_USER
from tests.client_rig import (
    LIMIT_SECONDS,
    PARTITIONS,
    SOON,
    Collector,
    change,
    client_of,
    hub_at_work,
    receipted,
    running,
    send_copies,
)
from tests.conftest import Vhost
from tests.proxy import Proxy

pytestmark = pytest.mark.integration

SENDER = "resident-registry"
SYSTEM = "union"
SYSTEMS = [SENDER, "premium-collection", SYSTEM]
TYPE = "resident.changed"


@pytest.fixture
def ready(vhost: Vhost) -> Vhost:
    vhost.apply(SYSTEMS, PARTITIONS)
    return vhost


def test_a_handled_copy_is_receipted_in_the_ledger_and_gone(ready: Vhost, tmp_path: Path) -> None:
    copies: list[Copy] = []
    with (
        hub_at_work(ready, tmp_path, SYSTEMS) as hub,
        client_of(ready, SENDER) as sender,
        client_of(ready, SYSTEM) as client,
    ):
        sender.publish_many([Event(TYPE, change(str(n)), f"m{n}") for n in range(20)])
        assert client.receive(copies.append, stopping=lambda: len(copies) >= 20) == 20
        hub.until(lambda: len(hub.of(Kind.RECEIPT)) == 20)
        end = time.monotonic() + 0.5
        assert client.receive(copies.append, stopping=lambda: time.monotonic() > end) == 0
    assert {entry.code for entry in hub.of(Kind.RECEIPT)} == {"delivered"}
    assert {copy.flow for copy in copies} == {"M1b"}
    assert "scope" not in copies[0].data


def test_a_copy_that_cannot_be_used_is_receipted_with_its_code(
    ready: Vhost, tmp_path: Path
) -> None:
    seen: list[str] = []

    def cannot(copy: Copy) -> None:
        seen.append(copy.id)
        raise CannotUse("address-unknown")

    with (
        hub_at_work(ready, tmp_path, SYSTEMS) as hub,
        client_of(ready, SENDER) as sender,
        client_of(ready, SYSTEM) as client,
    ):
        sender.publish(TYPE, change(), message_id="one")
        client.receive(cannot, stopping=lambda: bool(seen))
        hub.until(lambda: bool(hub.of(Kind.RECEIPT)))
    assert hub.of(Kind.RECEIPT)[0].code == "address-unknown"


def test_a_handler_may_publish(ready: Vhost, tmp_path: Path) -> None:
    with hub_at_work(ready, tmp_path, SYSTEMS) as hub, client_of(ready, SYSTEM) as client:
        send_copies(ready, SYSTEM, [f"m{n}" for n in range(200)])
        answered: list[str] = []

        def answer(copy: Copy) -> None:
            client.publish(TYPE, change(), message_id=f"answer-{copy.id}")
            answered.append(copy.id)

        assert client.receive(answer, stopping=lambda: len(answered) >= 200) == 200
        hub.until(lambda: len([e for e in hub.of(Kind.REFUSAL) if e.message_type == TYPE]) == 200)


def test_a_handler_that_fails_leaves_its_message_and_all_behind_it(ready: Vhost) -> None:
    ids = [f"m{n}" for n in range(10)]
    send_copies(ready, SYSTEM, ids)
    seen: list[str] = []

    def fail_once(copy: Copy) -> None:
        seen.append(copy.id)
        if seen.count("m4") == 1 and copy.id == "m4":
            raise RuntimeError("the database is away")

    with client_of(ready, SYSTEM) as client:
        with pytest.raises(RuntimeError, match="away"):
            client.receive(fail_once)
        client.receive(fail_once, stopping=lambda: len(seen) >= 11)
    assert seen == [*ids[:5], *ids[4:]]
    assert sorted(receipted(ready, 10)) == ids


def test_failing_again_and_again_does_not_change_the_order(ready: Vhost) -> None:
    ids = [f"m{n:03}" for n in range(120)]
    send_copies(ready, SYSTEM, ids)
    seen: list[str] = []

    def fail_often(copy: Copy) -> None:
        if copy.id in {"m001", "m040", "m099"} and failures[copy.id] > 0:
            failures[copy.id] -= 1
            raise RuntimeError("the database is away")
        seen.append(copy.id)

    failures = dict.fromkeys(("m001", "m040", "m099"), 3)
    with client_of(ready, SYSTEM) as client:
        for _ in range(9):
            with pytest.raises(RuntimeError):
                client.receive(fail_often)
        client.receive(fail_often, stopping=lambda: len(seen) >= len(ids))
    assert seen == ids


def test_what_does_not_come_from_the_hub_goes_to_the_dead_letters(ready: Vhost) -> None:
    with PikaLink(ready.settings()) as link:
        foreign = Outgoing("", outbound_queue(SYSTEM), b"{}", "foreign", TYPE)
        assert link.publish([foreign]) == [Sent.CONFIRMED]
    with PikaLink(ready.settings(HUB_USER)) as link:
        unreadable = Outgoing("hub.out", SYSTEM, b"{}", "unreadable", TYPE)
        assert link.publish([unreadable]) == [Sent.CONFIRMED]
    send_copies(ready, SYSTEM, ["m1", "m2"])
    collect = Collector()
    with client_of(ready, SYSTEM) as client:
        assert client.receive(collect, stopping=lambda: len(collect.ids) >= 2) == 2
    assert collect.ids == ["m1", "m2"]
    with PikaLink(ready.settings(None, (DEAD_QUEUE,))) as link:
        dead = link.take(10, 10.0)
        dead += link.take(10, 10.0) if len(dead) < 2 else []
    assert len(dead) == 2


def test_receiving_goes_on_after_the_connection_was_cut(ready: Vhost) -> None:
    collect = Collector()
    with (
        Proxy(ready.broker.host, ready.broker.port) as proxy,
        client_of(ready, SYSTEM, port=proxy.port) as client,
    ):
        receiving = running(lambda: client.receive(collect))
        for round_number in range(3):
            proxy.cut()
            send_copies(ready, SYSTEM, [f"m{round_number}-{n}" for n in range(20)])
            collect.until(20 * (round_number + 1))
        client.close()
        receiving.join(LIMIT_SECONDS)
    assert set(receipted(ready, 60)) == set(collect.ids)


def test_closing_from_another_thread_ends_it_soon(ready: Vhost) -> None:
    collect = Collector()
    client = client_of(ready, SYSTEM)
    receiving = running(lambda: client.receive(collect))
    send_copies(ready, SYSTEM, ["m1"])
    collect.until(1)
    began = time.monotonic()
    client.close()
    receiving.join(LIMIT_SECONDS)
    assert time.monotonic() - began < SOON
    assert receipted(ready, 1) == ["m1"]


def test_closing_in_a_handler_still_sends_the_receipt(ready: Vhost) -> None:
    send_copies(ready, SYSTEM, ["m1", "m2"])
    seen: list[str] = []
    client = client_of(ready, SYSTEM)

    def last(copy: Copy) -> None:
        seen.append(copy.id)
        client.close()

    assert client.receive(last) == 1
    assert seen == ["m1"]
    assert receipted(ready, 1) == ["m1"]


def test_closing_ends_it_while_the_broker_is_away(ready: Vhost) -> None:
    with Proxy(ready.broker.host, ready.broker.port) as proxy:
        port = proxy.port
    client = client_of(ready, SYSTEM, port=port)
    results: list[int] = []
    receiving = running(lambda: results.append(client.receive(Collector())))
    client.close()
    receiving.join(SOON)
    assert results == [0]


def test_an_idle_connection_is_kept_alive(ready: Vhost) -> None:
    timing = Timing(heartbeat=1)
    with (
        Proxy(ready.broker.host, ready.broker.port) as proxy,
        client_of(ready, SYSTEM, port=proxy.port, timing=timing) as client,
    ):
        end = time.monotonic() + 4.0
        client.receive(Collector(), stopping=lambda: time.monotonic() > end)
        assert proxy.connections == 1


def test_a_silent_broker_is_noticed_by_its_heartbeats(ready: Vhost) -> None:
    collect = Collector()
    with (
        Proxy(ready.broker.host, ready.broker.port) as proxy,
        client_of(ready, SYSTEM, port=proxy.port, timing=Timing(heartbeat=1)) as client,
    ):
        receiving = running(lambda: client.receive(collect))
        send_copies(ready, SYSTEM, ["m1"])
        collect.until(1)
        proxy.deafen()
        send_copies(ready, SYSTEM, ["m2"])
        collect.until(2)
        client.close()
        receiving.join(LIMIT_SECONDS)


def test_a_foreign_queue_is_refused_at_once(ready: Vhost) -> None:
    body = {"configure": "^$", "write": "^in\\.union$", "read": "^out\\.tax$"}
    ready.management.put("permissions", ready.name, SYSTEM, body=body)
    with client_of(ready, SYSTEM) as client, pytest.raises(Refused, match="403"):
        client.receive(Collector())
