"""What ``make bench`` is made of, without a broker: events, counters, and what it writes."""

import json
import time
from itertools import islice
from pathlib import Path

import pytest

from bench import numbered
from bench.__main__ import PARTS
from bench.events import BYTES, KIND, SENDER, events, message_id, number_of
from bench.measure import Machine, Measure, write
from bench.numbered import numbered_events
from bench.stages import REST, STAGES, Spent, Stages, found
from bench.usage import CORES, Looked, Usage
from hub.message import Envelope
from hub.sealing.opener import Opener
from hub.sealing.sealer import Sealer
from schemas import MESSAGE_TYPES
from tests.keyring import keyring

pytestmark = pytest.mark.unit

ISSUED = {
    "hub_vs_pika",
    "hub_vs_faststream",
    "hub_vs_shovel",
    "workers_2_vs_1",
    "latency_p50_ms",
    "latency_p99_ms",
    "file_to_file_records_per_s",
    "process_memory_mb",
    "backlog_1m_vs_empty",
    "ledger_append_sqlite",
    "ledger_append_postgresql",
    "ledger_append_10m_vs_10k",
    "ledger_verify_per_s",
    "ledger_bytes_per_entry",
    "encrypted_vs_plain",
}


def test_events_are_events_of_the_sender_and_of_one_size() -> None:
    model = Envelope[MESSAGE_TYPES[KIND]]  # type: ignore[misc]
    for made in islice(events("run", 30_000, first=19_990), 20):
        assert len(made.body) == BYTES
        event = model.model_validate_json(made.body)
        assert event.key == (SENDER, made.id)
        assert event.type == KIND
        assert event.purpose is None


def test_events_of_two_runs_have_other_ids_and_the_same_residents() -> None:
    one, other = (list(events(run, 50)) for run in ("a", "b"))
    assert not {made.id for made in one} & {made.id for made in other}
    assert [made.partition for made in one] == [made.partition for made in other]
    assert len({made.partition for made in one}) > 1


def test_events_with_a_number_are_the_same_sealed_and_in_clear() -> None:
    ring = keyring("hub")
    opener = Opener(ring.keys("hub"))
    seal = Sealer(ring.keys(numbered.SENDER), "hub")
    model = Envelope[MESSAGE_TYPES[numbered.KIND]]  # type: ignore[misc]
    plain = numbered_events("run", 20, first=19_990)
    for one, sealed in zip(plain, numbered_events("run", 20, seal, first=19_990), strict=True):
        assert len(one.body) == BYTES
        assert opener.opened(sealed.body, numbered.SENDER).body == one.body
        assert sealed[0:2] == one[0:2]
        event = model.model_validate_json(one.body)
        assert event.key == (numbered.SENDER, one.id)
        assert event.data.my_number.reveal().encode() not in sealed.body


def test_a_messages_number_stands_in_its_name() -> None:
    assert number_of(message_id("0af3", 123)) == 123


def test_every_measure_of_the_issue_can_be_taken_and_is_explained() -> None:
    names = {name for part in PARTS for name in part.names}
    page = Path("docs/benchmarks.md").read_text(encoding="utf-8")
    assert names >= ISSUED
    assert not [name for name in ISSUED if f"`{name}`" not in page]


def test_a_result_has_what_the_issue_asks_for(tmp_path: Path) -> None:
    measures = [
        Measure("a", 8.0, "messages/s", "ratio >= 0.8", met=True, reference=10.0),
        Measure("b", 3.0, "ms", "<= 5", met=True),
    ]
    write(measures, Machine.look(), tmp_path / "latest.json")
    written = json.loads((tmp_path / "latest.json").read_text(encoding="utf-8"))
    assert written["machine"]["cores"] == CORES
    for one in written["measures"]:
        assert one.keys() >= {"name", "value", "unit", "reference", "ratio", "target", "met"}
    assert [one["ratio"] for one in written["measures"]] == [0.8, None]


def test_time_in_a_stage_counts_for_that_stage_alone() -> None:
    stages = Stages()
    outer, inner = Spent(), Spent()

    def work(seconds: float) -> None:
        until = time.thread_time() + seconds
        while time.thread_time() < until:
            pass

    within = stages._counted(lambda: work(0.02), "inner", inner)

    def around() -> None:
        work(0.01)
        within()

    stages._stack.append(stages.spent[REST])
    stages._counted(around, "outer", outer)()
    assert inner.calls == outer.calls == 1
    assert 0.02 <= inner.cpu < 0.03
    assert 0.01 <= outer.cpu < 0.02


def test_every_counted_call_is_there() -> None:
    for places in STAGES.values():
        for place in places:
            found(place)


@pytest.mark.parametrize(
    ("ours", "busy", "said"),
    [
        ({"hub": 1.0, "broker": 0.95}, 0.99, "full: all 2 cores"),
        ({"hub": 0.5}, 0.99, "full by other programs"),
        ({"hub": 0.97, "broker": 0.2}, 0.9, "full: the one core that hub can use"),
        ({"hub": 0.5, "broker": 0.2}, 0.4, "nothing was full"),
    ],
)
def test_what_was_full_is_told_from_what_others_used(
    ours: dict[str, float], busy: float, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.usage.CORES", 2)
    assert Usage(ours, busy, 0.0).full().startswith(said)


def test_usage_is_taken_between_two_looks() -> None:
    before = Looked(10.0, {"hub": 1.0}, idle=5.0, waiting=1.0)
    after = Looked(12.0, {"hub": 2.5}, idle=5.0 + CORES, waiting=1.0 + CORES * 0.2)
    usage = before.until(after)
    assert usage.cores == {"hub": 0.75}
    assert usage.busy == pytest.approx(0.5)
    assert usage.waiting == pytest.approx(0.1)
