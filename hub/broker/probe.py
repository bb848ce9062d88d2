"""Whether a broker answers on loopback."""

import socket

import urllib3

from hub.broker.free import HOST


class NotYet(Exception):
    """The broker does not answer so far."""


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
