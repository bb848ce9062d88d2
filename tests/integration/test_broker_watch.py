"""The watch's own account on a real broker: made by ``broker apply``, it sees and cannot touch."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from pydantic import SecretStr

from hub.broker.management import Management
from hub.compose.watch import broker_watch
from hub.errors import BrokerError
from hub.site import HUB_USER, load_site
from monitoring.broker import BrokerMetrics
from tests.conftest import Vhost
from tests.walls_rig import NAMED, Office

pytestmark = pytest.mark.integration

MONITOR = "renkei-monitor"


@pytest.fixture
def office(tmp_path: Path, vhost: Vhost) -> Iterator[Office]:
    made = Office(tmp_path, vhost)
    secret = tmp_path / "secrets" / "monitor"
    secret.touch(mode=0o600)
    secret.write_text("m" * 40)
    text = made.site_file.read_text()
    key = 'monitor_password_file = "secrets/monitor"\n[hub]'
    made.site_file.write_text(text.replace("[hub]", key, 1))
    yield made
    for user in (HUB_USER, MONITOR, *NAMED):
        vhost.management.delete("users", user)


def test_the_account_is_made_and_sees_the_queues(office: Office) -> None:
    registry = CollectorRegistry()
    watch = broker_watch(load_site(office.site_file), BrokerMetrics(registry))
    assert watch is not None
    assert "does not accept user" in "".join(watch.look().silent.values())
    assert office.renkei("broker", "apply") == 0
    survey = watch.look()
    assert not list(survey.troubles())
    assert survey.nodes == 1
    assert survey.queues_known
    assert "renkei_broker_nodes 1.0" in generate_latest(registry).decode()
    assert office.renkei("broker", "plan") == 0


def test_the_account_can_change_nothing(office: Office) -> None:
    assert office.renkei("broker", "apply") == 0
    name, url = office.vhost.name, office.vhost.broker.management_url
    with Management(url, MONITOR, SecretStr("m" * 40)) as monitor:
        message = {"count": 1, "ackmode": "ack_requeue_true", "encoding": "auto"}
        changes: list[Callable[[], None]] = [
            partial(monitor.put, "queues", name, "own", body={"durable": True}),
            partial(monitor.put, "users", "own", body={"password": "p", "tags": ""}),
            partial(monitor.post, "queues", name, "out.tax", "get", body=message),
            partial(monitor.delete, "queues", name, "out.tax"),
        ]
        for change in changes:
            with pytest.raises(BrokerError):
                change()


def test_a_site_without_the_account_has_no_watch(office: Office) -> None:
    text = office.site_file.read_text()
    office.site_file.write_text(text.replace('monitor_password_file = "secrets/monitor"\n', ""))
    site = load_site(office.site_file)
    assert broker_watch(site, BrokerMetrics(CollectorRegistry())) is None
