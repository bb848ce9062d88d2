"""The metrics of the console: pages, logins, sessions; never who.

A page is the name of its route, so hostile addresses make no series.
"""

from collections.abc import Collection
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

NOT_FOUND = "not-found"
"""Stands for every page that there is not."""
LOGINS = ("good", "wrong", "locked", "unknown", "limited", "revoked")
"""How a login ends; ``locked`` is also what locks an account, at a login or not.

Each is set to 0 at the start, for ``increase()`` does not see a series born at 1.
"""


class Denial(StrEnum):
    """Why the console did not do what somebody asked; each is set to 0 at the start, too."""

    ORIGIN = "origin"
    """A form that a page of others sent."""
    FORM = "form"
    """A form that was not made for this session and address, or was sent twice."""
    FOREIGN = "foreign"
    """A session that came from another address than its own."""
    RIGHT = "right"
    """A page or form that the person's roles have no right to."""
    SELF = "self"
    """What needs another person, by the very person."""
    BUSY = "busy"
    """Too many pages of a session in a short time."""


class VisitMetrics:
    """Counts what the console answers."""

    def __init__(self, registry: CollectorRegistry, pages: Collection[str]) -> None:
        self._pages = frozenset(pages)
        self._requests = Counter(
            "renkei_console_requests",
            "Requests that the console answered, by page and class of status.",
            ("page", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "renkei_console_request_duration_seconds",
            "Time to answer a request, by page.",
            ("page",),
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )
        self._logins = Counter(
            "renkei_console_logins",
            "Logins to the console by outcome: " + ", ".join(LOGINS) + ".",
            ("outcome",),
            registry=registry,
        )
        for outcome in LOGINS:
            self._logins.labels(outcome)
        self._denied = Counter(
            "renkei_console_denied",
            "What the console did not do for who asked, by why: " + ", ".join(Denial) + ".",
            ("why",),
            registry=registry,
        )
        for why in Denial:
            self._denied.labels(why)
        self._views = Counter(
            "renkei_console_views",
            "Pages opened that are recorded in the ledger, by page.",
            ("page",),
            registry=registry,
        )
        self._sessions = Gauge(
            "renkei_console_sessions", "Sessions that are open now.", registry=registry
        )
        self._damaged = Gauge(
            "renkei_console_accounts_damaged",
            "Accounts that the console did not write, or with another key: locked.",
            registry=registry,
        )

    def answered(self, page: str, status: int, seconds: float) -> None:
        """Count a request; a page that is no route counts as ``not-found``."""
        name = self._name(page)
        self._requests.labels(name, f"{status // 100}xx").inc()
        self._seconds.labels(name).observe(seconds)

    def logged_in(self, outcome: str) -> None:
        """Count a login, one of ``LOGINS``."""
        self._logins.labels(outcome if outcome in LOGINS else "wrong").inc()

    def viewed(self, page: str) -> None:
        """Count a page that somebody opened."""
        self._views.labels(self._name(page)).inc()

    def denied(self, why: Denial) -> None:
        """Count what was not done."""
        self._denied.labels(why).inc()

    def damaged(self, number: int) -> None:
        """Show how many accounts are damaged."""
        self._damaged.set(number)

    def open_sessions(self, number: int) -> None:
        """Show how many sessions are open."""
        self._sessions.set(number)

    def _name(self, page: str) -> str:
        return page if page in self._pages else NOT_FOUND
