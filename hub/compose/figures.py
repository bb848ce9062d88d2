"""Builds what gives the figures of now, for ``renkei top`` and the console."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hub.compose.ledger import ledger_url
from hub.compose.links import context_maker
from hub.errors import LedgerError
from hub.ledger.schema import PROMPT_SECONDS, open_engine
from hub.ledger.tail import Tail
from hub.pki.names import OPERATOR
from hub.site import Site
from hub.statute.model import Catalogue
from monitoring.figures.look import Figures
from monitoring.figures.scrape import Asker, targets_of

log = logging.getLogger(__name__)


@contextmanager
def opened_figures(
    site: Site, catalogue: Callable[[], Catalogue], process: str = OPERATOR
) -> Iterator[Figures]:
    """Give the figures of a site, for the time of the context.

    Without its ledger there are no rates, but the rest: just then somebody looks. ``process`` is
    whose certificate the others see.

    Raises:
        SiteError: a secret of the ledger cannot be read.
    """
    asker = Asker(context_maker(site, process))
    targets = targets_of(site)
    try:
        engine = open_engine(ledger_url(site, process), PROMPT_SECONDS)
    except LedgerError as error:
        log.warning("there are no rates: %s", error)
        yield Figures(targets, asker, None, catalogue)
        return
    try:
        yield Figures(targets, asker, Tail(engine).look, catalogue)
    finally:
        engine.dispose()
