"""One receiver stands still: nobody else waits, all stays bounded, and later nothing is missing."""

import datetime as dt
import json
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hub.broker.link import PikaLink
from hub.broker.window import Window
from hub.ledger.model import Kind
from hub.ledger.schema import migrate
from hub.ledger.store import DatabaseLedger
from hub.message import partition_of
from hub.names import DEAD_QUEUE, inbound_exchange, outbound_queue, partition_queue
from hub.pipeline.judge import Judge
from hub.pipeline.waiting import WaitingRoom
from hub.ports import Outgoing, Sent
from hub.site import HUB_USER, CatalogueSite
from hub.statute.overrides import decided
from hub.worker import Tools, Worker
from tests.conftest import Vhost
from tests.samples import CHANGED, REGISTRY, SIGNER, event, judge, resident, wire
from tests.worker_rig import Observed, shipped_four

pytestmark = pytest.mark.integration

STILL, WELL = "premium-collection", "union"
SPACE = 3
"""Copies that the queue of the receiver that stands still has room for."""
PARTITION = 15
ROOM = 40
BATCH = 10
PREFETCH = 60
RESIDENTS = 7
SOFT = 25
"""How far the broker lets a publisher exceed a bound before it says so."""
SECONDS = 60.0


class Seen(PikaLink):
    """A link that notes the copies for the receiver that stands still, start by start."""

    def __init__(self, settings: object, starts: list[list[str]]) -> None:
        self.starts = starts
        super().__init__(settings)  # type: ignore[arg-type]

    def start(self, messages: Sequence[Outgoing]) -> Window:
        ids = [one.message_id for one in messages if one.routing_key == STILL]
        if ids:
            self.starts.append(ids)
        return super().start(messages)


@dataclass
class Office:
    """A hub with one worker and one partition, and two receivers."""

    vhost: Vhost
    ledger: DatabaseLedger
    room: WaitingRoom = field(default_factory=lambda: WaitingRoom(ROOM))
    starts: list[list[str]] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    @contextmanager
    def working(
        self, rules: Judge | None = None, behind: dt.timedelta = dt.timedelta(0)
    ) -> Iterator[None]:
        """Run a worker, by a clock that is so far behind."""
        stop = threading.Event()
        by = rules or shipped_four()
        tools = Tools(
            rules=lambda: by,
            ledger=self.ledger,
            notified=frozenset(),
            observe=Observed(),
            clock=lambda: dt.datetime.now(dt.UTC) - behind,
            batch=BATCH,
        )
        queues = (partition_queue(0), DEAD_QUEUE)
        worker = Worker(tools, lambda: queues, 1, self.room)
        settings = self.vhost.settings(HUB_USER, prefetch=PREFETCH)
        thread = threading.Thread(
            target=worker.run, args=(lambda: Seen(settings, self.starts), stop.is_set)
        )
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(SECONDS)
            assert not thread.is_alive()

    def send(self, numbers: Collection[int]) -> list[int]:
        """Publish these events until the first that the broker refuses; give those it took."""
        taken = []
        with PikaLink(self.vhost.settings(REGISTRY)) as link:
            for number in numbers:
                if link.publish([message(number)]) != [Sent.CONFIRMED]:
                    break
                taken.append(number)
        return taken

    def delivered(self, receiver: str, kind: Kind = Kind.DELIVERY) -> int:
        return sum(
            one.count
            for one in self.ledger.counts()
            if one.kind is kind and one.receiver == receiver
        )

    def bound(self, name: str, queue: str, most: int) -> None:
        policy = {
            "pattern": f"^{queue.replace('.', '[.]')}$",
            "definition": {"max-length": most},
            "priority": 20,
            "apply-to": "queues",
        }
        self.vhost.management.put("policies", self.vhost.name, name, body=policy)


def addressee(number: int) -> str:
    return f"{number % RESIDENTS + 1:015d}"


def message(number: int) -> Outgoing:
    made = event(resident(addressee_number=addressee(number)), id=f"e{number}")
    return Outgoing(
        inbound_exchange(REGISTRY),
        CHANGED,
        wire(made),
        f"e{number}",
        CHANGED,
        partition=partition_of(addressee(number)),
    )


@pytest.fixture
def office(vhost: Vhost, tmp_path: Path) -> Iterator[Office]:
    vhost.apply([REGISTRY, STILL, WELL], 1, sends={REGISTRY: [CHANGED]})
    url = f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
    migrate(url)
    ledger = DatabaseLedger(url, SIGNER)
    made = Office(vhost, ledger)
    made.bound("still", outbound_queue(STILL), SPACE)
    made.bound("partition", partition_queue(0), PARTITION)
    try:
        yield made
    finally:
        ledger.close()


def wait_for(condition: Callable[[], bool], what: str, seconds: float = SECONDS) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)  # what is waited for is in another thread, or the broker


def received(vhost: Vhost, receiver: str, done: Callable[[int], bool]) -> list[int]:
    """Take and acknowledge a receiver's copies until there are enough; give their numbers."""
    numbers: list[int] = []
    end = time.monotonic() + SECONDS
    with PikaLink(vhost.settings(None, (outbound_queue(receiver),))) as link:
        while not done(len(numbers)):
            assert time.monotonic() < end, f"{receiver} has only {len(numbers)}"
            some = link.take(100, 0.5)
            numbers += [int(json.loads(one.body)["id"][1:]) for one in some]
            link.ack(some)
    return numbers


def in_order(numbers: Sequence[int]) -> bool:
    """Say whether each resident's came in order, and each once."""
    return all(
        (own := [one for one in numbers if one % RESIDENTS == rest]) == sorted(set(own))
        for rest in range(RESIDENTS)
    )


def test_one_receiver_stands_still_and_comes_back(office: Office) -> None:
    with office.working():
        # Its queue is full after a few copies. The other receiver gets all of the first ones.
        first = office.send(range(30))
        began = time.monotonic()
        wait_for(lambda: office.delivered(WELL) == len(first), "copies for the other", 10.0)
        assert time.monotonic() - began < 5.0
        assert office.delivered(STILL) < len(first)
        wait_for(
            lambda: office.room.size == len(first) - office.delivered(STILL), "room for the others"
        )
        assert office.room.receivers()[STILL].waiting == office.room.size

        # Room and partition fill to their bounds; then the sender is refused.
        taken = office.send(range(len(first), 1000))
        accepted = [*first, *taken]
        assert len(accepted) <= SPACE + ROOM + 2 * BATCH + PREFETCH + PARTITION + SOFT
        wait_for(lambda: office.room.full, "full room")

        # While it stands still, it is asked for one message at a time, and always the oldest.
        before = len(office.starts)
        wait_for(lambda: len(office.starts) >= before + 3, "three probes")
        held = office.room.size  # what was under way when the room was full has come by now
        assert ROOM <= held <= ROOM + 2 * BATCH
        wait_for(lambda: len(office.starts) >= before + 5, "two more probes")
        probes = office.starts[before:]
        assert all(len(ids) == 1 for ids in probes)
        assert len({ids[0] for ids in probes}) == 1
        assert office.room.size == held

        # It comes back: everything that was taken arrives, once, in each resident's order.
        at_still = received(office.vhost, STILL, lambda count: count >= len(accepted))
        again = office.send(range(len(accepted), len(accepted) + 5))
        assert len(again) == 5
        everything = [*accepted, *again]
        at_still += received(office.vhost, STILL, lambda count: count >= 5)
        at_well = received(office.vhost, WELL, lambda count: count >= len(everything))
        wait_for(lambda: office.delivered(STILL) == len(everything), "records")
        wait_for(lambda: office.room.size == 0, "empty room")
    for numbers in (at_still, at_well):
        assert sorted(numbers) == everything
        assert in_order(numbers)
    assert office.delivered(WELL) == len(everything)


def test_what_nobody_fetches_in_time_is_recorded_as_expired_by_broker_and_hub(
    office: Office,
) -> None:
    hour = {"expires_hours": 1, "decided_by": "t", "decided_on": dt.date(2026, 4, 1)}
    effective = decided(shipped_four().catalogue, CatalogueSite(flows={"I1": hour}))
    assert effective.faults == ()
    rules = judge(effective.catalogue)
    with office.working(rules, behind=dt.timedelta(seconds=3597)):
        sent = office.send(range(40))
        wait_for(lambda: office.delivered(WELL) == len(sent), "copies for the other")
        wait_for(lambda: len(office.starts) > 2, "a probe in vain")
    in_time = office.delivered(STILL)
    late = len(sent) - in_time
    assert late > 0
    # Now these have a few seconds left, and the queue takes some of them.
    fetched = received(office.vhost, STILL, lambda count: count >= in_time)
    with office.working(rules):
        wait_for(lambda: office.delivered(STILL, Kind.EXPIRY) == late, "end of the others")
        wait_for(lambda: office.room.size == 0, "empty room")
    by_broker = office.delivered(STILL) - in_time
    assert 0 < by_broker < late  # the hub itself gave up the rest
    assert len(fetched) == in_time
    assert received(office.vhost, WELL, lambda count: count >= len(sent)) == sent
