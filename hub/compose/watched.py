"""What the watch tells beside the ledger's state: queues, flows that are due, lists, disks.

It runs in a thread of its own, and a ledger or a broker that cannot be asked is said and tried
again: one that is frozen must not keep the watch from its ledger.
"""

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry
from sqlalchemy import Engine

from hub.broker.depth import Depths
from hub.broker.parameters import LinkSettings
from hub.broker.survey import Observer, Survey
from hub.compose.freshness import Freshness
from hub.compose.lookouts import Lookouts
from hub.compose.queues import QueueWatch, queues_of
from hub.compose.reload import CatalogueWatch
from hub.errors import CatalogueError, LedgerError
from hub.ledger.maintenance import read_maintenance
from hub.ledger.room import bytes_of
from hub.ledger.schema import sqlite_path
from hub.ledger.tail import Tail
from hub.site import Site
from hub.statute.catalogue import load_catalogue
from hub.statute.frequency import Rest
from hub.statute.model import Catalogue
from hub.statute.overrides import decided
from monitoring.disk import DiskMetrics
from monitoring.freshness import FreshnessMetrics
from monitoring.ledger import RoomMetrics
from monitoring.queues import QueueMetrics
from monitoring.upkeep import UpkeepMetrics

log = logging.getLogger(__name__)

TAIL_SECONDS = 2.0
DEPTH_SECONDS = 5.0
DISK_SECONDS = 30.0
_JOIN_SECONDS = 2.0


class Both:
    """Tells two observers of the broker."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def surveyed(self, survey: Survey) -> None:
        """Take what was found."""
        for one in self._observers:
            one.surveyed(survey)


class InForce:
    """Gives the catalogue in force, taken over anew when its files change.

    The ledger is watched also where the catalogue has faults: it is empty then, until it has none.
    """

    def __init__(self, path: Path, site: Site) -> None:
        self._path = path
        self._site = site
        self._watch: CatalogueWatch | None = None
        self._trouble = ""

    def __call__(self) -> Catalogue:
        """Give it."""
        if self._watch is None:
            catalogue = self._read()
            if catalogue is None:
                return Catalogue({}, (), "")
            self._watch = CatalogueWatch(self._path, self._site, catalogue)
        offer = self._watch.offer()
        if offer is not None:
            self._watch.settle(offer)
        return self._watch.catalogue

    def _read(self) -> Catalogue | None:
        try:
            effective = decided(load_catalogue(self._site.hub.routes), self._site.catalogue)
        except CatalogueError as error:
            trouble = str(error)
        else:
            if not effective.faults:
                return effective.catalogue
            trouble = "the site decides something about flows that cannot be"
        if trouble != self._trouble:
            log.warning("what is due cannot be told: %s", trouble)
        self._trouble = trouble
        return None


def watch_disks(site: Site, engine: Engine, registry: CollectorRegistry) -> DiskMetrics:
    """Give what looks at the disks of the ledger and of the head that is kept beside it."""
    places = {"witness": site.hub.ledger_witness_file.parent}
    ledger = sqlite_path(engine)
    return DiskMetrics(registry, places | ({"ledger": ledger.parent} if ledger else {}))


class Looker:
    """Looks at all of it, each at its time; ``turn`` is called about every second."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it looks at
        self,
        engine: Engine,
        queues: QueueWatch | None,
        freshness: Freshness,
        disks: DiskMetrics,
        upkeep: UpkeepMetrics,
        room: RoomMetrics,
        *,
        clock: Callable[[], dt.datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._engine = engine
        self._tail = Tail(engine)
        self._queues = queues
        self._freshness = freshness
        self._disks = disks
        self._upkeep = upkeep
        self._room = room
        self._clock = clock
        self._monotonic = monotonic
        self._due = {"tail": 0.0, "depth": 0.0, "disk": 0.0, "room": 0.0}
        self._trouble = ""

    def turn(self) -> None:
        """Look at what is due; a ledger that cannot be read is said once."""
        trouble = ""
        if self._is_due("tail", TAIL_SECONDS):
            try:
                self._follow()
            except LedgerError as error:
                trouble = str(error)
            if trouble and trouble != self._trouble:
                log.warning("what is due is told as it was: %s", trouble)
            self._trouble = trouble
        if self._queues is not None and self._is_due("depth", DEPTH_SECONDS):
            self._queues.look()
        if self._is_due("disk", DISK_SECONDS):
            self._disks.look()

    def _follow(self) -> None:
        turn = self._tail.look()
        if self._queues is not None:
            self._queues.take(turn)
        self._freshness.take(turn)
        self._freshness.look()
        resting = read_maintenance(self._engine, self._clock())
        self._upkeep.maintained(on=resting is not None)
        if self._is_due("room", DISK_SECONDS):
            self._room.taken(bytes_of(self._engine))

    def _is_due(self, what: str, seconds: float) -> bool:
        now = self._monotonic()
        if now < self._due[what]:
            return False
        self._due[what] = now + seconds
        return True


@contextmanager
def looked_at(  # noqa: PLR0913 - what is looked at
    path: Path,
    site: Site,
    engine: Engine,
    *,
    broker: LinkSettings | None,
    disks: DiskMetrics,
    lookouts: Lookouts,
    registry: CollectorRegistry = REGISTRY,
) -> Iterator[Observer | None]:
    """Look for the time of the context; give who is to be told of surveys of the broker."""
    in_force = InForce(path, site)

    def clock() -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    freshness = Freshness(
        engine,
        in_force,
        site.systems,
        FreshnessMetrics(registry),
        clock=clock,
        rest=Rest.of(site.watch.rest_days, site.watch.holidays),
        hours=site.watch.due_hours,
    )
    depths = None if broker is None else Depths(broker)
    queues = None
    if depths is not None:
        metrics = QueueMetrics(registry)
        queues = QueueWatch(
            depths.look, lambda: queues_of(in_force(), site.hub.partitions), metrics
        )
    looker = Looker(
        engine,
        queues,
        freshness,
        disks,
        UpkeepMetrics(registry),
        RoomMetrics(registry),
        clock=clock,
        monotonic=time.monotonic,
    )
    end = depths.close if depths is not None else lambda: None
    with lookouts.each(1.0, looker.turn, "figures", patience=_JOIN_SECONDS, end=end):
        yield queues
