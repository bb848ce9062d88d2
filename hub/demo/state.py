"""The demo's folder: what lies where, and whether an earlier run in it goes on or is over."""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from hub.errors import SiteError

MARKER = "demo.json"
_OURS = (
    "broker",
    "drives",
    "journals",
    "logs",
    "pki",
    ".pki.new",
    "secrets",
    "services",
    "ledger",
    "ledger.witness",
    "site.toml",
    "metrics-targets.json",
    "vhost",
    "hold",
    "console",
)
_BEFORE_MARK = {".lock", f".{MARKER}.tmp"}
"""What a run that was killed at its very start leaves."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What makes one demo differ from another."""

    residents: int
    days: int
    seed: int
    workers: int = 1


@dataclass(frozen=True, slots=True)
class DemoState:
    """The folders of one demo.

    ``lived`` is the last day that an interrupted run in it had begun, and -1 where there was
    none: going on with it means to live as long at least.
    """

    root: Path
    parameters: Parameters
    lived: int = -1

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
    def certificate(self) -> Path:
        """What the reconciliation at the end of the demo came to: beside the ledger."""
        return self.root / "ledger" / "reconciliation.txt"

    @property
    def accounts(self) -> Path:
        """Accounts of the console, with their passwords: a demo's alone are written down."""
        return self.root / "console" / "accounts.txt"

    @property
    def metrics_targets(self) -> Path:
        """Prometheus's ``file_sd`` list of every process's endpoint."""
        return self.root / "metrics-targets.json"

    @property
    def hold(self) -> Path:
        """Where people name the processes that are to stand still."""
        return self.root / "hold"

    def held(self) -> frozenset[str]:
        """Name the processes that people hold: one a line in ``hold``, as ``adapter-union``."""
        try:
            return frozenset(self.hold.read_text(encoding="utf-8").split())
        except FileNotFoundError:
            return frozenset()

    def drive(self, system: str) -> Path:
        """The folder that stands for a system's shared drive."""
        return self.root / "drives" / system

    def service(self, system: str) -> Path:
        """The folder of a system that is served by HTTP: what it hands out, and what it got."""
        return self.root / "services" / system

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

    @property
    def pki(self) -> Path:
        """The folder of the certificates that 個人番号 are encrypted with."""
        return self.root / "pki"

    def begin_day(self, number: int) -> None:
        """Note that files of this day may be there from now on."""
        _write_mark(self.root, _Mark(self.parameters, max(number, self.lived), finished=False))

    def finish(self) -> None:
        """Note that the run is over: the next one begins anew."""
        _write_mark(self.root, _Mark(self.parameters, finished=True))


@dataclass(frozen=True, slots=True)
class _Mark:
    """What ``demo.json`` says of a folder."""

    parameters: Parameters
    lived: int = -1
    finished: bool = False


@contextmanager
def opened(root: Path, parameters: Parameters) -> Iterator[DemoState]:
    """Take the folder for one run: go on with an interrupted one, begin anew after a finished.

    Only its owner may look into it, whoever made it.

    Raises:
        SiteError: another demo is running in it, it belongs to an interrupted demo with other
            parameters, it holds files that are not a demo's, or it cannot be used.
    """
    with _usable(root):
        root.mkdir(parents=True, exist_ok=True)
        lock = os.open(root / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"another demo is running in {root}: stop it, or give another --state"
            raise SiteError(message) from None
        with _usable(root):
            mark = _prepare(root, parameters)
            root.chmod(0o700)
        yield DemoState(root.resolve(), parameters, mark.lived)
    finally:
        os.close(lock)


def is_over(root: Path) -> bool:
    """Say whether the last demo in a folder came to its end, and its broker with it.

    Raises:
        SiteError: the folder's mark is damaged.
    """
    mark = _marked(root)
    return mark is not None and mark.finished


@contextmanager
def _usable(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"{error.filename or root} cannot be used: {error.strerror}"
        raise SiteError(message) from error


def _prepare(root: Path, parameters: Parameters) -> _Mark:
    mark = _marked(root)
    if mark is None and any(child.name not in _BEFORE_MARK for child in root.iterdir()):
        message = f"{root} is not empty and not a demo's folder: give another --state"
        raise SiteError(message)
    if mark is not None and not mark.finished:
        if mark.parameters != parameters:
            raise SiteError(_other_parameters(root, mark.parameters))
        return mark
    if mark is not None:
        _clear(root)
    mark = _Mark(parameters)
    _write_mark(root, mark)
    return mark


def _marked(root: Path) -> _Mark | None:
    file = root / MARKER
    if not file.exists():
        return None
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        return _Mark(
            Parameters(**document["parameters"]), int(document["lived"]), document["finished"]
        )
    except (ValueError, TypeError, KeyError) as error:
        message = f"{file} is damaged: remove the folder {root}, or give another --state"
        raise SiteError(message) from error


def _other_parameters(root: Path, earlier: Parameters) -> str:
    asked = " ".join(f"--{name} {value}" for name, value in asdict(earlier).items())
    return (
        f"{root} holds an interrupted demo ({asked}): give the same to go on with it, "
        f"remove the folder, or give another --state"
    )


def _clear(root: Path) -> None:
    for name in _OURS:
        path = root / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _write_mark(root: Path, mark: _Mark) -> None:
    write_atomically(root / MARKER, json.dumps(asdict(mark)) + "\n")


def write_atomically(path: Path, text: str) -> None:
    """Write a small file that only its owner may read: whole, or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)
