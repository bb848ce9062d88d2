"""While residents move to other partitions nobody may write, also nobody that is not planned."""

import pytest

from hub.broker.apply import apply
from hub.broker.topology import NOTHING
from hub.errors import BrokerError
from tests.unit.test_broker_apply import PASSWORDS, VHOST, Broker, empty, planned, run

pytestmark = pytest.mark.unit


def test_a_user_of_a_system_that_has_left_may_not_write_while_residents_move() -> None:
    broker = Broker()
    run(broker, 2)
    # A system that left the catalogue; its user, exchange and connection are still there.
    broker.put("exchanges", VHOST, "in.gone", body={"type": "topic", "durable": True})
    broker.rows["exchanges", VHOST, "in.gone"] |= {"arguments": {}, "internal": False}
    ends = ("bindings", VHOST, "e", "in.gone", "e", "hub.buckets")
    broker.post(*ends, body={"routing_key": "#", "arguments": {}})
    broker.put("users", "gone", body={"tags": "", "password": "x"})
    rights = {"configure": NOTHING, "write": r"^in\.gone$", "read": NOTHING}
    broker.put("permissions", VHOST, "gone", body=rights)
    broker.connected = {"gone": 1, "tax": 1}
    seen: list[dict[str, str]] = []
    with pytest.raises(BrokerError, match="not as planned"):
        apply(
            broker,  # type: ignore[arg-type]
            VHOST,
            planned(1),
            PASSWORDS,
            depth=empty,
            settle=lambda _: seen.append(broker.writes()),
        )
    assert set(seen[0].values()) == {NOTHING}, seen[0]
