"""Where RabbitMQ is installed on this machine, and how the Debian package is installed.

The package's service is never started: the hub runs a node of its own (``hub.broker.node``).
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hub.errors import BrokerUnavailable

PACKAGE = "rabbitmq-server"
PACKAGED_SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
POLICY = Path("/usr/sbin/policy-rc.d")
UNITS = ("rabbitmq-server.service", "epmd.service", "epmd.socket")
UNIT_FOLDERS = (Path("/lib/systemd/system"), Path("/usr/lib/systemd/system"))
APT_SECONDS = 900.0
BY_HAND = (
    "Install RabbitMQ (Debian and Ubuntu: apt-get install rabbitmq-server), or start a Docker "
    "engine, or set RENKEI_BROKER_URL=amqp://user:password@host:port to a broker that is there"
)

Say = Callable[[str], None]
"""Takes a line of progress for a person."""


@dataclass(frozen=True, slots=True)
class Installation:
    """The programs of an installed RabbitMQ: its server script and Erlang's port mapper."""

    server: Path
    epmd: Path


def find_installation(
    packaged: Path = PACKAGED_SERVER, which: Callable[[str], str | None] = shutil.which
) -> Installation | None:
    """Find RabbitMQ and the Erlang it runs on; nothing if either is missing.

    ``/usr/sbin/rabbitmq-server`` of the packages is passed over: it switches to the account
    ``rabbitmq`` and so cannot run in a folder of the caller's.
    """
    erl = which("erl")
    if erl is None:
        return None
    epmd = which("epmd") or str(Path(erl).resolve().with_name("epmd"))
    if packaged.is_file():
        return Installation(packaged, Path(epmd))
    found = which(PACKAGE)
    if found is None or Path(found).is_relative_to("/usr/sbin"):
        return None
    return Installation(Path(found), Path(epmd))


@dataclass(frozen=True, slots=True)
class Run:
    """How a command ended, with the end of what it wrote."""

    status: int
    output: str


def run_command(command: Sequence[str], text: str = "") -> Run:
    """Run a command of the machine to its end, ``text`` being its input."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed commands of this module
            command,
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=APT_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        return Run(127, f"{command[0]}: not found")
    except subprocess.TimeoutExpired:
        return Run(124, f"{command[0]}: no end within {APT_SECONDS:g} s")
    return Run(done.returncode, done.stdout[-2000:])


Runner = Callable[[Sequence[str], str], Run]


def install_package(
    say: Say,
    *,
    run: Runner = run_command,
    is_root: bool | None = None,
    policy: Path = POLICY,
    unit_folders: Sequence[Path] = UNIT_FOLDERS,
) -> None:
    """Install Debian's RabbitMQ without starting its service; asks nothing.

    Raises:
        BrokerUnavailable: this account may not install, or the installation failed; the text
            says what to do.
    """
    prefix = _privilege(run, is_root=os.geteuid() == 0 if is_root is None else is_root)
    if run(["apt-get", "--version"], "").status != 0:
        raise BrokerUnavailable(f"RabbitMQ is not here, nor is apt-get. {BY_HAND}.")
    before = _known_units(unit_folders)
    say("installing RabbitMQ (Debian package rabbitmq-server) ...")
    with _services_held_back(prefix, run, policy):
        _apt_install(prefix, run, say)
    added = sorted(_known_units(unit_folders) - before)
    if added:
        # Only links are removed, so this works where systemd is not running too.
        run([*prefix, "systemctl", "disable", *added], "")


def _privilege(run: Runner, *, is_root: bool) -> list[str]:
    if is_root:
        return []
    if run(["sudo", "-n", "true"], "").status == 0:
        return ["sudo", "-n"]
    raise BrokerUnavailable(
        f"RabbitMQ is not here, and this account may not install it. {BY_HAND}."
    )


def _known_units(folders: Sequence[Path]) -> set[str]:
    return {unit for unit in UNITS if any((folder / unit).exists() for folder in folders)}


@contextmanager
def _services_held_back(prefix: Sequence[str], run: Runner, policy: Path) -> Iterator[None]:
    """Keep the package from starting its service (the way Debian's policy names for it)."""
    if policy.exists():
        yield
        return
    script = "#!/bin/sh\nexit 101\n"
    made = run([*prefix, "install", "-m", "755", "/dev/stdin", str(policy)], script)
    if made.status != 0:
        raise BrokerUnavailable(f"{policy} cannot be written: {made.output.strip()}. {BY_HAND}.")
    try:
        yield
    finally:
        run([*prefix, "rm", "-f", str(policy)], "")


def _apt_install(prefix: Sequence[str], run: Runner, say: Say) -> None:
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    apt += ["-q", "-o", "DPkg::Lock::Timeout=120"]
    install = [*apt, "install", "-y", "--no-install-recommends", PACKAGE]
    if run(install, "").status == 0:
        return
    say("reading the package lists again ...")
    updated = run([*apt, "update"], "")
    done = run(install, "")
    if done.status != 0:
        # An update that failed is the likelier cause than the install that followed it.
        cause = updated if updated.status != 0 else done
        raise BrokerUnavailable(
            f"apt-get could not install {PACKAGE}:\n{cause.output.strip()}\n{BY_HAND}."
        )
