"""Builds a hub worker from the site file."""

import datetime as dt
import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import REGISTRY

from hub.compose.expiry import certificate_ends, hub_readers
from hub.compose.keys import see_all_keys
from hub.compose.ledger import open_ledger, pseudonyms
from hub.compose.links import Stopping, connector, link_settings, served_with
from hub.compose.numbers import hub_seals
from hub.compose.reload import CatalogueWatch
from hub.compose.rules import Rules
from hub.compose.shares import Share, WorkerPlace
from hub.compose.traces import tracing
from hub.errors import KeyMissing
from hub.ledger.roster import Roster
from hub.ledger.schema import PROMPT_SECONDS
from hub.message import NOTICE_TYPE, RECEIPT_TYPE
from hub.pipeline.judge import Judge
from hub.pipeline.waiting import WaitingRoom
from hub.pki.names import worker_process
from hub.processes import collect_rarely
from hub.sealing.seals import Seals
from hub.site import HUB_USER, HubSite, Site
from hub.statute.catalogue import Catalogue
from hub.worker import Tools, Worker
from monitoring.build import begin
from monitoring.certificates import CertificateMetrics
from monitoring.endpoint import serve
from monitoring.messages import LoggedMetrics, MessageLines
from schemas import MESSAGE_TYPES

if TYPE_CHECKING:
    from monitoring.traces.sender import Tracer

log = logging.getLogger(__name__)


def run_hub(
    path: Path, site: Site, catalogue: Catalogue, stopping: Stopping, place: WorkerPlace
) -> None:
    """Be a hub worker until ``stopping``; ``path`` is the site file, whose catalogue is watched.

    Raises:
        RenkeiError: the ledger cannot be opened, a secret is wrong, the port is taken, another
            worker has this name, or the hub's key for 個人番号 is missing.
    """
    begin(REGISTRY)
    with tracing(site, place.name, REGISTRY) as traces:
        _run_hub(path, site, catalogue, stopping, place, traces)


def _run_hub(  # noqa: PLR0913, PLR0917 - what a worker is made of
    path: Path,
    site: Site,
    catalogue: Catalogue,
    stopping: Stopping,
    place: WorkerPlace,
    traces: "Tracer | None",
) -> None:
    types = {*MESSAGE_TYPES, RECEIPT_TYPE, NOTICE_TYPE}
    flows = {flow.ref for flow in catalogue.flows}
    process = worker_process(site, place.name)
    lines = MessageLines(site.logs.messages, trace_of=traces.trace_of if traces else None)
    metrics = LoggedMetrics(REGISTRY, catalogue.systems, types, flows, lines)
    metrics.resting(None)
    CertificateMetrics(REGISTRY, certificate_ends(site, process, hub_readers(site)))
    if place.metrics_port is not None:
        listen = site.hub.listen
        context = served_with(site, process, listen)
        serve(REGISTRY, place.metrics_port, listen, health=metrics.health, context=context)
    settings = link_settings(
        site, HUB_USER, site.hub.password_file, (), prefetch=_prefetch(site.hub), process=process
    )
    seals = hub_seals(site)
    seals.keys.must_open()
    _tell_who_has_no_key(site, seals)
    ledger = open_ledger(site, PROMPT_SECONDS, process)
    keyed = pseudonyms(site)
    roster = Roster(ledger.engine, place.name)
    share = Share(roster, site.hub.partitions, metrics.shared, metrics.resting)
    try:
        see_all_keys(ledger, keyed)
        rules = Rules(
            CatalogueWatch(path, site, catalogue),
            lambda offered: Judge(offered, keyed, site.hub.about_to_reach_days, seals),
            ledger=ledger,
            observe=metrics,
            clock=_now,
        )
        tools = Tools(
            rules=rules,
            ledger=ledger,
            notified=frozenset(site.systems),
            observe=metrics,
            clock=_now,
            batch=site.hub.batch,
            traces=traces,
        )
        worker = Worker(tools, share, site.hub.partitions, WaitingRoom(site.hub.waiting))
        collect_rarely()
        log.info("the hub begins with catalogue %s", catalogue.digest[:12])
        named = replace(settings, name=f"renkei {place.name}")
        worker.run(connector(named, stopping), stopping)
        share.leave()
    finally:
        ledger.close()
    log.info("the hub has stopped")


def _tell_who_has_no_key(site: Site, seals: Seals) -> None:
    for system in site.systems:
        try:
            seals.keys.to(system)
        except KeyMissing as missing:
            if seals.to_receiver(system) is not None:
                log.warning("copies with a 個人番号 become dead letters: %s", missing)


def _prefetch(hub: HubSite) -> int:
    """Give how much of each queue may be in hand: two batches, and what may wait for receivers."""
    return -(-(2 * hub.batch + hub.waiting) // hub.partitions)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
