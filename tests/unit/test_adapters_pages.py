"""The page of each system has the tables of its layouts, and tells of files that nobody reads."""

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

import adapters
from hub.catalogue.layouts import filled, layouts_of
from hub.edge import overdue
from monitoring.edge import EdgeMetrics
from schemas.layout import load_layout

pytestmark = pytest.mark.unit

PAGES = Path(adapters.__file__).parents[1] / "docs" / "systems"


@pytest.mark.parametrize("system", adapters.systems())
def test_a_page_says_what_becomes_of_a_file_that_nobody_reads(system: str) -> None:
    page = (PAGES / f"{system}.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"`(renkei_adapter_[a-z_]+)`", page.partition("## Errors")[2]))
    registry = CollectorRegistry()
    EdgeMetrics(registry, system)
    text = generate_latest(registry).decode()
    assert "renkei_adapter_files_ignored" in shown
    assert not adapters.find(system).inbound or "renkei_adapter_files_waiting" in shown
    assert all(f"# TYPE {name} " in text for name in shown)


@pytest.mark.parametrize("system", adapters.systems())
def test_a_page_has_the_table_of_every_layout(system: str) -> None:
    page = (PAGES / f"{system}.md").read_text(encoding="utf-8")
    adapter = adapters.find(system)
    wires = (*adapter.inbound, *adapter.outbound)
    wanted = {wire.layout for wire in wires} - {overdue.LAYOUT} | {adapter.matching} - {""}
    assert set(layouts_of(page)) >= wanted
    assert filled(page, load_layout) == page, "run 'make docs'"
    for wire in adapter.inbound:
        assert wire.layout == overdue.LAYOUT or wire.message_type in page
