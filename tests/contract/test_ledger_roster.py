"""The roster of the hub's workers, on both databases, with clocks that the tests move."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine, delete, select, text

from hub.errors import LedgerError, SiteError
from hub.ledger.maintenance import (
    LONGEST,
    Maintenance,
    begin_maintenance,
    end_maintenance,
    read_maintenance,
)
from hub.ledger.roster import (
    BEAT_SECONDS,
    FORGET_SECONDS,
    SILENT_SECONDS,
    YOUNG_SECONDS,
    Roster,
)
from hub.ledger.schema import migrate, open_engine
from hub.ledger.tables import workers

pytestmark = pytest.mark.contract

NOW = dt.datetime(2026, 11, 28, 22, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@dataclass
class Clock:
    """A monotonic clock of one process, which begins anywhere."""

    now: float

    def __call__(self) -> float:
        return self.now


@dataclass
class Worker:
    roster: Roster
    clock: Clock

    def beats(self, seconds: float = 0.0) -> frozenset[str]:
        """Let this process live so long, and look every time it is due."""
        until = self.clock.now + seconds
        members = self.roster.beat()
        while self.clock.now + BEAT_SECONDS <= until:
            self.clock.now += BEAT_SECONDS
            members = self.roster.beat()
        self.clock.now = until
        return members


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    migrate(url)
    engine = open_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def worker(engine: Engine) -> Callable[[str], Worker]:
    """Start a worker whose clock has nothing to do with the others'."""
    begun: list[Worker] = []

    def start(name: str) -> Worker:
        clock = Clock(1_000_000.0 * len(begun))
        begun.append(Worker(Roster(engine, name, clock), clock))
        return begun[-1]

    return start


def rows(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        found = connection.execute(select(workers.c.name, workers.c.beats))
        return {row.name: row.beats for row in found}


def live_together(seconds: float, *alive: Worker) -> list[frozenset[str]]:
    """Let them live side by side; give what each says at the end."""
    for _ in range(int(seconds / BEAT_SECONDS)):
        for one in alive:
            one.clock.now += BEAT_SECONDS
            one.roster.beat()
    return [one.roster.members for one in alive]


def test_who_is_alone_is_the_only_member(worker: Callable[[str], Worker]) -> None:
    one = worker("hub")
    assert one.roster.members == {"hub"}
    assert one.beats(60) == {"hub"}


def test_those_who_come_are_seen_at_the_next_look(worker: Callable[[str], Worker]) -> None:
    one, two = worker("hub"), worker("hub-2")
    one.beats(10)
    assert two.beats() == {"hub", "hub-2"}
    assert one.beats(BEAT_SECONDS) == {"hub", "hub-2"}


def test_it_looks_only_so_often(engine: Engine, worker: Callable[[str], Worker]) -> None:
    one = worker("hub")
    for _ in range(100):
        one.roster.beat()
    assert rows(engine) == {"hub": 1}
    one.beats(5 * BEAT_SECONDS)
    assert rows(engine) == {"hub": 6}


def test_one_that_stands_still_is_gone_and_comes_back(worker: Callable[[str], Worker]) -> None:
    one, two = worker("hub"), worker("hub-2")
    assert live_together(60, one, two) == [{"hub", "hub-2"}] * 2
    assert one.beats(SILENT_SECONDS - BEAT_SECONDS) == {"hub", "hub-2"}
    assert one.beats(2 * BEAT_SECONDS) == {"hub"}
    # It was frozen all the time: it holds nothing against the others, and is back at once.
    two.clock.now += 40.0
    assert two.beats() == {"hub", "hub-2"}
    assert one.beats(BEAT_SECONDS) == {"hub", "hub-2"}


def test_one_that_leaves_is_gone_at_once(engine: Engine, worker: Callable[[str], Worker]) -> None:
    one, two = worker("hub"), worker("hub-2")
    live_together(6, one, two)
    two.roster.leave()
    assert one.beats(BEAT_SECONDS) == {"hub"}
    assert set(rows(engine)) == {"hub"}


def test_one_whose_database_is_away_does_not_wait_to_leave(
    engine: Engine, worker: Callable[[str], Worker]
) -> None:
    one = worker("hub")
    one.beats()
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE hub_workers RENAME TO away"))
    one.clock.now += BEAT_SECONDS
    with pytest.raises(LedgerError):
        one.roster.beat()
    one.roster.leave()


def test_a_row_left_behind_counts_for_a_while_and_is_deleted_much_later(
    engine: Engine, worker: Callable[[str], Worker]
) -> None:
    dead = worker("hub-9")
    dead.beats(30)
    one = worker("hub")
    assert one.beats() == {"hub", "hub-9"}
    assert one.beats(SILENT_SECONDS + BEAT_SECONDS) == {"hub"}
    one.beats(FORGET_SECONDS - SILENT_SECONDS - 2 * BEAT_SECONDS)
    assert set(rows(engine)) == {"hub", "hub-9"}
    one.beats(2 * BEAT_SECONDS)
    assert set(rows(engine)) == {"hub"}
    assert one.beats(BEAT_SECONDS) == {"hub"}
    # Should it wake up after all, it is a member as any other.
    assert dead.beats(BEAT_SECONDS) == {"hub", "hub-9"}
    assert one.beats(BEAT_SECONDS) == {"hub", "hub-9"}


def test_time_without_a_database_counts_against_nobody(
    engine: Engine, worker: Callable[[str], Worker]
) -> None:
    one, two = worker("hub"), worker("hub-2")
    live_together(10, two, one)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE hub_workers RENAME TO away"))
    for _ in range(20):
        one.clock.now += BEAT_SECONDS
        with pytest.raises(LedgerError, match="keep the roster"):
            one.roster.beat()
        assert one.roster.members == {"hub", "hub-2"}
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO hub_workers"))
    two.clock.now += 40.0
    assert one.beats(BEAT_SECONDS) == {"hub", "hub-2"}
    assert two.beats(BEAT_SECONDS) == {"hub", "hub-2"}


def test_after_a_fault_a_counter_that_moved_is_no_second_process(
    engine: Engine, worker: Callable[[str], Worker]
) -> None:
    one = worker("hub")
    one.beats()
    # The database has done it, and its answer was lost.
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE hub_workers RENAME TO away"))
    one.clock.now += BEAT_SECONDS
    with pytest.raises(LedgerError):
        one.roster.beat()
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO hub_workers"))
        connection.execute(text("UPDATE hub_workers SET beats = beats + 1"))
    assert one.beats(BEAT_SECONDS) == {"hub"}


def test_a_process_with_a_name_that_is_alive_gives_way(
    engine: Engine, worker: Callable[[str], Worker], caplog: pytest.LogCaptureFixture
) -> None:
    one = worker("hub")
    one.beats(YOUNG_SECONDS + BEAT_SECONDS)
    second = worker("hub")
    second.beats()
    one.beats(BEAT_SECONDS)
    with pytest.raises(SiteError, match="another hub process is called hub: give this one another"):
        second.beats(BEAT_SECONDS)
    second.roster.leave()
    assert set(rows(engine)) == {"hub"}
    assert one.beats(BEAT_SECONDS) == {"hub"}
    assert "another hub process is called hub too" in caplog.text


def test_a_process_that_takes_the_place_of_a_dead_one_does_not_wait(
    worker: Callable[[str], Worker],
) -> None:
    worker("hub").beats(30)
    assert worker("hub").beats(30) == {"hub"}


def test_a_row_that_somebody_deleted_is_made_again(
    engine: Engine, worker: Callable[[str], Worker]
) -> None:
    one = worker("hub")
    one.beats(10)
    with engine.begin() as connection:
        connection.execute(delete(workers))
    assert one.beats(BEAT_SECONDS) == {"hub"}
    assert rows(engine) == {"hub": 1}


def test_a_worker_sees_maintenance_with_its_beat_and_keeps_it_while_it_cannot_look(
    engine: Engine, worker: Callable[[str], Worker]
) -> None:
    one = worker("hub")
    one.beats()
    assert one.roster.maintenance is None
    said = Maintenance(NOW + HOUR, "a new disk")
    begin_maintenance(engine, Maintenance(NOW + 2 * HOUR, "another"), NOW)
    begin_maintenance(engine, said, NOW)
    one.beats(BEAT_SECONDS)
    assert one.roster.maintenance == said
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE hub_workers RENAME TO away"))
    with pytest.raises(LedgerError):
        one.beats(BEAT_SECONDS)
    assert one.roster.maintenance == said
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO hub_workers"))
    end_maintenance(engine)
    one.clock.now += BEAT_SECONDS
    one.beats()
    assert one.roster.maintenance is None


def test_maintenance_ends_by_itself_and_within_a_day(engine: Engine) -> None:
    said = Maintenance(NOW + LONGEST, "a new machine")
    begin_maintenance(engine, said, NOW)
    assert read_maintenance(engine, NOW + LONGEST - HOUR) == said
    assert read_maintenance(engine, NOW + LONGEST) is None
    for until in (NOW, NOW + LONGEST + HOUR):
        with pytest.raises(LedgerError, match="within 24 hours"):
            begin_maintenance(engine, Maintenance(until, "for ever"), NOW)
    end_maintenance(engine)
    end_maintenance(engine)
    assert read_maintenance(engine, NOW) is None
