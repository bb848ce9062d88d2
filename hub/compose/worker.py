"""Builds a hub worker from the site file."""

import datetime as dt
import logging
from pathlib import Path

from prometheus_client import REGISTRY

from hub.compose.ledger import open_ledger, pseudonyms
from hub.compose.links import Stopping, connector, link_settings
from hub.compose.reload import CatalogueWatch
from hub.compose.rules import Rules
from hub.message import NOTICE_TYPE, RECEIPT_TYPE
from hub.names import partition_queue
from hub.pipeline.judge import Judge
from hub.site import HUB_USER, Site
from hub.statute.catalogue import Catalogue
from hub.worker import Worker
from monitoring.endpoint import serve
from monitoring.hub import HubMetrics
from schemas import MESSAGE_TYPES

log = logging.getLogger(__name__)


def run_hub(path: Path, site: Site, catalogue: Catalogue, stopping: Stopping) -> None:
    """Be a hub worker until ``stopping``; ``path`` is the site file, whose catalogue is watched.

    Raises:
        RenkeiError: the ledger cannot be opened, a secret is wrong, or the port is taken.
    """
    types = {*MESSAGE_TYPES, RECEIPT_TYPE, NOTICE_TYPE}
    flows = {flow.ref for flow in catalogue.flows}
    metrics = HubMetrics(REGISTRY, catalogue.systems, types, flows)
    if site.hub.metrics_port is not None:
        serve(REGISTRY, site.hub.metrics_port, health=metrics.health)
    queues = tuple(partition_queue(number) for number in range(site.hub.partitions))
    settings = link_settings(
        site, HUB_USER, site.hub.password_file, queues, prefetch=2 * site.hub.batch
    )
    ledger = open_ledger(site)
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
