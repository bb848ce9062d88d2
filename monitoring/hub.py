"""The metrics of a hub process; implements ``hub.observe.HubObserver``.

Names and units follow Prometheus's conventions. Labels take values of the catalogue only, so
their number is bounded; none ever holds personal data.
"""

from collections import Counter as Tally
from collections.abc import Collection, Mapping, Sequence
from operator import attrgetter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from hub.breaker import BreakerState
from hub.clock import JST
from hub.ledger.changes import CATALOGUE_REFUSED
from hub.ledger.maintenance import Maintenance
from hub.ledger.model import Entry, Kind
from hub.message import MARKED
from hub.observe import Stage
from hub.pipeline.waiting import ReceiverState
from hub.statute.model import Catalogue
from hub.statute.reasons import ATTEMPTS, Code
from monitoring.bounds import OTHER
from monitoring.health import Health
from monitoring.stages import StageMetrics
from monitoring.upkeep import UpkeepMetrics

_CODES = frozenset({*Code, CATALOGUE_REFUSED})
_SORT = attrgetter("kind", "flow", "message.sender", "receiver", "message_type", "code")
Sort = tuple[Kind, str, str, str, str, str]
"""What entries are counted by: kind, flow, sender, receiver, type, code."""
BROKER, LEDGER, MAINTENANCE = "broker", "ledger", "maintenance"
_DELIVERED, _SET_ASIDE = "delivered", "set-aside"
MOST_SERIES = 4000
"""So many sorts of entries are counted apart; whoever is refused for anything makes no more."""


class HubMetrics:
    """Implements ``hub.observe.HubObserver``."""

    def __init__(
        self,
        registry: CollectorRegistry,
        systems: Collection[str],
        types: Collection[str],
        flows: Collection[str],
    ) -> None:
        self.health = Health(BROKER, LEDGER)
        self._systems = frozenset(systems)
        self._types = frozenset(types)
        self._flows = frozenset(flows)
        self._stages = StageMetrics(registry, systems)
        self._upkeep = UpkeepMetrics(registry)
        self._sorts: set[tuple[str, ...]] = set()
        self._entries = Counter(
            "renkei_ledger_entries",
            "Entries recorded in the ledger, by kind, flow, sender, receiver and code.",
            ("kind", "flow", "sender", "receiver", "message_type", "code"),
            registry=registry,
        )
        self._batch_messages = Histogram(
            "renkei_batch_messages",
            "Messages in a batch.",
            buckets=(1, 5, 10, 50, 100, 200, 500, 1000, 2000),
            registry=registry,
        )
        self._batch_seconds = Histogram(
            "renkei_batch_duration_seconds",
            "Time from taking a batch to acknowledging it.",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
            registry=registry,
        )
        self._in_clear = Counter(
            "renkei_numbers_plain",
            "Messages with a My Number in clear that were taken, by sender ([my_number]).",
            ("sender",),
            registry=registry,
        )
        self._reconnects = Counter(
            "renkei_link_losses", "Connections to the broker that were lost.", registry=registry
        )
        self._connected = Gauge(
            "renkei_hub_connected",
            "1 while the hub has a connection to the broker.",
            registry=registry,
        )
        self._workers = Gauge(
            "renkei_hub_workers",
            "Hub workers that this one sees alive, itself among them.",
            registry=registry,
        )
        self._queues = Gauge(
            "renkei_hub_queues", "Queues that this worker takes from.", registry=registry
        )
        self._last_batch = Gauge(
            "renkei_last_batch_timestamp_seconds",
            "When the last batch was acknowledged, in seconds since 1970; 0 before the first.",
            registry=registry,
        )
        self._ledger_up = Gauge(
            "renkei_ledger_available",
            "1 while entries can be recorded; at 0 nothing moves.",
            registry=registry,
        )
        self._ledger_up.set(1)
        self._waiting = Gauge(
            "renkei_waiting_messages",
            "Messages that wait in the hub for a receiver whose queue took no copy.",
            ("receiver",),
            registry=registry,
        )
        self._open = Gauge(
            "renkei_receiver_breaker_open",
            "1 while nothing but single tries goes to a receiver's queue.",
            ("receiver",),
            registry=registry,
        )
        self._catalogue = Gauge(
            "renkei_catalogue_info",
            "Always 1; the label is the digest of the catalogue in force.",
            ("digest",),
            registry=registry,
        )
        self._catalogue_refused = Counter(
            "renkei_catalogue_refused",
            "Changed catalogues that had faults and did not come into force.",
            registry=registry,
        )

        for sender in (*sorted(self._systems), OTHER):
            self._in_clear.labels(sender)
            for code in ATTEMPTS:
                # increase() does not see a series that is born at 1.
                self._counted(Kind.REFUSAL, "", sender, "", "", code)

    def recorded(self, entries: Sequence[Entry]) -> None:
        """Count entries."""
        self.count(entries)

    def count(self, entries: Sequence[Entry]) -> Collection[Sort]:
        """Count entries; give the sorts that there were."""
        # Most entries of a batch are of one sort: its labels are looked up once.
        sorts: Tally[Sort] = Tally(map(_SORT, entries))
        for sort, number in sorts.items():
            self._counted(*sort).inc(number)
        return sorts

    def _counted(  # noqa: PLR0913, PLR0917 - the labels
        self, kind: Kind, flow: str, sender: str, receiver: str, message_type: str, code: str
    ) -> Counter:
        labels: tuple[str, ...] = (
            kind.value,
            _among(self._flows, flow),
            _among(self._systems, sender),
            _among(self._systems, receiver),
            _among(self._types, message_type),
            _code(kind, code),
        )
        if labels not in self._sorts:
            if len(self._sorts) >= MOST_SERIES:
                labels = (kind.value, OTHER, OTHER, OTHER, OTHER, OTHER)
            self._sorts.add(labels)
        return self._entries.labels(*labels)

    def shared(self, workers: int, queues: int) -> None:
        """Set how many workers there are, and how many queues are this one's."""
        self._workers.set(workers)
        self._queues.set(queues)

    def batch_done(self, messages: int, seconds: float) -> None:
        """Observe a batch."""
        self.health.mark("batch")
        self._batch_messages.observe(messages)
        self._batch_seconds.observe(seconds)
        self._last_batch.set_to_current_time()

    def took(self, stage: Stage, seconds: float) -> None:
        """Observe a stage of a batch."""
        self._stages.took(stage, seconds)

    def tried_again(self, receivers: Mapping[str, int]) -> None:
        """Count copies that were sent once more."""
        self._stages.tried_again(receivers)

    def came_again(self, messages: int) -> None:
        """Count messages that came again."""
        self._stages.came_again(messages)

    def resting(self, said: Maintenance | None) -> None:
        """Note that maintenance begins, or with nothing that it is over."""
        self._upkeep.maintained(on=said is not None)
        if said is None:
            self.health.holds(MAINTENANCE)
        else:
            until = f"{said.until.astimezone(JST):%Y-%m-%d %H:%M}"
            self.health.fails(MAINTENANCE, f"maintenance until {until}")

    def number_in_clear(self, sender: str) -> None:
        """Count a number that came without encryption."""
        self._in_clear.labels(_among(self._systems, sender)).inc()

    def linked(self) -> None:
        """Note that there is a connection."""
        self._connected.set(1)
        self.health.holds(BROKER)

    def link_lost(self) -> None:
        """Count a lost connection."""
        self._connected.set(0)
        self.health.fails(BROKER, "the connection is lost; another is being made")
        self._reconnects.inc()

    def ledger_available(self, *, available: bool, why: str = "") -> None:
        """Set whether entries can be recorded."""
        self._ledger_up.set(1 if available else 0)
        if available:
            self.health.holds(LEDGER)
        else:
            self.health.fails(LEDGER, why)

    def waiting(self, receivers: Mapping[str, ReceiverState]) -> None:
        """Set how many messages wait for each receiver, and whether its queue takes any."""
        for receiver, state in receivers.items():
            name = _among(self._systems, receiver)
            self._waiting.labels(name).set(state.waiting)
            self._open.labels(name).set(state.breaker is not BreakerState.CLOSED)

    def catalogue_in_force(self, catalogue: Catalogue) -> None:
        """Show the digest; what earlier catalogues knew stays known."""
        self._systems |= catalogue.systems.keys()
        self._flows |= {flow.ref for flow in catalogue.flows}
        self._catalogue.clear()
        self._catalogue.labels(catalogue.digest).set(1)

    def catalogue_refused(self) -> None:
        """Count a refused catalogue."""
        self._catalogue_refused.inc()


def _among(known: Collection[str], value: str) -> str:
    return value if not value or value in known else OTHER


def _code(kind: Kind, code: str) -> str:
    if kind is Kind.RECEIPT:
        # What else a receipt says was chosen by the receiver; the ledger has it.
        return _DELIVERED if code in {_DELIVERED, MARKED} else _SET_ASIDE
    return _among(_CODES, code)
