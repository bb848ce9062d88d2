"""What a private node is told: its configuration, its environment, its port mapper."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from hub.broker.conf import private_conf
from hub.broker.free import HOST
from hub.broker.install import Installation

ADMIN = "renkei-admin"


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


def rabbitmq_conf(
    ports: Mapping[str, int], password: str, membership: Membership | None = None
) -> str:
    """Give the text of ``rabbitmq.conf``; ``ports`` by what listens there."""
    text = private_conf(ports["amqp"], ports["management"], ADMIN, password)
    return text if membership is None else text + membership.config()


def environment(
    folder: Path, installation: Installation, erlang_name: str, *, epmd: int, distribution: int
) -> dict[str, str]:
    """Give the node's whole environment; nothing of the caller's or the system's own.

    ``epmd`` and ``distribution`` are ports: of the port mapper, and for other nodes.
    """
    # RabbitMQ cannot start in a folder whose path is not ASCII; its own working folder
    # has a name that always is.
    where = str(folder) if str(folder).isascii() else "/proc/self/cwd"
    conf, data, log = (f"{where}/{part}" for part in ("conf", "data", "log"))
    erlang = (
        "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}"
        # Pinned schedulers of several programs would fight for the same cores.
        " +stbt u"
    )
    return {
        "PATH": f"{installation.epmd.parent}:{os.environ.get('PATH', os.defpath)}",
        "HOME": f"{where}/home",
        "LANG": "C.UTF-8",
        "ERL_CRASH_DUMP": f"{log}/erl_crash.dump",
        "ERL_CRASH_DUMP_SECONDS": "0",
        "ERL_EPMD_PORT": str(epmd),
        "ERL_EPMD_ADDRESS": HOST,
        "RABBITMQ_NODENAME": erlang_name,
        "RABBITMQ_DIST_PORT": str(distribution),
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


def epmd_command(installation: Installation, port: int) -> list[str]:
    """Give the command of a port mapper that only this machine can ask."""
    return [str(installation.epmd), "-port", str(port), "-address", HOST]
