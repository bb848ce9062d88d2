"""Until when a server's certificate holds, as the server itself shows it at a handshake.

A file that was renewed says nothing of a server that never read it anew.
"""

import datetime as dt
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from hub.errors import RenkeiError
from hub.hosts import Host
from hub.tls import MakeContext

SECONDS = 3.0
"""How long a server may take for each step of a handshake."""
ENDED = dt.datetime.fromtimestamp(0, dt.UTC)
"""Stands for the end of a certificate that has ended: TLS does not show it any more."""
_HAS_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED
_POSTGRESQL_ASKS, _POSTGRESQL_TAKES = bytes.fromhex("0000000804d2162f"), b"S"


class Silent(Exception):
    """A server showed no certificate, for a reason that is not the certificate's end."""


def nothing(_: socket.socket) -> None:
    """Begin with the handshake, as most servers have it."""


def asking_postgresql(plain: socket.socket) -> None:
    """Ask PostgreSQL for TLS before the handshake.

    Raises:
        OSError: it takes none.
    """
    plain.sendall(_POSTGRESQL_ASKS)
    if plain.recv(1) != _POSTGRESQL_TAKES:
        message = "it takes no TLS"
        raise ConnectionError(message)


@dataclass(frozen=True, slots=True)
class Server:
    """A server by the name under which it is told of, where it is, and who asks it.

    ``tls`` makes the client's context; ``begin`` is what is said in plain before the handshake.
    """

    name: str
    host: Host
    tls: MakeContext
    begin: Callable[[socket.socket], None] = nothing


def shown_end(server: Server) -> dt.datetime:
    """Shake hands with a server, and give when the certificate that it shows ends.

    It is checked as for any connection; one that has ended gives ``ENDED``.

    Raises:
        Silent: it cannot be reached, or is not trusted for another reason.
    """
    try:
        with socket.create_connection(server.host, SECONDS) as plain:
            server.begin(plain)
            context = server.tls()
            with context.wrap_socket(plain, server_hostname=server.host.name) as shaken:
                shown = shaken.getpeercert() or {}
        ends = ssl.cert_time_to_seconds(str(shown["notAfter"]))
    except ssl.SSLCertVerificationError as error:
        if error.verify_code == _HAS_EXPIRED:
            return ENDED
        raise Silent(f"its certificate is not trusted ({error.verify_message})") from error
    except (OSError, ValueError, RenkeiError) as error:  # ValueError: no name of a host at all
        raise Silent(str(error)) from error
    return dt.datetime.fromtimestamp(ends, dt.UTC)
