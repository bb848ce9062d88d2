"""Builds the adapter of one system from the site file."""

import logging
from pathlib import Path

from prometheus_client import REGISTRY

import adapters
from hub.compose.checked import system_of
from hub.compose.expiry import (
    LOOK_SECONDS,
    PeerLook,
    certificate_ends,
    interface_ends,
    interface_server,
)
from hub.compose.links import Stopping, connector, link_settings, served_with
from hub.compose.lookouts import Lookouts
from hub.compose.numbers import keys_of, plain_until
from hub.compose.reload import CatalogueWatch
from hub.compose.traces import tracing
from hub.compose.walls import WatchedWalls
from hub.edge.loop import run_adapter
from hub.edge.numbers import Numbers
from hub.names import outbound_queue
from hub.processes import collect_rarely
from hub.site import HUB_USER, Site
from hub.statute.model import Catalogue
from monitoring.build import begin
from monitoring.certificates import CertificateMetrics
from monitoring.disk import DiskMetrics
from monitoring.edge import EdgeMetrics
from monitoring.endpoint import serve

log = logging.getLogger(__name__)


def run_system(
    path: Path, site: Site, catalogue: Catalogue, system: str, stopping: Stopping
) -> None:
    """Be the adapter of one system until ``stopping``.

    ``path`` is the site file, whose catalogue is watched.

    Raises:
        RenkeiError: the site does not name the system, a secret is wrong, or the port is taken.
    """
    settings = system_of(site, system)
    begin(REGISTRY)
    places = {"journals": settings.journal.parent, "drives": settings.folder}
    adapter = adapters.find(system)
    types = {wire.message_type for wire in adapter.inbound}
    metrics = EdgeMetrics(REGISTRY, system, DiskMetrics(REGISTRY, places), types)
    ends = certificate_ends(site, system, (HUB_USER, system)) | interface_ends(settings)
    certificates = CertificateMetrics(REGISTRY, ends)
    if settings.metrics_port is not None:
        context = served_with(site, system, settings.listen)
        serve(
            REGISTRY,
            settings.metrics_port,
            settings.listen,
            health=metrics.health,
            context=context,
        )
    link = link_settings(
        site,
        system,
        settings.password_file,
        (outbound_queue(system),),
        prefetch=2 * settings.file_records,
    )
    around = Lookouts()
    look = PeerLook(interface_server(settings), certificates.shown).look

    def is_over() -> bool:
        around.check()
        return stopping()

    with (
        tracing(site, system, REGISTRY) as traces,
        around.each(LOOK_SECONDS, look, "interface", patience=0.0, at_once=True),
    ):
        collect_rarely()
        run_adapter(
            adapter,
            settings,
            connect=connector(link, is_over),
            stopping=is_over,
            walls=WatchedWalls(system, CatalogueWatch(path, site, catalogue), metrics),
            numbers=Numbers.by(keys_of(site, system), plain_until(site)),
            observe=metrics,
            traces=traces,
        )
    log.info("the adapter of %s has stopped", system)
