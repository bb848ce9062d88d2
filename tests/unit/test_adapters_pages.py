"""The page of each system tells its columns and codes as the layouts have them."""

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

import adapters
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
def test_a_page_has_every_column_and_code(system: str) -> None:
    page = (PAGES / f"{system}.md").read_text(encoding="utf-8")
    adapter = adapters.find(system)
    for wire in (*adapter.inbound, *adapter.outbound):
        assert f"schemas/layouts/{wire.layout}.toml" in page
        assert wire.message_type in page or adapter.outbound
        for column in load_layout(wire.layout).columns:
            assert f"| {column.name} | `{column.field}` | {column.width} |" in page
            assert all(f"`{code}` {name}" in page for code, name in column.codes.items())
