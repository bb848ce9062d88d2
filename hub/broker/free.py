"""Free ports on loopback."""

import socket
from collections.abc import Collection, Sequence
from itertools import islice
from random import SystemRandom

HOST = "127.0.0.1"
PORTS = range(20_000, 32_000)
"""Below the range that outgoing connections take theirs from, so that they stay free."""
NODE_PORTS = ("amqp", "management", "distribution", "epmd")
SECURE_PORTS = (*NODE_PORTS, "amqps", "https")
"""Those of a node that can be reached with TLS as well."""


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
