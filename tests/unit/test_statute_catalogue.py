"""What a routes folder may say, and that every fault of it is named with its file."""

from pathlib import Path

import pytest

from hub.errors import CatalogueError
from hub.statute.catalogue import State, load_catalogue
from tests.samples import FLOW_TOML, SYSTEMS_TOML, routes

pytestmark = pytest.mark.unit

NEXT_BASIS = """
[[basis]]
law = "試験法"
article = "2条"
valid_from = {start}
"""


def changed(old: str, new: str) -> str:
    assert old in FLOW_TOML
    return FLOW_TOML.replace(old, new)


def faults_of(folder: Path) -> str:
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(folder)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("ref = ", "Invalid value"),
        (b"ref = '\xff'", "utf-8"),
        (changed('sender = "alpha"\n', ""), "sender: Field required"),
        (changed('title_ja = "流れ"', 'title_ja = "流れ"\ncolour = "red"'), "colour: Extra"),
        (changed('ref = "T1"', 'ref = "T2"'), "the file of flow T2 is named T2.toml"),
        (changed('ref = "T1"', 'ref = "t one"'), "ref: String should match"),
        (changed('sender = "alpha"', 'sender = "beta"'), "beta would send to itself"),
        (
            changed('sender = "alpha"', 'sender = "gamma"'),
            "the system gamma is not in systems.toml",
        ),
        (changed("[receivers.beta]", "[receivers.gamma]"), "the system gamma is not in"),
        (changed("[receivers.beta]", "[receivers.aside]"), "aside is a neighbour"),
        (changed('sender = "alpha"', 'sender = "aside"'), "aside is a neighbour"),
        (changed('sender = "alpha"', 'sender = "Al pha"'), "sender: String should match"),
        (changed("resident.changed", "resident.married"), "resident.married has no schema"),
        (changed("resident.changed", "resident"), "message_type: String should match"),
        (changed("insured-household", "everybody"), "whose.rule everybody is none of"),
        (changed('"name"]', '"name", "shoe_size"]'), "has no field shoe_size"),
        (changed('"name"]', '"name", "scope"]'), "has no field scope"),
        (changed('"name"]', '"name", "my_number"]'), "my_number = true is not said"),
        (changed('"name"]', '"name", "name"]'), "name is listed twice"),
        (changed('fields = ["addressee_number", "name"]', "fields = []"), "at least 1 item"),
        (FLOW_TOML.split("[receivers.beta]")[0] + "[receivers]\n", "no receiver is named"),
        (changed("valid_from = 2020-01-01", ""), "valid_from: Field required"),
        (changed("valid_from = 2020-01-01", "valid_from = 'soon'"), "valid_from: Input should be"),
        (
            changed("2020-01-01", "2020-01-01\nvalid_to = 2019-12-31"),
            "試験法 1条 ends before it begins",
        ),
        (FLOW_TOML + NEXT_BASIS.format(start="2021-01-01"), "2条 begins before 試験法 1条 ends"),
        (
            changed("2020-01-01", "2020-01-01\nvalid_to = 2021-01-01")
            + NEXT_BASIS.format(start="2021-01-01"),
            "2条 begins before 試験法 1条 ends",
        ),
        (changed("[[basis]]", "[[foundation]]"), "foundation: Extra"),
        (
            "state = 'permitted'\nbasis = []\n"
            + FLOW_TOML.replace('[[basis]]\nlaw = "試験法"\narticle = "1条"\n', "").replace(
                "valid_from = 2020-01-01\n", ""
            ),
            "a permitted flow needs a basis",
        ),
        ("state = 'held'\n" + FLOW_TOML, "a held flow names the cells that are missing"),
        ("state = 'forgotten'\n" + FLOW_TOML, "state: Input should be"),
        ("retention_years = 0\n" + FLOW_TOML, "retention_years: Input should be"),
    ],
)
def test_a_fault_is_named_with_its_file(tmp_path: Path, text: str | bytes, fault: str) -> None:
    said = faults_of(routes(tmp_path, {"T1.toml": text}))
    line = next(line for line in said.splitlines() if fault in line)
    assert line.strip().startswith("T1.toml: ")


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    folder = routes(
        tmp_path,
        {
            "T1.toml": changed('sender = "alpha"', 'sender = "gamma"').replace("name", "shoe_size"),
            "T2.toml": "ref = ",
            "T3.toml": changed('ref = "T1"', 'ref = "T3"').replace("alpha", "beta"),
        },
    )
    said = faults_of(folder)
    for part in ("T1.toml", "shoe_size", "T2.toml", "T3.toml", "beta would send to itself"):
        assert part in said


@pytest.mark.parametrize(
    ("systems", "fault"),
    [
        ("", "systems.toml: system: Field required"),
        ("[[system]]\nid = 'A'\n", "systems.toml: system.0.id"),
        (
            SYSTEMS_TOML.replace('"beta"', '"alpha"'),
            "systems.toml: the system alpha is listed twice",
        ),
        (SYSTEMS_TOML.replace('"beta"', '"hub"'), "systems.toml: the id hub is the hub's own"),
        (SYSTEMS_TOML + "port = 5\n", "systems.toml: system.2.port: Extra"),
    ],
)
def test_a_fault_of_the_systems_is_named(tmp_path: Path, systems: str, fault: str) -> None:
    assert fault in faults_of(routes(tmp_path, {"systems.toml": systems}))


def test_a_folder_that_is_none_and_a_file_that_is_none_are_faults(tmp_path: Path) -> None:
    assert "cannot be read" in faults_of(tmp_path / "absent")
    folder = routes(tmp_path / "routes", {"T1.toml": FLOW_TOML})
    (folder / "T2.toml").mkdir()
    assert "T2.toml: cannot be read" in faults_of(folder)


def test_an_empty_folder_is_a_fault(tmp_path: Path) -> None:
    assert "systems.toml: no system is listed" in faults_of(tmp_path)


def test_a_held_and_a_denied_flow_need_no_basis(tmp_path: Path) -> None:
    bare = FLOW_TOML.split("[[basis]]")[0] + "[receivers.beta]\nfields = ['name']\n"
    held = "state = 'held'\nmissing = ['移転先3 ①']\n" + bare
    denied = "state = 'denied'\n" + bare.replace('"T1"', '"T2"')
    catalogue = load_catalogue(routes(tmp_path, {"T1.toml": held, "T2.toml": denied}))
    assert [flow.state for flow in catalogue.flows] == [State.HELD, State.DENIED]


def test_the_digest_is_of_names_and_contents(tmp_path: Path) -> None:
    first = load_catalogue(routes(tmp_path / "a", {"T1.toml": FLOW_TOML}))
    same = load_catalogue(routes(tmp_path / "b", {"T1.toml": FLOW_TOML, "notes.txt": "aside"}))
    other = load_catalogue(routes(tmp_path / "c", {"T1.toml": FLOW_TOML + "# a word\n"}))
    assert first.digest == same.digest
    assert first.digest != other.digest


def test_the_shipped_catalogue_loads() -> None:
    catalogue = load_catalogue()
    flows = {flow.ref: flow for flow in catalogue.flows}
    assert {"I1", "I2", "M1b", "M1d"} <= flows.keys()
    assert flows["I1"].sender == flows["M1b"].sender == "resident-registry"
    assert set(flows["M1b"].receivers) == set(flows["M1d"].receivers) == {"union"}
    assert set(flows["I1"].receivers) == set(flows["I2"].receivers) == {"premium-collection"}
    assert all(not catalogue.systems[system].neighbour for system in catalogue.connected())


def test_no_shipped_flow_releases_more_than_its_schema_has_or_the_evidence() -> None:
    for flow in load_catalogue().flows:
        for grant in flow.receivers.values():
            assert "scope" not in grant.fields
            assert "addressee_number" in grant.fields
