"""Addresses in a site file: of interfaces, of a broker's nodes, and of a process's own endpoint.

What is plain may only go to this machine itself; ``plain_faults`` of ``hub.site`` holds a whole
site to that.
"""

import ipaddress
from typing import Annotated
from urllib.parse import SplitResult, parse_qs, urlsplit

from pydantic import AfterValidator, PlainValidator

from hub.hosts import Host, read_host

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def is_loopback(host: str) -> bool:
    """Tell whether a machine's name or address is this machine itself, whatever is resolved."""
    if host in LOOPBACK:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_same(one: str, other: str) -> bool:
    """Tell whether two machines are written as one; an address also where it is in another form.

    >>> is_same("::FFFF:10.0.0.5", "10.0.0.5")
    True
    """
    return _plain(one) == _plain(other)


def _plain(host: str) -> object:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.lower()
    return getattr(address, "ipv4_mapped", None) or address


def host_of(url: str) -> str:
    """Give the machine of an address, or an empty text where it names none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _split(text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError:
        message = "this is no address"  # the cause may repeat what is in it
        raise ValueError(message) from None


def _base(text: str) -> str:
    """Take an address that paths are added to: it says nothing of who asks, and no secret."""
    url = _split(text)
    if url.scheme not in {"http", "https"} or not url.hostname:
        message = "this is no address: it begins with https://"
        raise ValueError(message)
    if url.username is not None or url.query or url.fragment:
        message = "an address has no user, question mark or hash sign: secrets stand in files"
        raise ValueError(message)
    try:
        _ = url.port
    except ValueError:
        message = "the port of the address is no port"
        raise ValueError(message) from None
    return text


ManagementUrl = Annotated[str, AfterValidator(_base)]
"""The address of a management API; ``plain_faults`` says where it may be plain."""


def _interface(text: str) -> str:
    """Take the base address of an interface: https, or plain http to this machine alone."""
    url = urlsplit(_base(text))
    if url.scheme == "http" and not is_loopback(url.hostname or ""):
        message = f"plain http goes to this machine ({', '.join(LOOPBACK)}) only: use https"
        raise ValueError(message)
    return text


InterfaceUrl = Annotated[str, AfterValidator(_interface)]


def _ledger(text: str) -> str:
    """Take the URL of a database: with a user, and never with a password, also not behind a ``?``.

    Which certificate a process logs in with stands behind the question mark, too, but in no site
    file (``hub.ledger.identity``).
    """
    url = _split(text)
    if url.password is not None:
        message = (
            "a password does not stand in the URL: write it into a file, name that in "
            "hub.ledger_password_file, and change it, since it stood here"
        )
        raise ValueError(message)
    if not text.startswith("sqlite:") and set(parse_qs(url.query, keep_blank_values=True)) - {
        "unix_sock"
    }:
        message = "behind a question mark only unix_sock may stand: secrets stand in files"
        raise ValueError(message)
    return text


LedgerUrl = Annotated[str, AfterValidator(_ledger)]


def _machine(text: str) -> str:
    if "@" in text or "/" in text:
        message = "this is no name or address of a machine: no URL, and no user"
        raise ValueError(message)
    return text


MachineName = Annotated[str, AfterValidator(_machine)]


def _host(text: object) -> Host:
    if not isinstance(text, str):
        message = "this is no text of the form host:port"
        raise ValueError(message)  # noqa: TRY004 - a fault of the site file
    return read_host(text)


BrokerHost = Annotated[Host, PlainValidator(_host)]


def _inner(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        message = "this is no address of this machine, such as 10.0.0.5"
        raise ValueError(message) from None
    if address.is_unspecified or address.is_multicast:
        message = "this would be every address of this machine: name the inner one"
        raise ValueError(message)
    return text


ListenAddress = Annotated[str, AfterValidator(_inner)]
"""An address of this machine that a process listens on; never all of them."""
