"""The composition root: builds the parts of a process from the site file, and knows them all.

Nobody else does. What a process does with them is in ``hub.worker`` and ``hub.edge.loop``.
"""

import datetime as dt
import logging
from collections.abc import Callable
from pathlib import Path

from prometheus_client import REGISTRY

import adapters
from hub.broker.connect import connected
from hub.broker.link import LinkSettings, PikaLink
from hub.edge.loop import run_adapter
from hub.errors import CatalogueError, SiteError
from hub.ledger.model import Pseudonyms
from hub.ledger.schema import with_password
from hub.ledger.store import DatabaseLedger
from hub.message import NOTICE_TYPE, RECEIPT_TYPE
from hub.names import outbound_queue, partition_queue
from hub.pipeline.judge import Judge
from hub.site import HUB_USER, Site, load_site, read_secret
from hub.statute.catalogue import Catalogue, load_catalogue
from hub.worker import Worker
from monitoring.edge import EdgeMetrics
from monitoring.endpoint import serve
from monitoring.hub import HubMetrics
from schemas import MESSAGE_TYPES

log = logging.getLogger(__name__)

Stopping = Callable[[], bool]
MIN_KEY_CHARACTERS = 32


def load_checked(path: Path) -> tuple[Site, Catalogue]:
    """Read a site file and its catalogue, and check one against the other.

    Raises:
        SiteError: something is wrong; every fault of site, secrets and catalogue is named.
    """
    site = load_site(path)
    faults: list[str] = []
    catalogue: Catalogue | None = None
    try:
        catalogue = load_catalogue(site.hub.routes)
    except CatalogueError as error:
        faults.append(str(error))
    faults.extend(_secret_faults(site))
    if catalogue is not None:
        faults.extend(_system_faults(site, catalogue))
    if faults or catalogue is None:
        message = f"{path} cannot be used:\n" + "\n".join(f"  {fault}" for fault in faults)
        raise SiteError(message)
    return site, catalogue


def _secret_faults(site: Site) -> list[str]:
    faults = []
    secrets = [site.hub.password_file, site.hub.pseudonym_key_file]
    secrets += [system.password_file for system in site.systems.values()]
    if site.hub.ledger_password_file is not None:
        secrets.append(site.hub.ledger_password_file)
    for path in secrets:
        try:
            read_secret(path)
        except SiteError as error:
            faults.append(str(error))
    return faults


def _system_faults(site: Site, catalogue: Catalogue) -> list[str]:
    faults = []
    for system in site.systems:
        if system not in catalogue.systems:
            faults.append(f"systems.{system}: the catalogue does not know this system")
        elif catalogue.systems[system].neighbour:
            faults.append(f"systems.{system}: a neighbour that no flow of this office reaches")
        try:
            adapters.find(system)
        except SiteError as error:
            faults.append(f"systems.{system}: {error}")
    return faults


def pseudonyms(site: Site) -> Pseudonyms:
    """Give the keyed digests of this site.

    Raises:
        SiteError: the key is missing, readable by others or too short.
    """
    key = read_secret(site.hub.pseudonym_key_file).get_secret_value()
    if len(key) < MIN_KEY_CHARACTERS:
        message = (
            f"{site.hub.pseudonym_key_file}: a key has {MIN_KEY_CHARACTERS} characters or more"
        )
        raise SiteError(message)
    return Pseudonyms(key.encode())


def ledger_url(site: Site) -> str:
    """Give the ledger's URL with its password.

    Raises:
        SiteError: the password cannot be read.
        LedgerError: the URL cannot be read.
    """
    if site.hub.ledger_password_file is None:
        return site.hub.ledger
    return with_password(site.hub.ledger, read_secret(site.hub.ledger_password_file))


def link_settings(
    site: Site, user: str, password_file: Path, queues: tuple[str, ...], prefetch: int
) -> LinkSettings:
    """Say how a process connects to the broker."""
    broker = site.broker
    return LinkSettings(
        host=broker.host,
        port=broker.port,
        vhost=broker.vhost,
        user=user,
        password=read_secret(password_file),
        name=f"renkei {user}",
        heartbeat=broker.heartbeat,
        prefetch=prefetch,
        queues=queues,
    )


def _connector(settings: LinkSettings, stopping: Stopping) -> Callable[[], PikaLink | None]:
    return lambda: connected(settings, stopping=stopping, say=log.warning)


def run_hub(site: Site, catalogue: Catalogue, stopping: Stopping) -> None:
    """Be a hub worker until ``stopping``.

    Raises:
        RenkeiError: the ledger cannot be opened, or a secret is wrong.
    """
    types = {*MESSAGE_TYPES, RECEIPT_TYPE, NOTICE_TYPE}
    metrics = HubMetrics(REGISTRY, catalogue.systems, types)
    if site.hub.metrics_port is not None:
        serve(REGISTRY, site.hub.metrics_port)
    queues = tuple(partition_queue(number) for number in range(site.hub.partitions))
    settings = link_settings(
        site, HUB_USER, site.hub.password_file, queues, prefetch=2 * site.hub.batch
    )
    ledger = DatabaseLedger(ledger_url(site))
    worker = Worker(
        judge=Judge(catalogue, pseudonyms(site), site.hub.about_to_reach_days),
        ledger=ledger,
        notified=frozenset(catalogue.connected()),
        observe=metrics,
        clock=lambda: dt.datetime.now(dt.UTC),
        batch=site.hub.batch,
    )
    log.info("the hub is working with catalogue %s", catalogue.digest[:12])
    try:
        worker.run(_connector(settings, stopping), stopping)
    finally:
        ledger.close()
    log.info("the hub has stopped")


def run_system(site: Site, system: str, stopping: Stopping) -> None:
    """Be the adapter of one system until ``stopping``.

    Raises:
        RenkeiError: the site does not name the system, or a secret is wrong.
    """
    if system not in site.systems:
        message = f"the site file names no system {system}; it names {', '.join(site.systems)}"
        raise SiteError(message)
    settings = site.systems[system]
    metrics = EdgeMetrics(REGISTRY, system)
    if settings.metrics_port is not None:
        serve(REGISTRY, settings.metrics_port)
    link = link_settings(
        site,
        system,
        settings.password_file,
        (outbound_queue(system),),
        prefetch=2 * settings.file_records,
    )
    log.info("the adapter of %s is working", system)
    run_adapter(
        adapters.find(system),
        settings,
        connect=_connector(link, stopping),
        stopping=stopping,
        observe=metrics,
    )
    log.info("the adapter of %s has stopped", system)
