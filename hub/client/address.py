"""Where the broker is and who asks, taken from a URL whose secrets are never shown again."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from pydantic import SecretStr

from hub.errors import SiteError
from hub.hosts import Host, read_host

_PORTS = {"amqp": 5672, "amqps": 5671}
_UNREADABLE = "the broker URL cannot be read; encode special characters in it (%40 for @)"


@dataclass(frozen=True, slots=True)
class Address:
    """A broker on one host or several, and an account.

    ``tls`` holds options of py-amqp; ``None`` is no TLS.

    An address without a password logs in by its client certificate (EXTERNAL).
    """

    hosts: tuple[Host, ...]
    vhost: str
    user: str
    password: SecretStr | None
    tls: Mapping[str, Any] | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{','.join(map(str, self.hosts))}/{self.vhost}"


def read_address(url: str, system: str, tls: Mapping[str, Any] | None = None) -> Address:
    """Read ``amqp[s]://<system>:<password>@<host>[:<port>][,<host>[:<port>]…]/<vhost>``.

    Several hosts are the nodes of one cluster. ``amqps`` always verifies the certificate and
    the name of the one that is connected to; ``tls`` may add ``ca_certs``, ``certfile`` and
    ``keyfile``.

    Raises:
        SiteError: it is no such URL, or its user is not the system; the text does not quote it.
    """
    wrong = "the broker URL is no amqp://user:password@host:port/vhost"
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
    return Address(
        hosts=hosts,
        vhost=unquote(path) or "/",
        user=system,
        password=SecretStr(unquote(secret)) if secret else None,
        tls=dict(tls or {}) if scheme == "amqps" else None,
    )
