"""Where RabbitMQ is installed on this machine, and how the Debian package is installed.

The package's service is never started: the hub runs a node of its own (``hub.broker.node``).
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hub.errors import BrokerUnavailable
from hub.packages import (
    POLICY,
    NotInstalled,
    Runner,
    Say,
    Wanted,
    install,
    privilege,
    run_command,
)

PACKAGE = "rabbitmq-server"
PACKAGED_SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
UNITS = ("rabbitmq-server.service", "epmd.service", "epmd.socket")
UNIT_FOLDERS = (Path("/lib/systemd/system"), Path("/usr/lib/systemd/system"))
BY_HAND = (
    "Install RabbitMQ (Debian and Ubuntu: apt-get install rabbitmq-server), or start a Docker "
    "engine, or set RENKEI_BROKER_URL=amqp://user:password@host:port to a broker that is there"
)
WANTED = Wanted("RabbitMQ", (PACKAGE,), BY_HAND)


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
    before = _known_units(unit_folders)
    try:
        prefix = privilege(WANTED, run, is_root=is_root)
        install(WANTED, say, prefix, run=run, policy=policy)
    except NotInstalled as error:
        raise BrokerUnavailable(str(error)) from error
    added = sorted(_known_units(unit_folders) - before)
    if added:
        # Only links are removed, so this works where systemd is not running too.
        run([*prefix, "systemctl", "disable", *added], "")


def _known_units(folders: Sequence[Path]) -> set[str]:
    return {unit for unit in UNITS if any((folder / unit).exists() for folder in folders)}
