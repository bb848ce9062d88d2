"""A cluster of three RabbitMQ nodes on this machine, for tests and drills: killed, frozen, back."""

import secrets
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Self

from pydantic import SecretStr

from hub.broker.free import free_ports
from hub.broker.group import Group
from hub.broker.install import find_installation
from hub.broker.management import Management, first_answering
from hub.broker.node import PrivateNode
from hub.broker.node_config import Membership, epmd_command
from hub.hosts import Host

SIZE = 3
SETTLED_SECONDS = 60.0


class PrivateCluster:
    """Nodes with a port mapper in common; a context manager that leaves no process behind."""

    def __init__(self, folder: Path) -> None:
        found = find_installation()
        if found is None:
            raise RuntimeError("RabbitMQ is not installed")
        self._installation = found
        self._folder = folder
        self._group: Group | None = None
        names = [f"renkei-{number}" for number in range(1, SIZE + 1)]
        self._membership = Membership(
            nodes=tuple(f"{name}@localhost" for name in names),
            epmd=free_ports(1)[0],
            cookie=SecretStr(secrets.token_hex(20)),
            password=secrets.token_urlsafe(24),
        )
        self.nodes = [
            PrivateNode(folder / name, name=name, installation=found, membership=self._membership)
            for name in names
        ]

    @property
    def hosts(self) -> list[Host]:
        """Where each node listens for AMQP."""
        return [Host(node.host, node.port) for node in self.nodes]

    def node_of(self, name: str) -> PrivateNode:
        """Give a node by its Erlang name."""
        return next(node for node in self.nodes if node.erlang_name == name)

    def others(self, node: PrivateNode) -> list[PrivateNode]:
        """Give all nodes but one."""
        return [other for other in self.nodes if other is not node]

    def management(self, node: PrivateNode | None = None) -> Management:
        """Open the management API of a node, or of the first that answers, as administrator."""
        urls = [one.management_url for one in ([node] if node else self.nodes)]
        user, password = self.nodes[0].admin_user, self.nodes[0].admin_password
        return Management(first_answering(urls, user, password), user, password)

    # -- its life ------------------------------------------------------------------------

    def start(self) -> None:
        """Start the port mapper and the nodes one by one; the first one founds the cluster."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._group = Group("renkei-cluster")
        with (self._folder / "epmd.log").open("ab") as output:
            command = epmd_command(self._installation, self._membership.epmd)
            self._group.spawn(command, {"LANG": "C.UTF-8"}, output)
        for node in self.nodes:
            node.start()
            # A vhost that is made while a node has not quite started is never whole, and two
            # nodes that join at the same time may wait for each other (3.10).
            until(partial(_started, node), what=f"{node.erlang_name} has started")

    def stop(self) -> None:
        """End every process; nothing of the data is needed any more."""
        for node in self.nodes:
            node.kill()
            node.stop()
        if self._group is not None:
            self._group.end()
            self._group = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _started(node: PrivateNode) -> bool:
    return "Server startup complete" in (node.folder / "log" / "rabbit.log").read_text()


def queues_of(management: Management, vhost: str) -> dict[str, dict[str, Any]]:
    """Give what the management API says of each queue, by its name."""
    return {row["name"]: row for row in management.get("queues", vhost)}


def until(holds: Callable[[], bool], seconds: float = SETTLED_SECONDS, what: str = "") -> float:
    """Wait until it holds, and give how long that took.

    Raises:
        AssertionError: it does not hold in time.
    """
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, f"not within {seconds:g} s: {what}"
        time.sleep(0.1)
    return time.monotonic() - began
