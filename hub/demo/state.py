"""The demo's folder: what lies where, and whether an earlier run in it goes on or is over."""

import fcntl
import json
import os
import secrets
import shutil
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from hub.broker.provide import ProvidedBroker
from hub.errors import SiteError

MARKER = "demo.json"
_OURS = (
    "broker",
    "drives",
    "journals",
    "logs",
    "secrets",
    "ledger",
    "site.toml",
    "metrics-targets.json",
    "vhost",
)
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Parameters:
    """What makes one demo differ from another."""

    residents: int
    days: int
    seed: int


@dataclass(frozen=True, slots=True)
class DemoState:
    """The folders of one demo."""

    root: Path

    @property
    def site_file(self) -> Path:
        """The generated site file."""
        return self.root / "site.toml"

    @property
    def broker(self) -> Path:
        """The private broker's folder."""
        return self.root / "broker"

    @property
    def logs(self) -> Path:
        """The processes' logs."""
        return self.root / "logs"

    @property
    def ledger(self) -> Path:
        """The ledger's database."""
        return self.root / "ledger" / "ledger.sqlite3"

    @property
    def metrics_targets(self) -> Path:
        """Prometheus's ``file_sd`` list of every process's endpoint."""
        return self.root / "metrics-targets.json"

    def drive(self, system: str) -> Path:
        """The folder that stands for a system's shared drive."""
        return self.root / "drives" / system

    def journal(self, system: str) -> Path:
        """The journal of a system's adapter."""
        return self.root / "journals" / f"{system}.sqlite3"

    def vhost(self) -> str:
        """Name the broker's vhost of this demo: one that no other demo has used."""
        file = self.root / "vhost"
        if not file.exists():
            write_atomically(file, f"renkei-demo-{secrets.token_hex(4)}")
        return file.read_text(encoding="utf-8")

    def secret(self, name: str) -> Path:
        """A secret's file."""
        return self.root / "secrets" / name

    def finish(self, parameters: Parameters) -> None:
        """Note that the run is over: the next one begins anew."""
        _mark(self.root, parameters, finished=True)


@contextmanager
def opened(root: Path, parameters: Parameters) -> Iterator[DemoState]:
    """Take the folder for one run: go on with an interrupted one, begin anew after a finished.

    Raises:
        SiteError: another demo is running in it, it belongs to an interrupted demo with other
            parameters, or it holds files that are not a demo's.
    """
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(root / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"another demo is running in {root}: stop it, or give another --state"
            raise SiteError(message) from None
        _prepare(root, parameters)
        yield DemoState(root.resolve())
    finally:
        os.close(lock)


def _prepare(root: Path, parameters: Parameters) -> None:
    marker = root / MARKER
    if marker.exists():
        earlier = json.loads(marker.read_text(encoding="utf-8"))
        finished = earlier.pop("finished")
        if not finished and earlier != asdict(parameters):
            asked = " ".join(f"--{name} {value}" for name, value in earlier.items())
            message = (
                f"{root} holds an interrupted demo ({asked}): give the same to go on with it, "
                f"remove the folder, or give another --state"
            )
            raise SiteError(message)
        if finished:
            _clear(root)
    elif any(child.name != ".lock" for child in root.iterdir()):
        message = f"{root} is not empty and not a demo's folder: give another --state"
        raise SiteError(message)
    _mark(root, parameters, finished=False)


def _clear(root: Path) -> None:
    for name in _OURS:
        path = root / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _mark(root: Path, parameters: Parameters, *, finished: bool) -> None:
    write_atomically(root / MARKER, json.dumps({**asdict(parameters), "finished": finished}) + "\n")


def write_site(
    state: DemoState, broker: ProvidedBroker, vhost: str, systems: Iterable[str]
) -> None:
    """Write the site file, secrets and metrics targets of a demo; secrets that exist stay."""
    systems = tuple(systems)
    for name in ("hub", "pseudonym-key", *systems):
        _make_secret(state.secret(name))
    ports = _metrics_ports(state, 1 + len(systems))
    lines = [
        "# Written by renkei demo; a real site file is explained in docs/site-file.md.",
        "[broker]",
        f"host = {json.dumps(broker.host)}",
        f"port = {broker.port}",
        f"vhost = {json.dumps(vhost)}",
        f"management_url = {json.dumps(broker.management_url)}",
        "",
        "[hub]",
        'ledger = "sqlite:///ledger/ledger.sqlite3"',
        'password_file = "secrets/hub"',
        'pseudonym_key_file = "secrets/pseudonym-key"',
        f"metrics_port = {ports[0]}",
    ]
    for system, port in zip(systems, ports[1:], strict=True):
        lines += [
            "",
            f"[systems.{system}]",
            f"folder = {json.dumps(f'drives/{system}')}",
            f"journal = {json.dumps(f'journals/{system}.sqlite3')}",
            f"password_file = {json.dumps(f'secrets/{system}')}",
            f"metrics_port = {port}",
            "poll_seconds = 0.2",
            "file_seconds = 0.5",
        ]
    write_atomically(state.site_file, "\n".join(lines) + "\n")
    _write_targets(state, dict(zip(("hub", *systems), ports, strict=True)))


def _make_secret(path: Path) -> None:
    if not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_atomically(path, secrets.token_urlsafe(_KEY_BYTES) + "\n")


def write_atomically(path: Path, text: str) -> None:
    """Write a small file that only its owner may read: whole, or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)


def _metrics_ports(state: DemoState, count: int) -> list[int]:
    """Give free loopback ports; those of an interrupted run again, so that a scrape goes on."""
    if state.metrics_targets.exists():
        groups = json.loads(state.metrics_targets.read_text(encoding="utf-8"))
        ports = [int(group["targets"][0].rpartition(":")[2]) for group in groups]
        if len(ports) == count:
            return ports
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _write_targets(state: DemoState, ports: dict[str, int]) -> None:
    groups = [
        {"targets": [f"127.0.0.1:{port}"], "labels": {"process": name}}
        for name, port in ports.items()
    ]
    write_atomically(state.metrics_targets, json.dumps(groups, indent=2) + "\n")
