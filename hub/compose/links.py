"""How a process of the site connects to the broker."""

import itertools
import logging
import random
from collections.abc import Callable
from pathlib import Path

from pydantic import SecretStr

from hub.broker.connect import connected, rest
from hub.broker.link import LinkSettings, PikaLink
from hub.pauses import SPREAD_SECONDS, Chance
from hub.site import Site, read_secret

log = logging.getLogger(__name__)

Stopping = Callable[[], bool]


def link_settings(
    site: Site, user: str, password_file: Path | None, queues: tuple[str, ...], prefetch: int
) -> LinkSettings:
    """Say how a process connects to the broker.

    Raises:
        SiteError: the password is missing or readable by others.
    """
    broker = site.broker
    return LinkSettings(
        host=broker.host,
        port=broker.port,
        vhost=broker.vhost,
        user=user,
        password=read_secret(password_file) if password_file is not None else SecretStr(""),
        name=f"renkei {user}",
        heartbeat=broker.heartbeat,
        also=broker.also,
        prefetch=prefetch,
        queues=queues,
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
