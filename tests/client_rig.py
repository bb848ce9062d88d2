"""What the tests of the client kit share: a hub at work, and a change."""

import contextlib
import datetime as dt
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
from hub.pki.store import Store
from hub.ports import Outgoing, Sent
from hub.sealing.keys import FolderKeys, Keys
from hub.sealing.seals import Seals
from hub.site import HUB_USER
from hub.statute.catalogue import Catalogue, load_catalogue
from hub.worker import Tools, Worker
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


def certificates_in(folder: Path, *accounts: str) -> Path:
    """Make the encryption keys of these accounts, as an operator does; give their folder."""
    now = dt.datetime.now(dt.UTC)
    store = Store.of(folder / "pki", "test")
    store.init(now)
    for account in accounts:
        store.issue_encryption(account, now)
    return store.folder


@contextlib.contextmanager
def hub_at_work(
    vhost: Vhost, folder: Path, notified: Sequence[str], keys: Path | None = None
) -> Iterator[Recorder]:
    """Run the real worker on its own thread, with catalogue and SQLite ledger.

    With ``keys``, a folder of certificates, it takes and gives 個人番号 encrypted only.
    """
    url = f"sqlite:///{folder / 'ledger.sqlite3'}"
    migrate(url)
    ledger = DatabaseLedger(url, SIGNER)
    recorder = Recorder()
    stop = threading.Event()
    seals = None if keys is None else Seals(Keys(HUB_USER, FolderKeys(keys, HUB_USER)))
    judge = Judge(load_catalogue(), Pseudonyms(b"k" * 32), 90, seals)
    tools = Tools(
        rules=lambda: judge,
        ledger=ledger,
        notified=frozenset(notified),
        observe=recorder,
        clock=lambda: dt.datetime.now(dt.UTC),
    )
    queues = tuple(partition_queue(number) for number in range(PARTITIONS))
    worker = Worker(tools, lambda: queues, PARTITIONS)
    settings = vhost.settings(HUB_USER)
    thread = threading.Thread(target=worker.run, args=(lambda: PikaLink(settings), stop.is_set))
    thread.start()
    try:
        yield recorder
    finally:
        stop.set()
        thread.join(LIMIT_SECONDS)
        ledger.close()
        assert not thread.is_alive()
