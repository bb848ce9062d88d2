"""Free ports on loopback, and whether a broker answers there."""

import socket
from collections.abc import Collection, Sequence
from itertools import islice
from random import SystemRandom

import urllib3

HOST = "127.0.0.1"
PORTS = range(20_000, 32_000)
"""Below the range that outgoing connections take theirs from, so that they stay free."""
NODE_PORTS = ("amqp", "management", "distribution", "epmd")
SECURE_PORTS = (*NODE_PORTS, "amqps", "https")
"""Those of a node that can be reached with TLS as well."""


class NotYet(Exception):
    """The broker does not answer so far."""


def is_free(port: int) -> bool:
    """Say whether nobody listens on this port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_ports(count: int, taken: Collection[int] = ()) -> list[int]:
    """Choose so many ports, each free at this moment and none of them among ``taken``."""
    chosen = SystemRandom().sample(PORTS, len(PORTS))
    return list(islice((one for one in chosen if one not in taken and is_free(one)), count))


def choose_ports(names: Sequence[str] = NODE_PORTS) -> dict[str, int]:
    """Choose the ports of a node, each free at this moment."""
    return dict(zip(names, free_ports(len(names)), strict=True))


def probe_amqp(port: int) -> None:
    """See whether the port answers the greeting of AMQP 0-9-1 with a method frame.

    Raises:
        NotYet: it does not.
    """
    try:
        with socket.create_connection((HOST, port), timeout=2) as connection:
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            answer = connection.recv(1)
    except OSError as error:
        raise NotYet(f"AMQP: {error}") from error
    if answer != b"\x01":
        raise NotYet("AMQP: no greeting")


def probe_management(url: str, user: str, password: str) -> None:
    """See whether the management API answers to this user.

    Raises:
        NotYet: it does not.
    """
    headers = urllib3.make_headers(basic_auth=f"{user}:{password}")
    try:
        with urllib3.PoolManager(retries=False, timeout=3) as pool:
            status = pool.request("GET", f"{url}/api/overview", headers=headers).status
    except urllib3.exceptions.HTTPError as error:
        raise NotYet(f"management: {type(error).__name__}") from error
    if status != 200:  # noqa: PLR2004 - HTTP's own number
        raise NotYet(f"management: status {status}")
