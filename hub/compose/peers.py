"""The servers of a site that have a certificate of their own: the broker's nodes, the database."""

from urllib.parse import urlsplit

from hub.compose.expiry import https_host
from hub.compose.links import context_maker
from hub.hosts import Host
from hub.ledger.identity import PORT
from hub.pki.names import POSTGRESQL, broker_process, database_host
from hub.pki.shown import Server, asking_postgresql
from hub.site import Site


def servers_of(site: Site, process: str) -> tuple[Server, ...]:
    """Give them, as a process of the site asks them; none where connections are plain.

    Raises:
        SiteError: the site names no folder of certificates.
    """
    tls = context_maker(site, process)
    if tls is None:
        return ()
    broker = site.broker
    nodes = dict.fromkeys((Host(broker.host, broker.port), *broker.also))
    found = [Server(broker_process(node.name), node, tls) for node in nodes]
    for url in dict.fromkeys((broker.management_url, *broker.management_also)):
        if url.startswith("https:"):
            host = https_host(url)
            found.append(Server(f"management-{host.name.replace(':', '-').lower()}", host, tls))
    if host_name := database_host(site):
        host = Host(host_name, urlsplit(site.hub.ledger).port or PORT)
        found.append(Server(POSTGRESQL, host, tls, asking_postgresql))
    return tuple(found)
