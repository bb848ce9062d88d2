"""The load of a drill: files dropped and messages published without a pause, all remembered.

The resident registry drops a file of changes a few times a second; the tax system publishes
assessments as an AMQP client of its own, and gives again what nobody confirmed. What was sent is
known by sender and id, so that the check can follow each of it to its receivers.
"""

import datetime as dt
import hashlib
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import adapters
from adapters.simulation.kit import DayFile, put
from adapters.simulation.people import my_number
from hub.client import Event, HubClient, Timing
from hub.client.errors import ClientClosed, PublishFailed
from hub.clock import JST
from hub.edge.form import Header
from hub.edge.forms import form_of
from hub.errors import RenkeiError
from hub.message import MessageKey
from schemas.layout import load_layout
from schemas.resident import ResidentChanged

REGISTRY, TAX = "resident-registry", "tax"
ASSESSED = "income.assessed"
RESIDENTS = 60
A_FILE, A_PUBLISH = 8, 4
EVERY_SECONDS = 0.4
UNCONFIRMED_SECONDS = 90.0
"""How long after the end of a drill the broker may take to confirm what is left."""
TIMING = Timing(connect=2.0, confirm=4.0, give_up=8.0, heartbeat=6)
_AT = dt.datetime(2026, 4, 1, 9, tzinfo=JST)
_VERSIONS = 1000
_FIRST_YEAR = 2000


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that a sender gave: whom it is about, and when it was given (monotonic).

    ``number`` rises for each resident of a sender; it is none where the sender itself gave
    messages out of order.
    """

    key: MessageKey
    message_type: str
    resident: str
    number: int | None
    at: float


@dataclass
class Load:
    """Drops and publishes until it is told to end; ``sent`` is everything that was given."""

    drive: Path
    url: str
    certificates: Path
    random: Random
    pace: float = 1.0
    sent: dict[MessageKey, Sent] = field(default_factory=dict)
    numbers: dict[tuple[str, int], int] = field(default_factory=dict)
    files: int = 0
    events: int = 0
    published: list[Event] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    _given: list[Sent] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _end: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _client: HubClient | None = None

    def client(self) -> HubClient:
        """Be the tax system at the broker."""
        return HubClient(self.url, TAX, timing=TIMING, certificates=self.certificates)

    def start(self) -> None:
        """Begin on two threads of its own."""
        self._end.clear()
        chances = [Random(self.random.random()) for _ in range(2)]  # noqa: S311 - a drill
        self._threads = [
            threading.Thread(target=self._dropping, args=(chances[0],)),
            threading.Thread(target=self._publishing, args=(chances[1],)),
        ]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Give nothing new, and wait until the broker has confirmed what was given.

        Raises:
            AssertionError: it did not.
        """
        self._end.set()
        self._join()
        assert not self.refused, self.refused

    def abort(self) -> None:
        """End at once: the drill has failed."""
        self._end.set()
        if self._client is not None:
            self._client.close()
        self._join()

    def _join(self) -> None:
        for thread in self._threads:
            thread.join(UNCONFIRMED_SECONDS + 10)
            assert not thread.is_alive()
        self._threads = []

    def forget(self) -> None:
        """Begin a new drill: what was sent before is checked."""
        self.sent.clear()
        self._given.clear()
        self.published.clear()

    def since(self, moment: float) -> Iterator[Sent]:
        """Give what was given from a moment on, the newest first."""
        for place in range(len(self._given) - 1, -1, -1):
            if self._given[place].at < moment:
                return
            yield self._given[place]

    def _give(self, one: Sent) -> None:
        self.sent[one.key] = one
        self._given.append(one)

    def _number(self, sender: str, person: int) -> int:
        number = self.numbers.get((sender, person), 0) + 1
        self.numbers[sender, person] = number
        return number

    # -- the registry's files ------------------------------------------------------------

    def _dropping(self, chance: Random) -> None:
        while not self._end.wait(EVERY_SECONDS * self.pace):
            self.drop(sorted(chance.sample(range(RESIDENTS), A_FILE)))

    def drop(self, persons: Sequence[int]) -> None:
        """Drop one file with a change of each of these persons, who stand in ascending order."""
        self.files += 1
        wire = adapters.find(REGISTRY).inbound[0]
        numbers = {person: self._number(REGISTRY, person) for person in persons}
        name = f"JUKI_20260401{self.files:08d}_delta.csv"
        header = Header(_AT, "市民課", "JUKI-T01", "S0101")
        rows = [_change(person, number) for person, number in numbers.items()]
        # Before it is there, so that nothing can arrive that was not sent.
        digest, at = _digest(wire.layout, header, rows), time.monotonic()
        for place, (person, number) in enumerate(numbers.items(), 1):
            key = MessageKey(REGISTRY, f"{digest[:32]}-{place}")
            kind = ResidentChanged.MESSAGE_TYPE
            self._give(Sent(key, kind, resident(person), number, at))
        put(DayFile(name, wire.layout, wire.message_type, header, rows), self.drive)

    # -- the tax system's messages -------------------------------------------------------

    def _publishing(self, chance: Random) -> None:
        deadline: float | None = None
        left: list[Event] = []
        with self.client() as client:
            self._client = client
            while True:
                ending = self._end.wait(0 if left else EVERY_SECONDS * self.pace)
                if ending and deadline is None:
                    deadline = time.monotonic() + UNCONFIRMED_SECONDS
                if ending and not left:
                    return
                if not ending and not left:
                    left = self.assess(chance.sample(range(RESIDENTS), A_PUBLISH))
                left = self._confirmed(client, left)
                if left and deadline is not None and time.monotonic() > deadline:
                    self.refused.append(f"{len(left)} events were never confirmed")
                    return

    def _confirmed(self, client: HubClient, events: list[Event]) -> list[Event]:
        """Publish; give those that nobody confirmed."""
        try:
            client.publish_many(events)
        except PublishFailed as failure:
            return list(failure.events)
        except ClientClosed:
            return []  # by ``abort``
        except RenkeiError as error:
            self.refused.append(str(error))
            self._end.wait(0.2)
            return events
        self.published += events
        return []

    def assess(self, persons: Sequence[int], *, in_order: bool = True) -> list[Event]:
        """Make an assessment of each of these persons, to be published now."""
        with self._lock:
            return [self._assessment(person, in_order=in_order) for person in persons]

    def _assessment(self, person: int, *, in_order: bool) -> Event:
        self.events += 1
        number = self._number(TAX, person)
        key = MessageKey(TAX, f"t-{self.events}")
        known = number if in_order else None
        self._give(Sent(key, ASSESSED, resident(person), known, time.monotonic()))
        moment = _AT + dt.timedelta(seconds=self.events)
        return Event(ASSESSED, _assessed(person, number), key.id, moment)


def resident(person: int) -> str:
    """Give the 宛名番号 of a made-up person, as files have it."""
    return f"{900_000 + person:015d}"


def _change(person: int, number: int) -> dict[str, str]:
    wire = adapters.find(REGISTRY).inbound[0]
    return dict.fromkeys(_columns(wire.layout), "") | {
        "group": f"{person + 1:012d}",
        "addressee_number": resident(person),
        "history_number": str(number),
        "household_number": f"{person + 1:015d}",
        "my_number": my_number(person),
        "resident_kind": "1",
        "resident_state": "1",
        "event_reason": "21",
        "event_date": "2026-04-01",
        "name": f"試験　{person}",
        "birth_date": "1945-05-06",
        "sex": "2",
        "municipality_code": "172014",
        "address": "広坂1丁目1番1号",
        "protected": "0",
    }


def _columns(layout: str) -> Iterator[str]:
    return (column.field for column in load_layout(layout).columns)


def _assessed(person: int, number: int) -> Mapping[str, object]:
    return {
        "addressee_number": resident(person),
        "scope": {
            "eldest_birth_date": {"raw": "1945-05-06", "precision": "day", "date": "1945-05-06"}
        },
        "my_number": my_number(person),
        "household_number": f"{person + 1:015d}",
        "tax_year": _FIRST_YEAR + number // _VERSIONS,
        "correction_number": number % _VERSIONS,
        "undeclared": "0",
        "taxation_class": "1",
        "total_income": 1_000_000 + number,
    }


def _digest(layout: str, header: Header, rows: Sequence[Mapping[str, str]]) -> str:
    encoder = form_of(layout).encoder(None)
    whole = b"".join(encoder.framed(header, [encoder.record(row) for row in rows]))
    return hashlib.sha256(whole).hexdigest()
