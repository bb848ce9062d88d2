"""The hub, as pages see it: its ledger, its desks, its catalogue, the figures of now."""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import RLock
from typing import Protocol

from hub.desks.confirmations import Desk
from hub.desks.dead_letters import DeadLetters
from hub.errors import LedgerError
from hub.ledger.acts import Act, act
from hub.ledger.model import Kind, Pseudonyms
from hub.ledger.store import DatabaseLedger
from hub.message import AccessItems
from hub.pipeline.judge import Judge
from hub.sections import ConsoleSite
from hub.site import Site
from hub.statute.model import Catalogue
from monitoring.console.accounts import Accounts
from monitoring.console.oidc import Provider
from monitoring.console.store import Store
from monitoring.figures.look import Figures

BUSY_SECONDS = 10.0


class Unrecorded(LedgerError):
    """Nothing can be recorded now, so nothing may be shown."""


class Books:
    """The ledger, for one page at a time; opened when it is first asked for, and again after."""

    def __init__(
        self, open_ledger: Callable[[], DatabaseLedger], clock: Callable[[], dt.datetime]
    ) -> None:
        self._open = open_ledger
        self._clock = clock
        self._lock = RLock()
        self._ledger: DatabaseLedger | None = None

    @contextmanager
    def alone(self) -> Iterator[DatabaseLedger]:
        """Have the ledger alone, for the time of the context.

        Raises:
            Unrecorded: it cannot be opened, or others use it for too long.
        """
        if not self._lock.acquire(timeout=BUSY_SECONDS):
            raise Unrecorded("another page has the ledger for too long")
        try:
            yield self._opened()
        finally:
            self._lock.release()

    def record(  # noqa: PLR0913 - what an act says
        self,
        kind: Kind,
        code: Act,
        access: AccessItems,
        detail: str = "",
        *,
        resident: str = "",
        content: bytes | None = None,
    ) -> None:
        """Record that somebody did something; ``content`` is that of a file that leaves.

        Raises:
            Unrecorded: it cannot be, so what was asked for may not be done.
        """
        digest = "" if content is None else hashlib.sha256(content).hexdigest()
        entry = act(
            kind,
            access,
            self._clock(),
            code=code,
            detail=detail,
            digest=digest,
            resident=resident,
        )
        with self.alone() as ledger:
            try:
                ledger.append([entry])
            except LedgerError as error:
                raise Unrecorded(str(error)) from error

    def close(self) -> None:
        """Let go of the ledger."""
        with self._lock:
            if self._ledger is not None:
                self._ledger.close()
                self._ledger = None

    def _opened(self) -> DatabaseLedger:
        if self._ledger is None:
            try:
                self._ledger = self._open()
            except LedgerError as error:
                raise Unrecorded(str(error)) from error
        return self._ledger


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What reconciling a day came to: ``document`` is the signed certificate, or list of gaps."""

    is_whole: bool
    gaps: int
    document: bytes


class Outside(Protocol):
    """What only the whole program can do, for it needs adapters and the broker."""

    def reconcile(self, ledger: DatabaseLedger, day: dt.date, access: AccessItems) -> Reconciled:
        """Reconcile a day and record what it came to.

        Raises:
            RenkeiError: a side cannot be read.
        """


@dataclass(frozen=True, slots=True)
class Office:
    """What pages work with. Reading through ``ledger.engine`` needs no lock, all else does."""

    site: Site
    settings: ConsoleSite
    books: Books
    judge: Callable[[], Judge]
    catalogue: Callable[[], Catalogue]
    clock: Callable[[], dt.datetime]
    store: Store
    accounts: Accounts
    figures: Figures
    outside: Outside
    oidc: Provider | None = None

    @property
    def pseudonyms(self) -> Pseudonyms:
        """Give what turns a 宛名番号 into whom an entry is about."""
        return self.judge().pseudonyms

    @contextmanager
    def confirmations(self) -> Iterator[Desk]:
        """Give the desk of the confirmation list, alone.

        Raises:
            Unrecorded: there is no ledger.
        """
        with self.books.alone() as ledger:
            yield Desk(ledger, self.judge(), self.clock, self.site.hub.second_person)

    @contextmanager
    def dead_letters(self) -> Iterator[DeadLetters]:
        """Give the desk of the dead letters, alone.

        Raises:
            Unrecorded: there is no ledger.
        """
        with self.books.alone() as ledger:
            yield DeadLetters(ledger, self.judge(), self.clock, self.site.hub.second_person)

    def terminal(self, address: str) -> str:
        """Name the terminal at an address, as the ledger is to have it."""
        return self.settings.terminals.get(address, address)
