"""How pg8000 connects: over a socket that sends at once, and with the certificate of a process.

Which process it is stands in the ledger's URL, so that whoever opens it anew, in another process
too, comes with the same certificate. PostgreSQL is never reached in plain on another machine.
"""

import socket
import ssl
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pg8000
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from hub.addresses import is_loopback
from hub.errors import LedgerError, SiteError
from hub.tls import Identity, client_context

PORT = 5432
"""PostgreSQL's, where the URL has none."""
_FOLDER, _PROCESS, _VERSION = "renkei_tls", "renkei_process", "renkei_tls_version"


def with_identity(url: str, identity: Identity) -> str:
    """Say in the URL of a ledger in PostgreSQL by which certificate to log in; SQLite needs none.

    Raises:
        LedgerError: the URL cannot be read.
    """
    try:
        parsed = make_url(url)
    except (SQLAlchemyError, ValueError):
        raise LedgerError("the URL of the ledger cannot be read") from None
    if parsed.drivername == "sqlite":
        return url
    said = {
        _FOLDER: str(identity.folder),
        _PROCESS: identity.process,
        _VERSION: identity.min_version,
    }
    return parsed.update_query_dict(said).render_as_string(hide_password=False)


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
        if isinstance(error, OSError):  # as pg8000 would say it, for SQLAlchemy to know it
            raise pg8000.InterfaceError(str(error)) from error
        raise


def _connection(
    told: dict[str, Any], place: tuple[str, int], context: ssl.SSLContext | None
) -> pg8000.Connection:
    with ExitStack() as failing:
        sock = failing.enter_context(socket.create_connection(place, told.get("timeout")))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection = pg8000.Connection(**told, sock=sock, ssl_context=context or False)
        failing.pop_all()
    return connection


def _context(asked: dict[str, Any]) -> ssl.SSLContext | None:
    """Make the context for one connection: what was renewed since the last counts now."""
    if _FOLDER not in asked:
        return None
    identity = Identity(Path(asked[_FOLDER]), asked[_PROCESS], asked[_VERSION])
    try:
        return client_context(identity)
    except SiteError as error:
        raise LedgerError(str(error)) from error
