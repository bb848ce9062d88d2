"""A worker's name and port by the site, and its queues by the roster."""

import datetime as dt
from pathlib import Path

import pytest

from hub.compose.shares import Share, WorkerPlace, worker_of
from hub.errors import LedgerError, SiteError
from hub.ledger.maintenance import Maintenance
from hub.names import DEAD_QUEUE
from hub.site import HubSite, Site

pytestmark = pytest.mark.unit


def site(**hub: object) -> Site:
    secret = {"password_file": Path("p"), "pseudonym_key_file": Path("k")}
    return Site(hub=HubSite.model_validate({**secret, **hub}))


@pytest.mark.parametrize(("name", "port"), [("hub", 9464), ("hub-2", 9501), ("hub-3", None)])
def test_each_worker_of_a_machine_has_its_port(name: str, port: int | None) -> None:
    settings = site(workers=3, metrics_port=9464, worker_metrics_ports=(9501,))
    assert worker_of(settings, name) == WorkerPlace(name, port)
    assert worker_of(settings, name, 9999) == WorkerPlace(name, 9999)


@pytest.mark.parametrize(
    ("taken", "port"),
    [((), 9502), ((9502,), 9503), ((9502, 9503), None)],
    ids=["the first is free", "the second is free", "none is free"],
)
def test_a_worker_started_by_hand_takes_a_port_that_nobody_else_will_want(
    taken: tuple[int, ...], port: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    settings = site(workers=2, metrics_port=9464, worker_metrics_ports=(9501, 9502, 9503))
    for name in ("host-b", "hub-3"):
        found = worker_of(settings, name, free=lambda one: one not in taken)
        assert found == WorkerPlace(name, port)
        assert worker_of(settings, name, 9464) == WorkerPlace(name, 9464)
    assert (caplog.text.count("--metrics-port") == 2) == (port is None)


@pytest.mark.parametrize("name", ["", "Hub", "hub 2", "2", "x" * 41, "hub\n", "秘密"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(SiteError, match="no name of a hub worker"):
        worker_of(site(), name)


class Scripted:
    """A roster that shows, one look after another, these members, or fails."""

    def __init__(self, name: str, *looks: set[str] | LedgerError) -> None:
        self.name = name
        self.members = frozenset({name})
        self.maintenance: Maintenance | None = None
        self._looks = list(looks)
        self.left = False

    def beat(self) -> frozenset[str]:
        look = self._looks.pop(0)
        if isinstance(look, LedgerError):
            raise look
        self.members = frozenset(look)
        return self.members

    def leave(self) -> None:
        self.left = True
        raise LedgerError("away")


def test_it_tells_how_many_share_and_how_much_is_its_own() -> None:
    told: list[tuple[int, int]] = []
    roster = Scripted("hub", {"hub"}, {"hub"}, {"hub", "hub-2"})
    one = Share(roster, 4, lambda *numbers: told.append(numbers))  # type: ignore[arg-type]
    for _ in range(3):
        one()
    assert told == [(1, 5), (2, 3)]


def share(*looks: set[str] | LedgerError, name: str = "hub") -> Share:
    return Share(Scripted(name, *looks), 4)  # type: ignore[arg-type] # the part that it uses


def test_who_is_alone_takes_all_and_the_dead_letters() -> None:
    assert share({"hub"})() == ("hub.in.0", "hub.in.1", "hub.in.2", "hub.in.3", DEAD_QUEUE)


def test_of_several_exactly_one_takes_the_dead_letters() -> None:
    members = {"hub", "hub-2", "hub-3"}
    taken = [queue for name in members for queue in share(members, name=name)()]
    assert sorted(taken) == [DEAD_QUEUE, "hub.in.0", "hub.in.1", "hub.in.2", "hub.in.3"]


def test_without_a_database_it_keeps_its_queues_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    away = LedgerError("the ledger could not keep the roster: away")
    both = {"hub", "hub-2"}
    one = share(both, away, away, both, away)
    first = one()
    assert [one() for _ in range(4)] == [first] * 4
    assert caplog.text.count("stays as it is: the ledger could not keep the roster: away") == 2


def test_at_a_start_without_a_roster_it_counts_on_itself_alone() -> None:
    one = share(LedgerError("away"), {"hub", "hub-2"})
    assert len(one()) == 5
    assert len(one()) == 3


def test_that_it_cannot_say_goodbye_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    share({"hub"}).leave()
    assert "take over only in a while" in caplog.text


def test_in_maintenance_a_worker_takes_nothing_and_goes_on_when_its_time_is_over() -> None:
    now = [dt.datetime(2026, 11, 28, 22, tzinfo=dt.UTC)]
    roster = Scripted("hub", *[{"hub"}] * 6)
    told: list[Maintenance | None] = []
    one = Share(roster, 1, rests=told.append, clock=lambda: now[0])  # type: ignore[arg-type]
    assert one() == ("hub.in.0", DEAD_QUEUE)
    said = Maintenance(now[0] + dt.timedelta(minutes=5), "a new disk")
    roster.maintenance = said
    assert one() == one() == ()
    now[0] += dt.timedelta(minutes=5)
    assert one() == ("hub.in.0", DEAD_QUEUE)
    roster.maintenance = said._replace(until=now[0] + dt.timedelta(minutes=1))
    assert one() == ()
    roster.maintenance = None
    assert one() == ("hub.in.0", DEAD_QUEUE)
    assert [bool(rest) for rest in told] == [True, False, True, False]
