"""Where the broker is and who asks, taken from a URL whose secrets are never shown again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from hub.errors import SiteError

_PORTS = {"amqp": 5672, "amqps": 5671}


@dataclass(frozen=True, slots=True)
class Address:
    """A broker and an account. ``tls`` holds options of py-amqp; ``None`` is no TLS.

    An address without a password logs in by its client certificate (EXTERNAL).
    """

    host: str
    port: int
    vhost: str
    user: str
    password: SecretStr | None
    tls: Mapping[str, Any] | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}/{self.vhost}"


def read_address(url: str, system: str, tls: Mapping[str, Any] | None = None) -> Address:
    """Read ``amqp[s]://<system>:<password>@<host>[:<port>]/<vhost>``.

    ``amqps`` always verifies the broker's certificate and its name; ``tls`` may add
    ``ca_certs``, ``certfile`` and ``keyfile``.

    Raises:
        SiteError: it is no such URL, or its user is not the system; the text does not quote it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        message = "the broker URL cannot be read; encode special characters in it (%40 for @)"
        raise SiteError(message) from None
    if parts.scheme not in _PORTS or not parts.hostname:
        message = "the broker URL is no amqp://user:password@host:port/vhost"
        raise SiteError(message)
    if parts.username is not None and unquote(parts.username) != system:
        message = f"the user in the broker URL is not {system}"
        raise SiteError(message)
    return Address(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        vhost=unquote(parts.path[1:]) or "/",
        user=system,
        password=SecretStr(unquote(parts.password)) if parts.password else None,
        tls=_verified(parts.hostname, tls) if parts.scheme == "amqps" else None,
    )


def _verified(host: str, tls: Mapping[str, Any] | None) -> Mapping[str, Any]:
    # py-amqp checks the name only where it is told one.
    return {"server_hostname": host, **(tls or {})}
