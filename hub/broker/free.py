"""Free ports on loopback.

``RENKEI_PORTS`` says from where: ``24000-24999``. Who runs several nodes or demos at once gives
each its own, so that none takes a port that another has chosen and not yet opened.
"""

import os
import re
import socket
from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from random import SystemRandom

from hub.errors import SiteError

HOST = "127.0.0.1"
PORTS = range(20_000, 32_000)
"""Below the range that outgoing connections take theirs from, so that they stay free."""
PLACE = "RENKEI_PORTS"
NODE_PORTS = ("amqp", "management", "distribution", "epmd")
SECURE_PORTS = (*NODE_PORTS, "amqps", "https")
"""Those of a node that can be reached with TLS as well."""
_OPEN = range(1024, 65_536)
_RANGE = re.compile(r"(\d{1,5})-(\d{1,5})", re.ASCII)


def is_free(port: int) -> bool:
    """Say whether nobody listens on this port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def ports(environment: Mapping[str, str] = os.environ) -> range:
    """Give the ports that are chosen from.

    Raises:
        SiteError: ``RENKEI_PORTS`` says something else than two ports.
    """
    said = environment.get(PLACE, "")
    if not said:
        return PORTS
    first, last = map(int, found.groups()) if (found := _RANGE.fullmatch(said)) else (1, 0)
    if first > last or first not in _OPEN or last not in _OPEN:
        raise SiteError(f"{PLACE} is no range of ports; write it as 24000-24999, from 1024 on")
    return range(first, last + 1)


def free_ports(count: int, taken: Collection[int] = ()) -> list[int]:
    """Choose so many ports, each free at this moment and none of them among ``taken``.

    Raises:
        SiteError: there are not so many, or ``RENKEI_PORTS`` is wrong.
    """
    there = ports()
    chosen = SystemRandom().sample(there, len(there))
    found = list(islice((one for one in chosen if one not in taken and is_free(one)), count))
    if len(found) < count:
        raise SiteError(
            f"of the ports {there[0]}-{there[-1]} only {len(found)} are free, and {count} are "
            f"needed; {PLACE} says from where they are taken"
        )
    return found


def choose_ports(names: Sequence[str] = NODE_PORTS) -> dict[str, int]:
    """Choose the ports of a node, each free at this moment."""
    return dict(zip(names, free_ports(len(names)), strict=True))
