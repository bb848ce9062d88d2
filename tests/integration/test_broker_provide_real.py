"""The broker of the environment is used as it is, and left as it is."""

from pathlib import Path
from urllib.parse import quote

import pytest

from hub.broker.provide import Machine, ProvidedBroker, provide
from tests.conftest import Vhost

pytestmark = pytest.mark.integration


def test_the_provided_broker_serves(broker: ProvidedBroker) -> None:
    with broker.management() as management:
        assert management.get("overview")["rabbitmq_version"]


def test_a_configured_broker_is_used_and_not_stopped(vhost: Vhost, tmp_path: Path) -> None:
    broker = vhost.broker
    password = quote(broker.admin_password.get_secret_value(), safe="")
    address = f"amqp://{broker.admin_user}:{password}@{broker.host}:{broker.port}/{vhost.name}"
    environment = {
        "RENKEI_BROKER_URL": address,
        "RENKEI_BROKER_MANAGEMENT_URL": broker.management_url,
    }
    with provide(tmp_path, machine=Machine(environment=environment)) as same:
        assert same.kind == "configured"
        assert (same.port, same.vhost) == (broker.port, vhost.name)
    assert list(tmp_path.iterdir()) == []
    assert vhost.management.get("vhosts", vhost.name)["name"] == vhost.name
