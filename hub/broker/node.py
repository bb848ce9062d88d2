"""A private RabbitMQ node: in a folder of its own, on loopback ports of its own.

Its processes are the node (Erlang's ``beam``), a port mapper (``epmd``) that nobody else
uses, and a guard, which ends both when the process that started them is gone
(``hub.broker.group``). The nodes of a cluster have one port mapper in common.
"""

import re
import secrets
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import SecretStr
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from hub.broker.conf import Secure, ServerFiles
from hub.broker.free import HOST, NODE_PORTS, SECURE_PORTS, choose_ports, is_free
from hub.broker.group import Group
from hub.broker.install import BY_HAND, Installation, find_installation
from hub.broker.node_config import ADMIN, Membership, environment, epmd_command
from hub.broker.node_folder import NodeFolder, NodeState
from hub.broker.probe import NotYet, probe_amqp, probe_management
from hub.errors import BrokerUnavailable
from hub.hosts import Host

START_SECONDS = 90.0
STOP_SECONDS = 3.0
"""Everything but the management agent has stopped long before; that one always takes 5 s, with
nothing to save. What the broker confirmed is on disk in any case, as after a crash."""


class PrivateNode:
    """A RabbitMQ node that belongs to this process; a context manager.

    The folder keeps its data, ports and passwords: started again there, the node comes back
    with them. ``name`` is the short Erlang name of the node. With a ``membership`` it is a node
    of that cluster. With ``certificate`` it can be reached with TLS as well, on ports beside, at
    the address ``listen``.
    """

    def __init__(  # noqa: PLR0913 - what makes one node differ from another
        self,
        folder: Path,
        *,
        name: str = "renkei",
        installation: Installation | None = None,
        membership: Membership | None = None,
        certificate: ServerFiles | None = None,
        listen: str = HOST,
    ) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", name):
            raise ValueError(f"not a node name: {name!r}")
        self._files = NodeFolder(folder)
        self._name = name
        self._installation = installation
        self._membership = membership
        self._certificate = certificate
        self._listen = listen
        self._state = NodeState(password="")
        self._group: Group | None = None
        self._server: subprocess.Popen[bytes] | None = None

    # -- what others need of it --------------------------------------------------------

    @property
    def folder(self) -> Path:
        """Where it keeps everything."""
        return self._files.path

    @property
    def host(self) -> str:
        """The address that it listens on in plain."""
        return HOST

    @property
    def port(self) -> int:
        """The port for AMQP."""
        return self._state.ports["amqp"]

    @property
    def management_url(self) -> str:
        """The address of the management API."""
        return f"http://{HOST}:{self._state.ports['management']}"

    @property
    def secure(self) -> Secure | None:
        """Where it listens with TLS, if it does; for clients with a certificate only."""
        ports = self._state.ports
        if self._certificate is None:
            return None
        amqp, management = (Host(self._listen, ports[one]) for one in ("amqps", "https"))
        return Secure(self._certificate, amqp, management, passwords=True)

    @property
    def admin_user(self) -> str:
        """The user that may do everything."""
        return ADMIN

    @property
    def admin_password(self) -> SecretStr:
        """The password of that user; made once for a folder."""
        return SecretStr(self._state.password)

    @property
    def erlang_name(self) -> str:
        """The name by which the nodes of a cluster know one another."""
        return f"{self._name}@localhost"

    @property
    def pids(self) -> Mapping[str, int]:
        """The processes of this run: ``guard``, ``epmd`` (not in a cluster) and ``server``."""
        return dict(self._state.processes)

    def alive(self) -> bool:
        """Say whether the node's process runs."""
        return self._server is not None and self._server.poll() is None

    # -- start and stop ----------------------------------------------------------------

    def start(self) -> None:
        """Start it and wait until it takes AMQP connections and management calls.

        Raises:
            BrokerUnavailable: RabbitMQ is not installed, or the node did not come up; the
                text has the last lines of its log.
            BrokerError: another live process runs a node in this folder.
        """
        if self.alive():
            return
        self._end()
        installation = self._installation or find_installation()
        if installation is None:
            raise BrokerUnavailable(f"RabbitMQ is not installed. {BY_HAND}.")
        self._prepare()
        try:
            self._launch(installation)
            self._wait_until_ready()
        except BaseException:
            self._end()
            raise

    def stop(self) -> None:
        """Stop it in good order; what it keeps on disk stays."""
        if self._server is not None and self.alive():
            self._server.send_signal(signal.SIGCONT)
            self._server.terminate()
            try:
                self._server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._server.kill()
        self._end()

    def kill(self) -> None:
        """Kill the node as a crash would (SIGKILL); ``start`` brings it back."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()

    def freeze(self) -> None:
        """Stop the node's clock (SIGSTOP): it keeps its connections and says nothing."""
        if self._server is not None:
            self._server.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen node go on."""
        if self._server is not None:
            self._server.send_signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _prepare(self) -> None:
        """Make the folder ready, end what an earlier run left in it, and choose ports."""
        self._files.take()
        self._state = self._files.load() or NodeState(password=self._new_password())
        self._files.end_orphans(self._state.processes, self._epmd)
        self._state.processes = {}
        names = NODE_PORTS if self._certificate is None else SECURE_PORTS
        ports = self._state.ports
        if not ports.keys() >= set(names) or not all(map(is_free, ports.values())):
            self._state.ports = choose_ports(names)
        self._files.save(self._state)
        self._files.configure(self._state, self._membership, self.secure)

    def _new_password(self) -> str:
        if self._membership is not None:
            return self._membership.password
        return secrets.token_urlsafe(24)

    @property
    def _epmd(self) -> int:
        if self._membership is not None:
            return self._membership.epmd
        return self._state.ports.get("epmd", 0)

    def environment(self, installation: Installation) -> dict[str, str]:
        """Give the environment of the node, and of RabbitMQ's own commands that speak to it."""
        return environment(
            self.folder,
            installation,
            self.erlang_name,
            epmd=self._epmd,
            distribution=self._state.ports["distribution"],
        )

    # -- the processes -----------------------------------------------------------------

    def _launch(self, installation: Installation) -> None:
        mark = self._files.mark
        group = self._group = Group(mark)
        self._state.processes = {"guard": group.pid}
        told = self.environment(installation)
        with (self.folder / "log" / "output.log").open("ab") as output:
            if self._membership is None:
                epmd = group.spawn(epmd_command(installation, self._epmd), told, output)
                self._state.processes["epmd"] = epmd.pid
            server = [str(installation.server), "-renkei", mark]
            self._server = group.spawn(server, told, output, self.folder)
        self._state.processes["server"] = self._server.pid
        self._files.save(self._state)

    def _wait_until_ready(self) -> None:
        retrying = Retrying(
            stop=stop_after_delay(START_SECONDS),
            wait=wait_fixed(0.1),
            retry=retry_if_exception_type(NotYet),
            reraise=True,
        )
        try:
            retrying(self._probe)
        except NotYet as error:
            raise BrokerUnavailable(
                f"RabbitMQ did not come up within {START_SECONDS:g} s ({error}):\n"
                f"{self._files.log_end()}"
            ) from error

    def _probe(self) -> None:
        if not self.alive():
            raise BrokerUnavailable(f"RabbitMQ ended while starting:\n{self._files.log_end()}")
        probe_amqp(self.port)
        probe_management(self.management_url, ADMIN, self._state.password)

    def _end(self) -> None:
        """End every process of this run; safe to call at any time."""
        if self._group is not None:
            self._group.end()
        self._server = self._group = None
        if self._files.is_taken:
            if self._state.processes:
                self._state.processes = {}
                self._files.save(self._state)
            self._files.let_go()
