"""Puts the console together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from starlette.types import ASGIApp

from hub.desks import exports
from hub.ledger.acts import Act
from hub.ledger.model import Kind
from hub.ledger.store import DatabaseLedger
from hub.message import AccessItems
from hub.pipeline.judge import Judge
from hub.sections import ConsoleSite
from hub.site import Site
from hub.statute.model import Catalogue
from monitoring.console.accounts import Accounts, Damaged
from monitoring.console.app import application, every_page
from monitoring.console.csrf import Tokens
from monitoring.console.desks import Books, Office, Outside
from monitoring.console.gate import Gate
from monitoring.console.guard import Guard, swept
from monitoring.console.oidc import Provider
from monitoring.console.page import Page
from monitoring.console.passwords import Hasher
from monitoring.console.sessions import Sessions
from monitoring.console.store import Store
from monitoring.console.views import Views
from monitoring.figures.look import Figures
from monitoring.visits import VisitMetrics


@dataclass(frozen=True, slots=True)
class Hub:
    """What a console is given of the hub."""

    site: Site
    settings: ConsoleSite
    open_ledger: Callable[[], DatabaseLedger]
    judge: Callable[[], Judge]
    catalogue: Callable[[], Catalogue]
    clock: Callable[[], datetime]
    figures: Figures
    outside: Outside
    oidc: Provider | None = None


@dataclass(frozen=True, slots=True)
class Console:
    """A console: ``app`` answers, ``tend`` is to be called every few seconds."""

    app: ASGIApp
    office: Office
    gate: Gate
    sessions: Sessions
    metrics: VisitMetrics
    guard: Guard

    def tend(self) -> None:
        """Record what ended by itself, and show how many are there.

        Raises:
            Unrecorded: there is no ledger.
            StoreError: the console's database cannot be used.
        """
        swept(self.sessions, self.gate, self.office.clock())
        exports.swept(self.office.store, self.office.clock())
        self.metrics.open_sessions(self.sessions.count())
        accounts = self.office.accounts.all()
        self.metrics.damaged(sum(isinstance(one, Damaged) for one in accounts))

    def close(self) -> None:
        """Close ledger and database."""
        self.office.books.close()
        self.office.store.close()


def accounts_of(store: Store, books: Books) -> Accounts:
    """Give the accounts of a console, whose changes go into a ledger.

    The ledger is taken before the accounts, always, so that no two wait for one another.
    """

    def record(code: Act, access: AccessItems, detail: str) -> None:
        books.record(Kind.OPERATOR_ACTION, code, access, detail)

    return Accounts(store, record, books.alone)


def build(  # noqa: PLR0913 - what a console is made of
    hub: Hub,
    key: SecretStr,
    origin: str,
    registry: CollectorRegistry,
    *,
    hasher: Hasher | None = None,
    pages: Sequence[Page] | None = None,
) -> Console:
    """Put a console together, with all pages unless others are given.

    Raises:
        StoreError: its database cannot be used.
    """
    store = Store(hub.settings.folder, key)
    books = Books(hub.open_ledger, hub.clock)
    accounts = accounts_of(store, books)
    sessions = Sessions(store, accounts, hub.settings)
    office = Office(
        hub.site,
        hub.settings,
        books,
        hub.judge,
        hub.catalogue,
        hub.clock,
        store,
        accounts,
        hub.figures,
        hub.outside,
        hub.oidc,
    )
    found = every_page() if pages is None else pages
    metrics = VisitMetrics(registry, [page.name for page in found])
    gate = Gate(hub.settings, accounts, sessions, books, metrics.logged_in, hasher or Hasher())
    guard = Guard(office, gate, sessions, Tokens(store.token_key), Views(), metrics, origin)
    return Console(application(guard, found), office, gate, sessions, metrics, guard)
