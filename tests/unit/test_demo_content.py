"""Contents are held against the sender's own file, field by field, and no value is told."""

import hashlib
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

import pytest

import adapters
from adapters.simulation.city import City
from adapters.simulation.conversions import says_the_same
from adapters.simulation.kit import ReceivedRecord
from hub.demo import content
from hub.demo.content import Checked, Contents, Kept, Way
from hub.edge.delimited import read_parsed
from hub.statute.catalogue import load_catalogue
from schemas.layout import load_layout

pytestmark = pytest.mark.unit

CATALOGUE = load_catalogue()
WAY = Way("M1e", "union")
SENT, GOT = "premium-collection.instalments", "union.instalments"


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    """Give the office's drive with one file of instalments that was read."""
    day = next(islice(City(300).days(), 1))
    for file in adapters.simulator("premium-collection").write(day, tmp_path):
        if file.layout == SENT:
            (tmp_path / "processed").mkdir()
            file.path.rename(tmp_path / "processed" / file.path.name)
    return tmp_path


def records(drive: Path, **changed: str) -> list[ReceivedRecord]:
    """Give what the union would have got of the file; ``changed`` in the first record."""
    (path,) = (drive / "processed").iterdir()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    names = [column.field for column in load_layout(GOT).columns]
    found: list[ReceivedRecord] = []
    for parsed in read_parsed(path, load_layout(SENT)):
        row = parsed.row
        values = {name: row.values.get(name, "") for name in names}
        values |= changed if not found else {}
        found.append(received(f"{digest[:32]}-{row.number}", values))
    return found


def received(message_id: str, values: Mapping[str, str]) -> ReceivedRecord:
    return ReceivedRecord(
        "premium-collection",
        message_id,
        "M1e" if message_id else "",
        "instalments.set",
        values["addressee_number"],
        values,
        GOT,
    )


def checked(drive: Path, found: list[ReceivedRecord]) -> Checked:
    contents = Contents(CATALOGUE, {"premium-collection": drive})
    assert [r.flow for r in contents.seen("union", found)] == ["M1e"] * len(found)
    return contents.checked()[WAY]


def test_what_the_sender_wrote_is_the_same(drive: Path) -> None:
    found = records(drive)
    assert checked(drive, found) == Checked(WAY, len(found), sampled=False)
    assert len(found) > 5


def test_a_number_with_leading_zeros_is_the_same(drive: Path) -> None:
    year = records(drive)[0].values["correction_number"]
    assert checked(drive, records(drive, correction_number=year.zfill(3))).faults == ()


@pytest.mark.parametrize(
    "field", ["addressee_number", "annual_premium", "instalments_2_due_on", "insured_number"]
)
def test_a_field_that_differs_is_named_and_its_value_is_not(drive: Path, field: str) -> None:
    (fault,) = checked(drive, records(drive, **{field: "98765"})).faults
    assert fault == f"M1e to union: {field} is not what the sender wrote (1 records)"


def test_a_lost_field_is_named(drive: Path) -> None:
    (fault,) = checked(drive, records(drive, insured_number="")).faults
    assert "insured_number is not what the sender wrote" in fault


def test_a_record_that_is_in_no_file_is_named(drive: Path) -> None:
    known = records(drive)[0]
    strange = received("f" * 32 + "-1", known.values)
    beyond = received(known.message_id.partition("-")[0] + "-999", known.values)
    (fault,) = checked(drive, [strange, beyond]).faults
    assert fault == "M1e to union: no file of the sender has the record (2 records)"


def test_what_is_not_released_has_to_be_blank(drive: Path) -> None:
    grant = CATALOGUE.flows[0].receivers  # any
    assert grant
    contents = Contents(CATALOGUE, {"premium-collection": drive})
    odd = ReceivedRecord(
        "resident-registry", "x-1", "I3a", "welfare-status.changed", "1", {"my_number": "1"}, GOT
    )
    list(contents.seen("premium-collection", [odd]))
    (checked,) = contents.checked().values()
    # Without a drive of the sender nothing can be compared, which is a fault as well.
    assert checked.faults == (
        "I3a to premium-collection: comes from a sender without files (1 records)",
    )
    sent = ReceivedRecord("welfare", "x-1", "I3a", "welfare-status.changed", "1", odd.values, GOT)
    faults = set(content.differences(sent, None, CATALOGUE.flows[0].receivers["bank"]))
    assert "my_number is not released, and is not blank" in faults


def test_a_wire_without_ids_is_matched_by_what_it_says(drive: Path) -> None:
    nameless = [received("", record.values) for record in records(drive)]
    assert checked(drive, nameless) == Checked(WAY, len(nameless), sampled=False)
    wrong = [received("", records(drive, annual_premium="1")[0].values)]
    (fault,) = checked(drive, wrong).faults
    assert "annual_premium is not what the sender wrote" in fault


def test_of_many_an_even_part_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "MOST", 10)
    kept = Kept()
    for number in range(1000):
        kept.add(received(f"{'a' * 32}-{number}", {"addressee_number": "1"}))
    assert kept.received == 1000
    assert kept.step > 1
    assert 1 < len(kept.records) <= 10


@pytest.mark.parametrize(
    ("layout", "field", "kind", "one", "other"),
    [
        ("kokuho-federation.requested", "address", "special-collection.requested", "１番", "1番"),
        (SENT, "scope_insurance", "instalments.set", "1", "current"),
        (SENT, "set_on", "instalments.set", "2026-04-01", "20260401"),
        (
            "premium-collection.inquiries",
            "requested_at",
            "inquiry.requested",
            "2026-04-01T10:00:01.117000+09:00",
            "20260401100001117",
        ),
    ],
)
def test_two_ways_to_write_one_thing_mean_the_same(
    layout: str, field: str, kind: str, one: str, other: str
) -> None:
    assert says_the_same(kind, field, (layout, one), (layout, other))
    assert not says_the_same(kind, field, (layout, one), (layout, f"{other}9"))
