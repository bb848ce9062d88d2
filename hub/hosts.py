"""Addresses of one service on several machines, such as the nodes of a broker's cluster."""

from collections.abc import Iterable
from random import SystemRandom
from typing import NamedTuple
from urllib.parse import urlsplit


class Host(NamedTuple):
    """A machine's name or address, and a port on it."""

    name: str
    port: int

    def __str__(self) -> str:
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


def read_host(text: str, port: int | None = None) -> Host:
    """Read ``host:port``; an IPv6 address stands in brackets, ``port`` for one that is missing.

    The error does not quote the text, which may be a part of a secret.

    >>> read_host("[::1]:5672")
    Host(name='::1', port=5672)

    Raises:
        ValueError: it is no such text.
    """
    why = "this is no host:port"
    try:
        parts = urlsplit(f"//{text}")
        found = parts.port or port
    except ValueError:
        raise ValueError(why) from None
    if not parts.hostname or parts.netloc != text or "@" in text or not found:
        raise ValueError(why)
    return Host(parts.hostname, found)


def in_any_order(hosts: Iterable[Host]) -> list[Host]:
    """Give each host once, in random order, so that many clients spread over them."""
    once = list(dict.fromkeys(hosts))
    return SystemRandom().sample(once, len(once))
