"""Where the broker is and who asks, taken from a URL whose secrets are never shown again."""

import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import unquote

from pydantic import SecretStr

from hub.addresses import is_loopback
from hub.errors import SiteError
from hub.hosts import Host, read_host
from hub.tls import Identity, client_context

_PORTS = {"amqp": 5672, "amqps": 5671}
_UNREADABLE = "the broker URL cannot be read; encode special characters in it (%40 for @)"


@dataclass(frozen=True, slots=True)
class Address:
    """A broker on one host or several, and an account.

    ``tls`` makes the TLS context of one connection, so that a renewed certificate counts from
    the next one on; ``None`` is no TLS. An address without a password logs in by its client
    certificate (EXTERNAL).
    """

    hosts: tuple[Host, ...]
    vhost: str
    user: str
    password: SecretStr | None
    tls: Callable[[], ssl.SSLContext] | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{','.join(map(str, self.hosts))}/{self.vhost}"


def read_address(
    url: str,
    system: str,
    tls: Mapping[str, str] | None = None,
    certificates: Path | None = None,
) -> Address:
    """Read ``amqp[s]://<system>:<password>@<host>[:<port>][,<host>[:<port>]…]/<vhost>``.

    Several hosts are the nodes of one cluster. ``amqps`` always verifies the certificate and
    the name of the one that is connected to. ``certificates`` is the folder that the operator of
    the hub gave: with the system's own certificate in it, and those who are trusted and revoked.
    In its place ``tls`` may have ``ca_certs``, ``certfile`` and ``keyfile``. Plain ``amqp`` goes to
    this machine alone.

    Raises:
        SiteError: it is no such URL, its user is not the system, or it is plain and of another
            machine; the text does not quote it.
    """
    wrong = "the broker URL is no amqps://user:password@host:port/vhost"
    scheme, _, rest = url.partition("://")
    where, _, path = re.split(r"[?#]", rest, maxsplit=1)[0].partition("/")
    if scheme not in _PORTS or not where:
        raise SiteError(wrong)
    account, _, named = where.rpartition("@")
    user, _, secret = account.partition(":")
    try:
        hosts = tuple(dict.fromkeys(read_host(one, _PORTS[scheme]) for one in named.split(",")))
    except ValueError:
        raise SiteError(_UNREADABLE if named else wrong) from None
    if "@" in account:
        raise SiteError(_UNREADABLE)
    if account and unquote(user) != system:
        message = f"the user in the broker URL is not {system}"
        raise SiteError(message)
    if scheme == "amqp" and not all(is_loopback(host.name) for host in hosts):
        message = "the broker URL is plain (amqp) and of another machine: use amqps"
        raise SiteError(message)
    return Address(
        hosts=hosts,
        vhost=unquote(path) or "/",
        user=system,
        password=SecretStr(unquote(secret)) if secret else None,
        tls=_maker(system, tls or {}, certificates) if scheme == "amqps" else None,
    )


def _maker(
    system: str, tls: Mapping[str, str], certificates: Path | None
) -> Callable[[], ssl.SSLContext]:
    if certificates is not None:
        return partial(client_context, Identity(certificates, system))
    return partial(_context, tls)


def _context(tls: Mapping[str, str]) -> ssl.SSLContext:
    """Make a context of files that are named one by one.

    Raises:
        SiteError: one of them cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=tls.get("ca_certs"))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if "certfile" in tls:
            context.load_cert_chain(tls["certfile"], tls.get("keyfile"))
    except OSError as error:
        message = f"ca_certs, certfile or keyfile cannot be used: {error.strerror or error}"
        raise SiteError(message) from error
    return context
