"""What stands in the receivers' files is compared, and what does not agree names itself."""

from collections import Counter
from dataclasses import replace

import pytest

from adapters.simulation.expected import Told
from adapters.simulation.kit import ReceivedRecord
from hub.demo.drives import Drive
from hub.demo.tally import Arrived, FlowTally, arrived, content_faults, tally
from hub.edge.journal import InboundFile, InboundState
from hub.reconcile.compare import Step
from hub.reconcile.model import Pair
from hub.reconcile.report import flow_lines
from hub.reconcile.sheet import FlowKey, Sheet, Source
from hub.statute.catalogue import load_catalogue

pytestmark = pytest.mark.unit

INCOME = Told("tax", "income.assessed")


def rows(delivered: int, received: dict[str, Arrived]) -> list[FlowTally]:
    """Give the row of one flow, so many copies of which were delivered and receipted."""
    source, pair = Source("tax", "income.assessed"), Pair("M1d", "union")
    with Sheet(frozenset()) as sheet:
        sheet.expect(source, pair)
        flow = sheet.flows[FlowKey(source, pair)]
        flow.steps[Step.DELIVERED] = flow.receipted = delivered
        flow.out_of_scope = 4
        return tally(flow_lines(sheet), received)


def test_what_agrees_has_no_fault() -> None:
    (row,) = rows(5, {"union": Arrived(Counter({"M1d": 5}), {})})
    assert row.faults() == []
    assert row.entries == 4 + 3 * 5


@pytest.mark.parametrize("in_files", [0, 4, 6])
def test_a_record_too_many_or_too_few_names_itself(in_files: int) -> None:
    (row,) = rows(5, {"union": Arrived(Counter({"M1d": in_files}), {})})
    said = f"M1d to union: delivered 5, records in the receiver's files {in_files}"
    assert row.faults() == [said]


def test_a_receiver_whose_files_were_not_read_has_none() -> None:
    (row,) = rows(5, {})
    assert row.in_files == 0
    assert row.faults()


def test_received_records_are_counted_by_flow_and_person() -> None:
    records = [
        ReceivedRecord("tax", str(n), "M1d", "income.assessed", number, {})
        for n, number in enumerate(["1", "1", "2"])
    ]
    found = arrived(iter(records))
    assert found.records == Counter({"M1d": 3})
    assert found.persons == {"M1d": {"1", "2"}}


@pytest.mark.parametrize(
    ("have", "faults"),
    [
        ({"1", "2"}, []),
        ({"1"}, ["M1d: union lacks 1 persons in scope"]),
        ({"1", "2", "3", "4"}, ["M1d: union got 2 persons out of scope"]),
        ({"3"}, ["M1d: union got 1 persons out of scope", "M1d: union lacks 2 persons in scope"]),
    ],
)
def test_a_person_too_many_or_too_few_is_a_fault(have: set[str], faults: list[str]) -> None:
    received = {"union": Arrived(Counter(), {"M1d": have})}
    catalogue = load_catalogue()
    only = replace(catalogue, flows=tuple(f for f in catalogue.flows if f.ref == "M1d"))
    assert content_faults(only, received, {INCOME: {"1", "2"}}) == faults


def test_a_receiver_that_got_nothing_lacks_everybody() -> None:
    faults = content_faults(load_catalogue(), {}, {INCOME: {"1", "2", "3"}})
    assert "M1d: union lacks 3 persons in scope" in faults
    assert "I2: premium-collection lacks 3 persons in scope" in faults


def test_of_a_kind_that_nobody_expects_and_of_a_wire_without_numbers_nothing_is_said() -> None:
    catalogue = load_catalogue()
    answers = {"premium-collection": Arrived(Counter({"B2": 1}), {"B2": {"1"}})}
    assert content_faults(catalogue, answers, {}) == []
    asked = Told("premium-collection", "account-transfer.requested")
    wire = {"bank": Arrived(Counter({"B1": 1}), {"B1": {""}})}
    assert content_faults(catalogue, wire, {asked: {"1"}}) == []


def drive(*files: InboundFile, set_aside: dict[str, str] | None = None) -> Drive:
    return Drive("tax", {"own.csv": 4}, files, set_aside or {})


OWN = InboundFile("a", "own.csv", "own.csv", InboundState.DONE, 4, 4, 4, 0)


@pytest.mark.parametrize(
    ("one", "fault"),
    [
        (drive(), "tax: own.csv was not read to its end"),
        (
            drive(replace(OWN, state=InboundState.READING)),
            "tax: own.csv was not read to its end",
        ),
        (drive(replace(OWN, records=3)), "tax: own.csv holds 4 records, 3 were read"),
        (drive(replace(OWN, rejected=2)), "tax: 2 records of own.csv were set aside"),
        (drive(set_aside={"own.csv": "trailer"}), "tax: own.csv was set aside (trailer)"),
    ],
)
def test_each_fault_of_a_file_of_the_demo_names_itself(one: Drive, fault: str) -> None:
    assert list(one.faults()) == [fault]
    assert list(one.strangers()) == []


def test_a_file_of_somebody_else_is_told_and_no_fault() -> None:
    foreign = InboundFile("b", "foreign.csv", "foreign.csv", InboundState.DONE, 3, 3, 2, 1)
    one = drive(OWN, foreign, set_aside={"torn.csv": "truncated"})
    assert list(one.faults()) == []
    assert list(one.strangers()) == [
        "tax: foreign.csv, 3 records, 1 of them set aside",
        "tax: torn.csv, set aside whole (truncated)",
    ]


def test_on_a_carried_drive_every_file_has_to_be_good() -> None:
    bad = InboundFile("b", "carried.xml", "carried.xml", InboundState.DONE, 3, 3, 2, 1)
    one = replace(drive(OWN, bad), carried=True)
    assert list(one.faults()) == ["tax: carried.xml, 3 records, 1 of them set aside"]
    assert list(one.strangers()) == []


def test_what_an_adapter_tells_itself_of_deadlines_is_no_strangers_file() -> None:
    told = InboundFile("b", "OVERDUE_1.csv", "x", InboundState.DONE, 3, 3, 3, 0)
    assert list(drive(OWN, told).strangers()) == []
