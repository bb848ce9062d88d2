"""The metrics and the log of an adapter; implements ``hub.edge.observe.EdgeObserver``.

A file's name is as its system chose it, so the log has it escaped and in quotes.
"""

import datetime as dt
import logging
import time
from collections.abc import Collection, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge

from hub.edge.form import FileFault
from hub.edge.ignored import Ignored
from hub.edge.journal import TakenKey
from monitoring.bounds import Bounded
from monitoring.disk import DiskMetrics
from monitoring.health import Health
from monitoring.logs import FIELDS
from monitoring.times import TimeMetrics

log = logging.getLogger(__name__)


BROKER = "broker"
_LANES = frozenset({"link", "station", "inbound", "outbound"})
"""Where trouble means that the adapter cannot do its work; elsewhere it is one file or message."""
DISK_SECONDS = 30.0
"""How often the room on the disks is looked at, at the most."""


class EdgeMetrics:
    """Counts and logs what an adapter tells; nearly every metric has the label ``system``.

    ``disks`` are those of its journal and its drive, ``types`` those of the messages that it
    reads: what may be wrong with a record is counted from 0 for each. Types, codes and places that
    nobody knows, or too many of them, count as ``other``.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        system: str,
        disks: DiskMetrics | None = None,
        types: Collection[str] = (),
    ) -> None:
        self.health = Health(BROKER)
        self._times = TimeMetrics(registry, system)
        self._disks = disks
        self._disks_due = 0.0

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, ("system", *labels), registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(name, text, ("system",), registry=registry).labels(system)

        self._system = system
        self._types, self._places = Bounded(types), Bounded(_LANES)
        self._faults, self._codes = Bounded(FileFault), Bounded()
        self._was_connected = False
        self._oldest: float | None = None
        self._up = gauge(
            "renkei_adapter_connected", "1 while the adapter has a connection to the broker."
        )
        self._files_waiting = gauge(
            "renkei_adapter_files_waiting", "Files in to-hub that are not yet read."
        )
        self._oldest_age = gauge(
            "renkei_adapter_oldest_file_age_seconds",
            "Since when the oldest file in to-hub waits; 0 when none does.",
        )
        self._oldest_age.set_function(self._age_of_oldest)
        self._files_ignored = Gauge(
            "renkei_adapter_files_ignored",
            "Names in to-hub that nobody will read, by reason; no more than 1000 are counted.",
            ("system", "reason"),
            registry=registry,
        )
        self._show_ignored({})
        self._files_read = counter(
            "renkei_adapter_files_read", "Files read to their end.", "message_type"
        )
        self._records_read = counter(
            "renkei_adapter_records_read", "Records of the files read.", "message_type"
        )
        self._records_rejected = counter(
            "renkei_adapter_records_rejected", "Records set aside as bad.", "message_type"
        )
        for message_type in types:  # increase() does not see a series that is born at 1
            self._records_rejected.labels(system, message_type)
        self._files_repeated = counter(
            "renkei_adapter_files_repeated", "Files whose content had been read before."
        )
        self._files_set_aside = counter(
            "renkei_adapter_files_set_aside", "Files set aside whole, by reason.", "code"
        )
        for fault in FileFault:
            self._files_set_aside.labels(system, fault)
        self._published = counter(
            "renkei_adapter_messages_published",
            "Messages that the broker confirmed.",
            "message_type",
        )
        self._held_back = counter(
            "renkei_adapter_messages_held_back",
            "Messages that the broker did not take and that are published again.",
        )
        self._files_written = counter(
            "renkei_adapter_files_written", "Files written for the system.", "message_type"
        )
        self._records_written = counter(
            "renkei_adapter_records_written", "Records of the files written.", "message_type"
        )
        self._messages_set_aside = counter(
            "renkei_adapter_messages_set_aside",
            "Messages with no place on the system's wire, by reason.",
            "code",
        )
        self._messages_marked = counter(
            "renkei_adapter_messages_marked",
            "Messages written with marks for characters that the file's encoding lacks.",
        )
        self._messages_repeated = counter(
            "renkei_adapter_messages_repeated", "Messages that came again and changed nothing."
        )
        self._receipts = counter("renkei_adapter_receipts_sent", "Receipts confirmed.")
        self._notices = counter("renkei_adapter_notices_written", "Notices written down.")
        self._troubles = counter(
            "renkei_adapter_troubles", "Things that failed and are tried again.", "where"
        )
        self._catalogue = Gauge(
            "renkei_adapter_catalogue_info",
            "Always 1; the label is the digest of the catalogue in force.",
            ("system", "digest"),
            registry=registry,
        )
        self._catalogue_refused = counter(
            "renkei_adapter_catalogue_refused",
            "Changed catalogues that had faults and did not come into force.",
        )

    def _age_of_oldest(self) -> float:
        oldest = self._oldest
        return 0.0 if oldest is None else max(0.0, time.time() - oldest)

    def _show_ignored(self, ignored: Mapping[Ignored, int]) -> None:
        for reason in Ignored:
            self._files_ignored.labels(self._system, reason).set(ignored.get(reason, 0))

    def connected(self) -> None:
        """Note that the link is up; the first one means that the adapter works."""
        self._up.set(1)
        self.health.holds(BROKER)
        if not self._was_connected:
            self._was_connected = True
            log.info("the adapter of %s is working", self._system)

    def disconnected(self) -> None:
        """Note that the link is gone."""
        self._up.set(0)
        self.health.fails(BROKER, "the connection is lost; another is being made")

    def file_read(self, name: str, message_type: str, records: int, rejected: int) -> None:
        """Count a file and its records, and log them."""
        log.info("%a was read: %d records of %s", name, records, message_type)
        if rejected:
            told = {"message_type": message_type, "outcome": "rejected"}
            log.warning(
                "%a: %d of %d records were rejected", name, rejected, records, extra={FIELDS: told}
            )
        self.health.mark("file-read")
        shown = self._types(message_type)
        self._files_read.labels(self._system, shown).inc()
        self._records_read.labels(self._system, shown).inc(records)
        self._records_rejected.labels(self._system, shown).inc(rejected)

    def file_repeated(self, name: str) -> None:
        """Count and log a repeated file."""
        log.info("%a has the content of a file that was read before", name)
        self._files_repeated.labels(self._system).inc()

    def file_set_aside(self, name: str, code: str, line: int) -> None:
        """Count and log a bad file."""
        at = f", line {line}" if line else ""
        told = {"outcome": f"set-aside: {code}"}
        log.warning("%a was set aside: %s%s", name, code, at, extra={FIELDS: told})
        self._files_set_aside.labels(self._system, self._faults(code)).inc()

    def file_ignored(self, name: str, reason: Ignored) -> None:
        """Log a name that nobody will read."""
        log.warning("%a in to-hub is ignored: %s", name, reason.sentence)

    def surveyed(
        self, waiting: int, oldest: dt.datetime | None, ignored: Mapping[Ignored, int]
    ) -> None:
        """Show the backlog; the age of the oldest file grows until the next survey."""
        self._files_waiting.set(waiting)
        self._show_ignored(ignored)
        self._oldest = None if oldest is None else oldest.timestamp()
        self.health.mark("survey")
        if self._disks is not None and time.monotonic() >= self._disks_due:
            self._disks_due = time.monotonic() + DISK_SECONDS
            self._disks.look()

    def published(self, message_type: str, count: int) -> None:
        """Count confirmed messages."""
        self._published.labels(self._system, self._types(message_type)).inc(count)

    def held_back(self, count: int) -> None:
        """Count messages that the broker did not take."""
        self._held_back.labels(self._system).inc(count)

    def file_written(self, name: str, message_type: str, records: int) -> None:
        """Count a written file and its records, and log them."""
        log.info("%a was written: %d records of %s", name, records, message_type)
        self.health.mark("file-written")
        shown = self._types(message_type)
        self._files_written.labels(self._system, shown).inc()
        self._records_written.labels(self._system, shown).inc(records)

    def file_took(self, direction: str, seconds: float) -> None:
        """Observe how long a file took."""
        self._times.file_took(direction, seconds)

    def arrived(self, flow: str, critical: Mapping[int, int], delivery: Mapping[int, int]) -> None:
        """Observe how long messages took."""
        self._times.arrived(flow, critical, delivery)

    def message_set_aside(self, name: str, code: str, key: TakenKey | None) -> None:
        """Count and log a message set aside."""
        told = {"outcome": f"set-aside: {code}"}
        if key is not None:
            told |= {"message_id": key.id, "sender": key.sender, "flow": key.flow}
            told["receiver"] = self._system
        log.warning("%a: a message was set aside: %s", name, code, extra={FIELDS: told})
        self._messages_set_aside.labels(self._system, self._codes(code)).inc()

    def messages_marked(self, count: int) -> None:
        """Count and log messages with marks."""
        log.warning("%d messages have characters that the file's encoding lacks: marked", count)
        self._messages_marked.labels(self._system).inc(count)

    def message_repeated(self, count: int) -> None:
        """Count repeated messages."""
        self._messages_repeated.labels(self._system).inc(count)

    def receipts_sent(self, count: int) -> None:
        """Count receipts."""
        self._receipts.labels(self._system).inc(count)

    def notices_written(self, count: int) -> None:
        """Count notices."""
        self._notices.labels(self._system).inc(count)

    def trouble(self, where: str, error: Exception) -> None:
        """Count and log what failed; the error's text never holds personal data."""
        self._troubles.labels(self._system, self._places(where)).inc()
        if where in _LANES:
            self.health.fails(where, str(error))
        log.warning("%s: %s", where, error)

    def recovered(self, where: str, seconds: float) -> None:
        """Log what works again."""
        if where in _LANES:
            self.health.holds(where)
        log.info("%s: works again after %.0f s", where, seconds)

    def catalogue_in_force(self, digest: str) -> None:
        """Show the digest, and no other any more."""
        self._catalogue.clear()
        self._catalogue.labels(self._system, digest).set(1)

    def catalogue_refused(self) -> None:
        """Count a refused catalogue."""
        self._catalogue_refused.labels(self._system).inc()
