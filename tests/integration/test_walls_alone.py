"""Each wall is enough alone: the others are torn down, and the one that is left still holds.

What is tried is always the same: the tax system sends a resident's change, which no flow lets
it send. Real broker, real hub, real adapter.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

import adapters
from hub.broker.apply import apply
from hub.broker.link import PikaLink
from hub.broker.plan import plan
from hub.clock import today
from hub.compose.broker import may_publish
from hub.edge.loop import run_adapter
from hub.edge.wall import Wall
from hub.errors import LinkLost
from hub.ledger.model import Kind
from hub.names import inbound_exchange, outbound_queue
from hub.ports import Outgoing
from hub.site import HUB_USER, SystemSite
from hub.statute.catalogue import Catalogue, load_catalogue
from hub.statute.model import Flow, Grant
from tests import client_rig
from tests.client_rig import LIMIT_SECONDS, PARTITIONS, Recorder, hub_at_work
from tests.conftest import Vhost
from tests.edge_rig import IN_CLEAR
from tests.edge_rig import Recorder as EdgeRecorder
from tests.samples import CHANGED, event, wire

pytestmark = pytest.mark.integration

SHIPPED = load_catalogue()
SYSTEMS = ["tax", "union", "premium-collection", "resident-registry"]
EVERYTHING = {"configure": "^$", "write": ".*", "read": ".*"}


def flow(ref: str) -> Flow:
    found = SHIPPED.flow(ref)
    assert found is not None
    return found


def wide_catalogue() -> Catalogue:
    """Give a catalogue in which the tax system may send residents, and all fields flow."""
    residents = flow("M1b")
    union = residents.receivers["union"]
    grant = Grant(fields=(*union.fields, "note"), my_number=True)
    wider = residents.model_copy(update={"receivers": {"union": grant}})
    stolen = wider.model_copy(update={"ref": "Z1", "sender": "tax"})
    rest = [one for one in SHIPPED.flows if one.ref != "M1b"]
    return Catalogue(SHIPPED.systems, (*rest, wider, stolen), "wide")


def attempt(vhost: Vhost, message_id: str = "1") -> None:
    """Let the tax system send a resident's change, in its own name."""
    body = wire(event(id=message_id, source="/systems/tax"))
    outgoing = Outgoing(inbound_exchange("tax"), CHANGED, body, message_id, CHANGED)
    with PikaLink(vhost.settings("tax")) as link:
        link.publish([outgoing])


def publish(vhost: Vhost, system: str, made: dict[str, Any]) -> None:
    outgoing = Outgoing(inbound_exchange(system), made["type"], wire(made), made["id"], CHANGED)
    with PikaLink(vhost.settings(system)) as link:
        link.publish([outgoing])


@pytest.fixture
def closed(vhost: Vhost) -> Vhost:
    """Give a vhost with the topology that follows from the shipped catalogue."""
    sends = {system: may_publish(SHIPPED, system, today()) for system in SYSTEMS}
    topology = plan(SYSTEMS, sends, PARTITIONS)
    vhost.passwords = {user: SecretStr(f"secret-of-{user}") for user in (HUB_USER, *SYSTEMS)}
    apply(vhost.management, vhost.name, topology, vhost.passwords, settle=lambda _: None)
    return vhost


@pytest.fixture
def opened(closed: Vhost) -> Vhost:
    """Give one whose administrator has torn the broker's wall down."""
    put = closed.management.put
    for system in SYSTEMS:
        put("permissions", closed.name, system, body=EVERYTHING)
        for exchange in map(inbound_exchange, SYSTEMS):
            body = {"exchange": exchange, "write": ".*", "read": ".*"}
            put("topic-permissions", closed.name, system, body=body)
    return closed


@pytest.fixture
def wide_hub(opened: Vhost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """Give a hub that permits everything, behind a broker that takes everything."""
    monkeypatch.setattr(client_rig, "load_catalogue", wide_catalogue)
    with hub_at_work(opened, tmp_path, SYSTEMS) as recorder:
        yield recorder


class Fixed:
    """The wall of a catalogue that never changes."""

    def __init__(self, system: str, catalogue: Catalogue) -> None:
        self._wall = Wall(system, catalogue)

    def current(self) -> Wall:
        return self._wall

    def changing(self) -> bool:
        return False


def run_union(vhost: Vhost, folder: Path, catalogue: Catalogue, until: str) -> EdgeRecorder:
    """Run the union's adapter until it has told so."""
    recorder = EdgeRecorder()
    end = time.monotonic() + LIMIT_SECONDS
    settings = SystemSite(
        folder=folder / "union",
        journal=folder / "union.sqlite3",
        password_file=folder / "unused",
        file_seconds=0.1,
    )
    run_adapter(
        adapters.find("union"),
        settings,
        connect=lambda: PikaLink(vhost.settings("union", (outbound_queue("union"),))),
        stopping=lambda: bool(recorder.all(until)) or time.monotonic() > end,
        walls=Fixed("union", catalogue),
        numbers=IN_CLEAR,
        observe=recorder,
    )
    return recorder


def waiting(vhost: Vhost, queue: str) -> int:
    with PikaLink(vhost.settings(None, (queue,))) as link:
        return len(link.take(10, 1.0))


def test_with_all_walls_down_it_arrives(opened: Vhost, wide_hub: Recorder, tmp_path: Path) -> None:
    """The counter-test: it is the walls that stop it, and nothing else."""
    attempt(opened)
    recorder = run_union(opened, tmp_path, wide_catalogue(), "receipts_sent")
    assert recorder.all("file_written") == [(CHANGED, 1)]
    wide_hub.until(lambda: bool(wide_hub.of(Kind.RECEIPT)))
    assert wide_hub.of(Kind.RECEIPT)[0].code == "delivered"


def test_the_broker_alone_stops_it(
    closed: Vhost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_rig, "load_catalogue", wide_catalogue)
    with hub_at_work(closed, tmp_path, SYSTEMS) as recorder:
        with pytest.raises(LinkLost, match="ACCESS_REFUSED - access to topic"):
            attempt(closed)
        publish(closed, "resident-registry", event(id="allowed"))
        recorder.until(lambda: bool(recorder.of(Kind.DELIVERY, "allowed")))
        assert {entry.message.sender for entry in recorder.entries} == {"resident-registry"}


def test_the_hub_alone_stops_it(opened: Vhost, tmp_path: Path) -> None:
    with hub_at_work(opened, tmp_path, SYSTEMS) as recorder:
        attempt(opened)
        recorder.until(lambda: bool(recorder.of(Kind.REFUSAL)))
        (entry,) = recorder.entries
        assert (entry.code, entry.message.sender) == ("message-type-not-permitted", "tax")
    assert waiting(opened, outbound_queue("union")) == 0
    assert waiting(opened, outbound_queue("tax")) == 1  # the notice


def test_the_receiver_alone_stops_it(opened: Vhost, wide_hub: Recorder, tmp_path: Path) -> None:
    attempt(opened)
    recorder = run_union(opened, tmp_path, SHIPPED, "receipts_sent")
    assert recorder.all("message_set_aside") == [("flow-unknown",)]
    assert recorder.all("file_written") == []
    assert list((tmp_path / "union" / "from-hub").iterdir()) == []
    wide_hub.until(lambda: bool(wide_hub.of(Kind.RECEIPT)))
    (receipt,) = wide_hub.of(Kind.RECEIPT)
    assert (receipt.flow, receipt.receiver, receipt.code) == ("Z1", "union", "flow-unknown")


def test_the_receiver_alone_stops_a_field_too_many(
    opened: Vhost, wide_hub: Recorder, tmp_path: Path
) -> None:
    publish(opened, "resident-registry", event(id="wide"))
    recorder = run_union(opened, tmp_path, SHIPPED, "receipts_sent")
    assert recorder.all("message_set_aside") == [("field-outside",)]
    assert list((tmp_path / "union" / "from-hub").iterdir()) == []
    wide_hub.until(lambda: bool(wide_hub.of(Kind.RECEIPT)))


def test_the_receiver_alone_stops_what_another_than_the_hub_put_there(
    opened: Vhost, tmp_path: Path
) -> None:
    copy = event(id="forged")
    for name in ("staff", "department", "terminal", "reason"):
        del copy[name]
    body = wire(copy | {"flow": "M1b", "acceptedtime": copy["time"]})
    with PikaLink(opened.settings("tax")) as link:
        link.publish([Outgoing("hub.out", "union", body, "forged", CHANGED)])
    recorder = run_union(opened, tmp_path, wide_catalogue(), "message_set_aside")
    assert recorder.all("message_set_aside") == [("not-from-hub",)]
    assert list((tmp_path / "union" / "from-hub").iterdir()) == []
