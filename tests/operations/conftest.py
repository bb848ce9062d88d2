"""The demo and the browser that the tests of a module share."""

import json
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from hub.broker.management import Management
from hub.broker.node_config import ADMIN
from hub.ledger.beside import Shelf
from hub.names import outbound_queue
from tests.demo_rig import Renkei
from tests.operations.rig import AtBrowser, Served, at_browser
from tests.servers.packages import rabbitmq_is_here

RECEIVER = "union"
"""Whose copies die: something of it comes every day."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a demo that goes on, with its console; a day each half minute: quiet between.

    Each module has one of its own: what people at a browser leave undone would be told by alerts.
    """
    rabbitmq_is_here(print)
    folder = tmp_path_factory.mktemp("served")
    state = folder / "state"
    city = ("--residents", "200", "--days", "1", "--every", "30")
    run = Renkei(folder / "run", ("demo", "--serve", "--console", *city, "--state", str(state)))
    try:
        run.until_said("trying what no statute permits")
        found = Served(run, state)
        run.until(found.answers, "the console")
        yield found
    finally:
        run.end()


@pytest.fixture(scope="module")
def person(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtBrowser]:
    """Give somebody at a browser, whom all tests of a module share."""
    with at_browser(served, tmp_path_factory.mktemp("browser")) as one:
        yield one


@pytest.fixture(scope="module")
def two_dead(served: Served) -> list[int]:
    """Have two copies die in the broker: their receiver is away, and they may not wait there.

    Others die with them: a list has more than these two.
    """
    queue = outbound_queue(RECEIVER)
    node = json.loads((served.state / "broker" / "node.json").read_text(encoding="utf-8"))
    broker = served.site.broker
    short = {"pattern": f"^{queue}$", "definition": {"message-ttl": 1}, "apply-to": "queues"}
    served.hold(f"adapter-{RECEIVER}")
    with Management(broker.management_url, ADMIN, SecretStr(node["password"])) as management:
        management.put("operator-policies", broker.vhost, "short", body=short)
        try:
            served.until(lambda: len(served.waiting(Shelf.DEAD_LETTER)) > 2, "dead letters")
        finally:
            management.delete("operator-policies", broker.vhost, "short")
            served.hold()
    return [one.id for one in served.waiting(Shelf.DEAD_LETTER)][:2]


@pytest.fixture(scope="module")
def other_site(served: Served) -> None:
    """Have two persons decide about confirmations, and people come by the office's login.

    That login answers nobody. It stays so: tests that need it stand last in a module.
    """
    file = served.state / "site.toml"
    served.hold("console")
    served.until(lambda: not served.answers(), "the console to end")
    accounts = json.dumps([known.account for known in served.known.values()])
    text = file.read_text(encoding="utf-8")
    text = text.replace("[hub]\n", '[hub]\nsecond_person = ["confirmations"]\n', 1)
    (served.state / "oidc-secret").write_text("of nobody", encoding="utf-8")
    (served.state / "oidc-secret").chmod(0o600)
    more = (
        "[console.oidc]",
        'issuer = "http://127.0.0.1:9"',
        'client_id = "renkei-console"',
        'client_secret_file = "oidc-secret"',
        f"emergency = {accounts}",
    )
    file.write_text("\n".join([text, *more, ""]), encoding="utf-8")
    served.hold()
    served.until(served.answers, "the console")
