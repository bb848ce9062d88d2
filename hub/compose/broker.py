"""What a site's catalogue asks of its broker, and the administrator's ways to it."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

from hub.broker.depth import queue_depth
from hub.broker.limit import too_generous
from hub.broker.link import LinkSettings
from hub.broker.management import Management, first_answering
from hub.broker.plan import plan
from hub.broker.survey import View, small
from hub.broker.switch import Depth
from hub.broker.topology import Topology
from hub.errors import SiteError
from hub.message import RECEIPT_TYPE
from hub.site import Site, read_secret
from hub.statute.model import Catalogue
from hub.statute.rights import receives, sendable


def broker_plan(site: Site, catalogue: Catalogue, day: dt.date) -> Topology:
    """Plan the topology that holds from a day on.

    Every system of the catalogue but the neighbours has its exchange and queue; those that the
    site names have an account. Such a user may publish the types of the flows that are
    permitted on that day or later, and receipts where a flow leads to it.
    """
    systems = [name for name, system in catalogue.systems.items() if not system.neighbour]
    sends = {name: may_publish(catalogue, name, day) for name in site.systems}
    monitor = site.broker.monitor_user if site.broker.monitor_password_file else ""
    return plan(systems, sends, site.hub.partitions, monitor)


def may_publish(catalogue: Catalogue, system: str, day: dt.date) -> frozenset[str]:
    """Give the message types that a system's user may publish from a day on."""
    receipts = {RECEIPT_TYPE} if receives(catalogue, system) else set()
    return sendable(catalogue, system, day) | receipts


@contextmanager
def administrator(site: Site) -> Iterator[Management]:
    """Open the management API of the site's broker, the first that answers, as administrator.

    Raises:
        BrokerUnavailable: of several, none answers.
        SiteError: the site names no password for it, or it cannot be read.
    """
    user, password = site.broker.admin_user, _admin_settings(site).password
    urls = (site.broker.management_url, *site.broker.management_also)
    with Management(first_answering(urls, user, password), user, password) as it:
        yield it


def queues_to_grow(management: Management, vhost: str) -> tuple[str, ...]:
    """Name the queues of a cluster that have too few members; the broker's own tool adds them.

    Raises:
        BrokerError: the broker refused.
    """
    if all(row["name"] != vhost for row in management.get("vhosts")):
        return ()
    return small(View(management.get("nodes"), management.get("queues", vhost)))


def depth_of(site: Site) -> Depth:
    """Give what tells how much a queue of the site's broker holds.

    Raises:
        SiteError: as for ``administrator``.
    """
    settings = _admin_settings(site)
    return lambda queue: queue_depth(settings, queue)


def too_generous_nodes(site: Site) -> tuple[str, ...]:
    """Name the nodes that take messages of any size, so that one sender could fill the memory.

    Raises:
        SiteError: as for ``administrator``.
    """
    return too_generous(_admin_settings(site))


def _admin_settings(site: Site) -> LinkSettings:
    broker = site.broker
    if broker.admin_password_file is None:
        message = "broker.admin_password_file is missing in the site file"
        raise SiteError(message)
    return LinkSettings(
        host=broker.host,
        port=broker.port,
        vhost=broker.vhost,
        user=broker.admin_user,
        password=read_secret(broker.admin_password_file),
        name="renkei broker apply",
        heartbeat=broker.heartbeat,
        also=broker.also,
    )
