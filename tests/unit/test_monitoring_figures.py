"""The figures of now: from the tail and from what processes answer; never 0 for what is unknown."""

import datetime as dt
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from wsgiref.simple_server import make_server

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest, make_wsgi_app

from hub.clock import JST
from hub.errors import LedgerError
from hub.ledger.model import Kind
from hub.ledger.tail import Count, Delay, Sort, Turn
from hub.site import Site
from hub.statute.catalogue import load_catalogue
from monitoring.figures.lines import Line, LineState, Picture, picture
from monitoring.figures.live import Live, QueueNow, live_of
from monitoring.figures.look import LOOK_SECONDS, Figures
from monitoring.figures.scrape import WATCH, Asker, Reading, Target, ask_all, targets_of
from monitoring.figures.standing import Standing, standing_of
from monitoring.figures.window import LineKey, Window

pytestmark = pytest.mark.unit

AT = dt.datetime(2026, 11, 28, 12, tzinfo=JST)
KEY = LineKey("M1d", "tax", "union")
CATALOGUE = load_catalogue()


def came(
    kind: Kind, number: int, *, receiver: str = "union", flow: str = "M1d", code: str = ""
) -> Count:
    return Count(Sort(kind, "income.assessed", flow, "tax", receiver, code), number, 0.0)


def turn(*counts: Count, delays: tuple[Delay, ...] = ()) -> Turn:
    return Turn(0, 0, counts, delays)


def line_of(found: Picture, key: LineKey = KEY) -> Line:
    return next(line for line in found.lines if line.key == key)


def seen(live: Live, window: Window | None = None, now: float = 0.0) -> Picture:
    return picture(CATALOGUE, window or Window(), live, now, AT)


def first_line() -> LineKey:
    flow = next(flow for flow in CATALOGUE.flows if flow.ref == "M1d")
    return LineKey("M1d", flow.sender, next(iter(flow.receivers)))


def test_the_line_of_these_tests_is_in_the_catalogue() -> None:
    assert first_line() == KEY


# -- the window ------------------------------------------------------------------------------


def test_a_rate_is_over_the_time_that_was_seen_and_no_more_than_a_quarter_of_an_hour() -> None:
    window = Window()
    window.add(0.0, turn())
    assert window.per_minute(0.0) == {}
    window.add(30.0, turn(came(Kind.ACCEPTANCE, 10)))
    assert window.per_minute(30.0) == {KEY: 20}
    window.add(60.0, turn(came(Kind.ACCEPTANCE, 10), came(Kind.DELIVERY, 99)))
    assert window.per_minute(60.0) == {KEY: 20}
    window.add(1200.0, turn(came(Kind.ACCEPTANCE, 30)))
    assert window.per_minute(1200.0) == {KEY: 2}


def test_delays_are_medians_and_leave_after_a_quarter_of_an_hour() -> None:
    window = Window()
    window.add(0.0, turn(delays=tuple(Delay("M1d", "union", one) for one in (1.0, 9.0, 2.0))))
    assert window.delays(10.0) == {("M1d", "union"): 2.0}
    assert window.delays(2000.0) == {}


def test_what_was_refused_and_died_stays_for_an_hour_and_memory_is_bounded() -> None:
    window = Window()
    window.add(0.0, turn(came(Kind.REFUSAL, 3), came(Kind.EXPIRY, 1), came(Kind.DEAD_LETTER, 1)))
    assert (window.refused(3000.0), window.died(3000.0)) == ({KEY: 3}, {KEY: 2})
    strangers = [came(Kind.REFUSAL, 1, flow=f"F{number}") for number in range(5000)]
    window.add(3700.0, turn(*strangers))
    assert window.refused(3700.0).get(KEY) is None
    assert len(window.refused(3700.0)) == 2000
    for second in range(4000, 12_000):
        window.add(float(second), turn())
    assert len(window._bins) <= 721


# -- what processes answer -------------------------------------------------------------------


CERTIFICATES = "renkei_certificate_expiry_timestamp_seconds"


def watch_reading() -> Reading:
    registry = CollectorRegistry()

    def gauge(name: str, label: str, values: Mapping[str, float]) -> None:
        made = Gauge(name, "A gauge.", (label,), registry=registry)
        for value, number in values.items():
            made.labels(value).set(number)

    gauge("renkei_queue_messages", "queue", {"out.union": 7, "out.bank": 0})
    gauge("renkei_queue_consumers", "queue", {"out.union": 1, "out.bank": 0})
    gauge("renkei_queue_oldest_message_age_seconds", "queue", {"out.union": 42.0})
    gauge("renkei_flow_due_timestamp_seconds", "flow", {"M1d": AT.timestamp() + 60})
    gauge(CERTIFICATES, "certificate", {"own": 9e9, "broker-mq": 8e9})
    gauge("renkei_disk_free_bytes", "place", {"ledger": 40, "witness": 10})
    gauge("renkei_disk_size_bytes", "place", {"ledger": 100, "witness": 200, "none": 0})
    gauge("renkei_health_check_success", "check", {"round-trip": 0, "disk": 1})
    gauge("renkei_dead_letters", "state", {"open": 2, "requested": 1, "sending": 9})
    Gauge("renkei_ledger_size_entries", "A gauge.", registry=registry).set(1000)
    return Reading(generate_latest(registry).decode())


def hub_reading(breaker: float = 0.0) -> Reading:
    registry = CollectorRegistry()
    opened = Gauge("renkei_receiver_breaker_open", "A gauge.", ("receiver",), registry=registry)
    opened.labels("union").set(breaker)
    Gauge("renkei_hub_connected", "A gauge.", registry=registry).set(1)
    Counter("renkei_link_losses", "A counter.", registry=registry).inc(2)
    return Reading(generate_latest(registry).decode())


def test_a_reading_gives_sums_and_nothing_for_what_is_not_there() -> None:
    reading = watch_reading()
    assert reading.value("renkei_queue_messages") == 7
    assert reading.value("renkei_queue_messages", queue="out.bank") == 0
    assert reading.value("renkei_queue_messages", queue="out.tax") is None
    assert reading.value("renkei_no_such") is None
    assert reading.by("renkei_queue_messages", "queue") == {"out.union": 7, "out.bank": 0}


def test_what_the_processes_say_is_put_together() -> None:
    live = live_of({"hub": hub_reading(1), WATCH: watch_reading(), "union": None})
    assert live.queues == {"out.union": QueueNow(7, 1, 42.0), "out.bank": QueueNow(0, 0, 0.0)}
    assert live.due == {"M1d": AT.timestamp() + 60}
    assert live.lists == {"dead-letters": 3}
    assert live.ledger is not None
    assert live.ledger.size == 1000
    assert live.stopped == {"union"}
    assert live.unanswered == ("union",)
    assert [(one.name, one.answers, one.linked) for one in live.processes] == [
        ("hub", True, True),
        (WATCH, True, None),
        ("union", False, None),
    ]


def test_what_the_hub_stands_on_is_the_worst_of_all_processes() -> None:
    registry = CollectorRegistry()
    Gauge(CERTIFICATES, "A gauge.", ("certificate",), registry=registry).labels("own").set(7e9)
    troubles = Counter(
        "renkei_adapter_troubles", "A counter.", ("system", "where"), registry=registry
    )
    troubles.labels("tax", "link").inc(3)
    troubles.labels("tax", "inbound").inc(9)
    tax = Reading(generate_latest(registry).decode())
    found = standing_of({"hub": hub_reading(), WATCH: watch_reading(), "tax": tax, "union": None})
    assert found.end == ("tax", "own", 7e9)
    assert found.disk == (WATCH, "witness", 0.05)
    assert found.failed == ("round-trip",)
    assert found.again == (0, 0, 5)
    assert standing_of({"hub": None}) == Standing()


def test_refusals_are_counted_by_reason_for_an_hour() -> None:
    window = Window()
    window.add(0.0, turn(came(Kind.REFUSAL, 3, code="denied"), came(Kind.HOLD, 9, code="doubt")))
    window.add(60.0, turn(came(Kind.REFUSAL, 2, code="denied", flow="", receiver="")))
    assert window.reasons(60.0) == {"denied": 5}
    assert seen(Live(), window, 60.0).reasons == {"denied": 5}
    assert window.reasons(7200.0) == {}


def test_without_the_watch_nothing_is_told_of_queues() -> None:
    live = live_of({"hub": hub_reading(), WATCH: None})
    assert (live.queues, live.due, live.lists, live.ledger) == (None, None, None, None)
    line = line_of(seen(live))
    assert (line.state, line.queue, line.oldest, line.due) == (LineState.UNKNOWN, None, None, None)
    assert line.per_minute is None


@pytest.fixture
def served() -> Iterator[Target]:
    registry = CollectorRegistry()
    Gauge("renkei_maintenance", "A gauge.", registry=registry).set(1)
    with make_server("127.0.0.1", 0, make_wsgi_app(registry)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Target("hub", "127.0.0.1", server.server_port, tls=False)
        server.shutdown()
        thread.join()


def test_processes_are_asked_over_http_and_one_that_is_away_is_known_as_such(
    served: Target,
) -> None:
    away = Target("union", "127.0.0.1", 9, tls=False)
    guarded = Target("tax", "127.0.0.1", 9, tls=True)
    found = ask_all([served, away, guarded], Asker(seconds=5))
    assert found["union"] is found["tax"] is None
    assert live_of(found).maintenance


# -- lines -----------------------------------------------------------------------------------


def queues(messages: int, consumers: int, oldest: float = 0.0) -> dict[str, QueueNow]:
    return {"out.union": QueueNow(messages, consumers, oldest)}


@pytest.mark.parametrize(
    ("live", "state"),
    [
        (Live(queues=queues(5, 1)), LineState.OK),
        (Live(queues=queues(0, 0)), LineState.OK),
        (Live(queues=queues(5, 0)), LineState.STOPPED),
        (Live(queues=queues(5, 1), stopped=frozenset({"union"})), LineState.STOPPED),
        (Live(stopped=frozenset({"union"})), LineState.STOPPED),
        (Live(queues=queues(5, 1, 901)), LineState.SLOW),
        (Live(queues=queues(5, 1), due={"M1d": AT.timestamp() - 1}), LineState.LATE),
        (Live(queues=queues(5, 0), due={"M1d": AT.timestamp() - 1}), LineState.STOPPED),
        (Live(queues={}), LineState.UNKNOWN),
        (Live(), LineState.UNKNOWN),
    ],
)
def test_a_state_is_the_worst_that_holds(live: Live, state: LineState) -> None:
    assert line_of(seen(live)).state is state


def test_held_and_denied_flows_are_shown_as_such_whatever_the_queues_say() -> None:
    found = seen(Live())
    states = {line.key.flow: line.state for line in found.lines}
    standings = {flow.ref: flow.standing(AT.date()).value for flow in CATALOGUE.flows}
    for ref, standing in standings.items():
        assert standing == "permitted" or states[ref].value == standing, ref
    assert {LineState.HELD, LineState.DENIED} <= set(states.values())
    assert states.keys() == standings.keys()


def test_a_line_has_its_figures_and_what_belongs_to_none_is_counted_apart() -> None:
    window = Window()
    window.add(0.0, turn())
    window.add(
        60.0,
        turn(
            came(Kind.ACCEPTANCE, 4),
            came(Kind.REFUSAL, 1),
            came(Kind.REFUSAL, 2, receiver=""),
            came(Kind.REFUSAL, 5, flow="", receiver=""),
            came(Kind.DEAD_LETTER, 3),
            delays=(Delay("M1d", "union", 8.0),),
        ),
    )
    found = seen(Live(queues=queues(5, 1, 30.0), last={"M1d": AT.timestamp()}), window, 60.0)
    assert line_of(found) == Line(
        KEY, LineState.OK, 4.0, 8.0, 5, 30.0, refused=3, dead=3, last=AT, due=None
    )
    assert found.refused_elsewhere == 5
    other = next(line for line in found.lines if line.key.flow == "M1e")
    assert (other.per_minute, other.delay) == (0.0, None)


# -- looking ---------------------------------------------------------------------------------


class Tail:
    """A tail whose looks are counted, or fail."""

    def __init__(self) -> None:
        self.looks = 0
        self.fails = False

    def look(self) -> Turn:
        self.looks += 1
        if self.fails:
            raise LedgerError("away")
        return turn(came(Kind.ACCEPTANCE, 1))


def test_one_look_serves_all_who_ask_within_a_moment_and_trouble_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tail, now = Tail(), [0.0]
    figures = Figures(
        (),
        Asker(),
        tail.look,
        lambda: CATALOGUE,
        monotonic=lambda: now[0],
        clock=lambda: AT,
    )
    assert figures.look() is figures.look()
    assert tail.looks == 1
    now[0] = LOOK_SECONDS
    assert line_of(figures.look()).per_minute == 60
    tail.fails = True
    for _ in range(3):
        now[0] += LOOK_SECONDS
        assert line_of(figures.look()).per_minute is not None
    assert caplog.text.count("there are no new rates") == 1


# -- whom to ask -----------------------------------------------------------------------------


def test_every_process_with_a_port_is_asked_and_with_tls_off_this_machine(tmp_path: Path) -> None:
    system = {"folder": tmp_path, "journal": tmp_path / "j", "metrics_port": 9301}
    secret = {"password_file": tmp_path, "pseudonym_key_file": tmp_path}
    hub = {**secret, "workers": 2, "listen": "10.0.0.5", "metrics_port": 9201}
    ports = {"worker_metrics_ports": [9202, 9203], "watch_metrics_port": 9204}
    site = Site.model_validate(
        {
            "hub": {**hub, **ports},
            "systems": {"tax": system, "union": {**system, "metrics_port": None}},
            "console": {"port": 9401, "metrics_port": 9402},
        }
    )
    assert targets_of(site) == (
        Target("hub", "10.0.0.5", 9201, tls=True),
        Target("hub-2", "10.0.0.5", 9202, tls=True),
        Target(WATCH, "10.0.0.5", 9204, tls=True),
        Target("tax", "127.0.0.1", 9301, tls=False),
        Target("console", "127.0.0.1", 9402, tls=False),
    )
