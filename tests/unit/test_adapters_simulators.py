"""The simulators: they write what the layouts say, and notice what must not arrive."""

import datetime as dt
import itertools
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path

import pytest

import adapters
from adapters.simulation.city import City
from adapters.simulation.kit import WrongDelivery
from hub.edge.delimited import read_parsed, write_file
from hub.edge.form import BadFile, Header
from hub.edge.forms import form_of
from hub.message import Copy, Envelope
from mappings.plain import to_row
from schemas.canonical import MESSAGE_TYPES
from schemas.layout import load_layout
from schemas.resident import ResidentChanged

pytestmark = pytest.mark.unit

SENDERS = (
    "care-insurance",
    "premium-collection",
    "resident-registry",
    "tax",
    "union",
    "welfare",
)
AT = dt.datetime(2026, 4, 1, 9, tzinfo=dt.timezone(dt.timedelta(hours=9)))
HEADER = Header(AT, "HUB", "HUB", "HUB")
LAYOUT = load_layout("union.residents")


@pytest.mark.parametrize("system", SENDERS)
def test_files_follow_their_layouts_in_the_order_of_time(tmp_path: Path, system: str) -> None:
    simulator = adapters.simulator(system)
    names = []
    for day in islice(City(300).days(), 4):
        written = simulator.write(day, tmp_path)
        assert {file.layout for file in written} == {
            wire.layout for wire in adapters.find(system).inbound
        }
        for file in written:
            facts = form_of(file.layout).check(file.path, None, settled=False)
            assert file.fresh
            assert facts.records == file.records > 0
            assert facts.header.created_at.date() == day.date
        names.append([file.path.name for file in written])
    for same in zip(*names, strict=True):
        assert list(same) == sorted(same)
        assert "_full" in same[0]
        assert all("_delta" in name for name in same[1:])
    assert sorted(path.name for path in (tmp_path / "to-hub").iterdir()) == sorted(
        itertools.chain(*names)
    )


@pytest.mark.parametrize("system", SENDERS)
@pytest.mark.parametrize("folder", ["to-hub", "processed", "set-aside"])
def test_a_file_is_written_once_even_after_it_was_read(
    tmp_path: Path, system: str, folder: str
) -> None:
    day = next(City(60).days())
    first = adapters.simulator(system).write(day, tmp_path)[0]
    moved = tmp_path / folder / first.path.name
    moved.parent.mkdir(exist_ok=True)
    first.path.rename(moved)
    again = adapters.simulator(system).write(day, tmp_path)[0]
    assert not again.fresh
    assert (again.path, again.records) == (first.path, first.records)
    assert first.path.exists() == (folder == "to-hub")


def test_the_same_city_gives_the_same_bytes(tmp_path: Path) -> None:
    for place in ("a", "b"):
        for day in islice(City(120).days(), 3):
            adapters.simulator("resident-registry").write(day, tmp_path / place)
    one, other = (sorted((tmp_path / place / "to-hub").iterdir()) for place in ("a", "b"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]


def row(number: int, *, history: int = 1, resident: str = "000000000012345") -> Mapping[str, str]:
    return to_row(LAYOUT, ResidentChanged)(
        Copy(
            id=f"0123.{number}",
            source="/systems/somebody",
            type="resident.changed",
            time=AT,
            flow="X9",
            acceptedtime=AT,
            data={
                "addressee_number": resident,
                "history_number": history,
                "household_number": "11",
                "resident_kind": "1",
                "resident_state": "resident",
                "event_reason": "listed",
                "name": "髙﨑　𠮷子",
                "sex": "2",
                "municipality_code": "172014",
                "address": "石川県金沢市広坂1番地",
                "protected": False,
            },
        )
    )


def deliver(folder: Path, sequence: int, rows: Iterable[Mapping[str, str]]) -> Path:
    path = folder / "from-hub" / f"residents_{sequence}.csv"
    path.parent.mkdir(exist_ok=True)
    write_file(path, LAYOUT, HEADER, rows)
    return path


def test_a_receiver_reads_its_files_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    deliver(tmp_path, 10, [row(3, history=3)])
    deliver(tmp_path, 9, [row(1), row(2, history=2), row(4, resident="7")])
    records = adapters.simulator("union").read_back(tmp_path)
    assert [record.message_id for record in records] == ["0123.1", "0123.2", "0123.4", "0123.3"]
    assert records[0].sender == "somebody"
    assert (records[0].flow, records[0].addressee_number) == ("X9", "000000000012345")
    assert records[0].values["name"] == "髙﨑　𠮷子"


def test_a_receiver_notices_an_older_record_after_a_newer(tmp_path: Path) -> None:
    deliver(tmp_path, 1, [row(1, history=2)])
    deliver(tmp_path, 2, [row(2, history=1)])
    with pytest.raises(WrongDelivery, match=r"residents_2\.csv record 1: a newer record") as wrong:
        adapters.simulator("union").read_back(tmp_path)
    assert "12345" not in str(wrong.value)


def test_a_receiver_notices_a_message_twice(tmp_path: Path) -> None:
    deliver(tmp_path, 1, [row(1)])
    deliver(tmp_path, 2, [row(1)])
    with pytest.raises(WrongDelivery, match="delivered before"):
        adapters.simulator("union").read_back(tmp_path)


def test_a_receiver_notices_a_wrong_total_and_a_bad_record(tmp_path: Path) -> None:
    path = deliver(tmp_path, 1, [row(1)])
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"T,1", b"T,2"))
    with pytest.raises(BadFile):
        adapters.simulator("union").read_back(tmp_path)
    path.write_bytes(whole.replace("髙﨑　𠮷子".encode(), b""))
    with pytest.raises(WrongDelivery, match="name is required"):
        adapters.simulator("union").read_back(tmp_path)


def test_somebody_comes_with_the_number_of_nobody_on_each_day_but_the_first(
    tmp_path: Path,
) -> None:
    true: dict[str, str] = {}
    for day in islice(City(300).days(), 4):
        file = adapters.simulator("resident-registry").write(day, tmp_path)[0]
        for values in values_of(file.path, "resident-registry.residents"):
            number = values["addressee_number"]
            if (values["group"], number) == day.mistaken:
                assert values["my_number"] != true[number]
                assert values["event_reason"] != "23"
                break
            if day.is_initial:
                true[number] = values["my_number"]
        else:
            assert day.is_initial


def test_the_tax_system_tells_of_several_years_and_of_undeclared_people(tmp_path: Path) -> None:
    years, undeclared = set(), set()
    for day in islice(City(300).days(), 3):
        (file,) = adapters.simulator("tax").write(day, tmp_path)
        for values in values_of(file.path, "tax.income"):
            years.add(values["tax_year"])
            undeclared.add((values["undeclared"], bool(values["total_income"])))
    assert years == {"2024", "2025"}
    assert undeclared == {("0", True), ("1", False)}


def values_of(path: Path, layout: str) -> list[Mapping[str, str]]:
    return [parsed.row.values for parsed in read_parsed(path, load_layout(layout))]


def test_the_union_decides_at_once_what_asks_for_it_and_only_once(tmp_path: Path) -> None:
    office, union_system = adapters.simulator("premium-collection"), adapters.simulator("union")
    day = next(City(300).days())
    told = next(f for f in office.write(day, tmp_path) if "TODOKE" in f.path.name)
    rows = values_of(told.path, told.layout)
    wire = next(w for w in adapters.find("union").outbound if w.prefix == "notifications")
    columns = [column.field for column in load_layout(wire.layout).columns]
    trace = {"sender": "x", "flow": "M1a", "accepted_at": AT.isoformat()}
    path = tmp_path / "from-hub" / "notifications_1.csv"
    path.parent.mkdir()
    copies = (
        {name: row.get(name, "") for name in columns} | trace | {"message_id": str(number)}
        for number, row in enumerate(rows)
    )
    write_file(path, load_layout(wire.layout), HEADER, copies)
    (answer,) = union_system.react(tmp_path)
    (decision,) = values_of(answer.path, answer.layout)
    asked = next(row for row in rows if row["immediate"] == "1")
    assert decision["addressee_number"] == asked["addressee_number"]
    assert decision["notification_number"] == asked["notification_number"]
    assert decision["immediate"] == "1"
    assert union_system.react(tmp_path) == []
    union_system._settled.clear()  # type: ignore[attr-defined]
    (again,) = union_system.react(tmp_path)
    assert not again.fresh


def test_a_receiver_notices_a_file_without_a_number(tmp_path: Path) -> None:
    deliver(tmp_path, 1, [row(1)]).rename(tmp_path / "from-hub" / "residents_x.csv")
    with pytest.raises(WrongDelivery, match="sequence"):
        adapters.simulator("union").read_back(tmp_path)


def test_misdeeds_are_whole_events_valid_but_for_the_misdeed() -> None:
    misdeeds = [m for system in adapters.systems() for m in adapters.simulator(system).misdeeds()]
    assert {m.expected_code for m in misdeeds} == {
        "sender-mismatch",
        "field-not-permitted",
        "purpose-not-permitted",
        "copies-asked",
        "broker",
    }
    assert len({m.event["id"] for m in misdeeds}) == len(misdeeds)
    for misdeed in misdeeds:
        event = Envelope[dict[str, object]].model_validate(misdeed.event)
        own_name = event.key.sender == misdeed.as_system
        assert own_name == (misdeed.expected_code != "sender-mismatch" and not misdeed.signed_as)
        if misdeed.expected_code not in {"field-not-permitted", "broker"}:
            MESSAGE_TYPES[event.type].model_validate(event.data)
        assert bool(misdeed.copies) == (misdeed.expected_code == "copies-asked")
        if misdeed.expected_code != "broker":
            assert misdeed.exchange == f"in.{misdeed.as_system}"
