"""What is said of a connection that is gone, with what to do where that is known."""

import pytest
from pika.exceptions import ChannelClosedByBroker, ConnectionClosedByBroker

from hub.broker.parameters import said

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "reason",
    [
        ChannelClosedByBroker(403, "ACCESS_REFUSED - access to queue 'hub.dead-letters' refused"),
        ChannelClosedByBroker(404, "NOT_FOUND - no exchange 'hub.buckets' in vhost 'renkei'"),
        ConnectionClosedByBroker(530, "NOT_ALLOWED - vhost renkei not found"),
    ],
)
def test_a_broker_that_lacks_something_is_said_with_the_command(reason: Exception) -> None:
    assert said(reason).endswith(
        "; renkei broker apply makes what this program needs of the broker"
    )


def test_a_broker_that_is_away_is_no_matter_of_rights() -> None:
    assert "apply" not in said(ConnectionClosedByBroker(320, "CONNECTION_FORCED"))
