"""What every tier shares: a real broker for the session, and a vhost of its own for a test.

Several workers may share the tests out among them, whole files at a time (``make test``). Each
has its own session, so its own broker and database server, and names and ports that no other
has. What they share is the machine's list of packages (``tests/servers/packages.py``) and its
cores: no test may take a time that is short only where nothing else runs.
"""

import datetime as dt
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from hypothesis import settings
from pydantic import SecretStr

from hub.broker import free
from hub.broker.apply import apply
from hub.broker.conf import ServerFiles
from hub.broker.free import HOST
from hub.broker.link import LinkSettings
from hub.broker.management import Management
from hub.broker.node import PrivateNode
from hub.broker.plan import plan
from hub.broker.provide import URL, Machine, ProvidedBroker, private_node, provide
from hub.broker.topology import Topology
from hub.message import RECEIPT_TYPE
from hub.pki.names import POSTGRESQL, Profile, broker_process
from hub.pki.store import Store
from hub.site import HUB_USER
from schemas import MESSAGE_TYPES
from tests.servers.packages import rabbitmq_is_here

TIERS = ("fault", "integration", "contract", "unit")
"""In this order, so that no long file is left to one worker at the end."""

MOST_WORKERS = 4
"""Each has a broker of its own, and more of them would only wait for one another's disk."""

MEMORY, MEMORY_BYTES = Path("/dev/shm"), 3 * 2**30  # noqa: S108 - pytest makes its own folder
"""A file system in memory, and what has to be free there: several times what the tests use."""

TEST_TYPES = frozenset({*MESSAGE_TYPES, RECEIPT_TYPE, "tax.income", "test.noted"})
"""What a user may publish where a test does not say."""

TLS_BROKER = broker_process(HOST)

settings.register_profile("unhurried", settings(), deadline=None)
settings.load_profile("unhurried")
"""The examples of a property take as long as the machine needs, as all tests do."""


@pytest.fixture(autouse=True)
def signals_as_before() -> Iterator[None]:
    """Let no test keep the ear for signals of a command that it ran in this very process.

    Such a command's guard would end the process some seconds after a later test's signal.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    signal.set_wakeup_fd(-1)
    for number, handler in before.items():
        signal.signal(number, handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the long drills (``make fault``); without it each has its short run."""
    parser.addoption("--long", action="store_true", help="run the drills at full length")
    parser.addoption("--pictures", action="store_true", help="make docs/pictures anew")


def pytest_configure(config: pytest.Config) -> None:
    """Give each worker what is its own alone, and the files of all a place in memory."""
    _part_ports(os.environ.get("PYTEST_XDIST_WORKER", ""))
    _keep_in_memory(config)


def _part_ports(worker: str) -> None:
    """Let a worker, and what it starts, choose from ports from which no other one does."""
    if worker and free.PLACE not in os.environ:
        share = len(free.PORTS) // MOST_WORKERS
        first = free.PORTS[int(worker.removeprefix("gw")) % MOST_WORKERS * share]
        os.environ[free.PLACE] = f"{first}-{first + share - 1}"


def _keep_in_memory(config: pytest.Config) -> None:
    """Keep the tests' files in memory where there is room: every commit would wait for a disk.

    The tests kill processes, never the machine, and what a process wrote survives that.
    """
    root = "PYTEST_DEBUG_TEMPROOT"
    if root in os.environ or config.getoption("--long"):
        return
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_BYTES:
        os.environ[root] = str(MEMORY)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Say what ``-n auto`` is: one for each core; one where all would share a broker's users."""
    cores = len(os.sched_getaffinity(0))
    return 1 if URL in os.environ else min(cores, MOST_WORKERS)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest tiers first; within one nothing changes its place.

    What is ``lasting`` is chosen by ``--long``, and what takes ``pictures`` by ``--pictures``, as
    other tests are by ``-m``.
    """
    for marker, option in (("lasting", "--long"), ("pictures", "--pictures")):
        if not config.getoption(option):
            left_out = [item for item in items if item.get_closest_marker(marker)]
            items[:] = [item for item in items if not item.get_closest_marker(marker)]
            config.hook.pytest_deselected(items=left_out)
    items.sort(key=_tier)


def _tier(item: pytest.Item) -> int:
    marked = (number for number, tier in enumerate(TIERS) if item.get_closest_marker(tier))
    return next(marked, len(TIERS))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Install what the tests with real processes need, one worker after the other."""
    if any(item.get_closest_marker(tier) for tier in ("attack", "fault", "integration")):
        rabbitmq_is_here(_say)


@dataclass
class Vhost:
    """A fresh vhost; ``admin`` settings may do everything in it."""

    name: str
    broker: ProvidedBroker
    management: Management
    passwords: dict[str, SecretStr] = field(default_factory=dict)

    def apply(
        self,
        systems: Collection[str],
        partitions: int = 2,
        sends: Mapping[str, Collection[str]] | None = None,
    ) -> Topology:
        """Bring about the hub's topology, with new passwords for its users.

        Every system may publish whatever a test publishes, unless ``sends`` says what.
        It does not wait as a site has to: a test that kills the broker waits itself.
        """
        allowed = dict.fromkeys(systems, TEST_TYPES) if sends is None else sends
        topology = plan(systems, allowed, partitions)
        self.passwords = {
            user: SecretStr(secrets.token_urlsafe(12)) for user in (HUB_USER, *systems)
        }
        apply(self.management, self.name, topology, self.passwords, settle=lambda _: None)
        return topology

    def settings(
        self,
        user: str | None = None,
        queues: tuple[str, ...] = (),
        *,
        password: SecretStr | None = None,
        prefetch: int = 1000,
        heartbeat: int = 10,
    ) -> LinkSettings:
        """Give the settings of a link as a user of the topology, or as the administrator."""
        if user is None:
            user, known = self.broker.admin_user, self.broker.admin_password
        else:
            known = self.passwords.get(user, SecretStr("unknown"))
        return LinkSettings(
            host=self.broker.host,
            port=self.broker.port,
            vhost=self.name,
            user=user,
            password=password or known,
            name=f"test {user}",
            heartbeat=heartbeat,
            prefetch=prefetch,
            queues=queues,
        )

    def declare(self, queue: str, **arguments: str | int | bool) -> None:
        """Declare a quorum queue that only this test knows."""
        body = {"durable": True, "arguments": {"x-queue-type": "quorum", **arguments}}
        self.management.put("queues", self.name, queue, body=body)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Give an authority, and the certificates of servers on loopback that it signed."""
    store = Store.of(tmp_path_factory.mktemp("pki"), "tests")
    now = dt.datetime.now(dt.UTC)
    store.init(now)
    for server in (TLS_BROKER, POSTGRESQL):
        store.issue(Profile(server, server, client=False, hosts=(HOST, "localhost")), now)
    return store


@pytest.fixture(scope="session")
def broker(
    tmp_path_factory: pytest.TempPathFactory, certificates: Store
) -> Iterator[ProvidedBroker]:
    """Give a real broker; that there is none is a failure, never a skip.

    A private node can be reached with TLS as well, on ports of its own.
    """
    files = ServerFiles.below(certificates.folder, TLS_BROKER)
    machine = Machine(node=partial(private_node, certificate=files))
    with provide(tmp_path_factory.mktemp("broker"), _say, machine) as provided:
        yield provided


@pytest.fixture(scope="session")
def tls_node(
    broker: ProvidedBroker, tmp_path_factory: pytest.TempPathFactory, certificates: Store
) -> Iterator[PrivateNode]:
    """Give a private node with TLS: the one that is there, or one beside another kind of broker."""
    if broker.node is not None:
        yield broker.node
        return
    files = ServerFiles.below(certificates.folder, TLS_BROKER)
    with PrivateNode(tmp_path_factory.mktemp("tls-node"), certificate=files) as node:
        yield node


@pytest.fixture
def vhost(broker: ProvidedBroker) -> Iterator[Vhost]:
    """Give a vhost that nobody else uses; it goes away with everything in it."""
    with broker.management() as management:
        name = f"test-{secrets.token_hex(4)}"
        made = Vhost(name, broker, management)
        management.put("vhosts", name)
        management.put(
            "permissions",
            name,
            broker.admin_user,
            body={"configure": ".*", "write": ".*", "read": ".*"},
        )
        try:
            yield made
        finally:
            management.delete("vhosts", name)
