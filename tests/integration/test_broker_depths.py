"""What queues hold, over one kept connection, and the way through the broker and back."""

from dataclasses import replace

import pytest
from pika.adapters.blocking_connection import BlockingChannel

from hub.broker.ask import ask
from hub.broker.depth import Depth, Depths
from hub.broker.roundtrip import round_trip
from hub.errors import BrokerError
from hub.hosts import Host
from hub.names import OUT_EXCHANGE, PROBE_QUEUE
from hub.site import HUB_USER
from tests.conftest import Vhost

pytestmark = pytest.mark.integration

OUT = "out.tax"
BODY = b"nobody's"


def publish(vhost: Vhost, key: str, number: int = 1) -> None:
    def sent(channel: BlockingChannel) -> None:
        channel.confirm_delivery()
        for _ in range(number):
            channel.basic_publish(OUT_EXCHANGE, key, BODY, mandatory=True)

    settings = vhost.settings(HUB_USER)
    ask(settings, Host(settings.host, settings.port), sent)


def test_depths_are_told_over_one_connection_and_what_is_missing_is_left_out(
    vhost: Vhost,
) -> None:
    vhost.apply(["tax"])
    depths = Depths(vhost.settings(HUB_USER))
    try:
        publish(vhost, "tax", 3)
        assert depths.look(["no.such", OUT, "hub.in.0"]) == {OUT: Depth(3, 0), "hub.in.0": (0, 0)}
        first = depths._connection
        publish(vhost, "tax")
        assert depths.look([OUT]) == {OUT: (4, 0)}
        assert depths._connection is first
    finally:
        depths.close()


def test_a_probe_goes_round_and_leaves_nothing_also_after_one_that_stayed(vhost: Vhost) -> None:
    vhost.apply(["tax"])
    settings = vhost.settings(HUB_USER)
    publish(vhost, PROBE_QUEUE)
    assert 0 < round_trip(settings) < 3
    depths = Depths(settings)
    try:
        assert depths.look([PROBE_QUEUE]) == {PROBE_QUEUE: (0, 0)}
    finally:
        depths.close()


def test_a_broker_that_was_not_told_of_the_queue_says_what_to_run(vhost: Vhost) -> None:
    vhost.apply(["tax"])
    vhost.management.delete("queues", vhost.name, PROBE_QUEUE)
    with pytest.raises(BrokerError, match=r"hub\.probe is not there: run renkei broker apply"):
        round_trip(vhost.settings(HUB_USER))
    with pytest.raises(BrokerError, match="cannot be reached"):
        round_trip(replace(vhost.settings(HUB_USER), port=9))
