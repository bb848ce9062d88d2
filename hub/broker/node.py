"""A private RabbitMQ node: in a folder of its own, on loopback ports of its own.

Its processes are the node (Erlang's ``beam``), a port mapper (``epmd``) that nobody else
uses, and a guard, which ends both when the process that started them is gone
(``hub.broker.group``). The nodes of a cluster have one port mapper in common.
"""

import fcntl
import hashlib
import json
import os
import re
import secrets
import select
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Self

from pydantic import SecretStr
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from hub.broker.group import Group
from hub.broker.install import BY_HAND, Installation, find_installation
from hub.broker.probe import HOST, NotYet, choose_ports, is_free, probe_amqp, probe_management
from hub.errors import BrokerError, BrokerUnavailable

START_SECONDS = 90.0
STOP_SECONDS = 3.0
"""Everything but the management agent has stopped long before; that one always takes 5 s, with
nothing to save. What the broker confirmed is on disk in any case, as after a crash."""
ORPHAN_SECONDS = 3.0
ADMIN = "renkei-admin"
PLUGINS = "[rabbitmq_management,rabbitmq_shovel]."

_ADVANCED = """[{kernel, [{net_ticktime, 12}]}].
"""
HEARTBEAT = 5
"""Seconds; the lower one of broker and client counts."""
_CONFIG = """listeners.tcp.1 = 127.0.0.1:{amqp}
management.tcp.ip = 127.0.0.1
management.tcp.port = {management}
default_user = {user}
default_pass = {password}
heartbeat = {heartbeat}
cluster_partition_handling = pause_minority
queue_leader_locator = balanced
disk_free_limit.absolute = 256MB
vm_memory_high_watermark.relative = 0.3
raft.wal_max_size_bytes = 134217728
log.file = rabbit.log
log.file.level = info
log.console = false
"""


@dataclass(slots=True)
class _State:
    """What a node's folder remembers: ports, password, and the processes of its last run."""

    password: str
    ports: dict[str, int] = field(default_factory=dict)
    processes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Membership:
    """What the nodes of one private cluster have in common; ``epmd`` is a port.

    Whoever makes it runs the port mapper. A node that starts for the first time joins the
    first of ``nodes`` (whole Erlang names) that answers, so one of them starts first.
    """

    nodes: tuple[str, ...]
    epmd: int
    cookie: SecretStr
    password: str = field(repr=False)

    def config(self) -> str:
        """Give the lines of the configuration file."""
        lines = ["cluster_formation.peer_discovery_backend = classic_config"]
        for number, node in enumerate(self.nodes, 1):
            lines.append(f"cluster_formation.classic_config.nodes.{number} = {node}")
        return "\n".join([*lines, ""])


class PrivateNode:
    """A RabbitMQ node that belongs to this process; a context manager.

    The folder keeps its data, ports and passwords: started again there, the node comes back
    with them. ``name`` is the short Erlang name of the node. With a ``membership`` it is a node
    of that cluster.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "renkei",
        installation: Installation | None = None,
        membership: Membership | None = None,
    ) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", name):
            raise ValueError(f"not a node name: {name!r}")
        self.folder = folder.resolve()
        self._name = name
        self._installation = installation
        self._membership = membership
        self._mark = (
            "renkei-" + hashlib.blake2b(os.fsencode(self.folder), digest_size=8).hexdigest()
        )
        self._state = _State(password="")
        self._group: Group | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._lock: IO[bytes] | None = None

    # -- what others need of it --------------------------------------------------------

    @property
    def host(self) -> str:
        """The address that it listens on."""
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

    # -- the folder --------------------------------------------------------------------

    def _prepare(self) -> None:
        """Make the folder ready, end what an earlier run left in it, and choose ports."""
        for part in ("home", "data", "log", "conf"):
            (self.folder / part).mkdir(parents=True, exist_ok=True, mode=0o700)
        self._take_lock()
        self._state = self._load() or _State(password=self._new_password())
        self._end_orphans()
        if not self._state.ports or not all(map(is_free, self._state.ports.values())):
            self._state.ports = choose_ports()
        self._save()
        self._write_files()

    def _take_lock(self) -> None:
        # The kernel lets go of it when this process ends, however it ends.
        self._lock = (self.folder / "lock").open("wb")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            raise BrokerError(f"a node is already running in {self.folder}") from error

    def _new_password(self) -> str:
        if self._membership is not None:
            return self._membership.password
        return secrets.token_urlsafe(24)

    def _load(self) -> _State | None:
        file = self.folder / "node.json"
        if not file.exists():
            return None
        try:
            return _State(**json.loads(file.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise BrokerError(f"{file} is damaged: remove the folder {self.folder}") from error

    def _save(self) -> None:
        _write_private(self.folder / "node.json", json.dumps(asdict(self._state)))

    def _write_files(self) -> None:
        conf = self.folder / "conf"
        text = _CONFIG.format(
            amqp=self._state.ports["amqp"],
            management=self._state.ports["management"],
            user=ADMIN,
            password=self._state.password,
            heartbeat=HEARTBEAT,
        )
        if self._membership is not None:
            text += self._membership.config()
        _write_private(conf / "rabbitmq.conf", text)
        _write_private(conf / "advanced.config", _ADVANCED)
        _write_private(conf / "enabled_plugins", PLUGINS)
        cookie = self.folder / "home" / ".erlang.cookie"
        if self._membership is not None:
            _write_private(cookie, self._membership.cookie.get_secret_value())
        elif not cookie.exists():
            _write_private(cookie, secrets.token_hex(20))

    def _end_orphans(self) -> None:
        """End the processes of an earlier run whose starter is gone."""
        marks = {"guard": self._mark, "server": self._mark, "epmd": str(self._epmd)}
        for what in ("server", "guard", "epmd"):
            pid = self._state.processes.get(what)
            if pid is not None:
                _end_process(pid, marks[what])
        self._state.processes = {}

    @property
    def _epmd(self) -> int:
        if self._membership is not None:
            return self._membership.epmd
        return self._state.ports.get("epmd", 0)

    # -- the processes -----------------------------------------------------------------

    def _launch(self, installation: Installation) -> None:
        group = self._group = Group(self._mark)
        self._state.processes = {"guard": group.pid}
        environment = self._environment(installation)
        with (self.folder / "log" / "output.log").open("ab") as output:
            if self._membership is None:
                epmd = group.spawn(epmd_command(installation, self._epmd), environment, output)
                self._state.processes["epmd"] = epmd.pid
            server = [str(installation.server), "-renkei", self._mark]
            self._server = group.spawn(server, environment, output, self.folder)
        self._state.processes["server"] = self._server.pid
        self._save()

    def _environment(self, installation: Installation) -> dict[str, str]:
        """Give the node's whole environment; nothing of the caller's or the system's own."""
        # RabbitMQ cannot start in a folder whose path is not ASCII; its own working folder
        # has a name that always is.
        folder = str(self.folder) if str(self.folder).isascii() else "/proc/self/cwd"
        conf, data, log = (f"{folder}/{part}" for part in ("conf", "data", "log"))
        erlang = (
            "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}"
            # Pinned schedulers of several programs would fight for the same cores.
            " +stbt u"
        )
        return {
            "PATH": f"{installation.epmd.parent}:{os.environ.get('PATH', os.defpath)}",
            "HOME": f"{folder}/home",
            "LANG": "C.UTF-8",
            "ERL_CRASH_DUMP": f"{log}/erl_crash.dump",
            "ERL_CRASH_DUMP_SECONDS": "0",
            "ERL_EPMD_PORT": str(self._epmd),
            "ERL_EPMD_ADDRESS": HOST,
            "RABBITMQ_NODENAME": self.erlang_name,
            "RABBITMQ_DIST_PORT": str(self._state.ports["distribution"]),
            "RABBITMQ_CONF_ENV_FILE": f"{conf}/none",
            "RABBITMQ_CONFIG_FILE": f"{conf}/rabbitmq.conf",
            "RABBITMQ_ADVANCED_CONFIG_FILE": f"{conf}/advanced.config",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{conf}/enabled_plugins",
            "RABBITMQ_MNESIA_BASE": data,
            "RABBITMQ_LOG_BASE": log,
            "RABBITMQ_PID_FILE": f"{data}/pid",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": erlang,
            # The script then becomes the node itself, instead of a shell that waits for it.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

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
                f"RabbitMQ did not come up within {START_SECONDS:g} s ({error}):\n{self._log_end()}"
            ) from error

    def _probe(self) -> None:
        if not self.alive():
            raise BrokerUnavailable(f"RabbitMQ ended while starting:\n{self._log_end()}")
        probe_amqp(self.port)
        probe_management(self.management_url, ADMIN, self._state.password)

    def _log_end(self, lines: int = 15) -> str:
        texts = []
        for file in (self.folder / "log" / "output.log", self.folder / "log" / "rabbit.log"):
            if file.exists():
                text = file.read_text(encoding="utf-8", errors="replace")
                texts += [line for line in text.splitlines() if line.strip()][-lines:]
        return "\n".join(texts) or "(its log is empty)"

    def _end(self) -> None:
        """End every process of this run; safe to call at any time."""
        if self._group is not None:
            self._group.end()
        self._server = self._group = None
        if self._lock is not None and not self._lock.closed:
            if self._state.processes:
                self._state.processes = {}
                self._save()
            self._lock.close()


def epmd_command(installation: Installation, port: int) -> list[str]:
    """Give the command of a port mapper that only this machine can ask."""
    return [str(installation.epmd), "-port", str(port), "-address", HOST]


def _write_private(file: Path, text: str) -> None:
    new = file.with_name(file.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(text)
    new.replace(file)


def _end_process(pid: int, mark: str) -> None:
    """End a process that is not ours to wait for, if its command line has the mark."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if mark.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
            return
        signal.pidfd_send_signal(handle, signal.SIGTERM)
        if not select.select([handle], [], [], ORPHAN_SECONDS)[0]:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            select.select([handle], [], [], ORPHAN_SECONDS)
    except (ProcessLookupError, FileNotFoundError):
        return  # it ended by itself in between
    finally:
        os.close(handle)
