"""What the broker's queues hold and how old it is, for the watch's metrics."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

from hub.broker.ages import QueueAges
from hub.broker.depth import Depth
from hub.broker.survey import Survey
from hub.errors import BrokerError
from hub.ledger.model import Kind
from hub.ledger.tail import Turn
from hub.names import DEAD_QUEUE, outbound_queue, partition_queue
from hub.statute.model import Catalogue
from monitoring.queues import QueueMetrics

log = logging.getLogger(__name__)


def queues_of(catalogue: Catalogue, partitions: int) -> tuple[str, ...]:
    """Name the queues that messages wait in: the hub's own, the dead letters, the receivers'."""
    return (
        *map(partition_queue, range(partitions)),
        DEAD_QUEUE,
        *(
            outbound_queue(name)
            for name, system in catalogue.systems.items()
            if not system.neighbour
        ),
    )


class QueueWatch:
    """Shows depth, consumers, bytes and age of each queue.

    How many came into a queue is told by the management API, where the site names an account for
    it. Else copies are counted in the ledger's tail, and of the hub's own queues it is only known
    when they were last empty.
    """

    def __init__(
        self,
        look: Callable[[Collection[str]], Mapping[str, Depth]],
        queues: Callable[[], Sequence[str]],
        metrics: QueueMetrics,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask by ``look``, which raises ``BrokerError``."""
        self._look = look
        self._queues = queues
        self._metrics = metrics
        self._monotonic = monotonic
        self._ages = QueueAges()
        self._delivered: Counter[str] = Counter()
        self._published: Mapping[str, int] = {}
        self._trouble = ""

    def take(self, turn: Turn) -> None:
        """Follow the tail: each delivery is a copy that came into its receiver's queue."""
        for count in turn.counts:
            if count.sort.kind is Kind.DELIVERY:
                self._delivered[outbound_queue(count.sort.receiver)] += count.number

    def surveyed(self, survey: Survey) -> None:
        """Take what the management API tells of queues."""
        self._published = survey.published
        known = set(self._queues())
        self._metrics.sized({name: n for name, n in survey.sizes.items() if name in known})

    def look(self) -> None:
        """Ask, and show; where the broker cannot be asked nothing is shown, which is said once."""
        now = self._monotonic()
        trouble = ""
        queues = self._queues()
        try:
            found = self._look(queues)
        except BrokerError as error:
            trouble = str(error)
            self._metrics.unseen()
        else:
            for queue, (messages, consumers) in found.items():
                oldest = self._ages.seen(queue, now, messages, self._count(queue))
                self._metrics.counted(queue, messages, consumers, oldest)
            for queue in (queue for queue in queues if queue not in found):
                self._metrics.gone(queue)
        if trouble and trouble != self._trouble:
            log.warning("%s", trouble)
        self._trouble = trouble

    def _count(self, queue: str) -> int | None:
        if queue in self._published:
            return self._published[queue]
        return self._delivered[queue] if queue.startswith("out.") else None
