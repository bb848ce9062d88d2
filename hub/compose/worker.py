"""Builds a hub worker from the site file."""

import datetime as dt
import logging
from pathlib import Path

from prometheus_client import REGISTRY

from hub.compose.links import Stopping, connector, link_settings
from hub.compose.reload import CatalogueWatch
from hub.compose.rules import Rules
from hub.errors import LedgerError
from hub.ledger.model import Pseudonyms
from hub.ledger.schema import is_empty, migrate, with_password
from hub.ledger.store import DatabaseLedger
from hub.message import NOTICE_TYPE, RECEIPT_TYPE
from hub.names import partition_queue
from hub.pipeline.judge import Judge
from hub.site import HUB_USER, Site, read_secret
from hub.statute.catalogue import Catalogue
from hub.worker import Worker
from monitoring.endpoint import serve
from monitoring.hub import HubMetrics
from schemas import MESSAGE_TYPES

log = logging.getLogger(__name__)


def pseudonyms(site: Site) -> Pseudonyms:
    """Give the keyed digests of this site.

    Raises:
        SiteError: the key is missing or readable by others.
    """
    return Pseudonyms(read_secret(site.hub.pseudonym_key_file).get_secret_value().encode())


def ledger_url(site: Site) -> str:
    """Give the ledger's URL with its password.

    Raises:
        SiteError: the password cannot be read.
        LedgerError: the URL cannot be read.
    """
    if site.hub.ledger_password_file is None:
        return site.hub.ledger
    return with_password(site.hub.ledger, read_secret(site.hub.ledger_password_file))


def prepare_ledger(site: Site, *, anew: bool = False) -> None:
    """Make the ledger of a new site, or bring its schema up to date.

    Raises:
        LedgerError: it cannot be done, or there is none although the site's adapters have
            worked: an empty one (``anew``) would have forgotten what was sent to whom.
    """
    url = ledger_url(site)
    worked = [name for name, system in site.systems.items() if system.journal.exists()]
    if worked and not anew and is_empty(url):
        message = (
            f"there is no ledger, but the adapters of {', '.join(worked)} have worked: restore "
            "its newest backup; 'renkei ledger migrate --anew' begins with an empty one"
        )
        raise LedgerError(message)
    migrate(url)


def run_hub(path: Path, site: Site, catalogue: Catalogue, stopping: Stopping) -> None:
    """Be a hub worker until ``stopping``; ``path`` is the site file, whose catalogue is watched.

    Raises:
        RenkeiError: the ledger cannot be opened, a secret is wrong, or the port is taken.
    """
    types = {*MESSAGE_TYPES, RECEIPT_TYPE, NOTICE_TYPE}
    flows = {flow.ref for flow in catalogue.flows}
    metrics = HubMetrics(REGISTRY, catalogue.systems, types, flows)
    if site.hub.metrics_port is not None:
        serve(REGISTRY, site.hub.metrics_port)
    queues = tuple(partition_queue(number) for number in range(site.hub.partitions))
    settings = link_settings(
        site, HUB_USER, site.hub.password_file, queues, prefetch=2 * site.hub.batch
    )
    ledger = DatabaseLedger(ledger_url(site))
    keyed = pseudonyms(site)
    try:
        rules = Rules(
            CatalogueWatch(path, site, catalogue),
            lambda offered: Judge(offered, keyed, site.hub.about_to_reach_days),
            ledger=ledger,
            observe=metrics,
            clock=_now,
        )
        worker = Worker(
            rules=rules,
            ledger=ledger,
            notified=frozenset(site.systems),
            observe=metrics,
            clock=_now,
            batch=site.hub.batch,
        )
        log.info("the hub begins with catalogue %s", catalogue.digest[:12])
        worker.run(connector(settings, stopping), stopping)
    finally:
        ledger.close()
    log.info("the hub has stopped")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
