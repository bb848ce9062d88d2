"""A hub worker between a broker in memory and a ledger on disk, for the tests of its guarantees."""

import datetime as dt
import itertools
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from sqlalchemy import select

from hub.errors import LedgerError
from hub.ledger.beside import NOTHING, Beside, Shelved
from hub.ledger.model import Entry, FlowCount, Kind, Known
from hub.ledger.rotated import open_keyed
from hub.ledger.schema import migrate
from hub.ledger.store import DatabaseLedger
from hub.ledger.tables import suspects
from hub.message import NOTICE_TYPE, MessageKey
from hub.names import DEAD_QUEUE, OUT_EXCHANGE, PARTITIONS_EXCHANGE
from hub.observe import Stage
from hub.pipeline.judge import Judge
from hub.pipeline.waiting import ReceiverState, WaitingRoom
from hub.ports import Delivery, Outgoing, Sent
from hub.statute.catalogue import Catalogue
from hub.traces import Traces
from hub.worker import Tools, Worker
from hub.worker.caller import Caller
from hub.worker.shift import Shift
from tests.fakes import FakeBroker, FakeLink, Stored
from tests.samples import NOW, SIGNER, delivery, judge, shipped
from tests.servers.ledgers import rows_of

IN = "hub.in.0"
OUT = "out"
JST = dt.timezone(dt.timedelta(hours=9))
NOTIFIED = frozenset({"resident-registry", "tax", "premium-collection", "union"})


def shipped_four() -> Judge:
    """Give a judge of the four flows I1, I2, M1b and M1d alone, whatever else is shipped."""
    catalogue = shipped()
    kept = tuple(flow for flow in catalogue.flows if flow.ref in {"I1", "I2", "M1b", "M1d"})
    return judge(Catalogue(catalogue.systems, kept, catalogue.digest))


class Killed(BaseException):
    """The process ends here; nothing of it may catch this."""


@dataclass
class Fuse:
    """Kills at the step with this number, counted from 0; never when negative."""

    at: int = -1
    steps: int = 0

    def step(self) -> None:
        self.steps += 1
        if self.steps - 1 == self.at:
            raise Killed

    @contextmanager
    def around(self) -> Iterator[None]:
        self.step()
        yield
        self.step()


class FusedLedger:
    """A ledger whose process may be killed before and after each call."""

    def __init__(self, ledger: DatabaseLedger, fuse: Fuse) -> None:
        self._ledger = ledger
        self._fuse = fuse
        self.broken = 0
        self.never: Kind | None = None
        self.appended: list[Entry] = []

    @property
    def asked_at(self) -> int | None:
        return self._ledger.asked_at

    def append(
        self, entries: Sequence[Entry], beside: Beside = NOTHING, since: int | None = None
    ) -> None:
        with self._fuse.around():
            if self.broken:
                self.broken -= 1
                raise LedgerError("the disk is full")
            if entries and entries[0].kind is self.never:
                raise LedgerError("the disk is full")
            self._ledger.append(entries, beside, since)
            self.appended.extend(entries)

    def known(self, keys: Collection[MessageKey]) -> Mapping[MessageKey, Known]:
        with self._fuse.around():
            return self._ledger.known(keys)

    def bindings(self, residents: Collection[str]) -> Mapping[str, str]:
        with self._fuse.around():
            return self._ledger.bindings(residents)

    def released(self) -> Sequence[tuple[int, str]]:
        return self._ledger.released()

    def confirmations(
        self, numbers: Collection[int]
    ) -> tuple[Mapping[int, Shelved], frozenset[int]]:
        with self._fuse.around():
            return self._ledger.confirmations(numbers)

    def recorded_deaths(self, marks: Collection[str]) -> Mapping[str, bool]:
        return self._ledger.recorded_deaths(marks)

    def tries(self, marks: Collection[str]) -> Mapping[str, int]:
        return self._ledger.tries(marks)

    def suspected(self, marks: Collection[str]) -> None:
        with self._fuse.around():
            self._ledger.suspected(marks)

    def cleared(self, marks: Collection[str]) -> None:
        with self._fuse.around():
            self._ledger.cleared(marks)

    def catalogue(self) -> str:
        return self._ledger.catalogue()

    def counts(self) -> list[FlowCount]:
        return self._ledger.counts()

    def size(self) -> int:
        return self._ledger.size()

    def tend(self) -> None:
        with self._fuse.around():
            self._ledger.tend()

    def close(self) -> None:
        self._ledger.close()


class FusedLink(FakeLink):
    """A link whose process may be killed around each message that it publishes and each ack."""

    def __init__(self, broker: FakeBroker, fuse: Fuse) -> None:
        super().__init__(broker, "hub", IN)
        self._fuse = fuse
        self._acked: set[int] = set()

    def _store(self, message: Outgoing) -> Sent:
        with self._fuse.around():
            return super()._store(message)

    def ack(self, done: Sequence[Delivery]) -> None:
        with self._fuse.around():
            tags = {one.tag for one in done}
            assert len(tags) == len(done)
            assert not tags & self._acked, "RabbitMQ closes a channel that acknowledges twice"
            self._acked |= tags
            super().ack(done)


@dataclass
class Observed:
    """Remembers what it was told."""

    entries: list[Entry] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    in_clear: list[str] = field(default_factory=list)
    lost: int = 0
    stages: Counter[Stage] = field(default_factory=Counter)
    retries: Counter[str] = field(default_factory=Counter)
    again: int = 0
    available: list[bool] = field(default_factory=list)
    catalogues: list[str] = field(default_factory=list)
    receivers: dict[str, ReceiverState] = field(default_factory=dict)

    def recorded(self, entries: Sequence[Entry]) -> None:
        self.entries.extend(entries)

    def batch_done(self, messages: int, seconds: float) -> None:
        assert seconds >= 0
        self.batches.append(messages)

    def took(self, stage: Stage, seconds: float) -> None:
        assert seconds >= 0
        self.stages[stage] += 1

    def tried_again(self, receivers: Mapping[str, int]) -> None:
        self.retries.update(receivers)

    def came_again(self, messages: int) -> None:
        self.again += messages

    def number_in_clear(self, sender: str) -> None:
        self.in_clear.append(sender)

    def linked(self) -> None:
        """Nothing is counted here."""

    def link_lost(self) -> None:
        self.lost += 1

    def ledger_available(self, *, available: bool, why: str = "") -> None:
        assert available or why
        self.available.append(available)

    def waiting(self, receivers: Mapping[str, ReceiverState]) -> None:
        self.receivers = dict(receivers)

    def catalogue_in_force(self, catalogue: Catalogue) -> None:
        self.catalogues.append(catalogue.digest)

    def catalogue_refused(self) -> None:
        self.catalogues.append("refused")


class Fact(NamedTuple):
    """What an entry says, without time and texts."""

    kind: str
    sender: str
    id: str
    flow: str
    receiver: str
    code: str


@dataclass
class Rig:
    """One hub: its queue, its ledger file, and what came out. Each clock reading is a new one."""

    folder: Path
    broker: FakeBroker = field(
        default_factory=lambda: FakeBroker(routes={OUT_EXCHANGE: OUT, PARTITIONS_EXCHANGE: IN})
    )
    observed: Observed = field(default_factory=Observed)
    ticks: Iterator[int] = field(default_factory=itertools.count)
    judge: Judge = field(default_factory=shipped_four)
    notified: frozenset[str] = NOTIFIED
    waiting_limit: int = 1000
    confirms: Iterator[bool] | None = None
    traces: Traces | None = None

    def __post_init__(self) -> None:
        file = self.folder / "ledger.sqlite3"
        self.url = f"sqlite:///{file}"
        file.write_bytes(_empty_ledger())

    def put(self, *deliveries: Delivery) -> None:
        """Put messages in the hub's queue, as their senders would."""
        for one in deliveries:
            self.broker.queue(IN).append(
                Stored(one.routing_key, one.user_id, one.body, copied=one.copied)
            )

    def send(self, *events: Mapping[str, Any]) -> None:
        self.put(*(delivery(event) for event in events))

    def _now(self) -> dt.datetime:
        return NOW.astimezone(JST) + dt.timedelta(seconds=next(self.ticks))

    @contextmanager
    def process(self, fuse: Fuse | None = None, batch: int = 500) -> Iterator["Process"]:
        """Be a hub process; when it ends, what it did not acknowledge goes back."""
        burning = fuse or Fuse()
        database = open_keyed(self.url, SIGNER, self.judge.pseudonyms)
        if database.engine.dialect.name == "sqlite":
            with database.engine.connect() as pooled:
                # The tests kill processes and not the machine: without a sync nothing is lost.
                pooled.exec_driver_sql("PRAGMA synchronous = OFF")
        ledger = FusedLedger(database, burning)
        link = FusedLink(self.broker, burning)
        link.confirms = self.confirms
        tools = Tools(
            rules=lambda: self.judge,
            ledger=ledger,
            notified=self.notified,
            observe=self.observed,
            clock=self._now,
            batch=batch,
            traces=self.traces,
        )
        room = WaitingRoom(self.waiting_limit, monotonic=self.broker.clock.now, chance=lambda: 1.0)
        worker = Worker(tools, lambda: (IN, DEAD_QUEUE), 1, room)
        try:
            yield Process(worker, ledger, link)
        finally:
            link.close()
            ledger.close()

    def drain(self, fuse: Fuse | None = None, batch: int = 500) -> bool:
        """Move all that waits; false when the process was killed on the way."""
        try:
            with self.process(fuse, batch) as process:
                process.drain()
        except Killed:
            return False
        return True

    def rows(self) -> list[Mapping[str, Any]]:
        ledger = DatabaseLedger(self.url, SIGNER)
        rows = rows_of(ledger)
        assert ledger.size() == len(rows)
        assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
        ledger.close()
        return rows

    def suspects(self) -> dict[str, int]:
        """Give the marks of suspects that nobody has outlived yet, and how often that was."""
        ledger = DatabaseLedger(self.url, SIGNER)
        with ledger.engine.connect() as connection:
            rows = connection.execute(select(suspects.c.mark, suspects.c.tries))
            found = {row.mark: row.tries for row in rows}
        ledger.close()
        return found

    def facts(self, kind: Kind | None = None) -> Counter[Fact]:
        return Counter(
            Fact(row["kind"], row["sender"], row["message_id"], *(row[n] for n in Fact._fields[3:]))
            for row in self.rows()
            if kind is None or row["kind"] == kind
        )

    def bodies(self, receiver: str) -> list[bytes]:
        """Give the copies in a receiver's queue, in order."""
        return [stored.body for stored in self._out(receiver) if not _is_notice(stored.body)]

    def copies(self, receiver: str) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.bodies(receiver)]

    def notices(self, system: str) -> list[dict[str, Any]]:
        return [json.loads(s.body) for s in self._out(system) if _is_notice(s.body)]

    def _out(self, receiver: str) -> list[Stored]:
        return [s for s in self.broker.queue(OUT) if s.routing_key == receiver]

    def waiting(self) -> int:
        return len(self.broker.queue(IN))


@dataclass
class Process:
    """A worker with its link and ledger."""

    worker: Worker
    ledger: FusedLedger
    link: FusedLink

    @cached_property
    def shift(self) -> Shift:
        """Work over the link; ``Worker.run`` makes its own."""
        shift = self.worker.shift(self.link)
        shift.tray.consume((IN, DEAD_QUEUE))
        return shift

    @cached_property
    def caller(self) -> Caller:
        """Call what was released; ``Worker.run`` makes its own."""
        return self.caller_of(1)

    def caller_of(self, partitions: int) -> Caller:
        """Call as one of several workers would, of a hub with so many partitions."""
        now = self.link._broker.clock.now
        return Caller(self.shift, partitions, monotonic=now, chance=lambda: 0.0)

    def move(self) -> None:
        """Move all that waits, and what of it can go."""
        while self.shift.step(0.0) or not self.shift.is_idle:
            pass

    def drain(self) -> None:
        self.caller.call()
        self.move()


@cache
def _empty_ledger() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "ledger.sqlite3"
        migrate(f"sqlite:///{file}")
        return file.read_bytes()


def full(*receivers: str) -> Callable[[Outgoing], Sent]:
    """Give a broker's judgement that these receivers' queues are full."""
    return lambda message: Sent.REFUSED if message.routing_key in receivers else Sent.CONFIRMED


def _is_notice(body: bytes) -> bool:
    return bool(json.loads(body)["type"] == NOTICE_TYPE)
