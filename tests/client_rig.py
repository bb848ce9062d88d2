"""What the tests of the client kit share: a hub at work, a proxy that misbehaves, a change."""

import contextlib
import datetime as dt
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from pydantic import TypeAdapter

from hub.broker.link import PikaLink
from hub.client import Copy, HubClient, Timing
from hub.ledger.model import Entry, Kind, Pseudonyms
from hub.ledger.schema import migrate
from hub.ledger.store import DatabaseLedger
from hub.message import Envelope, Receipts, encode_copy, source_of
from hub.names import OUT_EXCHANGE, partition_queue
from hub.observe import HubObserver
from hub.pipeline.judge import Judge
from hub.ports import Outgoing, Sent
from hub.site import HUB_USER
from hub.statute.catalogue import Catalogue, load_catalogue
from hub.worker import Worker
from tests.conftest import Vhost
from tests.samples import SIGNER

LIMIT_SECONDS = 20.0
SOON = 3.0
"""Within a second, on a machine whose cores others want too."""
RECEIPTS: TypeAdapter[Envelope[Receipts]] = TypeAdapter(Envelope[Receipts])
QUICK = Timing(connect=2.0, confirm=1.0, give_up=15.0, heartbeat=10)
PARTITIONS = 2


def change(number: str = "12345", **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """A resident of 76 whose data may flow."""
    data = {
        "addressee_number": number,
        "scope": {
            "eldest_birth_date": {"raw": "1950-01-01", "precision": "day", "date": "1950-01-01"}
        },
        "history_number": 1,
        "household_number": "77",
        "resident_kind": "1",
        "resident_state": "resident",
        "event_reason": "moved-within",
        "name": "髙﨑　花子",
        "sex": "2",
        "municipality_code": "172014",
        "address": "広坂1丁目1番1号",
    }
    return data | fields


def url_of(vhost: Vhost, system: str, host: str = "", port: int = 0) -> str:
    password = vhost.passwords[system].get_secret_value()
    where = f"{host or vhost.broker.host}:{port or vhost.broker.port}"
    return f"amqp://{system}:{password}@{where}/{vhost.name}"


def client_of(vhost: Vhost, system: str, *, port: int = 0, timing: Timing = QUICK) -> HubClient:
    url = url_of(vhost, system, "127.0.0.1" if port else "", port)
    return HubClient(url, system, timing=timing)


def send_copies(vhost: Vhost, system: str, ids: Sequence[str]) -> None:
    """Put copies into a system's queue as the hub does."""
    with PikaLink(vhost.settings(HUB_USER)) as link:
        fates = link.publish(
            [
                Outgoing(OUT_EXCHANGE, system, _copy_body(one), one, "resident.changed", "one")
                for one in ids
            ]
        )
    assert set(fates) == {Sent.CONFIRMED}


def _copy_body(message_id: str) -> bytes:
    now = dt.datetime.now(dt.UTC)
    event = Envelope[Any](
        id=message_id,
        source=source_of("resident-registry"),
        type="resident.changed",
        time=now,
        data=None,
    )
    return encode_copy(event, "M1b", {"addressee_number": "1"}, now)


class Collector:
    """A handler that remembers, and says when it has so many."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self._more = threading.Condition()

    def __call__(self, copy: Copy) -> None:
        with self._more:
            self.ids.append(copy.id)
            self._more.notify_all()

    def until(self, count: int) -> None:
        with self._more:
            assert self._more.wait_for(lambda: len(set(self.ids)) >= count, LIMIT_SECONDS)


def receipted(vhost: Vhost, count: int) -> list[str]:
    """Take receipts from the hub's queues until there are so many; give the ids."""
    queues = tuple(partition_queue(number) for number in range(PARTITIONS))
    ids: list[str] = []
    with PikaLink(vhost.settings(HUB_USER, queues)) as link:
        while len(set(ids)) < count:
            taken = link.take(1000, 5.0)
            assert taken, ids
            for delivery in taken:
                event = RECEIPTS.validate_json(delivery.body)
                ids += [receipt.id for receipt in event.data.receipts]
    return ids


def running(target: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=target)
    thread.start()
    return thread


@dataclass
class Recorder(HubObserver):
    """Remembers what the hub recorded; ``until`` waits for it."""

    entries: list[Entry] = field(default_factory=list)
    taken: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def recorded(self, entries: Sequence[Entry]) -> None:
        with self.changed:
            self.entries += entries
            self.changed.notify_all()

    def batch_done(self, messages: int, seconds: float) -> None:
        del seconds
        with self.changed:
            self.taken += messages
            self.changed.notify_all()

    def linked(self) -> None:
        """Nothing is counted here."""

    def link_lost(self) -> None:
        pass

    def ledger_available(self, *, available: bool, why: str = "") -> None:
        pass

    def catalogue_in_force(self, catalogue: Catalogue) -> None:
        pass

    def catalogue_refused(self) -> None:
        pass

    def until(self, holds: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(holds, LIMIT_SECONDS), self.entries

    def of(self, kind: Kind, message_id: str = "") -> list[Entry]:
        return [e for e in self.entries if e.kind is kind and message_id in {"", e.message.id}]


@contextlib.contextmanager
def hub_at_work(vhost: Vhost, folder: Path, notified: Sequence[str]) -> Iterator[Recorder]:
    """Run the real worker on its own thread, with catalogue and SQLite ledger."""
    url = f"sqlite:///{folder / 'ledger.sqlite3'}"
    migrate(url)
    ledger = DatabaseLedger(url, SIGNER)
    recorder = Recorder()
    stop = threading.Event()
    judge = Judge(load_catalogue(), Pseudonyms(b"k" * 32), 90)
    worker = Worker(
        rules=lambda: judge,
        ledger=ledger,
        notified=frozenset(notified),
        observe=recorder,
        clock=lambda: dt.datetime.now(dt.UTC),
    )
    queues = tuple(partition_queue(number) for number in range(PARTITIONS))
    settings = vhost.settings(HUB_USER, queues)
    thread = threading.Thread(target=worker.run, args=(lambda: PikaLink(settings), stop.is_set))
    thread.start()
    try:
        yield recorder
    finally:
        stop.set()
        thread.join(LIMIT_SECONDS)
        ledger.close()
        assert not thread.is_alive()


class Proxy:
    """A TCP proxy to the broker whose connections can be cut, held or deafened.

    ``deafen`` swallows what the broker says to the connections that are open now; ``hold``
    keeps back what they say to it, until ``release``.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._pairs: list[_Pair] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._accept)
        self.connections = 0

    def deafen(self) -> None:
        for pair in self._pairs:
            pair.deaf.set()

    def hold(self) -> None:
        for pair in self._pairs:
            pair.held.set()

    def release(self) -> None:
        for pair in self._pairs:
            pair.held.clear()

    def cut(self) -> None:
        for pair in self._pairs:
            pair.over.set()

    def _accept(self) -> None:
        while not self._stop.is_set():
            if not select.select([self._listener], [], [], 0.05)[0]:
                continue
            near = self._listener.accept()[0]
            pair = _Pair(near, socket.create_connection(self._target))
            self.connections += 1
            self._pairs.append(pair)
            pair.start()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._listener.close()
        self.cut()
        for pair in self._pairs:
            pair.join()


class _Pair(threading.Thread):
    """One connection through the proxy. What is held still arrives after the client has left."""

    def __init__(self, near: socket.socket, far: socket.socket) -> None:
        super().__init__()
        self.near, self.far = near, far
        self.deaf = threading.Event()
        self.held = threading.Event()
        self.over = threading.Event()

    def run(self) -> None:
        kept, near_open, far_open = b"", True, True
        while not self.over.is_set() and far_open and (near_open or kept):
            sources = [self.far, self.near] if near_open else [self.far]
            readable = select.select(sources, [], [], 0.01)[0]
            if self.near in readable:
                data = _received(self.near)
                near_open = bool(data)
                kept += data
            if kept and not self.held.is_set():
                self.far.sendall(kept)
                kept = b""
                # Nobody waits for the answer to what came late.
                time.sleep(0 if near_open else 0.3)
            if self.far in readable:
                data = _received(self.far)
                far_open = bool(data)
                if near_open and not self.deaf.is_set():
                    with contextlib.suppress(OSError):
                        self.near.sendall(data)
        self.near.close()
        self.far.close()


def _received(from_socket: socket.socket) -> bytes:
    try:
        return from_socket.recv(65536)
    except OSError:
        return b""
