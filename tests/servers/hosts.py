"""Hosts with a network of their own, on this machine: network namespaces, joined by a bridge.

The bridge stands in a namespace of its own, and a host has a way to the other hosts and nowhere
else, so nothing leaves the machine. No namespace has a name that could be taken: each is held
by a process that ends with the one that started it, and then the kernel takes it away with its
links. Their addresses are of the range for benchmarks (RFC 2544).

Whoever is not root makes them in a user namespace: see ``ALLOWED``.
"""

import ctypes
import errno
import os
import shutil
import signal
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import IO, Self, TypeVar

from hub.packages import Wanted
from tests.servers.packages import found_or_installed

GivenT = TypeVar("GivenT")
NETWORK = ip_network("198.18.0.0/24")
BRIDGE, LINK = "bridge", "eth0"
WANTED = Wanted(
    "ip", ("iproute2",), "Install iproute2 (Debian and Ubuntu: apt-get install iproute2)"
)
ALLOWED = ("unshare", "--user", "--map-current-user", "--keep-caps", "--net")
"""Stands before a command that is to make hosts, where this process is not ``allowed`` to."""
_ADMINISTRATOR = 21  # CAP_SYS_ADMIN
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET; os has it, and setns, from Python 3.12 on
_HOLD = "echo there; read -r nothing"
_C = ctypes.CDLL(None, use_errno=True)


def allowed() -> bool:
    """Say whether this process may make hosts."""
    status = Path("/proc/self/status").read_text()
    (held,) = (line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(held, 16) >> _ADMINISTRATOR & 1)


def program() -> str:
    """Give the program ``ip``; install it where it is missing.

    Raises:
        NotInstalled: it cannot be installed; the text says what to do.
    """
    return found_or_installed(lambda: shutil.which("ip"), WANTED)


class Space:
    """A network namespace, from ``open`` to ``end``."""

    def __init__(self) -> None:
        self._holder: subprocess.Popen[bytes] | None = None

    @property
    def holder(self) -> int:
        """The process that is there as long as the namespace."""
        assert self._holder is not None
        return self._holder.pid

    @property
    def _file(self) -> Path:
        return Path(f"/proc/{self.holder}/ns/net")

    def open(self) -> None:
        """Make it, with nothing in it but loopback.

        Raises:
            PermissionError: this process may not.
        """
        holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", _HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert holder.stdout is not None
        if holder.stdout.readline() != b"there\n":
            holder.communicate()
            raise PermissionError(errno.EPERM, "a network namespace may not be made here")
        self._holder = holder
        self.ip("link", "set", "lo", "up")

    def ip(self, *words: str) -> None:
        """Have ``ip`` do something there."""
        with self.entered():
            done = subprocess.run([program(), *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Let this thread be there, with all threads and processes that it starts meanwhile."""
        with Path("/proc/thread-self/ns/net").open("rb") as before:
            with self._file.open("rb") as there:
                _enter(there)
            try:
                yield
            finally:
                _enter(before)

    def processes(self) -> set[int]:
        """Give all processes that are there, by their numbers."""
        here = self._file.stat().st_ino
        found = (int(one.name) for one in Path("/proc").iterdir() if one.name.isdecimal())
        return {pid for pid in found if _network_of(pid) == here}

    def end(self) -> None:
        """Kill all that is there, so that the kernel takes it away."""
        if self._holder is None:
            return
        with self._holder as holder:
            # What forks meanwhile is found the next time; the holder, without which nobody
            # would know the namespace, goes last.
            while others := self.processes() - {holder.pid}:
                assert os.getpid() not in others, "the tests themselves are on this host"
                for pid in others:
                    _kill(pid)
            holder.kill()
        self._holder = None


class Host:
    """A machine of the network: what is started on it is reached at ``address`` alone."""

    def __init__(self, switch: Space, name: str, address: str) -> None:
        self.name = name
        self.address = address
        self._switch = switch
        self._space = Space()
        self._port = f"to-{address.rpartition('.')[2]}"

    @property
    def holder(self) -> int:
        """The process that is there as long as the host is on."""
        return self._space.holder

    def boot(self) -> None:
        """Switch it on; nothing runs on it yet, and no connection of before is known to it."""
        self._space.open()
        peer = ("peer", "name", LINK, "netns", str(self.holder))
        self._switch.ip("link", "add", self._port, "type", "veth", *peer)
        self._space.ip("address", "add", f"{self.address}/{NETWORK.prefixlen}", "dev", LINK)
        self._space.ip("link", "set", LINK, "up")
        self._switch.ip("link", "set", self._port, "up")
        self.mend()

    def lose(self) -> None:
        """Take its power: nobody hears of it, and nothing that ran on it runs any more."""
        self._switch.ip("link", "delete", self._port)
        self._space.end()

    def cut(self) -> None:
        """Let nothing pass to it and from it; its own end of the link looks as before."""
        self._switch.ip("link", "set", self._port, "nomaster")

    def mend(self) -> None:
        """Let everything pass again."""
        self._switch.ip("link", "set", self._port, "master", BRIDGE)

    def entered(self) -> AbstractContextManager[None]:
        """Let this thread be on this host, with all that it starts meanwhile."""
        return self._space.entered()

    @contextmanager
    def holding(self, context: AbstractContextManager[GivenT]) -> Iterator[GivenT]:
        """Open a context on this host and close it there; the block itself is where it was."""
        with ExitStack() as stack:
            with self.entered():
                given = stack.enter_context(context)
            try:
                yield given
            finally:
                with self.entered():
                    stack.close()

    def end(self) -> None:
        """Switch it off for good."""
        self._space.end()


class Network:
    """Hosts of these names that reach one another and nothing else; a context manager."""

    def __init__(self, names: Iterable[str]) -> None:
        self._switch = Space()
        addresses = map(str, NETWORK.hosts())
        self.hosts = {name: Host(self._switch, name, next(addresses)) for name in names}

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    @property
    def holders(self) -> list[int]:
        """The processes with which its namespaces end."""
        return [self._switch.holder, *(host.holder for host in self.hosts.values())]

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self._end)
            self._switch.open()
            self._switch.ip("link", "add", BRIDGE, "type", "bridge")
            self._switch.ip("link", "set", BRIDGE, "up")
            for host in self.hosts.values():
                host.boot()
            stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        for host in self.hosts.values():
            host.end()
        self._switch.end()


def _enter(namespace: IO[bytes]) -> None:
    if _C.setns(namespace.fileno(), _NEW_NETWORK) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _network_of(pid: int) -> int:
    """Give the number of a process's network namespace; 0 of one that ended, or is not ours."""
    try:
        return Path(f"/proc/{pid}/ns/net").stat().st_ino
    except (FileNotFoundError, PermissionError, ProcessLookupError):
        return 0


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it ended by itself
