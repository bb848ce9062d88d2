"""What a private node is told about itself."""

import pytest
from pydantic import SecretStr

from hub.broker.node_config import Membership, rabbitmq_conf
from hub.broker.plan import MESSAGE_BYTES
from hub.message import MAX_BODY_BYTES

pytestmark = pytest.mark.unit

PORTS = {"amqp": 20_001, "management": 20_002}


def settings(text: str) -> dict[str, str]:
    lines = (line.partition(" = ") for line in text.splitlines())
    return {name: value for name, _, value in lines}


def test_the_broker_takes_no_message_that_is_far_beyond_what_the_hub_reads() -> None:
    said = settings(rabbitmq_conf(PORTS, "secret"))
    assert MAX_BODY_BYTES < int(said["max_message_size"]) == MESSAGE_BYTES <= 1_048_576


def test_the_nodes_of_a_cluster_know_one_another() -> None:
    nodes = ("a@localhost", "b@localhost")
    said = settings(rabbitmq_conf(PORTS, "s", Membership(nodes, 1, SecretStr("c"), "s")))
    assert said["cluster_formation.classic_config.nodes.2"] == "b@localhost"
    assert said["listeners.tcp.1"] == "127.0.0.1:20001"
