"""What the watch tells beside the ledger's state: due flows, queues, and checks by doing."""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from hub.broker.depth import Depth
from hub.broker.survey import Survey
from hub.clock import JST
from hub.compose.checks import (
    BEHIND,
    YOUNG,
    checkpoint_fault,
    disk_fault,
    ends_fault,
    witness_fault,
)
from hub.compose.freshness import Freshness, due_times
from hub.compose.queues import QueueWatch, queues_of
from hub.compose.watched import Looker, watch_disks
from hub.errors import BrokerError, LedgerError
from hub.ledger.acts import Act, act
from hub.ledger.maintenance import Maintenance, begin_maintenance, end_maintenance
from hub.ledger.model import Kind
from hub.ledger.room import bytes_of
from hub.ledger.store import DatabaseLedger
from hub.ledger.tail import Count, Sort, Tail, Turn
from hub.message import AccessItems
from hub.site import HubSite, Site
from hub.statute.catalogue import load_catalogue
from hub.statute.frequency import Rest
from monitoring.freshness import FreshnessMetrics
from monitoring.ledger import RoomMetrics
from monitoring.queues import QueueMetrics
from monitoring.upkeep import UpkeepMetrics
from tests.samples import SIGNER, entry
from tests.servers.ledgers import opened

pytestmark = pytest.mark.unit

NOW = dt.datetime(2026, 11, 28, 12, tzinfo=JST)
HOUR = dt.timedelta(hours=1)
CATALOGUE = load_catalogue()
STAFF = AccessItems(staff="0412")


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[DatabaseLedger]:
    with opened(f"sqlite:///{tmp_path / 'ledger.sqlite3'}") as one:
        yield one


@pytest.fixture
def site(tmp_path: Path) -> Site:
    secret = {"password_file": Path("p"), "pseudonym_key_file": Path("k")}
    witness = {"ledger_witness_file": tmp_path / "ledger.witness"}
    return Site(hub=HubSite.model_validate({**secret, **witness}))


# -- flows that are due ----------------------------------------------------------------------


def due(*systems: str, **changes: object) -> dict[str, dt.datetime]:
    last = {"M1b": NOW - 2 * HOUR, "I1": NOW}
    return due_times(CATALOGUE, systems, last, NOW - 100 * HOUR, NOW, **changes)  # type: ignore[arg-type]


def test_only_flows_with_a_period_and_a_sender_here_are_ever_due() -> None:
    found = due("resident-registry")
    assert found == {"M1b": NOW + 24 * HOUR}
    assert due("bank") == {}
    assert due("premium-collection").keys().isdisjoint({"M3", "M4", "M5"})  # these are held


def test_a_flow_that_never_came_is_due_from_when_the_catalogue_came_into_force() -> None:
    found = due("premium-collection")
    assert found["M1e"] == NOW - 100 * HOUR + 26 * HOUR


def test_the_sites_own_hours_and_rest_days_count() -> None:
    assert due("resident-registry", hours={"M1b": 1}) == {"M1b": NOW - HOUR}
    rest = Rest.of([], [dt.date(2026, 11, 29)])
    assert due("resident-registry", rest=rest) == {"M1b": NOW + 48 * HOUR}


def freshness(ledger: DatabaseLedger, registry: CollectorRegistry) -> Freshness:
    metrics = FreshnessMetrics(registry)
    return Freshness(
        ledger.engine, lambda: CATALOGUE, ["resident-registry"], metrics, clock=lambda: NOW
    )


def test_the_newest_message_is_found_at_the_start_and_followed_in_the_tail(
    ledger: DatabaseLedger, registry: CollectorRegistry
) -> None:
    ledger.append([entry(1, at=NOW - 50 * HOUR, flow="M1b")])
    one, tail = freshness(ledger, registry), Tail(ledger.engine)
    labels = {"flow": "M1b"}

    def shown(what: str) -> float | None:
        one.take(tail.look())
        one.look()
        return registry.get_sample_value(f"renkei_flow_{what}_timestamp_seconds", labels)

    assert shown("last_message") == (NOW - 50 * HOUR).timestamp()
    assert shown("due") == (NOW - 24 * HOUR).timestamp()
    ledger.append([entry(2, at=NOW - HOUR, flow="M1b")])
    assert shown("last_message") == (NOW - HOUR).timestamp()
    assert shown("due") == (NOW + 25 * HOUR).timestamp()


def test_reconciling_and_backup_are_told_by_their_newest_entries(
    ledger: DatabaseLedger, registry: CollectorRegistry
) -> None:
    one, tail = freshness(ledger, registry), Tail(ledger.engine)

    def shown(code: str, detail: str = "") -> list[float | None]:
        if code:
            ledger.append([act(Kind.OPERATOR_ACTION, STAFF, NOW, code=code, detail=detail)])
        one.take(tail.look())
        one.look()
        names = ("reconciliation_last_success", "backup_last")
        told = [registry.get_sample_value(f"renkei_{name}_timestamp_seconds") for name in names]
        return [*told, registry.get_sample_value("renkei_reconciliation_missing_messages")]

    assert shown("") == [0, 0, 0]
    now = NOW.timestamp()
    assert shown(Act.RECONCILED, "day 2026-11-27, ledger of 9 entries, 0 missing") == [now, 0, 0]
    assert shown(Act.GAP, "day 2026-11-28, ledger of 9 entries, 3 missing") == [now, 0, 3]
    assert shown(Act.BACKUP) == [now, now, 3]
    assert shown(Act.RECONCILED, "day 2026-11-28, ledger of 9 entries, 0 missing") == [now, now, 0]


# -- queues ----------------------------------------------------------------------------------


class Broker:
    """Queues as a test says, or none that answers."""

    def __init__(self) -> None:
        self.depths: dict[str, Depth] = {}
        self.is_away = False

    def __call__(self, queues: Collection[str]) -> Mapping[str, Depth]:
        if self.is_away:
            raise BrokerError("how much the queues hold cannot be told (it is away)")
        return {queue: self.depths[queue] for queue in queues if queue in self.depths}


def delivered(number: int) -> Turn:
    sort = Sort(Kind.DELIVERY, "income.assessed", "M1d", "tax", "union", "")
    return Turn(0, 0, (Count(sort, number, 0.0),))


def test_queues_are_those_of_the_hub_and_of_every_system_of_the_catalogue() -> None:
    names = queues_of(CATALOGUE, 2)
    assert names[:3] == ("hub.in.0", "hub.in.1", "hub.dead-letters")
    assert "out.union" in names
    assert len(names) == len(set(names))


def test_ages_come_from_deliveries_or_from_what_the_broker_counts(
    registry: CollectorRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    broker, now = Broker(), [0.0]
    watch = QueueWatch(
        broker, lambda: ["out.union", "hub.in.0"], QueueMetrics(registry), lambda: now[0]
    )

    def shown(what: str, queue: str = "out.union") -> float | None:
        watch.look()
        return registry.get_sample_value(f"renkei_queue_{what}", {"queue": queue})

    broker.depths = {"out.union": Depth(0, 1), "hub.in.0": Depth(0, 1)}
    assert shown("oldest_message_age_seconds") == 0
    now[0], broker.depths["out.union"] = 10.0, Depth(4, 0)
    watch.take(delivered(4))
    assert (shown("messages"), shown("consumers")) == (4, 0)
    now[0], broker.depths["out.union"] = 100.0, Depth(5, 0)
    watch.take(delivered(1))
    assert shown("oldest_message_age_seconds") == 90
    now[0], broker.depths["out.union"] = 130.0, Depth(1, 1)
    assert shown("oldest_message_age_seconds") == 30
    # Of the hub's own queue it is known when it was empty, until the broker tells its count.
    broker.depths["hub.in.0"] = Depth(7, 1)
    now[0] = 150.0
    assert shown("oldest_message_age_seconds", "hub.in.0") == 20
    sizes = {"hub.in.0": 700, "stranger": 9}
    for second, count in ((160.0, 50), (170.0, 57)):
        watch.surveyed(Survey(sizes=sizes, published={"hub.in.0": count}))
        now[0] = second
        watch.look()
    now[0] = 172.0
    assert shown("oldest_message_age_seconds", "hub.in.0") == 2
    assert shown("size_bytes", "hub.in.0") == 700
    assert shown("size_bytes", "stranger") is None
    del broker.depths["hub.in.0"]
    assert shown("messages", "hub.in.0") is shown("size_bytes", "hub.in.0") is None
    broker.is_away = True
    assert shown("messages") is None
    assert shown("messages") is None
    assert caplog.text.count("it is away") == 1


# -- the turns -------------------------------------------------------------------------------


def test_a_turn_looks_at_each_thing_at_its_time_and_says_trouble_once(
    ledger: DatabaseLedger,
    registry: CollectorRegistry,
    site: Site,
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [0.0]
    looker = Looker(
        ledger.engine,
        None,
        freshness(ledger, registry),
        watch_disks(site, ledger.engine, registry),
        UpkeepMetrics(registry),
        RoomMetrics(registry),
        clock=lambda: NOW,
        monotonic=lambda: now[0],
    )

    def turn() -> float | None:
        now[0] += 10
        looker.turn()
        return registry.get_sample_value("renkei_maintenance")

    assert turn() == 0
    assert registry.get_sample_value("renkei_disk_size_bytes", {"place": "ledger"})
    assert registry.get_sample_value("renkei_ledger_size_bytes") == bytes_of(ledger.engine)
    begin_maintenance(ledger.engine, Maintenance(NOW + HOUR, "a new disk"), NOW)
    assert turn() == 1
    end_maintenance(ledger.engine)
    assert turn() == 0
    with ledger.engine.begin() as connection:
        connection.execute(text("ALTER TABLE ledger_head RENAME TO away"))
    turn()
    turn()
    assert caplog.text.count("what is due is told as it was") == 1


# -- checks ----------------------------------------------------------------------------------


def test_the_newest_checkpoint_has_to_have_the_root_of_its_entries(ledger: DatabaseLedger) -> None:
    verifier = SIGNER.verifier
    assert checkpoint_fault(ledger.engine, verifier) == ""
    ledger.append([entry(n) for n in range(300)])
    ledger.checkpoint()
    ledger.append([entry(1000)])
    assert checkpoint_fault(ledger.engine, verifier) == ""
    with ledger.engine.begin() as connection:
        connection.execute(text("UPDATE ledger_tiles SET hashes = zeroblob(length(hashes))"))
    assert "has another root" in checkpoint_fault(ledger.engine, verifier)
    with ledger.engine.begin() as connection:
        connection.execute(text("DELETE FROM ledger_tiles"))
    with pytest.raises(LedgerError, match="not whole"):
        checkpoint_fault(ledger.engine, verifier)


def test_a_ledger_that_was_set_back_is_seen_by_the_witness(
    ledger: DatabaseLedger, site: Site, tmp_path: Path
) -> None:
    verifier = SIGNER.verifier
    assert witness_fault(site, ledger.engine, verifier) == ""
    ledger.append([entry(n) for n in range(3)])
    assert "no head is kept" in witness_fault(site, ledger.engine, verifier)
    site.hub.ledger_witness_file.write_text(ledger.checkpoint(), encoding="utf-8")
    assert witness_fault(site, ledger.engine, verifier) == ""
    now = dt.datetime.now(dt.UTC)
    ledger.append([entry(4, at=now - BEHIND * 0.9)])
    assert witness_fault(site, ledger.engine, verifier) == ""
    with opened(f"sqlite:///{tmp_path / 'behind.sqlite3'}") as behind:
        behind.append([entry(0, at=now - BEHIND * 2)])
        site.hub.ledger_witness_file.write_text(behind.checkpoint(), encoding="utf-8")
        behind.append([entry(1, at=now - BEHIND * 1.1), entry(2, at=now)])
        assert "is 2 entries behind" in witness_fault(site, behind.engine, verifier)
    site.hub.ledger_witness_file.write_text(ledger.checkpoint(), encoding="utf-8")
    with opened(f"sqlite:///{tmp_path / 'older.sqlite3'}") as older:
        older.append([entry(1)])
        assert "it was set back" in witness_fault(site, older.engine, verifier)
        older.append([entry(n) for n in range(10, 20)])
        assert "another root" in witness_fault(site, older.engine, verifier)


def test_a_ledger_that_began_just_now_needs_neither_checkpoint_nor_witness_yet(
    ledger: DatabaseLedger, site: Site, tmp_path: Path
) -> None:
    def faults(one: DatabaseLedger) -> tuple[str, str]:
        verifier = SIGNER.verifier
        return checkpoint_fault(one.engine, verifier), witness_fault(site, one.engine, verifier)

    now = dt.datetime.now(dt.UTC)
    ledger.append([entry(1, at=now - YOUNG / 2), entry(2, at=now)])
    assert faults(ledger) == ("", "")
    with opened(f"sqlite:///{tmp_path / 'older.sqlite3'}") as older:
        older.append([entry(1, at=now - YOUNG * 1.1), entry(2, at=now)])
        assert faults(older) == (
            "there is no checkpoint of 2 entries",
            "no head is kept outside the database yet",
        )


def test_a_full_disk_and_an_ended_certificate_are_named() -> None:
    assert disk_fault({"ledger": 0.5}) == ""
    assert disk_fault({"ledger": 0.5, "witness": 0.02}) == "nearly full: witness 2.0% free"
    ends = {"own": lambda: NOW, "authority": lambda: NOW + HOUR}
    assert ends_fault(ends, NOW - HOUR) == ""
    assert ends_fault(ends, NOW) == "ended: own"
