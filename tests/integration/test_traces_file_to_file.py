"""One trace from file to file through real processes and a real broker; no message waits for it."""

import datetime as dt
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.tax import ADAPTER
from hub.clock import JST
from hub.edge.delimited import write_file
from hub.edge.form import Header
from hub.site import HUB_USER
from schemas.layout import load_layout
from tests.conftest import Vhost
from tests.demo_rig import Renkei
from tests.samples import MY_NUMBER
from tests.servers.collector import Collector, Seen, collecting
from tests.walls_rig import NAMED, Office

pytestmark = pytest.mark.integration

COMMANDS = {"hub": ("hub",), "tax": ("adapter", "tax"), "union": ("adapter", "union")}
WITHIN = 10.0
SETTINGS = """
[logs]
format = "json"
messages = "all"

[traces]
endpoint = "{endpoint}"
ratio = 1.0
"""
ROW = {
    "tax_year": "2025",
    "correction_number": "1",
    "household_number": "777",
    "my_number": MY_NUMBER,
    "birth_date": "1940-05-05",
    "insurance": "1",
    "changed": "1",
    "assessed_on": "2025-06-10",
    "undeclared": "0",
    "taxation_class": "1",
}


@dataclass
class Running:
    """A hub and two adapters, each a process, and the collector that they tell."""

    office: Office
    collector: Collector
    processes: dict[str, Renkei]

    def give(self, name: str, *persons: str) -> None:
        """Let the tax system write a file about these people."""
        layout = load_layout(ADAPTER.inbound[0].layout)
        header = Header(dt.datetime.now(JST), "市民税課", "Z-1", "S-1")
        empty = dict.fromkeys((column.field for column in layout.columns), "")
        rows = [empty | ROW | {"group": one, "addressee_number": one} for one in persons]
        write_file(self.drive("tax", "to-hub") / name, layout, header, rows)

    def drive(self, system: str, folder: str) -> Path:
        return self.office.folder / "drives" / system / folder

    def arrived(self) -> int:
        """Count the records in the union's files."""
        files = self.drive("union", "from-hub").glob("*.csv")
        return sum(file.read_text(encoding="utf-8").count("\nD,") for file in files)

    def until(self, event: Callable[[], bool], what: str) -> None:
        self.processes["union"].until(event, what)


@pytest.fixture
def running(vhost: Vhost, tmp_path: Path) -> Iterator[Running]:
    office = Office(tmp_path, vhost)
    with collecting() as collector:
        office.write(SETTINGS.format(endpoint=collector.endpoint))
        assert office.renkei("broker", "apply") == 0
        assert office.renkei("ledger", "migrate") == 0
        processes = {
            name: Renkei(tmp_path / name, (*command, "--site", str(office.site_file)))
            for name, command in COMMANDS.items()
        }
        found = Running(office, collector, processes)
        try:
            for one in processes.values():
                one.until_said("working")
            yield found
        finally:
            for one in processes.values():
                one.end()
            for user in (HUB_USER, *NAMED):
                vhost.management.delete("users", user)


def test_one_trace_from_file_to_file_and_a_collector_that_hangs_keeps_nothing(
    running: Running,
) -> None:
    collector = running.collector
    collector.hangs = True
    running.give("ZEI_1.csv", "21")
    running.until(lambda: running.arrived() == 1, "record although nobody takes a span")
    assert collector.spans == []

    collector.hangs = False
    collector.ended.set()
    running.give("ZEI_2.csv", "31", "32", "33")
    running.until(lambda: running.arrived() == 4, "records of the second file")

    def of_second() -> list[Seen]:
        (trace,) = [
            one.trace
            for one in collector.by_name("file in")
            if one.facts["renkei.file.records"] == 3
        ] or [""]
        return [span for span in collector.spans if span.trace == trace]

    def whole() -> bool:
        return sum(one.name == "file out" for one in of_second()) == 3 and any(
            one.name == "deliver" for one in of_second()
        )

    running.until(whole, "whole trace")
    spans = of_second()
    (first,) = [span for span in spans if not span.parent]
    assert (first.name, first.process) == ("file in", "tax")
    assert {span.parent for span in spans if span is not first} == {first.span}
    assert {(span.name, span.process) for span in spans} == {
        ("file in", "tax"),
        ("judge", "hub"),
        ("record", "hub"),
        ("deliver", "hub"),
        ("file out", "union"),
    }
    out = {str(span.facts["renkei.message.id"]) for span in spans if span.name == "file out"}
    assert out == {str(span.facts["renkei.message.id"]) for span in spans if span.name == "judge"}
    assert not [span for span in spans if span.failed]
    assert_nothing_personal(running, collector)
    logged = map(json.loads, running.processes["hub"].err.splitlines())
    assert {line["message_id"] for line in logged if line.get("trace_id") == first.trace} == out

    began = time.monotonic()
    for one in running.processes.values():
        assert one.stopped(seconds=WITHIN) == 0, one.err
    assert time.monotonic() - began < WITHIN


def assert_nothing_personal(running: Running, collector: Collector) -> None:
    said = json.dumps([span.facts for span in collector.spans], ensure_ascii=False)
    said += "".join(one.err for one in running.processes.values())
    for word in (MY_NUMBER, "市民税課", "Z-1", "S-1", ROW["birth_date"]):
        assert word not in said
