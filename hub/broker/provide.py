"""Where a broker comes from: the one place that decides it, for demo and tests alike.

In this order (``docs/adr/0002-where-a-broker-comes-from.md``): the one that
``RENKEI_BROKER_URL`` names; an installed RabbitMQ, started as a private node; a container; the
Debian package, installed now.
"""

import contextlib
import gc
import os
import secrets
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from hub.broker.conf import ServerFiles
from hub.broker.install import BY_HAND, Installation, find_installation, install_package
from hub.broker.management import Management
from hub.broker.node import PrivateNode
from hub.broker.plan import MESSAGE_BYTES
from hub.errors import BrokerError, BrokerUnavailable
from hub.packages import Say

URL = "RENKEI_BROKER_URL"
MANAGEMENT_URL = "RENKEI_BROKER_MANAGEMENT_URL"
IMAGE = "rabbitmq:4.1-management"
AMQP_PORT = 5672
MANAGEMENT_PORT = 15_672


@dataclass(frozen=True, slots=True)
class ProvidedBroker:
    """A broker that answers, and its administrator.

    ``vhost`` is set only where the environment names one. ``node`` is there for a private
    node, for drills that kill and restart it.
    """

    host: str
    port: int
    management_url: str
    admin_user: str
    admin_password: SecretStr
    kind: Literal["configured", "private node", "container"]
    vhost: str | None = None
    node: PrivateNode | None = None

    def management(self) -> Management:
        """Open the management API as its administrator."""
        return Management(self.management_url, self.admin_user, self.admin_password)


def configured(url: str, management_url: str | None) -> ProvidedBroker:
    """Read the broker that the environment names.

    Raises:
        BrokerUnavailable: the address is not of the form ``amqp://user:password@host:port``.
    """
    # The address holds a password: errors name the variable, never its value.
    try:
        parts = urlsplit(url)
        port = parts.port or AMQP_PORT
    except ValueError:
        raise BrokerUnavailable(f"{URL} is not an address") from None
    if parts.scheme != "amqp" or not parts.hostname or not parts.username:
        raise BrokerUnavailable(f"{URL} must look like amqp://user:password@host:port/vhost")
    bracketed = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return ProvidedBroker(
        host=parts.hostname,
        port=port,
        management_url=management_url or f"http://{bracketed}:{MANAGEMENT_PORT}",
        admin_user=unquote(parts.username),
        admin_password=SecretStr(unquote(parts.password or "")),
        kind="configured",
        vhost=unquote(parts.path.removeprefix("/")) or None,
    )


def check(broker: ProvidedBroker) -> None:
    """See that the broker answers.

    Raises:
        BrokerError: it does not.
    """
    try:
        with broker.management() as management:
            management.get("overview")
    except BrokerError as error:
        if broker.kind != "configured":
            raise
        raise BrokerUnavailable(f"the broker that {URL} names: {error}") from error


@contextmanager
def private_node(
    folder: Path, installation: Installation, certificate: ServerFiles | None = None
) -> Iterator[ProvidedBroker]:
    """Give a private node for the time of the context."""
    with PrivateNode(folder, installation=installation, certificate=certificate) as node:
        yield ProvidedBroker(
            host=node.host,
            port=node.port,
            management_url=node.management_url,
            admin_user=node.admin_user,
            admin_password=node.admin_password,
            kind="private node",
            node=node,
        )


def docker_answers() -> bool:
    """Say whether a Docker engine answers, and the library to speak to it is there."""
    try:
        # Needed only where no RabbitMQ is installed; comes with the extra "demo".
        from docker.errors import DockerException  # type: ignore[import-untyped] # noqa: PLC0415
        from testcontainers.core.docker_client import DockerClient  # noqa: PLC0415
    except ImportError:
        return False
    with contextlib.suppress(DockerException):
        DockerClient(timeout=5).client.ping()
        return True
    # The library leaves open the socket on which nobody answered.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    return False


@contextmanager
def _container() -> Iterator[ProvidedBroker]:
    from testcontainers.community.rabbitmq import RabbitMqContainer  # noqa: PLC0415

    password = secrets.token_urlsafe(24)
    container = RabbitMqContainer(IMAGE, username="renkei-admin", password=password)
    told = f"-rabbit max_message_size {MESSAGE_BYTES}"
    container.with_env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", told)
    with container.with_exposed_ports(MANAGEMENT_PORT):
        host = container.get_container_host_ip()
        yield ProvidedBroker(
            host=host,
            port=int(container.get_exposed_port(AMQP_PORT)),
            management_url=f"http://{host}:{container.get_exposed_port(MANAGEMENT_PORT)}",
            admin_user="renkei-admin",
            admin_password=SecretStr(password),
            kind="container",
        )


Provided = AbstractContextManager[ProvidedBroker]


@dataclass(frozen=True, slots=True)
class Machine:
    """What the decision asks of the machine; tests put their own in its place."""

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    find: Callable[[], Installation | None] = find_installation
    docker_answers: Callable[[], bool] = docker_answers
    install: Callable[[Say], None] = install_package
    node: Callable[[Path, Installation], Provided] = private_node
    container: Callable[[], Provided] = _container
    check: Callable[[ProvidedBroker], None] = check


def _silent(_line: str) -> None:
    """Say nothing."""


@contextmanager
def provide(
    folder: Path, say: Say = _silent, machine: Machine | None = None
) -> Iterator[ProvidedBroker]:
    """Give a broker for the time of the context; what was started for it is stopped.

    Args:
        folder: where a private node keeps its files; it may be kept for the next time.
        say: takes a line before each step that takes long.
        machine: this machine, or what a test puts in its place.

    Raises:
        BrokerUnavailable: there is none and none can be had; the text says what to do.
        BrokerError: it is there but does not serve.
    """
    machine = machine or Machine()
    with _open(folder, say, machine) as broker:
        machine.check(broker)
        yield broker


@contextmanager
def _open(folder: Path, say: Say, machine: Machine) -> Iterator[ProvidedBroker]:
    if url := machine.environment.get(URL):
        yield configured(url, machine.environment.get(MANAGEMENT_URL))
        return
    installation = machine.find()
    if installation is None and machine.docker_answers():
        say(f"starting RabbitMQ in a container ({IMAGE}) ...")
        with machine.container() as broker:
            yield broker
        return
    if installation is None:
        machine.install(say)
        installation = machine.find()
    if installation is None:
        raise BrokerUnavailable(f"RabbitMQ was installed but is not found. {BY_HAND}.")
    say("starting a private RabbitMQ node ...")
    with machine.node(folder, installation) as broker:
        yield broker
