"""Until when the certificates hold that a process has, trusts, or is shown, for its metrics."""

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlsplit

from hub.edge.http.trust import Trust
from hub.hosts import Host
from hub.pki.ends import Ends, ends_of
from hub.pki.files import read_certificates
from hub.pki.shown import Server, Silent, shown_end
from hub.site import HUB_USER, Site, SystemSite
from hub.tls import Identity

log = logging.getLogger(__name__)

LOOK_SECONDS = 600.0
"""How long after a look at what servers show the next one begins."""
HTTPS_PORT = 443
INTERFACE = "interface"
"""The certificate of a system's interface; what is trusted and shown there begins so, too."""


def certificate_ends(site: Site, process: str, readers: Iterable[str] = ()) -> dict[str, Ends]:
    """Give what reads when each of a process's certificates ends; nothing where a site has none.

    ``readers`` are the accounts for which it encrypts.
    """
    if site.tls.folder is None:
        return {}
    found = ends_of(Identity(site.tls.folder, process), tuple(readers))
    if site.tls.plain_loopback:  # its connections need no certificate
        del found["own"]
    return found


def hub_readers(site: Site) -> tuple[str, ...]:
    """Give for whom the hub encrypts: each connected system, and it has to be encrypted for."""
    return (HUB_USER, *site.systems)


def interface_ends(system: SystemSite) -> dict[str, Ends]:
    """Give what reads when the files end that a system's interface is called with.

    Of several authorities the last counts: a new one stands beside the old for a while.
    """
    if system.url is None or not system.url.startswith("https:"):
        return {}
    own, authorities = system.cert_file, system.ca_file
    found: dict[str, Ends] = {}
    if own is not None:
        found[f"{INTERFACE}-client"] = lambda: read_certificates(own)[0].not_valid_after_utc
    if authorities is not None:
        found[f"{INTERFACE}-authority"] = lambda: max(
            one.not_valid_after_utc for one in read_certificates(authorities)
        )
    return found


def interface_server(system: SystemSite) -> tuple[Server, ...]:
    """Give the server of a system's interface, where it has one with a certificate."""
    url = system.url
    if url is None or not url.startswith("https:"):
        return ()
    trust = Trust(system.ca_file, system.cert_file, system.key_file)
    return (Server(INTERFACE, https_host(url), lambda: trust.context(url)),)


def https_host(url: str) -> Host:
    """Give machine and port of an address with https."""
    parts = urlsplit(url)
    return Host(parts.hostname or "", parts.port or HTTPS_PORT)


class PeerLook:
    """Looks at what servers show, and tells of each when that ends.

    Of one that does not answer nothing new is told: that it is away, other figures say.
    """

    def __init__(self, servers: Sequence[Server], tell: Callable[[str, dt.datetime], None]) -> None:
        self._servers = servers
        self._tell = tell
        self._troubles: dict[str, str] = {}

    def look(self) -> None:
        """Shake hands with each; why one shows nothing is said once."""
        for server in self._servers:
            trouble = ""
            try:
                self._tell(server.name, shown_end(server))
            except Silent as error:
                trouble = str(error)
            if trouble and trouble != self._troubles.get(server.name):
                log.warning("%s at %s shows no certificate: %s", server.name, server.host, trouble)
            self._troubles[server.name] = trouble
