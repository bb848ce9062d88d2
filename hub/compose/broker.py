"""What a site's catalogue asks of its broker, and the administrator's ways to it."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from pydantic import SecretStr

from hub.broker.depth import queue_depth
from hub.broker.limit import too_generous
from hub.broker.management import Management, first_answering
from hub.broker.parameters import LinkSettings
from hub.broker.plan import plan
from hub.broker.survey import View, small
from hub.broker.switch import Depth
from hub.broker.topology import Topology
from hub.compose.checked import passwords_of
from hub.compose.links import context_maker, link_settings
from hub.errors import SiteError
from hub.message import RECEIPT_TYPE
from hub.pki.names import ADMINISTRATOR
from hub.site import HUB_USER, Site, read_secret
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
    user, password = site.broker.admin_user, _admin_password(site)
    urls = (site.broker.management_url, *site.broker.management_also)
    tls = context_maker(site, ADMINISTRATOR)
    url = first_answering(urls, user, password, tls)
    with Management(url, user, password, tls=tls) as it:
        yield it


def passwords_to_set(site: Site) -> dict[str, SecretStr | None]:
    """Give the password that each broker user of the site is to have.

    With certificates that is none, but for the one who asks the management API, which takes
    passwords only.

    Raises:
        SiteError: one is missing or readable by others.
    """
    if site.tls.plain_loopback:
        return {**passwords_of(site)}
    found: dict[str, SecretStr | None] = dict.fromkeys((HUB_USER, *site.systems))
    if site.broker.monitor_password_file is not None:
        found[site.broker.monitor_user] = read_secret(site.broker.monitor_password_file)
    return found


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


def _admin_password(site: Site) -> SecretStr:
    if site.broker.admin_password_file is None:
        message = "broker.admin_password_file is missing in the site file"
        raise SiteError(message)
    return read_secret(site.broker.admin_password_file)


def _admin_settings(site: Site) -> LinkSettings:
    """Say how the administrator connects over AMQP: by certificate too, where there are any."""
    _admin_password(site)
    user, file = site.broker.admin_user, site.broker.admin_password_file
    settings = link_settings(site, user, file, (), prefetch=1, process=ADMINISTRATOR)
    return replace(settings, name="renkei broker apply")
