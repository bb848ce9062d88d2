"""What is followed: decided once a file, carried in events and copies, told by who works on it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from hub.edge.journal import Journal
from hub.errors import EdgeError
from hub.message import TraceParent
from hub.traces import (
    MOST_OF_A_FILE,
    Context,
    Fact,
    Step,
    begun,
    context_in,
    context_of,
    for_record,
)
from tests.edge_rig import ALPHA, BETA, Rig, copy_of, use_test_layouts
from tests.samples import event, resident
from tests.traces_rig import Followed
from tests.worker_rig import Rig as WorkerRig
from tests.worker_rig import full

pytestmark = pytest.mark.unit

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED, UNSAMPLED = f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00"
DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)


# -- the context ------------------------------------------------------------------------------


@given(DIGESTS)
def test_a_file_that_is_followed_has_a_context_of_w3c_and_always_the_same(digest: str) -> None:
    made = begun("tax", digest, 1.0)
    assert TypeAdapter(TraceParent).validate_python(made) == made
    assert context_of(made) is not None
    assert begun("tax", digest, 1.0) == made != begun("union", digest, 1.0)
    assert begun("tax", digest, 0.0) == ""


def test_the_ratio_is_the_share_of_files_and_a_greater_one_keeps_them() -> None:
    digests = [f"{n:064x}" for n in range(4000)]
    few = {one for one in digests if begun("tax", one, 0.01)}
    more = {one for one in digests if begun("tax", one, 0.25)}
    assert 15 < len(few) < 80
    assert 850 < len(more) < 1150
    assert few < more


@given(st.integers(1, 100_000))
def test_of_a_large_file_some_records_are_followed_spread_over_it(records: int) -> None:
    chosen = [n for n in range(1, records + 1) if for_record(SAMPLED, n, records)]
    assert chosen[0] == 1
    assert min(records, MOST_OF_A_FILE) // 2 <= len(chosen) <= MOST_OF_A_FILE
    assert records - chosen[-1] < max(records // MOST_OF_A_FILE + 1, 2)
    assert for_record("", 1, records) == ""


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        UNSAMPLED,
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        SAMPLED.upper(),
        f"{SAMPLED}\n",
    ],
)
def test_what_nobody_follows(text: str | None) -> None:
    assert context_of(text) is None
    assert text is None or context_in(json.dumps({"traceparent": text}).encode()) is None


@pytest.mark.parametrize("flags", ["01", "03", "ff"])
def test_the_flag_of_the_context_says_that_it_is_followed(flags: str) -> None:
    assert context_of(f"00-{TRACE}-{SPAN}-{flags}") == Context(TRACE, SPAN)


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=90)))
def test_no_text_of_an_event_looks_like_a_context(texts: dict[str, str]) -> None:
    texts.pop("traceparent", None)
    hostile = texts | {"reason": f'","traceparent":"{SAMPLED}'}
    assert context_in(json.dumps(hostile, ensure_ascii=False).encode()) is None
    assert context_in(json.dumps(texts | {"traceparent": SAMPLED}).encode()) == (TRACE, SPAN)


@given(st.binary(max_size=200))
def test_any_bytes_have_an_answer(body: bytes) -> None:
    assert context_in(body) is None
    assert context_in(b'"traceparent":"' + body) is None


# -- the adapters -----------------------------------------------------------------------------


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    use_test_layouts(monkeypatch)
    return Rig(tmp_path)


def events(rig: Rig) -> list[dict[str, Any]]:
    return [json.loads(stored.body) for stored in rig.broker.queue("hub")]


def test_a_file_begins_a_trace_that_stands_in_each_event(rig: Rig) -> None:
    traces = Followed()
    rig.give("notes_1.csv", [("1", "11", "a"), ("1", "12", "REFUSE"), ("2", "21", "b")])
    rig.give("notes_2.csv", [("3", "31", "c")])
    rig.run(ALPHA, traces=traces)
    first, second = traces.of(Step.FILE_IN)
    assert first.context.trace != second.context.trace
    told = [context_of(one["traceparent"]) for one in events(rig)]
    assert told == [first.context, first.context, second.context]
    assert first.facts == {
        Fact.SENDER: "alpha",
        Fact.FILE: "alpha.notes",
        Fact.TYPE: "test.noted",
        Fact.RECORDS: 3,
        Fact.OUTCOME: "read",
    }


@pytest.mark.parametrize("traces", [None, Followed(ratio=0.0)])
def test_a_file_that_is_not_followed_says_nothing_of_it(rig: Rig, traces: Followed | None) -> None:
    rig.give("notes_1.csv", [("1", "11", "a")])
    rig.run(ALPHA, traces=traces)
    assert [sorted(one) for one in events(rig) if "traceparent" in one] == []
    assert len(events(rig)) == 1
    assert traces is None or traces.spans == []


@pytest.mark.parametrize("afterwards", [None, Followed(ratio=0.0)])
def test_what_was_begun_is_sent_once_more_as_it_was(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, afterwards: Followed | None
) -> None:
    def full_disk(*_: object) -> None:
        raise EdgeError("the disk is full")

    rig.give("notes_1.csv", [("1", "11", "a"), ("2", "21", "b")])
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "confirm", full_disk)
        rig.run(ALPHA, traces=Followed())
    assert len(events(rig)) >= 2
    rig.run(ALPHA, traces=afterwards)
    assert rig.names("alpha", "processed") == ["notes_1.csv"]
    assert rig.sent() == [("11", "a"), ("21", "b")]  # each id had one body alone
    assert all("traceparent" in one for one in events(rig))


def test_a_file_that_is_set_aside_half_way_is_trouble(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    traces = Followed()
    path = rig.give("notes_1.csv", [("1", "11", "a")])
    real = Journal.begin

    def changed(journal: Journal, file: Any) -> None:  # noqa: ANN401 - as the journal has it
        real(journal, file)
        path.write_bytes(path.read_bytes() + b"x")

    monkeypatch.setattr(Journal, "begin", changed)
    rig.run(ALPHA, traces=traces)
    assert traces.outcomes(Step.FILE_IN) == [("set-aside: changed", True)]


def test_a_receivers_file_ends_the_trace_of_each_message(rig: Rig) -> None:
    traces = Followed()
    for number, note, parent in ((1, "a", SAMPLED), (2, "b", UNSAMPLED), (3, "FAIL", SAMPLED)):
        body = json.loads(copy_of(number, note)) | {"traceparent": parent}
        rig.broker.put("out.beta", json.dumps(body).encode())
    rig.broker.put("out.beta", copy_of(4, "d"))
    rig.run(BETA, traces=traces)
    assert len(rig.written()) == 3
    written, aside = traces.of(Step.FILE_OUT)
    assert {written.context, aside.context} == {(TRACE, SPAN)}
    assert written.facts == {
        Fact.SENDER: "alpha",
        Fact.RECEIVER: "beta",
        Fact.FLOW: "F1",
        Fact.ID: "m-1",
        Fact.FILE: "beta.notes",
        Fact.TYPE: "test.noted",
        Fact.OUTCOME: "delivered",
    }
    assert (aside.facts[Fact.ID], aside.facts[Fact.OUTCOME]) == ("m-3", "set-aside: mapping-failed")
    assert (written.failed, aside.failed) == (False, True)


# -- the worker -------------------------------------------------------------------------------


def test_a_worker_tells_each_step_of_a_message_that_is_followed(tmp_path: Path) -> None:
    traces = Followed()
    hub = WorkerRig(tmp_path, traces=traces)
    hub.send(event(id="m-1", traceparent=SAMPLED), event(id="m-2"), event(id="m-3"))
    hub.send(event(id="m-4", traceparent=UNSAMPLED))
    assert hub.drain()
    (copy,) = [one for one in hub.copies("union") if one["id"] == "m-1"]
    assert copy["traceparent"] == SAMPLED
    assert [one.get("traceparent") for one in hub.copies("union")[1:]] == [None, None, UNSAMPLED]
    assert {(span.context, span.facts[Fact.ID]) for span in traces.spans} == {
        ((TRACE, SPAN), "m-1")
    }
    receivers = {span.facts[Fact.RECEIVER] for span in traces.of(Step.DELIVER)}
    assert receivers == {row.receiver for row in hub.facts() if row.id == "m-1"}
    assert traces.outcomes(Step.JUDGE) == [("acceptance", False)]
    assert set(traces.outcomes(Step.RECORD)) == {("acceptance", False)}
    assert set(traces.outcomes(Step.DELIVER)) == {("confirmed", False)}
    (judge,), record, deliver = map(traces.of, (Step.JUDGE, Step.RECORD, Step.DELIVER))
    assert judge.ended <= record[0].began
    assert record[0].ended <= deliver[0].began + 1_000_000


def test_refused_and_held_messages_are_trouble(tmp_path: Path) -> None:
    traces = Followed()
    hub = WorkerRig(tmp_path, traces=traces)
    hub.send(event(id="m-1", traceparent=SAMPLED, purpose="another"))
    hub.send(event(id="m-2", traceparent=SAMPLED, doubt="unsure"))
    assert hub.drain()
    assert traces.outcomes(Step.JUDGE) == [
        ("refusal: purpose-not-permitted", True),
        ("hold: unsure", True),
    ]
    assert traces.of(Step.DELIVER) == []


def test_a_copy_that_no_queue_takes_is_trouble_until_one_does(tmp_path: Path) -> None:
    traces = Followed()
    hub = WorkerRig(tmp_path, traces=traces)
    hub.broker.judge = full("union")
    hub.send(event(id="m-1", traceparent=SAMPLED))
    with hub.process() as process:
        process.shift.step(0.0)
        process.shift.step(0.0)
        assert ("refused", True) in traces.outcomes(Step.DELIVER)


def test_what_is_too_much_is_moved_and_not_followed(tmp_path: Path) -> None:
    traces = Followed(room=1)
    hub = WorkerRig(tmp_path, traces=traces)
    residents = [resident(addressee_number=f"{n}") for n in (11, 12)]
    hub.send(*(event(one, id=f"m-{n}", traceparent=SAMPLED) for n, one in enumerate(residents)))
    assert hub.drain()
    assert len(hub.copies("union")) == 2
    assert {span.facts[Fact.ID] for span in traces.spans} == {"m-0"}


def test_without_traces_a_context_goes_through_all_the_same(tmp_path: Path) -> None:
    hub = WorkerRig(tmp_path)
    hub.send(event(id="m-1", traceparent=SAMPLED))
    assert hub.drain()
    assert {one["traceparent"] for one in hub.copies("union")} == {SAMPLED}
