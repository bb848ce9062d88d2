"""Moving messages from queue to queue: the hub's whole pipeline, and bare moves beside it.

All with persistent messages in quorum queues, confirmed before they are acknowledged.
"""

import datetime as dt
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pika
from pika.channel import Channel
from pika.spec import Basic, BasicProperties

from bench.counting import arrivals
from bench.measure import Measure
from bench.stand import RECEIVER, SOURCE, TARGET, VHOST, Stand, stand
from hub.broker.link import PikaLink
from hub.ledger.model import Entry, Pseudonyms
from hub.ledger.schema import migrate
from hub.ledger.store import DatabaseLedger
from hub.names import outbound_queue, partition_queue
from hub.pipeline.judge import Judge
from hub.site import HUB_USER
from hub.statute.catalogue import load_catalogue
from hub.statute.model import Catalogue
from hub.worker import Worker
from schemas.evidence.note import Signer

PREFETCH = 1000
PATIENCE = 300.0
TRIES = 2
"""Of each move the faster one counts: the first also warms up what is measured."""


class Quiet:
    """An observer that only counts the messages that were done (``hub.observe.HubObserver``)."""

    def __init__(self) -> None:
        self.done = 0

    def recorded(self, entries: Sequence[Entry]) -> None:
        """Count nothing."""

    def batch_done(self, messages: int, seconds: float) -> None:  # noqa: ARG002 - protocol
        """Count what was acknowledged."""
        self.done += messages

    def linked(self) -> None:
        """Count nothing."""

    def link_lost(self) -> None:
        """Count nothing."""

    def ledger_available(self, *, available: bool, why: str = "") -> None:
        """Count nothing."""

    def catalogue_in_force(self, catalogue: Catalogue) -> None:
        """Count nothing."""

    def catalogue_refused(self) -> None:
        """Count nothing."""


def hub_rate(stand: Stand, folder: Path, count: int) -> float:
    """Fill the hub's queue, let one worker move it all, and give messages a second."""
    url = f"sqlite:///{folder}/ledger-{time.monotonic_ns()}.sqlite3"
    migrate(url)
    ledger = DatabaseLedger(url, Signer.generate("renkei.bench/hub"))
    stand.purge(outbound_queue(RECEIVER))
    stand.fill_hub(count)
    judge = Judge(load_catalogue(), Pseudonyms(b"a key for a benchmark, no other."), 90)
    seen = Quiet()
    worker = Worker(
        rules=lambda: judge,
        ledger=ledger,
        notified=frozenset(),
        observe=seen,
        clock=lambda: dt.datetime.now(dt.UTC),
    )
    settings = stand.settings(HUB_USER, (partition_queue(0),))
    link = PikaLink(settings)
    begun = time.perf_counter()
    worker.run(lambda: link, lambda: seen.done >= count)
    seconds = time.perf_counter() - begun
    ledger.close()
    with arrivals(stand, outbound_queue(RECEIVER), count) as all_there:
        all_there.wait(PATIENCE)
    return count / seconds


class _Mover:
    """The bare move with pika's ``SelectConnection``: nothing but consume, publish, ack."""

    def __init__(self, parameters: pika.ConnectionParameters, count: int) -> None:
        self._left = count
        self._open: dict[int, int] = {}
        self._next = 0
        self.begun = 0.0
        self.seconds = 0.0
        self._connection = pika.SelectConnection(parameters, on_open_callback=self._opened)

    def run(self) -> float:
        """Move everything; give the seconds that it took."""
        self._connection.ioloop.start()
        return self.seconds

    def _opened(self, connection: pika.SelectConnection) -> None:
        connection.channel(on_open_callback=self._channel_opened)

    def _channel_opened(self, channel: Channel) -> None:
        self._channel = channel
        channel.confirm_delivery(self._confirmed)
        channel.basic_qos(prefetch_count=PREFETCH)
        self.begun = time.perf_counter()
        channel.basic_consume(SOURCE, self._taken)

    def _taken(
        self, channel: Channel, method: Basic.Deliver, properties: BasicProperties, body: bytes
    ) -> None:
        self._next += 1
        self._open[self._next] = method.delivery_tag
        passed_on = BasicProperties(
            delivery_mode=2, message_id=properties.message_id, type=properties.type
        )
        channel.basic_publish("", TARGET, body, passed_on, mandatory=True)

    def _confirmed(self, frame: pika.frame.Method) -> None:
        tag, multiple = frame.method.delivery_tag, frame.method.multiple
        if not isinstance(frame.method, Basic.Ack):
            raise TypeError("the broker did not take a message")
        done = [one for one in self._open if one <= tag] if multiple else [tag]
        for one in done:
            self._channel.basic_ack(self._open.pop(one))
        self._left -= len(done)
        if self._left == 0:
            self.seconds = time.perf_counter() - self.begun
            self._connection.ioloop.stop()


def pika_rate(stand: Stand, count: int) -> float:
    """Move from queue to queue by the bare client, and give messages a second."""
    stand.purge(TARGET)
    stand.fill_source(count)
    parameters = pika.ConnectionParameters(
        stand.broker.host,
        stand.broker.port,
        VHOST,
        pika.PlainCredentials(
            stand.broker.admin_user, stand.broker.admin_password.get_secret_value()
        ),
    )
    return count / _Mover(parameters, count).run()


def shovel_rate(stand: Stand, count: int) -> float:
    """Let RabbitMQ's own shovel move them (``on-confirm``), and give messages a second."""
    stand.purge(TARGET)
    stand.fill_source(count)
    broker = stand.broker
    password = broker.admin_password.get_secret_value()
    uri = f"amqp://{broker.admin_user}:{password}@{broker.host}:{broker.port}/{VHOST}"
    value = {
        "src-protocol": "amqp091",
        "src-uri": uri,
        "src-queue": SOURCE,
        "src-prefetch-count": PREFETCH,
        "dest-protocol": "amqp091",
        "dest-uri": uri,
        "dest-queue": TARGET,
        "ack-mode": "on-confirm",
        "reconnect-delay": 1,
    }
    with arrivals(stand, TARGET, count) as seen:
        begun = time.perf_counter()
        stand.management.put("parameters", "shovel", VHOST, "bench", body={"value": value})
        seconds = seen.wait(PATIENCE) - begun
    stand.management.delete("parameters", "shovel", VHOST, "bench")
    return count / seconds


def measures(folder: Path, count: int) -> Iterator[Measure]:
    """Take the hub's rate beside the bare moves of the same run."""
    with stand(folder / "broker") as place:
        hub = max(hub_rate(place, folder, count) for _ in range(TRIES))
        for name, move, wanted in (
            ("hub_vs_pika", pika_rate, 0.8),
            ("hub_vs_shovel", shovel_rate, 0.3),
        ):
            bare = max(move(place, count) for _ in range(TRIES))
            met = hub >= wanted * bare
            note = f"{count:,} messages of 1 KB, one worker, ledger on SQLite"
            yield Measure(name, hub, "messages/s", f"ratio >= {wanted:g}", met, bare, note)
