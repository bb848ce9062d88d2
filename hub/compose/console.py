"""Builds the web console of a site, and opens its accounts for the command line."""

import datetime as dt
import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from prometheus_client import REGISTRY

from hub.clock import JST
from hub.compose.certified import reconciled
from hub.compose.expiry import certificate_ends
from hub.compose.figures import opened_figures
from hub.compose.ledger import open_ledger, pseudonyms
from hub.compose.links import served_with
from hub.compose.numbers import hub_seals
from hub.compose.reconcile import broker_of
from hub.compose.reload import CatalogueWatch
from hub.errors import LedgerError, SiteError
from hub.ledger.acts import Act
from hub.ledger.rotation import exchanges, ids_of
from hub.ledger.store import DatabaseLedger
from hub.message import AccessItems
from hub.pipeline.judge import Judge
from hub.pki.names import CONSOLE
from hub.secret import read_secret
from hub.sections import ConsoleSite
from hub.site import Site
from hub.statute.model import Catalogue
from hub.stop import Stop
from hub.tls import Identity, ServerContexts, identity_of
from monitoring.build import begin
from monitoring.certificates import CertificateMetrics
from monitoring.console.accounts import Accounts
from monitoring.console.build import Console, Hub, accounts_of, build
from monitoring.console.desks import Books, Reconciled
from monitoring.console.oidc import SECONDS, Provider
from monitoring.console.serve import serving
from monitoring.console.store import Store, StoreError
from monitoring.endpoint import serve
from monitoring.health import Health

log = logging.getLogger(__name__)

TEND_SECONDS = 5.0
LEDGER = "ledger"


def settings_of(site: Site) -> ConsoleSite:
    """Give the part of the site file about the console.

    Raises:
        SiteError: it has none.
    """
    if site.console is None:
        raise SiteError("the site file has no console: write [console] into it, port and all")
    return site.console


def origin_of(site: Site) -> str:
    """Give the address that people open.

    Raises:
        SiteError: the site file says another scheme than there is.
    """
    settings = settings_of(site)
    scheme = "http" if site.tls.plain_loopback else "https"
    host = f"[{settings.listen}]" if ":" in settings.listen else settings.listen
    origin = settings.origin or f"{scheme}://{host}:{settings.port}"
    if urlsplit(origin).scheme != scheme:
        raise SiteError(f"console.origin does not begin with {scheme}://, as its connections do")
    return origin.lower()


class _Rules:
    """The judge of the catalogue in force, which ``look`` takes over when it changes."""

    def __init__(self, path: Path, site: Site, catalogue: Catalogue) -> None:
        self._site = site
        self._watch = CatalogueWatch(path, site, catalogue)
        self._judge = self._made(catalogue)

    def judge(self) -> Judge:
        return self._judge

    def catalogue(self) -> Catalogue:
        return self._judge.catalogue

    def must_be_current(self, ledger: DatabaseLedger) -> None:
        """See that the key of pseudonyms is still the one that this process has.

        Raises:
            SiteError: it was exchanged; a new start reads the new one.
        """
        own = self._judge.pseudonyms.key_ids[0]
        if own in {ids_of(one)[0] for one in exchanges(ledger.engine, Act.PSEUDONYM_KEY)}:
            raise SiteError("the key of pseudonyms was exchanged: start the console again")

    def look(self) -> None:
        offer = self._watch.offer()
        if offer is None:
            return
        self._watch.settle(offer)
        if offer.catalogue is not None:
            self._judge = self._made(offer.catalogue)

    def _made(self, catalogue: Catalogue) -> Judge:
        days = self._site.hub.about_to_reach_days
        return Judge(catalogue, pseudonyms(self._site), days, hub_seals(self._site))


class _Outside:
    """What needs adapters and the broker."""

    def __init__(self, site: Site, rules: _Rules) -> None:
        self._site = site
        self._rules = rules

    def reconcile(self, ledger: DatabaseLedger, day: dt.date, access: AccessItems) -> Reconciled:
        catalogue = self._rules.catalogue()
        ask = broker_of(self._site, catalogue)
        with reconciled(self._site, catalogue, ledger, day, ask=ask, access=access) as found:
            return Reconciled(found.reconciled, len(found.sheet.gaps), found.document)


def run_console(path: Path, site: Site, catalogue: Catalogue, stop: Stop) -> None:
    """Be the console of a site until ``stop``; ``path`` is the site file.

    Raises:
        RenkeiError: the site has none, a secret is wrong, or a port is taken.
    """
    settings, origin = settings_of(site), origin_of(site)
    begin(REGISTRY)
    health = Health(LEDGER)
    CertificateMetrics(REGISTRY, certificate_ends(site, CONSOLE))
    rules = _Rules(path, site, catalogue)
    with opened_figures(site, rules.catalogue, CONSOLE) as figures:
        oidc = _provider(settings, origin)
        hub = Hub(
            site,
            settings,
            lambda: open_ledger(site, process=CONSOLE),
            rules.judge,
            rules.catalogue,
            lambda: dt.datetime.now(JST),
            figures,
            _Outside(site, rules),
            oidc,
        )
        made = build(hub, read_secret(settings.key_file), origin, REGISTRY)
        try:
            if settings.metrics_port is not None:
                context = served_with(site, CONSOLE, settings.listen)
                port, listen = settings.metrics_port, settings.listen
                serve(REGISTRY, port, listen, health=health, context=context)
            identity = identity_of(site, CONSOLE)
            newest = None if identity is None else contexts_of(settings, identity).current
            with serving(made.app, settings.listen, settings.port, newest):
                log.info("the console answers at %s", origin)
                _tend(made, rules, health)
                while not stop.wait(TEND_SECONDS):
                    _tend(made, rules, health)
        finally:
            made.close()
    log.info("the console has stopped")


def contexts_of(settings: ConsoleSite, identity: Identity) -> ServerContexts:
    """Say whom the console shakes hands with: where browsers have certificates, with no others."""
    return ServerContexts(identity, browsers=not settings.browsers)


def _provider(settings: ConsoleSite, origin: str) -> Provider | None:
    """Give the office's own login, where the site has one.

    Raises:
        SiteError: its secret or certificates cannot be read.
    """
    if settings.oidc is None:
        return None
    try:
        trusted = ssl.create_default_context(cafile=settings.oidc.ca_file)
    except OSError as error:
        raise SiteError(f"console.oidc.ca_file cannot be used: {error}") from error
    client = httpx.Client(verify=trusted, timeout=SECONDS, follow_redirects=False, trust_env=False)
    return Provider(
        settings.oidc, read_secret(settings.oidc.client_secret_file, given=True), origin, client
    )


def _tend(made: Console, rules: _Rules, health: Health) -> None:
    rules.look()
    try:
        with made.office.books.alone() as ledger:
            ledger.tend()
            rules.must_be_current(ledger)
        made.tend()
    except (LedgerError, StoreError) as error:
        health.fails(LEDGER, str(error))
        return
    health.holds(LEDGER)


@contextmanager
def opened_accounts(site: Site) -> Iterator[Accounts]:
    """Open the accounts of a site's console, while it runs or not.

    Raises:
        RenkeiError: the site has no console, or they cannot be opened.
    """
    settings = settings_of(site)
    store = Store(settings.folder, read_secret(settings.key_file))
    books = Books(lambda: open_ledger(site), lambda: dt.datetime.now(JST))
    try:
        yield accounts_of(store, books)
    finally:
        books.close()
        store.close()
