"""Two persons release a message while two hub workers run: it moves once, in its place."""

import datetime as dt
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from hub.broker.link import PikaLink
from hub.desks.confirmations import Desk, listed
from hub.ledger.beside import State
from hub.ledger.schema import migrate
from hub.ledger.store import DatabaseLedger
from hub.ledger.verify.ledger import verify
from hub.message import AccessItems, partition_of
from hub.names import DEAD_QUEUE, inbound_exchange, outbound_queue, partition_queue
from hub.pipeline.judge import Judge
from hub.ports import Outgoing
from hub.site import HUB_USER
from hub.worker import Tools, Worker
from tests.conftest import Vhost
from tests.samples import ADDRESSEE, CHANGED, REGISTRY, SIGNER, event, resident, wire
from tests.worker_rig import Observed, shipped_four

pytestmark = pytest.mark.integration

OTHER = "219876543216"
RECEIVERS = ("premium-collection", "union")
PARTITIONS = 3
SECONDS = 30.0
CLERK = AccessItems("確認係", "後期高齢", "T-9", "本人確認済み", "confirmations release")

APPROVER = CLERK._replace(staff="承認者", operation="confirmations approve")


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@contextmanager
def working(vhost: Vhost, url: str, judge: Judge | None = None) -> Iterator[None]:
    """Run a hub worker beside, which also reads the dead letters."""
    ledger = DatabaseLedger(url, SIGNER)
    queues = (*(partition_queue(number) for number in range(PARTITIONS)), DEAD_QUEUE)
    stop = threading.Event()
    rules = judge or shipped_four()
    tools = Tools(
        rules=lambda: rules,
        ledger=ledger,
        notified=frozenset(),
        observe=Observed(),
        clock=now,
    )
    worker = Worker(tools, lambda: queues, PARTITIONS)
    thread = threading.Thread(
        target=worker.run,
        args=(lambda: PikaLink(vhost.settings(HUB_USER)), stop.is_set),
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(SECONDS)
        ledger.close()
        assert not thread.is_alive()


def publish(vhost: Vhost, *events: dict[str, object]) -> None:
    messages = [
        Outgoing(
            inbound_exchange(REGISTRY),
            CHANGED,
            wire(one),
            str(one["id"]),
            CHANGED,
            partition=partition_of(ADDRESSEE),
        )
        for one in events
    ]
    with PikaLink(vhost.settings(REGISTRY)) as link:
        link.publish(messages)


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)  # what is waited for is in another thread's database


def test_a_released_message_moves_once_and_in_its_place(vhost: Vhost, tmp_path: Path) -> None:
    vhost.apply([REGISTRY, *RECEIVERS], PARTITIONS, sends={REGISTRY: [CHANGED]})
    url = f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
    migrate(url)
    ledger = DatabaseLedger(url, SIGNER)
    desk = Desk(ledger, shipped_four(), now, ("confirmations",))
    with ExitStack() as stack:
        stack.callback(ledger.close)
        stack.enter_context(working(vhost, url))
        stack.enter_context(working(vhost, url))
        publish(vhost, event(id="a1"), event(resident(my_number=OTHER), id="a2"))
        wait_for(lambda: len(listed(desk.ledger, State.OPEN)) == 1)
        (held,) = listed(desk.ledger, State.OPEN)
        request = desk.release(held.id, CLERK)
        assert request
        assert verify(ledger.engine, SIGNER.verifier).good
        assert desk.approve(request, APPROVER) == (1, State.RELEASED)
        wait_for(lambda: len(listed(desk.ledger, State.MOVED)) == 1)
        publish(vhost, event(id="a3"))
        wait_for(lambda: ledger.size() == 18)
        assert verify(ledger.engine, SIGNER.verifier).good
    for receiver in RECEIVERS:
        with PikaLink(vhost.settings(None, (outbound_queue(receiver),))) as link:
            taken = link.take(10, 5.0)
            while more := link.take(10, 1.0):
                taken += more
        assert [json.loads(one.body)["id"] for one in taken] == ["a1", "a2", "a3"]
