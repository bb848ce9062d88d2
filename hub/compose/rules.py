"""The judge that a hub worker asks: always that of the catalogue in force, and on record."""

import datetime as dt
import logging
from collections.abc import Callable

from hub.compose.reload import CatalogueWatch, Offer
from hub.errors import LedgerError
from hub.ledger.changes import changed, refused
from hub.ledger.model import Entry, Ledger
from hub.observe import HubObserver
from hub.pipeline.judge import Judge
from hub.statute.model import Catalogue
from hub.statute.overrides import differences

log = logging.getLogger(__name__)

Judges = Callable[[Catalogue], Judge]
"""Makes the judge of a catalogue."""


class Rules:
    """Gives the judge of the catalogue in force; calling it takes over a new one.

    Nothing comes into force, and nothing is refused, without its entry in the ledger. While
    that cannot be written the old catalogue stays, and the next call tries again.
    """

    def __init__(
        self,
        watch: CatalogueWatch,
        judges: Judges,
        *,
        ledger: Ledger,
        observe: HubObserver,
        clock: Callable[[], dt.datetime],
    ) -> None:
        """Put the watched catalogue in force, on record where another one was.

        Raises:
            LedgerError: that cannot be recorded.
        """
        self._watch = watch
        self._judges = judges
        self._ledger = ledger
        self._observe = observe
        self._clock = clock
        self._judge = judges(watch.catalogue)
        before = ledger.catalogue()
        if before != watch.catalogue.digest:
            self._record(changed(before, watch.catalogue.digest, (), clock()))
        observe.catalogue_in_force(watch.catalogue)

    def __call__(self) -> Judge:
        """Give the judge of the catalogue in force now."""
        offer = self._watch.offer()
        if offer is not None:
            try:
                self._settle(offer)
            except LedgerError as error:
                log.warning("a change of the catalogue waits, it cannot be recorded: %s", error)
                self._observe.ledger_available(available=False, why=str(error))
        return self._judge

    def _settle(self, offer: Offer) -> None:
        old = self._watch.catalogue
        if offer.catalogue is None:
            self._record(refused(old.digest, offer.digest, offer.faults, self._clock()))
            self._watch.settle(offer)
            log.error("a changed catalogue is refused, %s stays in force:", old.digest[:12])
            for fault in offer.faults:
                log.error("  %s", fault)
            self._observe.catalogue_refused()
            return
        what = [f"{one.ref} {one.what}" for one in differences(old, offer.catalogue)]
        # Several workers see the same change; the first one records it.
        if self._ledger.catalogue() != offer.digest:
            self._record(changed(old.digest, offer.digest, what, self._clock()))
        self._watch.settle(offer)
        self._judge = self._judges(offer.catalogue)
        log.info("catalogue %s is in force: %s", offer.digest[:12], ", ".join(what) or "no flow")
        self._observe.catalogue_in_force(offer.catalogue)

    def _record(self, entry: Entry) -> None:
        self._ledger.append([entry])
        self._observe.recorded([entry])
