"""The wall that an adapter asks: always that of the catalogue in force."""

import logging

from hub.compose.reload import CatalogueWatch
from hub.edge.observe import EdgeObserver
from hub.edge.wall import Wall

log = logging.getLogger(__name__)


class WatchedWalls:
    """Gives the wall of one system; implements ``hub.edge.wall.Walls``."""

    def __init__(self, system: str, watch: CatalogueWatch, observe: EdgeObserver) -> None:
        self._system = system
        self._watch = watch
        self._observe = observe
        self._wall = Wall(system, watch.catalogue)
        observe.catalogue_in_force(watch.catalogue.digest)

    def current(self) -> Wall:
        """Give the wall to judge by now; takes over a changed catalogue."""
        offer = self._watch.offer()
        if offer is None:
            return self._wall
        self._watch.settle(offer)
        if offer.catalogue is None:
            log.error("a changed catalogue is refused, the one before stays in force:")
            for fault in offer.faults:
                log.error("  %s", fault)
            self._observe.catalogue_refused()
        else:
            self._wall = Wall(self._system, offer.catalogue)
            log.info("catalogue %s is in force", offer.digest[:12])
            self._observe.catalogue_in_force(offer.digest)
        return self._wall

    def changing(self) -> bool:
        """Say whether the files of the catalogue differ from those that were judged."""
        return self._watch.changing()
