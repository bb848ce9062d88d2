"""A drill ground on several hosts, set up by the commands that the manual names, in its order.

RabbitMQ, PostgreSQL and each hub worker have a host of their own; the adapters, the system that
speaks AMQP itself and whoever drills are on the host ``office``. Every connection between hosts is
by certificate. A worker's host has no more of the site than docs/operations/scaling.md says.
"""

import contextlib
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import make_url

from hub.broker.conf import Secure, ServerFiles
from hub.broker.node import PrivateNode
from hub.broker.node_config import ADMIN as ADMINISTRATOR
from hub.compose.broker import administrator
from hub.demo.state import write_atomically
from hub.hosts import Host
from hub.pki.names import broker_process
from tests.demo_rig import Renkei
from tests.fault.ground import SPEAKS, Ground
from tests.servers.hosts import Network, program
from tests.servers.postgresql import ADMIN, PostgresqlServer, programs

OFFICE, BROKER, DATABASE = "office", "broker", "database"
WORKERS = ("host-a", "host-b")
METRICS_PORT = "9464"
"""The same on every host of a worker."""
NEEDED = (
    "site.toml",
    "secrets/pseudonym-key",
    "secrets/ledger-key",
    "pki/trust",
    "pki/crls",
    "pki/parties",
    "pki/hub",
)
"""What is brought to the host of a worker, as docs/operations/scaling.md lists it."""
PARTITIONS = 4
STOP_SECONDS = 30.0
SHARED = "the hub's workers are "
SITE = """\
[tls]
folder = "pki"

[broker]
host = "{broker}"
port = {port}
management_url = "https://{management}"
admin_user = "{administrator}"
admin_password_file = "secrets/broker-admin"
monitor_password_file = "secrets/broker-monitor"

[hub]
ledger = "{ledger}"
pseudonym_key_file = "secrets/pseudonym-key"
partitions = {partitions}
"""
SYSTEM = """
[systems.{system}]
folder = "drives/{system}"
journal = "journals/{system}.sqlite3"
poll_seconds = 0.1
file_seconds = 0.2
settle_seconds = 1.0
"""


@dataclass
class SpreadGround(Ground):
    """A ground on the hosts of a network; whoever uses it is on the host ``office``."""

    network: Network = field(kw_only=True)
    running: dict[str, Renkei] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"amqps://{self.secure.amqp}/{self.vhost}"

    @property
    def vhost(self) -> str:
        return "renkei"

    @property
    def secure(self) -> Secure:
        """Where the broker is reached."""
        assert self.node.secure is not None
        return self.node.secure

    def version(self) -> str:
        with administrator(self.checked()[0]) as management:
            return str(management.get("overview")["rabbitmq_version"])

    def share(self, worker: str) -> str:
        """Give what a worker said last about who works on what; empty while it has not."""
        said = [line for line in self.running[worker].err.splitlines() if SHARED in line]
        return said[-1].partition(SHARED)[2] if said else ""

    # -- bringing it about ---------------------------------------------------------------

    def _lay(self, stack: ExitStack) -> None:
        assert self.database is not None
        at_broker, at_database = self.network[BROKER], self.network[DATABASE]
        self.state.root.mkdir(parents=True)
        # Who is certified follows from the hosts; ports are known once something listens there.
        self._write_site(
            Host(at_broker.address, 5671),
            Host(at_broker.address, 15671),
            f"postgresql+pg8000://{ADMIN}@{at_database.address}/ledger",
        )
        for command in (("site", "init"), ("pki", "init"), ("pki", "issue", "--all")):
            self.must(*command)
        stack.enter_context(at_broker.holding(self.node))
        stack.enter_context(at_database.holding(self.database))
        url = make_url(stack.enter_context(at_database.holding(self.database.database())))
        ledger = url._replace(password=None, host=at_database.address)
        self._write_site(self.secure.amqp, self.secure.management, str(ledger))
        password = self.node.admin_password.get_secret_value()
        write_atomically(self.state.secret("broker-admin"), f"{password}\n")
        for command in (("site", "check"), ("broker", "apply"), ("ledger", "migrate")):
            self.must(*command)
        stack.callback(self.stop)
        self.start()

    def _write_site(self, broker: Host, management: Host, ledger: str) -> None:
        systems = (SYSTEM.format(system=system) for system in (*self.files, SPEAKS))
        text = SITE.format(
            broker=broker.name,
            port=broker.port,
            management=management,
            administrator=ADMINISTRATOR,
            ledger=ledger,
            partitions=PARTITIONS,
        )
        write_atomically(self.state.site_file, text + "".join(systems))

    def start(self) -> None:
        """Start the adapters here, and each worker on its host."""
        for system in self.files:
            self._run(f"adapter-{system}", "adapter", system, "--site", str(self.state.site_file))
        for worker in WORKERS:
            self.start_worker(worker)

    def start_worker(self, worker: str) -> None:
        """Start a worker on its host, with what was brought there."""
        site = self._brought(self.folder / worker)
        with self.network[worker].entered():
            self._run(
                worker,
                *("hub", "--site", str(site), "--name", worker),
                *("--metrics-port", METRICS_PORT),
            )

    def _brought(self, folder: Path) -> Path:
        """Bring what a worker needs to the disk of its host; give the site file there."""
        for name in NEEDED:
            source, there = self.state.root / name, folder / name
            there.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, there, dirs_exist_ok=True)
            else:
                shutil.copy(source, there)
        return folder / self.state.site_file.name

    def _run(self, name: str, *arguments: str) -> None:
        self.runs += 1
        self.running[name] = Renkei(self.folder / f"{name}-{self.runs}", arguments)

    # -- running it ----------------------------------------------------------------------

    def until_working(self) -> None:
        for run in self.running.values():
            run.until_said(" is working")

    def lose(self, worker: str) -> None:
        """Lose the host of a worker with all that runs there, as by a loss of power."""
        self.network[worker].lose()
        assert self.running[worker].ended() == -signal.SIGKILL

    def bring_back(self, worker: str) -> None:
        """Switch the lost host of a worker on, and start the worker again."""
        self.network[worker].boot()
        self.start_worker(worker)

    def pids(self) -> dict[str, int]:
        return {name: run.process.pid for name, run in self.running.items()}

    def tend(self) -> None:
        """Leave all as it is: what is lost here comes back when the drill has seen enough."""

    def whole(self) -> None:
        """See that all runs: who loses a host brings it back."""
        for name, run in self.running.items():
            assert run.process.poll() is None, f"{name} has ended: {run.err}"

    def stop(self) -> None:
        for run in self.running.values():
            run.process.terminate()
        for run in self.running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                run.ended(STOP_SECONDS)
            run.end()


def install() -> None:
    """Install what runs on the hosts, which themselves have no way to get anything."""
    programs()
    program()


@contextmanager
def spread(folder: Path) -> Iterator[SpreadGround]:
    """Give the hosts of a ground and the ground, to be entered; this thread is on ``office``."""
    with Network((OFFICE, BROKER, DATABASE, *WORKERS)) as network, network[OFFICE].entered():
        pki = folder.resolve() / "site" / "pki"
        broker, database = network[BROKER].address, network[DATABASE].address
        files = ServerFiles.below(pki, broker_process(broker))
        node = PrivateNode(folder / "node", certificate=files, listen=broker)
        server = PostgresqlServer(certificates=pki, listen=database)
        yield SpreadGround(folder, node, server, network=network)
