"""What a routes folder may say, and that every fault of it is named with its file and line."""

import re
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

ONWARD = """
[[onward]]
sender = "{}"
[onward.receivers.{}]
fields = ["name"]
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
        (changed('fields = ["addressee_number", "name"]', "fields = []"), "no field is listed"),
        (changed('["addressee_number"', '["my_number"'), "my_number = true is not said"),
        (changed("[receivers.beta]", "[receivers.beta]\nmy_number = true"), "is a 個人番号"),
        (FLOW_TOML + "since = { name = 2021-01-01, shoe = 2021-01-01 }\n", "names shoe, which"),
        (changed('message_type = "resident.changed"\n', ""), "message_type: Field required"),
        (changed('law = "試験法"', 'law = ""'), "law: String should have at least 1"),
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
        (
            changed("2020-01-01", "2020-01-01\nvalid_to = 2021-01-01")
            + NEXT_BASIS.format(start="2021-01-03"),
            "no basis from 2021-01-02 through 2021-01-02",
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
        ("missing = ['basis']\n" + FLOW_TOML, "only a held flow has missing cells"),
        (
            "state = 'held'\nmissing = ['basis']\n" + FLOW_TOML,
            "basis is given, and basis is among the missing cells",
        ),
        (
            "state = 'held'\nmissing = ['destination']\n" + FLOW_TOML,
            "receivers is given, and destination is among",
        ),
        (
            "state = 'held'\nmissing = ['data']\n" + FLOW_TOML,
            "message_type is given, and data is among",
        ),
        ("state = 'held'\nmissing = ['colour']\n" + FLOW_TOML, "missing.0: Input should be"),
        ("state = 'denied'\n" + FLOW_TOML, "fields are listed for a flow that has no data"),
        ("basis_level = 'town'\n" + FLOW_TOML, "basis_level: Input should be"),
        (FLOW_TOML + ONWARD.format("gamma", "alpha"), "gamma sends onward, and no leg before it"),
        (FLOW_TOML + ONWARD.format("beta", "beta"), "beta would send to itself"),
        (FLOW_TOML + ONWARD.format("beta", "aside"), "aside is a neighbour"),
        (
            FLOW_TOML + ONWARD.format("beta", "alpha") + ONWARD.format("beta", "alpha"),
            "beta sends in two legs",
        ),
        (FLOW_TOML + "[[onward]]\nsender = 'beta'\n", "no receiver is named"),
        ("closed = { by = 'x', on = 2020-01-01 }\n" + FLOW_TOML, "closed: Extra"),
        ("state = 'forgotten'\n" + FLOW_TOML, "state: Input should be"),
        ("retention_years = 0\n" + FLOW_TOML, "retention_years: Input should be"),
        ("retry_minutes = 0\n" + FLOW_TOML, "retry_minutes: Input should be"),
        ("retry_minutes = 43201\n" + FLOW_TOML, "retry_minutes: Input should be"),
        ("expires_hours = 0\n" + FLOW_TOML, "expires_hours: Input should be"),
        ("expires_hours = 721\n" + FLOW_TOML, "expires_hours: Input should be"),
    ],
)
def test_a_fault_is_named_with_its_file(tmp_path: Path, text: str | bytes, fault: str) -> None:
    said = faults_of(routes(tmp_path, {"T1.toml": text}))
    line = next(line for line in said.splitlines() if fault in line)
    assert re.match(r"T1\.toml:[1-9][0-9]*: ", line.strip())


@pytest.mark.parametrize(
    ("text", "line", "fault"),
    [
        ("\n\nref = \n", 3, "Invalid value"),
        (b"ref = 'T1'\ntitle = '\xff'", 2, "utf-8"),
        (changed('sender = "alpha"', 'sender = "gamma"'), 5, "gamma is not in"),
        (changed('sender = "alpha"\n', ""), 1, "sender: Field required"),
        (changed("insured-household", "everybody"), 13, "everybody is none of"),
        (changed("valid_from = 2020-01-01", ""), 16, "valid_from: Field required"),
        (changed("valid_from = 2020-01-01", "valid_from = 'soon'"), 19, "Input should be"),
        (changed("[receivers.beta]", "[receivers.gamma]"), 21, "gamma is not in"),
        (
            changed('["addressee_number", "name"]', '[\n  "name",\n  # a word\n  "nmae",\n]'),
            25,
            "has no field nmae; did you mean name?",
        ),
        (changed("[receivers.beta]", "[receivers.beta]\nfeilds = []"), 22, "mean fields?"),
        (changed('law = "試験法"', 'law = "試験法"\nlow = 1'), 18, "Extra inputs"),
        (FLOW_TOML + ONWARD.format("beta", "alhpa"), 26, "alhpa is not in"),
        (FLOW_TOML + NEXT_BASIS.format(start="2021-01-01"), 27, "begins before"),
        ('note = """\nsender =\n"""\ncolour = 1\n' + FLOW_TOML, 4, "colour: Extra"),
    ],
)
def test_a_fault_is_named_with_its_line(
    tmp_path: Path, text: str | bytes, line: int, fault: str
) -> None:
    said = faults_of(routes(tmp_path, {"T1.toml": text}))
    assert any(one.strip().startswith(f"T1.toml:{line}: ") for one in said.splitlines()), said
    assert fault in said


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (changed('sender = "alpha"', 'sender = "alfa"'), "alpha"),
        (changed("[receivers.beta]", "[receivers.betta]"), "beta"),
        (changed('"name"]', '"nam"]'), "name"),
        (changed("resident.changed", "resident.change"), "resident.changed"),
        (changed("insured-household", "insured-households"), "insured-household"),
        (changed("frequency =", "freqency ="), "frequency"),
        (changed("valid_from =", "valid_form ="), "valid_from"),
        (changed('text = "被保険者"', 'txet = "被保険者"'), "text"),
    ],
)
def test_a_near_miss_gets_a_suggestion(tmp_path: Path, text: str, meant: str) -> None:
    assert f"did you mean {meant}?" in faults_of(routes(tmp_path, {"T1.toml": text}))


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
        ("", "systems.toml:1: system: Field required"),
        ("[[system]]\nid = 'A'\n", "systems.toml:2: system.0.id"),
        (
            SYSTEMS_TOML.replace('"beta"', '"alpha"'),
            "systems.toml:9: the system alpha is listed twice",
        ),
        (SYSTEMS_TOML.replace('"beta"', '"hub"'), "systems.toml:9: the id hub is the hub's own"),
        (SYSTEMS_TOML + "port = 5\n", "systems.toml:20: system.2.port: Extra"),
    ],
)
def test_a_fault_of_the_systems_is_named(tmp_path: Path, systems: str, fault: str) -> None:
    assert fault in faults_of(routes(tmp_path, {"systems.toml": systems}))


def test_a_folder_that_is_none_and_a_file_that_is_none_are_faults(tmp_path: Path) -> None:
    assert "cannot be read" in faults_of(tmp_path / "absent")
    folder = routes(tmp_path / "routes", {"T1.toml": FLOW_TOML})
    (folder / "T2.toml").mkdir()
    assert "T2.toml:1: cannot be read" in faults_of(folder)


def test_an_empty_folder_is_a_fault(tmp_path: Path) -> None:
    assert "systems.toml:1: no system is listed" in faults_of(tmp_path)


def test_a_held_and_a_denied_flow_need_no_basis(tmp_path: Path) -> None:
    bare = FLOW_TOML.split("[[basis]]")[0] + "[receivers.beta]\n"
    held = "state = 'held'\nmissing = ['basis']\n" + bare + "fields = ['name']\n"
    denied = "state = 'denied'\n" + bare.replace('"T1"', '"T2"')
    catalogue = load_catalogue(routes(tmp_path, {"T1.toml": held, "T2.toml": denied}))
    assert [flow.state for flow in catalogue.flows] == [State.HELD, State.DENIED]


def test_a_held_flow_may_lack_destination_and_data(tmp_path: Path) -> None:
    bare = FLOW_TOML.split("[receivers")[0].replace('message_type = "resident.changed"\n', "")
    held = "state = 'held'\nmissing = ['data', 'destination']\n" + bare
    (flow,) = load_catalogue(routes(tmp_path, {"T1.toml": held})).flows
    assert (flow.message_type, flow.receivers) == (None, {})


def test_a_denied_flow_needs_no_schema(tmp_path: Path) -> None:
    bare = FLOW_TOML.split("[[basis]]")[0] + "[receivers.beta]\n"
    denied = "state = 'denied'\n" + bare.replace("resident.changed", "resident.married")
    (flow,) = load_catalogue(routes(tmp_path, {"T1.toml": denied})).flows
    assert flow.message_type == "resident.married"


def test_a_flow_has_its_legs_in_order(tmp_path: Path) -> None:
    folder = routes(tmp_path, {"T1.toml": FLOW_TOML + ONWARD.format("beta", "alpha")})
    (flow,) = load_catalogue(folder).flows
    ends = [(leg.sender, list(leg.receivers)) for leg in flow.legs]
    assert ends == [("alpha", ["beta"]), ("beta", ["alpha"])]


def test_flows_stand_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    named = {ref: FLOW_TOML.replace('"T1"', f'"{ref}"') for ref in ("T10", "T2", "S3", "T2a")}
    folder = routes(tmp_path, {f"{ref}.toml": text for ref, text in named.items()})
    assert [flow.ref for flow in load_catalogue(folder).flows] == ["S3", "T2", "T2a", "T10"]


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
