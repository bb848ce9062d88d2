"""Adapters are found by their packages alone."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import adapters
from hub.errors import SiteError
from schemas.canonical import MESSAGE_TYPES
from schemas.layout import load_layout

pytestmark = pytest.mark.unit

TAX = "tax"
ROOT = Path(adapters.__file__).parent


def test_every_package_with_an_adapter_is_a_system() -> None:
    assert adapters.systems() == (
        "bank",
        "care-insurance",
        "deposit-inquiry",
        "e-application",
        "intermediate-server",
        "juki-net",
        "kokuho-federation",
        "number-linkage",
        "premium-collection",
        "resident-registry",
        "tax",
        "union",
        "welfare",
    )


@pytest.mark.parametrize("system", adapters.systems())
def test_a_package_is_named_like_its_system(system: str) -> None:
    assert (ROOT / system.replace("-", "_") / "__init__.py").is_file()
    assert adapters.find(system).system == system
    assert adapters.simulator(system).system == system


def test_one_system_is_found_without_the_code_of_the_others() -> None:
    said = f"import sys, adapters; adapters.find({TAX!r}); print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", said], capture_output=True, text=True, check=True
    ).stdout.split()
    assert {name for name in modules if name.startswith("adapters.")} == {"adapters.tax"}


@pytest.mark.parametrize("system", adapters.systems())
def test_wires_name_layouts_and_message_types_that_exist(system: str) -> None:
    adapter = adapters.find(system)
    wires = [*adapter.inbound, *adapter.outbound]
    assert wires
    for wire in wires:
        assert load_layout(wire.layout).id == wire.layout
        assert wire.message_type in MESSAGE_TYPES


def test_an_unknown_system_is_refused_with_what_is_near() -> None:
    with pytest.raises(SiteError, match="did you mean resident-registry"):
        adapters.find("resident-register")
    with pytest.raises(SiteError, match="there are bank, "):
        adapters.simulator("zzz")
    with pytest.raises(SiteError):
        adapters.find("simulation")


@pytest.mark.parametrize("system", adapters.systems())
def test_adapters_do_not_know_one_another(system: str) -> None:
    package = system.replace("-", "_")
    others = {f"adapters.{name.replace('-', '_')}" for name in adapters.systems()}
    for path in (ROOT / package).glob("*.py"):
        imported = {
            node.module or ""
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
        }
        assert not imported & (others - {f"adapters.{package}"})
        if path.name == "__init__.py":
            assert not any(name.startswith("adapters.simulation") for name in imported)
