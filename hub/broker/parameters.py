"""Whom to connect to and as whom, as pika is told: in plain, by password or by certificate.

Every connection of the hub's own over AMQP is made with these: links, questions to a node, and
the demo's forbidden attempts.
"""

import re
import ssl
from dataclasses import dataclass

import pika
from pika.credentials import ExternalCredentials
from pydantic import SecretStr

from hub.hosts import Host
from hub.tls import MakeContext

OPEN_SECONDS = 10.0
SOCKET_SECONDS = 5.0
_TLS_ERROR = re.compile(r"\bSSL\w*Error\b")
_TLS_WORDS = re.compile(r"\[SSL: \w+\] ([^(]+)")
"""An error of TLS where pika has put it into a text, and what OpenSSL says in it."""
_LACKING = ("ACCESS_REFUSED", "NOT_FOUND", "NOT_ALLOWED")
"""What a broker says that is not as planned: after an update, say, when nobody has told it yet."""


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Whom to connect to, as whom, and what to consume.

    ``tls`` makes the context of one connection: a certificate that was renewed counts from the
    next connection on. With it, an empty ``password`` means that the certificate says who this is
    (EXTERNAL); ``user`` is then the common name in it.

    ``heartbeat`` is in seconds. ``queues`` may be empty for a link that only publishes.
    ``prefetch`` is how many unacknowledged messages the broker hands out for each queue.
    ``open_seconds`` is how long opening may take. ``also`` are other nodes of the same cluster:
    a link opens to ``host`` alone, and ``hub.broker.connect`` chooses among them.
    """

    host: str
    port: int
    vhost: str
    user: str
    password: SecretStr
    name: str
    heartbeat: int = 10
    prefetch: int = 1000
    queues: tuple[str, ...] = ()
    also: tuple[Host, ...] = ()
    open_seconds: float = OPEN_SECONDS
    tls: MakeContext | None = None


def parameters(settings: LinkSettings, host: Host | None = None) -> pika.ConnectionParameters:
    """Give pika's parameters of a connection to ``host``, or to the host of the settings.

    Raises:
        RenkeiError: the files of the certificate cannot be used.
    """
    where = host or Host(settings.host, settings.port)
    return pika.ConnectionParameters(
        host=where.name,
        port=where.port,
        virtual_host=settings.vhost,
        credentials=_credentials(settings),
        ssl_options=_options(settings, where),
        heartbeat=settings.heartbeat,
        socket_timeout=SOCKET_SECONDS,
        stack_timeout=settings.open_seconds,
        client_properties={"connection_name": settings.name},
    )


def _credentials(settings: LinkSettings) -> pika.PlainCredentials | ExternalCredentials:
    secret = settings.password.get_secret_value()
    if settings.tls is not None and not secret:
        return ExternalCredentials()
    return pika.PlainCredentials(settings.user, secret, erase_on_connect=True)


def _options(settings: LinkSettings, where: Host) -> pika.SSLOptions | None:
    if settings.tls is None:
        return None
    return pika.SSLOptions(settings.tls(), server_hostname=where.name)


def cause(reason: object) -> object:
    """Give what lies at the bottom of what pika says of a connection that did not come about.

    pika packs it into several exceptions with empty texts.
    """
    seen: set[int] = set()
    while isinstance(reason, BaseException) and id(reason) not in seen:
        seen.add(id(reason))
        inner = getattr(reason, "exceptions", None) or [getattr(reason, "exception", None)]
        if not isinstance(inner[-1], BaseException):
            break
        reason = inner[-1]
    return reason


def said(reason: object) -> str:
    """Say why a connection is gone, in one line; what TLS or a right says, with what to do."""
    deepest = cause(reason)
    text = " ".join((str(deepest) or type(deepest).__name__).split())[:300]
    if isinstance(deepest, ssl.SSLError) or _TLS_ERROR.search(text):
        words = _TLS_WORDS.search(text)
        text = words[1].strip(" .") if words else text
        return f"TLS failed: {text}; renkei pki check looks at the certificates"
    if any(word in text for word in _LACKING):
        return f"{text}; renkei broker apply makes what this program needs of the broker"
    return text
