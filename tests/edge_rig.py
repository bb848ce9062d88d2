"""A small pair of systems for the tests of ``hub.edge``: ``alpha`` gives notes, ``beta`` gets them.

``pump`` stands for the hub: it takes what ``alpha`` published and gives ``beta`` copies, each
message once, and fails when an id comes with another content.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest

from hub.edge.delimited import read_parsed, write_file
from hub.edge.form import Header
from hub.edge.forms.framed import Framed
from hub.edge.ignored import Ignored
from hub.edge.journal import TakenKey
from hub.edge.kit import (
    Adapter,
    BadRecord,
    Inbound,
    Mapped,
    Outbound,
    Row,
    Unwritable,
    without_desk,
)
from hub.edge.loop import Clocks, run_adapter
from hub.edge.numbers import Numbers
from hub.edge.observe import EdgeObserver
from hub.edge.wall import Wall, Walls
from hub.message import RECEIPT_TYPE, Copy
from hub.ports import Link
from hub.sealing.keys import Keys
from hub.site import AccessSite, SystemSite
from hub.statute.model import Basis, Catalogue, Flow, Grant, System, Whose
from hub.traces import Traces
from schemas.canonical import CanonicalMessage, ScopeEvidence
from schemas.layout import Column, Kind, Layout
from tests.fakes import FakeBroker, FakeLink

JST = dt.timezone(dt.timedelta(hours=9))
CREATED = dt.datetime(2026, 4, 1, 9, tzinfo=JST)
HEADER = Header(CREATED, "市民課", "", "職員一")

NOTES_IN = Layout(
    id="alpha.notes",
    title="Notes",
    title_ja="覚え書き",
    assumed=True,
    source="made for the tests",
    group_by="house",
    columns=(
        Column(name="世帯番号", field="house", width=15, kind=Kind.DIGITS, required=True),
        Column(name="宛名番号", field="person", width=15, kind=Kind.DIGITS, required=True),
        Column(name="覚え", field="note", width=40),
    ),
)
NOTES_OUT = Layout(
    id="beta.notes",
    title="Notes",
    title_ja="覚え書き",
    assumed=True,
    source="made for the tests",
    columns=(
        Column(name="宛名番号", field="person", width=15, kind=Kind.DIGITS, required=True),
        Column(name="覚え", field="note", width=40),
    ),
)
LAYOUTS = {layout.id: layout for layout in (NOTES_IN, NOTES_OUT)}


class Noted(CanonicalMessage):
    """A note about a resident; ``household`` tells how many rows its group had."""

    MESSAGE_TYPE: ClassVar[str] = "test.noted"
    note: str
    household: int


def to_messages(rows: Sequence[Row]) -> list[Mapped | BadRecord]:
    return [_answer(row, len(rows)) for row in rows if row.sound]


def _answer(row: Row, household: int) -> Mapped | BadRecord:
    note = row.values["note"]
    if note == "FAIL":
        raise LookupError(note)
    if note == "REFUSE":
        return BadRecord(row.number, row.line, "note", "is not wanted")
    message = Noted(
        addressee_number=row.values["person"],
        scope=ScopeEvidence(),
        note=note,
        household=household,
    )
    return Mapped(row.number, message, "異動")


def to_row(copy: Copy) -> Mapping[str, str]:
    if copy.data["note"] == "FAIL":
        raise LookupError
    if copy.data["note"] == "UNWRITABLE":
        raise Unwritable("note", "has no place")
    return {"person": copy.data["addressee_number"], "note": copy.data["note"]}


ALPHA = Adapter(
    system="alpha",
    inbound=(Inbound("notes_*.csv", NOTES_IN.id, Noted.MESSAGE_TYPE, without_desk(to_messages)),),
)
BETA = Adapter(
    system="beta",
    outbound=(Outbound("notes", NOTES_OUT.id, Noted.MESSAGE_TYPE, to_row),),
)


def flow(ref: str, kind: str, *receivers: str) -> Flow:
    """Make a flow of ``alpha`` that has always been permitted."""
    grant = Grant(fields=("addressee_number", "note", "household"))
    return Flow(
        ref=ref,
        title=ref,
        title_ja=ref,
        sender="alpha",
        message_type=kind,
        receivers=dict.fromkeys(receivers, grant),
        purpose="tests",
        whose=Whose(rule="insured-household", text="tests"),
        basis=(Basis(law="law", article="1", valid_from=dt.date(2000, 1, 1)),),
        frequency="-",
        transport="-",
        section="-",
    )


UNKNOWN_TYPE = "test.unknown"
"""A type that a flow carries and no wire of ``beta`` does."""
CATALOGUE = Catalogue(
    {
        name: System(id=name, name=name, name_ja=name, section="-")
        for name in ("alpha", "beta", "gamma")
    },
    (flow("F1", Noted.MESSAGE_TYPE, "alpha", "beta"), flow("F2", UNKNOWN_TYPE, "beta")),
    "digest",
)


IN_CLEAR = Numbers.by(Keys("nobody"), takes_plain=lambda: True)
"""For an adapter without keys, of a site that still permits numbers in clear."""


@dataclass
class Standing:
    """The wall of a catalogue that a test may change by hand."""

    system: str
    catalogue: Catalogue = CATALOGUE
    unsure: bool = False

    def current(self) -> Wall:
        return Wall(self.system, self.catalogue)

    def changing(self) -> bool:
        return self.unsure


@dataclass
class Recorder(EdgeObserver):
    """Remembers what it was told, by name; and apart from that files' names, surveys, times."""

    told: list[tuple[Any, ...]] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    surveys: list[tuple[int, dt.datetime | None, int]] = field(default_factory=list)
    took: list[tuple[str, float]] = field(default_factory=list)
    keys: list[TakenKey | None] = field(default_factory=list)
    arrivals: list[tuple[str, dict[int, int], dict[int, int]]] = field(default_factory=list)

    def connected(self) -> None:
        self.told.append(("connected",))

    def disconnected(self) -> None:
        self.told.append(("disconnected",))

    def file_read(self, name: str, message_type: str, records: int, rejected: int) -> None:
        self.named.append(name)
        self.told.append(("file_read", message_type, records, rejected))

    def file_repeated(self, name: str) -> None:
        self.named.append(name)
        self.told.append(("file_repeated",))

    def file_set_aside(self, name: str, code: str, line: int) -> None:
        self.named.append(f"{name}:{line}")
        self.told.append(("file_set_aside", str(code)))

    def file_ignored(self, name: str, reason: Ignored) -> None:
        self.told.append(("file_ignored", name, str(reason)))

    def surveyed(
        self, waiting: int, oldest: dt.datetime | None, ignored: Mapping[Ignored, int]
    ) -> None:
        self.surveys.append((waiting, oldest, sum(ignored.values())))

    def published(self, message_type: str, count: int) -> None:
        self.told.append(("published", message_type, count))

    def held_back(self, count: int) -> None:
        self.told.append(("held_back", count))

    def file_written(self, name: str, message_type: str, records: int) -> None:
        self.named.append(name)
        self.told.append(("file_written", message_type, records))

    def file_took(self, direction: str, seconds: float) -> None:
        self.took.append((direction, seconds))

    def arrived(self, flow: str, critical: Mapping[int, int], delivery: Mapping[int, int]) -> None:
        self.arrivals.append((flow, dict(critical), dict(delivery)))

    def message_set_aside(self, name: str, code: str, key: TakenKey | None) -> None:
        self.named.append(name)
        self.keys.append(key)
        self.told.append(("message_set_aside", str(code)))

    def messages_marked(self, count: int) -> None:
        self.told.append(("messages_marked", count))

    def message_repeated(self, count: int) -> None:
        self.told.append(("message_repeated", count))

    def receipts_sent(self, count: int) -> None:
        self.told.append(("receipts_sent", count))

    def notices_written(self, count: int) -> None:
        self.told.append(("notices_written", count))

    def trouble(self, where: str, error: Exception) -> None:
        self.told.append(("trouble", where, str(error)))

    def recovered(self, where: str, seconds: float) -> None:
        self.told.append(("recovered", where, seconds))

    def catalogue_in_force(self, digest: str) -> None:
        self.told.append(("catalogue_in_force", digest))

    def catalogue_refused(self) -> None:
        self.told.append(("catalogue_refused",))

    def all(self, name: str) -> list[tuple[Any, ...]]:
        return [told[1:] for told in self.told if told[0] == name]


@dataclass
class Rig:
    """Both systems on one fake broker, below one folder."""

    folder: Path
    broker: FakeBroker = field(
        default_factory=lambda: FakeBroker(routes={"in.alpha": "hub", "in.beta": "receipts"})
    )
    recorder: Recorder = field(default_factory=Recorder)

    def site(self, system: str, **changes: Any) -> SystemSite:  # noqa: ANN401 - any setting
        settings: dict[str, Any] = {
            "folder": self.folder / system,
            "journal": self.folder / "journals" / f"{system}.sqlite3",
            "password_file": self.folder / "unused",
            "settle_seconds": 5.0,
            "file_records": 4,
            "access": AccessSite(staff="代行", department="係", terminal="T-9"),
        }
        return SystemSite.model_validate(settings | changes)

    def at(self, system: str, name: str) -> Path:
        return self.folder / system / name

    def names(self, system: str, name: str) -> list[str]:
        folder = self.at(system, name)
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []

    def clocks(self) -> Clocks:
        clock = self.broker.clock
        return Clocks(clock.now, lambda: CREATED + dt.timedelta(seconds=clock.now()))

    def run(
        self,
        adapter: Adapter,
        *,
        seconds: float = 8.0,
        walls: Walls | None = None,
        numbers: Numbers = IN_CLEAR,
        traces: Traces | None = None,
        **changes: Any,  # noqa: ANN401 - any setting
    ) -> None:
        """Run an adapter until so many seconds of the fake clock have passed."""
        end = self.broker.clock.now() + seconds

        def connect() -> Link | None:
            self.broker.lost = False
            return FakeLink(self.broker, adapter.system, f"out.{adapter.system}")

        run_adapter(
            adapter,
            self.site(adapter.system, **changes),
            connect=connect,
            stopping=lambda: self.broker.clock.now() >= end,
            walls=walls or Standing(adapter.system),
            numbers=numbers,
            observe=self.recorder,
            clocks=self.clocks(),
            traces=traces,
        )

    def give(self, name: str, rows: Sequence[tuple[str, str, str]]) -> Path:
        """Let ``alpha`` write a file of (house, person, note)."""
        path = self.at("alpha", "to-hub") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        values = ({"house": house, "person": who, "note": note} for house, who, note in rows)
        write_file(path, NOTES_IN, HEADER, values)
        return path

    def give_bytes(self, name: str, content: bytes) -> Path:
        path = self.at("alpha", "to-hub") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def sent(self) -> list[tuple[str, str]]:
        """Give (person, note) of what reached the hub, each message at its first arrival."""
        bodies: dict[str, bytes] = {}
        for stored in self.broker.queue("hub"):
            assert bodies.setdefault(stored.message_id, stored.body) == stored.body
        events = [json.loads(body)["data"] for body in bodies.values()]
        return [(event["addressee_number"], event["note"]) for event in events]

    def written(self) -> list[tuple[str, str]]:
        """Give (person, note) of all files that ``beta`` got, in the order of their names."""
        found = []
        for path in sorted(self.at("beta", "from-hub").glob("*.csv")):
            for row, fault in read_parsed(path, NOTES_OUT):
                assert fault is None
                found.append((row.values["person"], row.values["note"]))
        return found

    def receipts(self) -> list[tuple[str, str]]:
        """Give (message id, result or code) of all receipts, in order."""
        events = [json.loads(stored.body) for stored in self.broker.queue("receipts")]
        assert all(event["type"] == RECEIPT_TYPE for event in events)
        every = [receipt for event in events for receipt in event["data"]["receipts"]]
        return [(one["id"], one["code"] or one["result"]) for one in every]


def copy_of(number: int, note: str, *, person: str = "1", kind: str = Noted.MESSAGE_TYPE) -> bytes:
    """Make the body of a copy as the hub sends it."""
    event = {
        "specversion": "1.0",
        "id": f"m-{number}",
        "source": "/systems/alpha",
        "type": kind,
        "time": CREATED.isoformat(),
        "datacontenttype": "application/json",
        "flow": "F2" if kind == UNKNOWN_TYPE else "F1",
        "acceptedtime": CREATED.isoformat(),
        "data": {"addressee_number": person, "note": note, "household": 1},
    }
    return json.dumps(event, ensure_ascii=False).encode()


def use_test_layouts(patch: pytest.MonkeyPatch) -> None:
    """Let ``hub.edge`` find the layouts of this module."""
    for module in ("hub.edge.inbox", "hub.edge.sorting"):
        patch.setattr(f"{module}.form_of", lambda layout_id: Framed(LAYOUTS[layout_id]))
