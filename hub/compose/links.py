"""How a process of the site connects to the broker."""

import itertools
import logging
import random
from collections.abc import Callable
from functools import partial

from pydantic import SecretStr

from hub.addresses import is_loopback
from hub.broker.connect import connected, rest
from hub.broker.link import LinkSettings, PikaLink
from hub.pauses import SPREAD_SECONDS, Chance
from hub.secret import SecretPlace, read_secret
from hub.site import Site
from hub.tls import MakeContext, ServerContexts, client_context, identity_of

log = logging.getLogger(__name__)

Stopping = Callable[[], bool]


def context_maker(site: Site, process: str) -> MakeContext | None:
    """Give what makes the TLS context of each connection of a process; none on a plain site.

    Raises:
        SiteError: the site names no folder of certificates.
    """
    identity = identity_of(site, process)
    return None if identity is None else partial(client_context, identity)


def served_with(site: Site, process: str, listen: str) -> MakeContext | None:
    """Give what makes the TLS context of a process's own endpoint: one that leaves this machine.

    Raises:
        SiteError: the site names no folder of certificates.
    """
    identity = None if is_loopback(listen) else identity_of(site, process)
    return None if identity is None else ServerContexts(identity).current


def link_settings(  # noqa: PLR0913 - what the two ends are
    site: Site,
    user: str,
    password_file: SecretPlace | None,
    queues: tuple[str, ...],
    prefetch: int,
    *,
    process: str = "",
) -> LinkSettings:
    """Say how a process connects to the broker: by its certificate, or else by a password.

    ``process`` is whose certificate it is, where it is not called as its ``user``.

    Raises:
        SiteError: the password is missing or readable by others.
    """
    broker = site.broker
    tls = context_maker(site, process or user)
    plain = password_file if tls is None else None
    return LinkSettings(
        host=broker.host,
        port=broker.port,
        vhost=broker.vhost,
        user=user,
        password=read_secret(plain) if plain is not None else SecretStr(""),
        name=f"renkei {process or user}",
        heartbeat=broker.heartbeat,
        also=broker.also,
        prefetch=prefetch,
        queues=queues,
        tls=tls,
    )


def connector(
    settings: LinkSettings, stopping: Stopping, chance: Chance = random.random
) -> Callable[[], PikaLink | None]:
    """Give what opens the link, again and again, until it is open or the process is to stop.

    After the first time a link was lost, by many processes at the same moment.
    """
    times = itertools.count()

    def connect() -> PikaLink | None:
        if next(times):
            rest(chance() * SPREAD_SECONDS, stopping)
        return connected(settings, stopping=stopping, say=log.warning, chance=chance)

    return connect
