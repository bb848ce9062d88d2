"""The folder of a private node: what it keeps from run to run, and who may use it now."""

import fcntl
import hashlib
import json
import os
import secrets
import select
import signal
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from hub.broker.conf import Secure, advanced, plugins
from hub.broker.node_config import Membership, rabbitmq_conf
from hub.errors import BrokerError

ORPHAN_SECONDS = 3.0


@dataclass(slots=True)
class NodeState:
    """What a node's folder remembers: ports, password, and the processes of its last run."""

    password: str
    ports: dict[str, int] = field(default_factory=dict)
    processes: dict[str, int] = field(default_factory=dict)


class NodeFolder:
    """A node's folder; one process at a time has it.

    ``mark`` stands in the command lines of the processes that belong to it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        digest = hashlib.blake2b(os.fsencode(self.path), digest_size=8).hexdigest()
        self.mark = f"renkei-{digest}"
        self._lock: IO[bytes] | None = None

    @property
    def is_taken(self) -> bool:
        """Whether this process has it."""
        return self._lock is not None and not self._lock.closed

    def take(self) -> None:
        """Make it where it is missing, and keep every other process out.

        Raises:
            BrokerError: another live process runs a node in it.
        """
        for part in ("home", "data", "log", "conf"):
            (self.path / part).mkdir(parents=True, exist_ok=True, mode=0o700)
        # The kernel lets go of it when this process ends, however it ends.
        self._lock = (self.path / "lock").open("wb")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            raise BrokerError(f"a node is already running in {self.path}") from error

    def let_go(self) -> None:
        """Let other processes have it."""
        if self._lock is not None:
            self._lock.close()

    def load(self) -> NodeState | None:
        """Give what it remembers; nothing where no node was in it yet.

        Raises:
            BrokerError: that cannot be read.
        """
        file = self.path / "node.json"
        if not file.exists():
            return None
        try:
            return NodeState(**json.loads(file.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise BrokerError(f"{file} is damaged: remove the folder {self.path}") from error

    def save(self, state: NodeState) -> None:
        """Remember this."""
        _write_private(self.path / "node.json", json.dumps(asdict(state)))

    def configure(
        self, state: NodeState, membership: Membership | None, secure: Secure | None = None
    ) -> None:
        """Write the node's configuration, and its cookie where it has none of its own yet."""
        conf = self.path / "conf"
        text = rabbitmq_conf(state.ports, state.password, membership)
        _write_private(conf / "rabbitmq.conf", text)
        _write_private(conf / "advanced.config", advanced(secure))
        _write_private(conf / "enabled_plugins", plugins(secure))
        cookie = self.path / "home" / ".erlang.cookie"
        if membership is not None:
            _write_private(cookie, membership.cookie.get_secret_value())
        elif not cookie.exists():
            _write_private(cookie, secrets.token_hex(20))

    def log_end(self, lines: int = 15) -> str:
        """Give the last lines of what the node said and logged."""
        texts = []
        for file in (self.path / "log" / "output.log", self.path / "log" / "rabbit.log"):
            if file.exists():
                text = file.read_text(encoding="utf-8", errors="replace")
                texts += [line for line in text.splitlines() if line.strip()][-lines:]
        return "\n".join(texts) or "(its log is empty)"

    def end_orphans(self, processes: Mapping[str, int], epmd: int) -> None:
        """End the processes of an earlier run whose starter is gone; ``epmd`` is a port."""
        marks = {"guard": self.mark, "server": self.mark, "epmd": str(epmd)}
        for what in ("server", "guard", "epmd"):
            pid = processes.get(what)
            if pid is not None:
                _end_process(pid, marks[what])


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
