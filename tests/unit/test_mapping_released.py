"""Layouts against the catalogue: what a flow releases has a column, and nothing else has one."""

import re
from fnmatch import fnmatchcase

import pytest

import adapters
from hub.edge.kit import Inbound, Outbound
from hub.statute.catalogue import Catalogue, load_catalogue
from mappings.columns import fields_of
from schemas import MESSAGE_TYPES
from schemas.canonical import EVIDENCE_ONLY, ScopeEvidence
from schemas.layout import load_layout

pytestmark = pytest.mark.unit

SYSTEMS = ("premium-collection", "union", "welfare", "care-insurance", "resident-registry")
OUTBOUND = [(system, wire) for system in SYSTEMS for wire in adapters.find(system).outbound]
INBOUND = [
    (system, wire)
    for system in SYSTEMS
    for wire in adapters.find(system).inbound
    if load_layout(wire.layout).group_by is None
]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def released(
    catalogue: Catalogue, message_type: str, *, sender: str = "", receiver: str = ""
) -> set[str]:
    """Give the fields of a message type that the flows let go from or to a system."""
    return {
        name
        for flow, leg in catalogue.legs()
        if flow.message_type == message_type and sender in {"", leg.sender}
        for system, grant in leg.receivers.items()
        if receiver in {"", system}
        for name in grant.fields
    }


def held(layout_id: str, message_type: str) -> set[str]:
    """Give the fields of a message type that have columns in a layout."""
    return {field.name for field in fields_of(load_layout(layout_id), MESSAGE_TYPES[message_type])}


@pytest.mark.parametrize(("system", "wire"), OUTBOUND, ids=lambda one: getattr(one, "layout", ""))
def test_a_receiver_has_a_column_for_what_it_is_given_and_for_nothing_else(
    catalogue: Catalogue, system: str, wire: Outbound
) -> None:
    wanted = released(catalogue, wire.message_type, receiver=system)
    assert held(wire.layout, wire.message_type) == wanted


@pytest.mark.parametrize(("system", "wire"), INBOUND, ids=lambda one: getattr(one, "layout", ""))
def test_a_sender_says_what_is_given_on_what_its_message_needs_and_the_evidence(
    catalogue: Catalogue, system: str, wire: Inbound
) -> None:
    cls = MESSAGE_TYPES[wire.message_type]
    wanted = released(catalogue, wire.message_type, sender=system)
    wanted |= {name for name, info in cls.model_fields.items() if info.is_required()}
    assert held(wire.layout, wire.message_type) == wanted
    evidence = cls.model_fields[EVIDENCE_ONLY].annotation
    assert evidence is not None
    assert issubclass(evidence, ScopeEvidence)
    columns = {column.field for column in load_layout(wire.layout).columns}
    assert {f"{EVIDENCE_ONLY}_{name}" for name in evidence.model_fields} <= columns


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_permitted_flow_of_these_systems_has_its_files(
    catalogue: Catalogue, system: str
) -> None:
    adapter = adapters.find(system)
    legs = [(flow, leg) for flow, leg in catalogue.legs() if flow.message_type and leg.receivers]
    sent = {flow.message_type for flow, leg in legs if leg.sender == system}
    received = {flow.message_type for flow, leg in legs if system in leg.receivers}
    assert {wire.message_type for wire in adapter.inbound} == sent
    assert {wire.message_type for wire in adapter.outbound} == received


@pytest.mark.parametrize("system", adapters.systems())
def test_a_name_has_one_kind(system: str) -> None:
    adapter = adapters.find(system)
    patterns = [wire.pattern for wire in adapter.inbound]
    stems = [re.sub(r"\[(.)[^]]*]", r"\1", pattern) for pattern in patterns]
    names = [stem.replace("*", "20260401060000_0001_full") for stem in stems]
    for name in names:
        assert sum(fnmatchcase(name, pattern) for pattern in patterns) == 1, name
    temporary = [f".{wire.prefix}_00000001.tmp" for wire in adapter.outbound]
    prefixes = [f".{wire.prefix}_*.tmp" for wire in adapter.outbound]
    for name in temporary:
        assert sum(fnmatchcase(name, prefix) for prefix in prefixes) == 1, name


def test_the_unions_decisions_on_persons_are_read_before_its_other_files() -> None:
    wires = sorted(adapters.find("union").inbound, key=lambda wire: wire.pattern)
    assert wires[0].message_type == "insured.decided"
