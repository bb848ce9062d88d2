"""A private broker with a site of the hub in it, and two plain queues of the same kind beside."""

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import numbered
from bench.children import Child, running
from bench.events import KIND, RECEIVER, SENDER
from bench.place import Place
from bench.site import make_site
from hub.broker.management import Management
from hub.broker.provide import ProvidedBroker
from hub.errors import BrokerError
from hub.names import inbound_exchange, outbound_queue
from hub.processes import commands_of, worker_names
from hub.site import load_site, read_secret

SOURCE, TARGET = "bench.source", "bench.target"
ARRIVED = outbound_queue(RECEIVER)
FILL_SECONDS = 600.0
FORGET_SECONDS = 120.0
SETTLE_SECONDS = 2.0
"""A quorum queue that was just made needs its leader."""


@dataclass(frozen=True, slots=True)
class Stand:
    """A site between two systems, whose hub's queues can be filled and whose hub can be run."""

    folder: Path
    site: Path
    vhost: str
    broker: ProvidedBroker
    management: Management

    def place(self, user: str = "") -> Place:
        """Say where to connect to, as the administrator or as a system."""
        broker = self.broker
        if not user:
            password = broker.admin_password
            return Place(
                broker.host, broker.port, self.vhost, broker.admin_user, password.get_secret_value()
            )
        secret = read_secret(load_site(self.site).systems[user].password_file)
        return Place(broker.host, broker.port, self.vhost, user, secret.get_secret_value())

    @property
    def broker_pids(self) -> Mapping[str, int]:
        """The broker's process, where it is this machine's own."""
        return {"broker": self.broker.node.pids["server"]} if self.broker.node else {}

    def hub_queues(self) -> list[str]:
        """Name the partitions."""
        queues = [queue["name"] for queue in self.management.get("queues", self.vhost)]
        return sorted(name for name in queues if name.startswith("hub.in."))

    def purge(self, *queues: str) -> None:
        """Empty queues."""
        for queue in queues:
            self.management.delete("queues", self.vhost, queue, "contents")

    def fill_hub(self, count: int) -> None:
        """Publish events of the sender into the hub's queues."""
        self._fill(self.place(SENDER), inbound_exchange(SENDER), KIND, count)

    def fill_numbered(self, count: int, keys: str) -> None:
        """Publish events with 個人番号: sealed by a folder of certificates, or in clear."""
        sender = numbered.SENDER
        place, exchange = self.place(sender), inbound_exchange(sender)
        self._fill(place, exchange, numbered.KIND, count, numbers=keys)

    def fill_source(self, count: int) -> None:
        """Publish the same events into the plain queue."""
        self._fill(self.place(), "", SOURCE, count)

    def _fill(self, place: Place, exchange: str, key: str, count: int, **more: str) -> None:
        order = place.asked(
            run=secrets.token_hex(8),
            count=count,
            first=0,
            exchange=exchange,
            key=key,
            pace=0,
            times="",
            **more,
        )
        with running(["bench.parts.sender"], self.folder / "sender.log", order) as sender:
            sender.finished(FILL_SECONDS)

    @contextmanager
    def hub(self) -> Iterator[dict[str, Child]]:
        """Run the hub's worker, or as many as the site says, as ``renkei up`` does."""
        names = worker_names(load_site(self.site).hub.workers)
        commands = commands_of(self.site, (), names)
        with ExitStack() as stack:
            yield {
                name: stack.enter_context(
                    running(["hub.cli.main", *commands[name]], self.folder / f"{name}.log")
                )
                for name in names
            }


@contextmanager
def stand(
    folder: Path,
    broker: ProvidedBroker,
    *,
    ledger: str = "",
    hub: Mapping[str, int] | None = None,
    systems: Sequence[str] = (SENDER, RECEIVER),
) -> Iterator[Stand]:
    """Make a site with everything declared; its vhost goes with the block."""
    site, vhost = make_site(folder, broker, systems, ledger=ledger, hub=hub)
    with broker.management() as management:
        rights = {"configure": r"^bench\.", "write": ".*", "read": ".*"}
        management.put("permissions", vhost, broker.admin_user, body=rights)
        # Of the same kind as the receivers' queues: what differs is what moves between them.
        arguments = management.get("queues", vhost, ARRIVED)["arguments"]
        for queue in (SOURCE, TARGET):
            management.put("queues", vhost, queue, body={"durable": True, "arguments": arguments})
        time.sleep(SETTLE_SECONDS)
        yield Stand(folder, site, vhost, broker, management)
        forget(management, vhost)


def forget(management: Management, vhost: str) -> None:
    """Delete a vhost with its queues.

    One whose queues held a million messages takes long, and RabbitMQ answers with a fault
    meanwhile: it is asked again until it is gone.

    Raises:
        BrokerError: it is still there.
    """
    deadline = time.monotonic() + FORGET_SECONDS
    while True:
        try:
            management.delete("vhosts", vhost)
        except BrokerError:
            if time.monotonic() > deadline:
                raise
            time.sleep(SETTLE_SECONDS)
        else:
            return
