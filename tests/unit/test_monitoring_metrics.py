"""Metrics: every one is answered after use, and no hostile input makes a new series."""

import datetime as dt
import inspect
import re
import socket
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from hub.breaker import BreakerState
from hub.edge.form import FileFault
from hub.edge.ignored import Ignored
from hub.edge.observe import EdgeObserver
from hub.errors import SiteError
from hub.ledger.maintenance import Maintenance
from hub.ledger.model import Entry, Kind
from hub.message import MessageKey
from hub.observe import HubObserver, Stage
from hub.pipeline.waiting import ReceiverState
from hub.statute.catalogue import Catalogue, load_catalogue
from hub.statute.reasons import ATTEMPTS, Code
from monitoring.bounds import MOST_VALUES, OTHER
from monitoring.edge import EdgeMetrics
from monitoring.endpoint import serve
from monitoring.hub import MOST_SERIES, HubMetrics
from monitoring.times import WAY_BUCKETS

pytestmark = [pytest.mark.unit, pytest.mark.slow]

SYSTEMS, TYPES, FLOWS = {"tax", "union"}, {"income.assessed"}, {"M1d"}
NAME = re.compile(r"renkei(_[a-z]+)+")
# What each observer is told, in an order that a process could tell it in.
EDGE_CALLS: dict[str, tuple[Any, ...]] = {
    "connected": (),
    "disconnected": (),
    "file_read": ("ZEI_1.csv", "income.assessed", 5, 2),
    "file_repeated": ("ZEI_1.csv",),
    "file_set_aside": ("ZEI_1.csv", "encoding", 3),
    "published": ("income.assessed", 3),
    "held_back": (4,),
    "file_written": ("income_1.csv", "income.assessed", 6),
    "file_took": ("out", 0.25),
    "arrived": ("M1d", {40: 1}, {3: 1}),
    "message_set_aside": ("message-1.json", "unwritable", None),
    "messages_marked": (2,),
    "message_repeated": (7,),
    "receipts_sent": (8,),
    "notices_written": (9,),
    "catalogue_in_force": ("d1",),
    "catalogue_refused": (),
    "trouble": ("link", SiteError("gone")),
    "surveyed": (4, dt.datetime(2026, 4, 1, tzinfo=dt.UTC), {Ignored.LINK: 3}),
}
# What is only logged: the gauges of a survey and the counted trouble say the rest.
EDGE_LOGGED: dict[str, tuple[Any, ...]] = {
    "file_ignored": ("ZEI_1.CSV", Ignored.PATTERN),
    "recovered": ("link", 3.0),
}


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def hub(registry: CollectorRegistry) -> HubMetrics:
    return HubMetrics(registry, SYSTEMS, TYPES, FLOWS)


@pytest.fixture
def edge(registry: CollectorRegistry) -> EdgeMetrics:
    return EdgeMetrics(registry, "tax")


def entry(kind: Kind = Kind.DELIVERY, **changes: Any) -> Entry:  # noqa: ANN401
    values: dict[str, Any] = {
        "message": MessageKey(changes.pop("sender", "tax"), "id"),
        "message_type": "income.assessed",
        "flow": "M1d",
        "receiver": "union",
    }
    return Entry(kind=kind, at=dt.datetime.now(dt.UTC), **{**values, **changes})


def samples(registry: CollectorRegistry) -> Iterator[tuple[str, dict[str, str], float]]:
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        for sample in family.samples:
            if not sample.name.endswith("_created"):
                yield sample.name, sample.labels, sample.value


def entries(registry: CollectorRegistry) -> list[tuple[dict[str, str], float]]:
    told = [(labels, n) for name, labels, n in samples(registry) if name.endswith("entries_total")]
    return [(labels, n) for labels, n in told if n]  # what may be an attempt begins at 0


def methods(protocol: type) -> set[str]:
    return {name for name in vars(protocol) if not name.startswith("_")}


@pytest.mark.parametrize(
    ("port", "implementation"), [(HubObserver, HubMetrics), (EdgeObserver, EdgeMetrics)]
)
def test_metrics_implement_the_port(port: type, implementation: type) -> None:
    for name in methods(port):
        wanted = inspect.signature(getattr(port, name))
        assert inspect.signature(getattr(implementation, name)) == wanted, name


def test_mypy_agrees(hub: HubMetrics, edge: EdgeMetrics) -> None:
    hub_observer: HubObserver = hub
    edge_observer: EdgeObserver = edge
    assert hub_observer
    assert edge_observer


def test_every_edge_metric_moves_when_it_is_told(
    edge: EdgeMetrics, registry: CollectorRegistry
) -> None:
    assert set(EDGE_CALLS) | set(EDGE_LOGGED) == methods(EdgeObserver)
    quiet = {(name, tuple(labels.items())): value for name, labels, value in samples(registry)}
    for name, arguments in EDGE_CALLS.items():
        before = generate_latest(registry)
        getattr(edge, name)(*arguments)
        assert generate_latest(registry) != before, name
    told = {name: value for name, _, value in samples(registry)}
    assert told["renkei_adapter_records_read_total"] == 5
    assert told["renkei_adapter_records_rejected_total"] == 2
    assert told["renkei_adapter_messages_held_back_total"] == 4
    assert told["renkei_adapter_records_written_total"] == 6
    assert told["renkei_adapter_receipts_sent_total"] == 8
    assert all(labels["system"] == "tax" for _, labels, _ in samples(registry))
    families = list(text_string_to_metric_families(generate_latest(registry).decode()))
    assert all(family.samples for family in families)
    assert quiet


def test_what_has_no_metric_of_its_own_is_logged(
    edge: EdgeMetrics, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for name, arguments in EDGE_LOGGED.items():
        caplog.clear()
        getattr(edge, name)(*arguments)
        assert len(caplog.records) == 1, name


def test_the_connection_is_a_gauge(edge: EdgeMetrics, registry: CollectorRegistry) -> None:
    def up() -> float | None:
        return registry.get_sample_value("renkei_adapter_connected", {"system": "tax"})

    assert up() == 0
    edge.connected()
    assert up() == 1
    edge.disconnected()
    assert up() == 0


def test_every_hub_metric_moves_when_it_is_told(
    hub: HubMetrics, registry: CollectorRegistry
) -> None:
    told: set[str] = set()
    for name, arguments, keywords in (
        ("recorded", ([entry(), entry()],), {}),
        ("batch_done", (3, 0.02), {}),
        ("number_in_clear", ("union",), {}),
        ("took", (Stage.RECORD, 0.02), {}),
        ("tried_again", ({"union": 2},), {}),
        ("came_again", (3,), {}),
        ("linked", (), {}),
        ("link_lost", (), {}),
        ("ledger_available", (), {"available": False}),
        ("catalogue_in_force", (Catalogue({}, (), "d1"),), {}),
        ("catalogue_refused", (), {}),
        ("waiting", ({"union": ReceiverState(3, BreakerState.OPEN)},), {}),
    ):
        before = generate_latest(registry)
        getattr(hub, name)(*arguments, **keywords)
        assert generate_latest(registry) != before, name
        told.add(name)
    assert told == methods(HubObserver)
    assert entries(registry)[0][1] == 2
    assert registry.get_sample_value("renkei_batch_messages_sum") == 3
    assert registry.get_sample_value("renkei_batch_duration_seconds_sum") == 0.02
    assert registry.get_sample_value("renkei_link_losses_total") == 1
    assert registry.get_sample_value("renkei_numbers_plain_total", {"sender": "union"}) == 1
    assert registry.get_sample_value("renkei_ledger_available") == 0
    assert registry.get_sample_value("renkei_catalogue_refused_total") == 1
    assert registry.get_sample_value("renkei_catalogue_info", {"digest": "d1"}) == 1
    union = {"receiver": "union"}
    assert registry.get_sample_value("renkei_waiting_messages", union) == 3
    assert registry.get_sample_value("renkei_receiver_breaker_open", union) == 1


def test_only_the_catalogue_in_force_is_shown_and_its_flows_are_known(
    hub: HubMetrics, registry: CollectorRegistry
) -> None:
    hub.catalogue_in_force(Catalogue({}, (), "d1"))
    hub.catalogue_in_force(load_catalogue())
    shown = [labels for name, labels, _ in samples(registry) if name == "renkei_catalogue_info"]
    assert shown == [{"digest": load_catalogue().digest}]
    hub.recorded([entry(flow="B1", receiver="bank", sender="premium-collection")])
    ((labels, _),) = entries(registry)
    assert (labels["flow"], labels["receiver"]) == ("B1", "bank")


def test_names_follow_the_conventions(
    hub: HubMetrics, edge: EdgeMetrics, registry: CollectorRegistry
) -> None:
    hub.recorded([entry()])
    for name, arguments in EDGE_CALLS.items():
        getattr(edge, name)(*arguments)
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        assert NAME.fullmatch(family.name), family.name
        assert family.documentation.endswith(".")
        if family.name.endswith("_created"):
            continue
        if family.type == "counter":
            assert {s.name for s in family.samples} <= {
                f"{family.name}_total",
                f"{family.name}_created",
            }
        if family.type == "gauge":
            assert not family.name.endswith(("_total", "_count"))


def test_no_hostile_input_makes_a_new_series(hub: HubMetrics, registry: CollectorRegistry) -> None:
    for number in range(200):
        hub.recorded(
            [
                entry(
                    Kind.REFUSAL,
                    sender=f"stranger-{number}",
                    message_type=f"type.{number}",
                    flow=f"F{number}",
                    receiver=f"receiver-{number}",
                    code=f"code-{number}",
                ),
                entry(Kind.RECEIPT, code=f"r{number:012}"),
            ]
        )
    names = ("kind", "flow", "sender", "receiver", "message_type", "code")
    found = {tuple(labels[name] for name in names): n for labels, n in entries(registry)}
    assert found == {
        ("refusal", OTHER, OTHER, OTHER, OTHER, OTHER): 200,
        ("receipt", "M1d", "tax", "union", "income.assessed", "set-aside"): 200,
    }


def test_an_adapter_makes_few_series_whatever_it_is_told(
    edge: EdgeMetrics, registry: CollectorRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL")
    hostile = 10_000
    for number in range(hostile):
        name = f"stranger-{number}" if number % 2 else f"山田{number}"
        edge.file_read("f", name, 1, 1)
        edge.file_set_aside("f", name, 0)
        edge.published(name, 1)
        edge.file_written("f", name, 1)
        edge.file_took(name, 1.0)
        edge.arrived(name, {1: 1}, {1: 1})
        edge.message_set_aside("f", name, None)
        edge.trouble(name, SiteError("gone"))
    told = list(samples(registry))
    counters, histograms = 9, 2 * (len(WAY_BUCKETS) + 3)
    without_such_labels = 50
    assert len(told) <= (MOST_VALUES + 1) * (counters + histograms) + without_such_labels
    assert not any("山田" in value for _, labels, _ in told for value in labels.values())
    for family, label, known in (
        ("files_read", "message_type", 0),
        ("files_set_aside", "code", len(FileFault)),
        ("messages_set_aside", "code", 0),
        ("troubles", "where", 4),
    ):
        labels = {"system": "tax", label: OTHER}
        rest = registry.get_sample_value(f"renkei_adapter_{family}_total", labels)
        assert rest == hostile - (MOST_VALUES - known), family
    edge.file_set_aside("f", "encoding", 3)  # what is known has its own series however many came
    assert told_of(registry, "renkei_adapter_files_set_aside_total", code="encoding") == 1


def told_of(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(name, {"system": "tax", **labels})


def test_what_may_be_an_attempt_begins_at_0_for_each_sender(
    hub: HubMetrics, registry: CollectorRegistry
) -> None:
    assert hub
    told = {
        (labels["sender"], labels["code"]): n
        for name, labels, n in samples(registry)
        if name == "renkei_ledger_entries_total"
    }
    assert told == {(who, code.value): 0 for who in (*SYSTEMS, OTHER) for code in ATTEMPTS}


def test_the_number_of_series_is_bounded_whoever_is_refused_for_what(
    registry: CollectorRegistry,
) -> None:
    names = [f"system-{n}" for n in range(40)]
    metrics = HubMetrics(registry, names, TYPES, FLOWS)
    for sender in names:
        kinds = (Kind.REFUSAL, Kind.HOLD)
        metrics.recorded(
            [
                entry(kind, sender=sender, receiver=receiver, code=code)
                for kind in kinds
                for receiver in names
                for code in list(Code)[:30]
            ]
        )
    told = entries(registry)
    assert sum(n for _, n in told) == 2 * 40 * 40 * 30
    assert MOST_SERIES - 400 < len(told) <= MOST_SERIES + len(Kind)
    rest = [n for labels, n in told if labels["code"] == labels["sender"] == OTHER]
    assert len(rest) == 2


def test_maintenance_is_shown_and_no_trouble_once_it_is_over(
    hub: HubMetrics, registry: CollectorRegistry
) -> None:
    hub.linked()
    hub.ledger_available(available=True)
    hub.resting(Maintenance(dt.datetime(2026, 11, 28, 14, tzinfo=dt.UTC), "a new disk"))
    assert registry.get_sample_value("renkei_maintenance") == 1
    assert not hub.health.is_ready
    assert b"maintenance until 2026-11-28 23:00" in hub.health.document()
    hub.resting(None)
    assert registry.get_sample_value("renkei_maintenance") == 0
    assert hub.health.is_ready


@pytest.mark.parametrize("code", Code)
def test_each_reason_of_ours_has_its_own_series(
    hub: HubMetrics, registry: CollectorRegistry, code: Code
) -> None:
    hub.recorded([entry(Kind.REFUSAL, flow="", receiver="", code=code)])
    ((labels, _),) = entries(registry)
    assert (labels["code"], labels["flow"], labels["receiver"]) == (code.value, "", "")


def test_a_delivery_is_told_from_what_was_set_aside(
    hub: HubMetrics, registry: CollectorRegistry
) -> None:
    hub.recorded([entry(Kind.RECEIPT, code="delivered"), entry(Kind.RECEIPT, code="unwritable")])
    assert {labels["code"] for labels, _ in entries(registry)} == {"delivered", "set-aside"}


def test_an_address_of_another_machine_is_named(registry: CollectorRegistry) -> None:
    with pytest.raises(SiteError, match=r"metrics_port 9464 cannot be used at 192\.0\.2\.1: "):
        serve(registry, 9464, "192.0.2.1")


def test_the_endpoint_answers_on_loopback_and_a_taken_port_is_named(
    hub: HubMetrics, registry: CollectorRegistry
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SiteError, match=f"metrics_port {port} cannot be used at 127.0.0.1"):
            serve(registry, port)
    hub.link_lost()
    serve(registry, port)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        assert "renkei_link_losses_total 1.0" in answer.read().decode()
