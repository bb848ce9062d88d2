"""The metrics of the process that watches the ledger; implements ``hub.ledger.watch.Observer``."""

import datetime as dt
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Gauge

from hub.ledger.beside import Shelf, State
from monitoring.health import Health

LEDGER, EVIDENCE = "ledger", "evidence"
CONFIRMED = (State.OPEN, State.REQUESTED, State.RELEASED)
"""The states in which the body of a confirmation is kept."""


class RoomMetrics:
    """Shows how much room the ledger takes."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._bytes = Gauge(
            "renkei_ledger_size_bytes",
            "Bytes of the ledger: its file with the write-ahead log, or its database.",
            registry=registry,
        )

    def taken(self, number: int) -> None:
        """Show how many bytes it takes."""
        self._bytes.set(number)


class LedgerMetrics:
    """Implements ``hub.ledger.watch.Observer``."""

    def __init__(self, registry: CollectorRegistry, health: Health) -> None:
        self._health = health
        self._size = Gauge(
            "renkei_ledger_size_entries", "Entries of the ledger.", registry=registry
        )
        self._through = Gauge(
            "renkei_ledger_verified_through_entry",
            "The last entry through which everything was recomputed and found right.",
            registry=registry,
        )
        self._first_bad = Gauge(
            "renkei_ledger_first_bad_entry",
            "The first entry that was found wrong; 0 while none is.",
            registry=registry,
        )
        self._halted = Gauge(
            "renkei_ledger_halted",
            "1 while the ledger takes nothing because a check of it failed.",
            registry=registry,
        )
        self._age = Gauge(
            "renkei_ledger_checkpoint_age_seconds",
            "How long the first entry that no kept checkpoint covers has been there; 0 if none.",
            registry=registry,
        )
        self._swept = Gauge(
            "renkei_ledger_last_sweep_timestamp_seconds",
            "When the whole ledger was last found right, in seconds since 1970; 0 before.",
            registry=registry,
        )
        self._confirmations = Gauge(
            "renkei_confirmations",
            "Messages on the confirmation list: open (for a person to decide), requested (for a "
            "second person to approve), released (to move).",
            ("state",),
            registry=registry,
        )
        self._dead_letters = Gauge(
            "renkei_dead_letters",
            "Dead letters: open (for a person to decide), requested (for a second person to "
            "approve), released and sending (to move).",
            ("state",),
            registry=registry,
        )
        self._writable = Gauge(
            "renkei_ledger_writable",
            "1 while a write to the ledger's database succeeds.",
            registry=registry,
        )

    def put_aside(self, kept: Mapping[tuple[Shelf, State], int]) -> None:
        """Show how many messages wait on which list."""
        shown = {Shelf.CONFIRMATION: self._confirmations, Shelf.DEAD_LETTER: self._dead_letters}
        for (shelf, state), number in kept.items():
            if shelf is Shelf.DEAD_LETTER or state in CONFIRMED:
                shown[shelf].labels(state).set(number)

    def seen(self, size: int, through: int, checkpoint_age: dt.timedelta) -> None:
        """Show how far the ledger and its verification are."""
        self._size.set(size)
        self._through.set(through)
        self._age.set(checkpoint_age.total_seconds())

    def written(self, trouble: str) -> None:
        """Say whether the database takes a write; ``trouble`` is empty if so."""
        self._writable.set(0 if trouble else 1)
        if trouble:
            self._health.fails(LEDGER, trouble)
        else:
            self._health.holds(LEDGER)

    def swept(self, at: dt.datetime) -> None:
        """Note that the whole ledger was found right."""
        self._swept.set(at.timestamp())

    def judged(self, first_bad: int | None, fault: str) -> None:
        """Say whether everything that was recomputed is right; ``fault`` is empty if so."""
        self._halted.set(1 if fault else 0)
        self._first_bad.set(first_bad or 0)
        if fault:
            self._health.fails(EVIDENCE, fault)
        else:
            self._health.holds(EVIDENCE)
