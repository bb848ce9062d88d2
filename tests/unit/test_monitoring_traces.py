"""Spans leave the process from a thread of its own, say nothing of a person, and hold up nobody."""

import dataclasses
import json
import logging
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from hub.compose import traces as composed
from hub.compose.checked import load_checked, load_named
from hub.errors import SiteError
from hub.message import MessageKey
from hub.sections import TracesSite
from hub.site import load_site
from hub.traces import Context, Fact, Span, Step
from monitoring.traces import sender
from monitoring.traces.figures import TraceMetrics
from monitoring.traces.lines import Lines
from monitoring.traces.otlp import Collector
from monitoring.traces.sender import Tracer
from monitoring.traces.told import OTHER, Told, told
from tests.plain_site import PLAIN
from tests.servers.collector import collecting

pytestmark = pytest.mark.unit

CONTEXT = Context("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
NUMBER = "123456789018"
SPAN = Span(Step.JUDGE, CONTEXT, 10, 20, {Fact.ID: "m-1", Fact.OUTCOME: "acceptance"})
RESOURCE = {"service.name": "renkei", "service.instance.id": "hub"}
SITE = f"""{PLAIN}
[hub]
password_file = "secrets/hub"
pseudonym_key_file = "secrets/key"
"""


# -- what may leave ---------------------------------------------------------------------------


@given(st.dictionaries(st.sampled_from(Fact), st.text() | st.integers()))
def test_every_word_is_of_a_closed_list_or_of_a_shape_without_room(
    facts: dict[Fact, str | int],
) -> None:
    for fact, value in told(dataclasses.replace(SPAN, facts=facts)).facts.items():
        assert isinstance(value, str) or (fact is Fact.RECORDS and 0 <= value < 2**63)
        assert value == OTHER or len(str(value)) <= 80
        assert str(value).isascii()
        if fact in {Fact.OUTCOME, Fact.TYPE}:
            assert value in {OTHER, f"{facts[fact]}"}


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        (Fact.ID, f"move-{NUMBER}"),
        (Fact.ID, "氏名"),
        (Fact.TYPE, "yamada.taro"),
        (Fact.SENDER, f"tax {NUMBER}"),
        (Fact.FLOW, "山田"),
        (Fact.FILE, "ZEI_山田.csv"),
        (Fact.OUTCOME, "yamada"),
        (Fact.RECORDS, "山田"),
    ],
)
def test_what_says_too_much_is_left_out(fact: Fact, value: str) -> None:
    assert told(dataclasses.replace(SPAN, facts={fact: value})).facts == {fact: OTHER}


def test_a_doubt_of_the_senders_own_is_another() -> None:
    hostile = dataclasses.replace(SPAN, facts={Fact.OUTCOME: "hold: yamada"})
    assert told(hostile).facts == {Fact.OUTCOME: "hold: other"}
    known = dataclasses.replace(SPAN, facts={Fact.OUTCOME: "hold: ambiguous-match"})
    assert told(known).facts == known.facts


def test_a_name_that_is_no_fact_does_not_leave() -> None:
    hostile: Any = {"resident": "15", "staff": "山田", Fact.ID: "m-1"}
    assert told(dataclasses.replace(SPAN, facts=hostile)).facts == {Fact.ID: "m-1"}
    assert {one.value for one in Fact} == {
        "renkei.flow",
        "renkei.message.type",
        "renkei.message.id",
        "renkei.sender",
        "renkei.receiver",
        "renkei.outcome",
        "renkei.file.layout",
        "renkei.file.records",
    }


def test_the_first_span_is_its_own_and_others_are_its_children() -> None:
    first = told(dataclasses.replace(SPAN, step=Step.FILE_IN))
    assert (first.span, first.parent) == (CONTEXT.span, "")
    one, other = told(SPAN), told(SPAN)
    assert one.parent == other.parent == CONTEXT.span
    assert len({one.span, other.span, CONTEXT.span}) == 3


# -- the thread -------------------------------------------------------------------------------


class Drain:
    """Takes spans, unless it is told why not; ``gate`` holds it up."""

    def __init__(self, why: str = "") -> None:
        self.why = why
        self.taken: list[Told] = []
        self.asked = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def send(self, spans: Sequence[Told]) -> str:
        self.asked.set()
        self.gate.wait(20)
        if self.why == "raises":
            raise ConnectionError(NUMBER)
        if not self.why:
            self.taken += spans
        return self.why

    def close(self) -> None:
        self.gate.set()


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def dropped(registry: CollectorRegistry, reason: str) -> float | None:
    return registry.get_sample_value("renkei_traces_dropped_total", {"reason": reason})


def test_an_end_sends_what_waits(registry: CollectorRegistry) -> None:
    drain = Drain()
    tracer = Tracer(drain, 1.0, TraceMetrics(registry))
    for _ in range(1000):
        tracer.tell(SPAN)
    tracer.close()
    assert len(drain.taken) == 1000
    assert registry.get_sample_value("renkei_traces_sent_total") == 1000


def test_a_slow_collector_holds_up_nobody_and_fills_no_memory(
    registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "FLUSH_SECONDS", 0.2)
    drain = Drain()
    drain.gate.clear()
    tracer = Tracer(drain, 1.0, TraceMetrics(registry))
    for _ in range(sender.AT_ONCE):
        tracer.tell(SPAN)
    assert drain.asked.wait(5)
    began = time.monotonic()
    for _ in range(sender.MOST_WAITING + 300):
        tracer.tell(SPAN)
    assert time.monotonic() - began < 2
    assert dropped(registry, "queue") == 300
    tracer.close()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(("why", "said"), [("is down", "is down"), ("raises", "ConnectionError")])
def test_a_collector_that_takes_nothing_is_told_of_once(
    registry: CollectorRegistry, caplog: pytest.LogCaptureFixture, why: str, said: str
) -> None:
    drain = Drain(why)
    tracer = Tracer(drain, 1.0, TraceMetrics(registry), pause=0.001)
    for _ in range(3):
        drain.asked.clear()
        for _ in range(sender.AT_ONCE):
            tracer.tell(SPAN)
        assert drain.asked.wait(5)
    tracer.close()
    found = [dropped(registry, reason) or 0 for reason in ("collector", "queue")]
    assert sum(found) == 3 * sender.AT_ONCE
    assert found[0] > 0
    (line,) = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert said in line.getMessage()
    assert NUMBER not in line.getMessage()


def test_so_many_messages_are_followed_in_a_second(registry: CollectorRegistry) -> None:
    now = [5.0]
    tracer = Tracer(Drain(), 1.0, TraceMetrics(registry), monotonic=lambda: now[0])
    keys = [MessageKey("tax", f"m-{n}") for n in range(sender.MESSAGES_A_SECOND + 7)]
    assert sum(tracer.follow(key, CONTEXT) for key in keys) == sender.MESSAGES_A_SECOND
    assert dropped(registry, "room") == 7
    now[0] = 6.0
    assert tracer.follow(keys[-1], CONTEXT)
    assert tracer.trace_of(keys[-1]) == CONTEXT.trace
    assert tracer.trace_of(keys[-2]) == ""
    tracer.close()


# -- where they go ----------------------------------------------------------------------------


def test_a_line_is_a_request_of_otlp_in_json(tmp_path: Path) -> None:
    file = Lines(tmp_path / "traces.jsonl", RESOURCE, most=2000)
    failed = dataclasses.replace(SPAN, failed=True)
    assert file.send([told(SPAN), told(failed)]) == ""
    first, second = map(json.loads, (tmp_path / "traces.jsonl").read_text().splitlines())
    (resource,) = first["resourceSpans"]
    assert resource["resource"]["attributes"][1] == {
        "key": "service.instance.id",
        "value": {"stringValue": "hub"},
    }
    (span,) = resource["scopeSpans"][0]["spans"]
    assert (span["traceId"], span["parentSpanId"]) == CONTEXT
    assert (span["name"], span["startTimeUnixNano"], span["endTimeUnixNano"]) == (
        "judge",
        "10",
        "20",
    )
    assert {"key": "renkei.message.id", "value": {"stringValue": "m-1"}} in span["attributes"]
    assert "status" not in span
    assert second["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["status"] == {"code": 2}


def test_a_file_fills_no_disk_and_is_its_processs_own(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    file = Lines(path, RESOURCE, most=2000)
    for _ in range(21):
        assert file.send([told(SPAN)]) == ""
    assert sorted(one.name for one in tmp_path.iterdir()) == ["traces.jsonl", "traces.jsonl.1"]
    assert all(one.stat().st_size < 3000 for one in tmp_path.iterdir())
    assert path.stat().st_mode & 0o777 == 0o600
    assert "No such file" in Lines(tmp_path / "no" / "traces.jsonl", RESOURCE).send([told(SPAN)])


def test_a_collector_gets_what_was_told() -> None:
    with collecting() as collector:
        drain = Collector(collector.endpoint, None, RESOURCE)
        assert drain.send([told(dataclasses.replace(SPAN, step=Step.FILE_IN)), told(SPAN)]) == ""
        collector.status = 400
        assert drain.send([told(SPAN)]) != ""
        drain.close()
    first, second = collector.spans
    assert (first.process, first.name, first.trace, first.parent) == (
        "hub",
        "file in",
        CONTEXT.trace,
        "",
    )
    assert (first.span, second.parent) == (CONTEXT.span, CONTEXT.span)
    assert second.facts == {"renkei.message.id": "m-1", "renkei.outcome": "acceptance"}


def test_an_end_does_not_wait_for_a_collector_that_hangs(
    registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "FLUSH_SECONDS", 0.3)
    with collecting() as collector:
        collector.hangs = True
        drain = Collector(collector.endpoint, None, RESOURCE)
        tracer = Tracer(drain, 1.0, TraceMetrics(registry))
        tracer.tell(SPAN)
        began = time.monotonic()
        tracer.close()
        assert time.monotonic() - began < 2


def test_neither_proxy_nor_redirection_leads_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with collecting() as collector:
        drain = Collector(collector.endpoint, None, RESOURCE)
        assert drain.send([told(SPAN)]) == ""
        drain.close()


# -- the site ---------------------------------------------------------------------------------


def site_file(folder: Path, text: str) -> Path:
    path = folder / "site.toml"
    path.write_text(SITE + text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[traces]", "name either an endpoint or a file"),
        ('[traces]\nfile = "t"\nendpoint = "http://127.0.0.1:1"', "name either an endpoint"),
        ('[traces]\nendpoint = "http://10.0.0.5:4318"', "plain http goes to this machine"),
        ('[traces]\nendpoint = "https://10.0.0.5:4318"', "traces.endpoint is another machine"),
        ('[traces]\nfile = "t"\nca_file = "c"', "ca_file is for an endpoint with https alone"),
        ('[traces]\nfile = "t"\nratio = 1.1', "traces.ratio"),
        ('[traces]\nfile = "t"\nratio = nan', "traces.ratio"),
        ('[traces]\nfiles = "t"', "did you mean file?"),
    ],
)
def test_what_a_site_may_not_say(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SiteError) as caught:
        load_site(site_file(tmp_path, text))
    assert said in str(caught.value)


@pytest.fixture
def unloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing of a collector's be imported."""
    for name in [one for one in sys.modules if one.partition(".")[0] == "opentelemetry"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "monitoring.traces.otlp", None)


@pytest.mark.usefixtures("unloaded")
def test_a_site_without_traces_loads_nothing_and_counts_nothing(
    tmp_path: Path, registry: CollectorRegistry
) -> None:
    for name in ("sender", "figures", "told", "lines"):
        sys.modules.pop(f"monitoring.traces.{name}", None)
    site = load_site(site_file(tmp_path, ""))
    with composed.tracing(site, "hub", registry) as tracer:
        assert tracer is None
    assert "monitoring.traces.sender" not in sys.modules
    assert list(registry.collect()) == []


@pytest.mark.usefixtures("unloaded")
def test_a_file_needs_nothing_to_be_installed(tmp_path: Path, registry: CollectorRegistry) -> None:
    site = load_site(site_file(tmp_path, '[traces]\nfile = "traces.jsonl"\nratio = 1.0'))
    with composed.tracing(site, "hub-2", registry) as tracer:
        assert tracer is not None
        assert tracer.begun("tax", "ab" * 32)
        tracer.tell(SPAN)
    assert "hub-2" in (tmp_path / "traces.hub-2.jsonl").read_text()


@pytest.mark.usefixtures("unloaded")
def test_a_collector_needs_the_extra_and_the_text_says_so(
    tmp_path: Path, registry: CollectorRegistry
) -> None:
    site = load_site(site_file(tmp_path, '[traces]\nendpoint = "http://127.0.0.1:4318"'))
    with (
        pytest.raises(SiteError, match=r"pip install 'renkei-hub\[traces\]'"),
        composed.tracing(site, "hub", registry),
    ):
        pass


@pytest.mark.usefixtures("unloaded")
def test_a_check_of_the_site_says_so_before_anything_starts(tmp_path: Path) -> None:
    said = '[traces]\nendpoint = "http://127.0.0.1:4318"'
    with pytest.raises(SiteError, match=r"pip install 'renkei-hub\[traces\]'"):
        load_checked(site_file(tmp_path, said))
    assert list(composed.trace_faults(None)) == []


def test_a_file_of_certificates_that_is_not_there_is_named(tmp_path: Path) -> None:
    settings = TracesSite(endpoint="https://10.0.0.5:4318", ca_file=tmp_path / "ca.pem")
    (fault,) = composed.trace_faults(settings)
    assert fault.endswith("ca.pem is not there")


def test_a_file_may_not_lie_where_a_system_reads(tmp_path: Path) -> None:
    said = """
[systems.tax]
folder = "drives/tax"
journal = "tax.sqlite3"
password_file = "secrets/tax"

[traces]
file = "drives/tax/traces.jsonl"
"""
    with pytest.raises(SiteError, match=r"traces\.file is inside systems\.tax\.folder"):
        load_named(site_file(tmp_path, said))


def test_a_collector_on_this_machine_is_sent_to(
    tmp_path: Path, registry: CollectorRegistry
) -> None:
    with collecting() as collector:
        text = f'[traces]\nendpoint = "{collector.endpoint}"\nratio = 0.5'
        with composed.tracing(load_site(site_file(tmp_path, text)), "tax", registry) as tracer:
            assert tracer is not None
            tracer.tell(SPAN)
    assert [span.process for span in collector.spans] == ["tax"]
