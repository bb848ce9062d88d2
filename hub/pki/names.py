"""Who has a certificate at a site, and what it says. Pure.

The common name is the account at the broker and the database, so several processes may share it;
the organisational unit is the process, and each has a certificate and key of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from hub.addresses import host_of, is_loopback
from hub.errors import SiteError
from hub.processes import worker_names
from hub.site import HUB_USER, Site, posing_faults

WATCH = "ledger-watch"
CONSOLE = "console"
OPERATOR = "operator"
ADMINISTRATOR = "broker-admin"
MONITOR = "broker-monitor"
PROMETHEUS = "prometheus"
POSTGRESQL = "postgresql"
RESERVED = frozenset({"ca", "crls", "issued", "parties", "trust"})
"""What a process cannot be called: other things in the folder have these names."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What the certificate of a process says; with ``hosts`` it is a server's."""

    process: str
    account: str
    client: bool = True
    hosts: tuple[str, ...] = ()


def broker_process(host: str) -> str:
    """Name the certificate of the broker's node on a machine."""
    return f"broker-{host.replace(':', '-').lower()}"


def browser_process(machine: str) -> str:
    """Name the certificate of the browsers on a machine of staff; it is an account nowhere."""
    return f"browser-{machine}"


def worker_process(site: Site, name: str) -> str:
    """Name the certificate of a worker: its own, or the first one's where the site names none.

    A worker that is started by hand may have any name.
    """
    return name if name in worker_names(site.hub.workers) else HUB_USER


def profiles(site: Site) -> dict[str, Profile]:
    """Give what certificates a site needs, by process.

    Raises:
        SiteError: a system has a name that stands for something else, or the address of
            somebody whom it could play then.
    """
    if posing := list(posing_faults(site)):
        raise SiteError("\n".join(posing))
    found = list(_profiles(site))
    named: dict[str, Profile] = {}
    for one in found:
        if one.process in RESERVED or one.process in named:
            message = f"the system {one.process} cannot have a certificate: its name is taken"
            raise SiteError(message)
        named[one.process] = one
    return named


def accounts(site: Site) -> tuple[str, ...]:
    """Give who reads My Number, and so has encryption keys: the hub, and each system."""
    return (HUB_USER, *site.systems)


def database_host(site: Site) -> str:
    """Give PostgreSQL's machine; empty where the ledger is a file, or a socket of this machine."""
    url = site.hub.ledger
    return host_of(url) if urlsplit(url).scheme.startswith("postgresql") else ""


def _profiles(site: Site) -> Iterator[Profile]:
    hub, broker = site.hub, site.broker
    for worker in worker_names(hub.workers):
        yield Profile(worker, HUB_USER, hosts=_served(hub.listen))
    yield Profile(WATCH, HUB_USER, hosts=_served(hub.listen))
    yield Profile(OPERATOR, HUB_USER)
    yield Profile(ADMINISTRATOR, broker.admin_user)
    yield Profile(MONITOR, broker.monitor_user)
    yield Profile(PROMETHEUS, PROMETHEUS)
    nodes = list(dict.fromkeys([broker.host, *(one.name for one in broker.also)]))
    web = [host_of(url) for url in (broker.management_url, *broker.management_also)]
    more = [host for host in dict.fromkeys(web) if host and host not in nodes]
    for node in nodes:
        local = ("localhost",) if is_loopback(node) and node != "localhost" else ()
        hosts = tuple(dict.fromkeys((node, *local, *more)))
        yield Profile(broker_process(node), broker_process(node), client=False, hosts=hosts)
    if host := database_host(site):
        yield Profile(POSTGRESQL, POSTGRESQL, client=False, hosts=(host,))
    if site.console is not None:
        named = (site.console.listen, host_of(site.console.origin or ""))
        yield Profile(CONSOLE, HUB_USER, hosts=tuple(dict.fromkeys(filter(None, named))))
        for browser in map(browser_process, site.console.browsers):
            yield Profile(browser, browser)
    for name, system in site.systems.items():
        yield Profile(name, name, hosts=_served(system.listen))


def _served(listen: str) -> tuple[str, ...]:
    """Give the address of an endpoint that needs a server's certificate: one off loopback."""
    return () if is_loopback(listen) else (listen,)
