"""Receiving with the client kit while the broker restarts; on a broker of this test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.broker.provide import Machine, ProvidedBroker, provide
from tests.client_rig import (
    LIMIT_SECONDS,
    PARTITIONS,
    Collector,
    client_of,
    receipted,
    running,
    send_copies,
)
from tests.conftest import Vhost

pytestmark = pytest.mark.integration

SYSTEM = "union"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ProvidedBroker]:
    # Not the session's: a restart is nothing to do to the tests that follow.
    with provide(tmp_path, machine=Machine(environment={})) as provided:
        yield provided


def test_receiving_goes_on_after_the_broker_restarted(vhost: Vhost) -> None:
    vhost.apply([SYSTEM], PARTITIONS)
    collect = Collector()
    with client_of(vhost, SYSTEM) as client:
        receiving = running(lambda: client.receive(collect))
        send_copies(vhost, SYSTEM, [f"a{n}" for n in range(20)])
        collect.until(20)
        restart(vhost)
        send_copies(vhost, SYSTEM, [f"b{n}" for n in range(20)])
        collect.until(40)
        client.close()
        receiving.join(LIMIT_SECONDS)
        assert not receiving.is_alive()
    assert len(set(receipted(vhost, 40))) == 40


def restart(vhost: Vhost) -> None:
    """Restart the broker; where it is a container, have it close the connections."""
    node = vhost.broker.node
    if node is not None:
        node.stop()
        node.start()
        return
    for row in vhost.management.get("vhosts", vhost.name, "connections"):
        vhost.management.delete("connections", row["name"])
