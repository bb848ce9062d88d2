"""How pg8000 connects: over a socket that sends at once, and with the certificate of a process.

Which process it is stands in the ledger's URL (``hub.ledger.identity``). PostgreSQL is never
reached in plain on another machine.
"""

import os
import socket
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import pg8000

from hub.addresses import is_loopback
from hub.errors import LedgerError, SiteError
from hub.ledger.identity import FOLDER, PORT, PROCESS, VERSION
from hub.pki.shown import asking_postgresql
from hub.tls import Identity, client_context


def connect_at_once(
    _dialect: object, _record: object, _args: object, asked: dict[str, Any]
) -> pg8000.Connection | None:
    """Connect pg8000 over a socket that sends at once, and with TLS where the URL says so.

    It sends a statement in several pieces. Its own socket keeps a piece back until the server has
    acknowledged the one before, which takes up to 40 ms.

    Raises:
        LedgerError: a certificate cannot be used or is not trusted, or the connection would be
            plain and leave this machine.
    """
    told = {key: value for key, value in asked.items() if not key.startswith("renkei_")}
    if "unix_sock" in told:
        return None
    host = told.get("host", "localhost")
    context = _context(asked)
    if context is None and not is_loopback(host):
        message = (
            "the ledger is on another machine and no certificate is named for it: set tls.folder "
            "in the site file"
        )
        raise LedgerError(message)
    try:
        return _connection(told, (host, told.get("port", PORT)), context)
    except (OSError, pg8000.InterfaceError) as error:
        # Where the server refuses a certificate of TLS 1.3, that is heard with its first answer.
        for one in (error, error.__cause__):
            if isinstance(one, ssl.SSLError):
                message = f"TLS with the ledger failed ({one}); run renkei pki check"
                raise LedgerError(message) from error
        if isinstance(error, socket.gaierror):
            why = error.strerror or "no name"
            message = f"the machine {host} is not found ({why}): check ledger under [hub], and DNS"
            raise pg8000.InterfaceError(message) from error
        if isinstance(error, OSError):  # as pg8000 would say it, for SQLAlchemy to know it
            raise pg8000.InterfaceError(str(error)) from error
        raise


def _connection(
    told: dict[str, Any], place: tuple[str, int], context: ssl.SSLContext | None
) -> pg8000.Connection:
    sock = socket.create_connection(place, told.get("timeout"))
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if context is not None:
            asking_postgresql(sock)
            sock = context.wrap_socket(sock, server_hostname=place[0])
        return pg8000.Connection(**told, sock=sock, ssl_context=False)
    except BaseException:
        # Its files may still hold the socket, and would keep it open until they are collected.
        with suppress(OSError):
            os.close(sock.detach())
        raise


def _context(asked: dict[str, Any]) -> ssl.SSLContext | None:
    """Make the context for one connection: what was renewed since the last counts now."""
    if FOLDER not in asked:
        return None
    identity = Identity(Path(asked[FOLDER]), asked[PROCESS], asked[VERSION])
    try:
        return client_context(identity)
    except SiteError as error:
        raise LedgerError(str(error)) from error
