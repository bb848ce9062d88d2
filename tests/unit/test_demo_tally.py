"""Each side of the reconciliation is compared, and what does not agree names itself."""

from collections import Counter
from dataclasses import replace

import pytest

import adapters
from adapters.simulation.kit import ReceivedRecord
from hub.demo.drives import Drive
from hub.demo.tally import (
    Arrived,
    FlowTally,
    Reading,
    Source,
    arrived,
    content_faults,
    readings,
    tally,
)
from hub.edge.journal import InboundFile, InboundState
from hub.ledger.model import FlowCount, Kind
from hub.statute.catalogue import load_catalogue

pytestmark = pytest.mark.unit

GOOD = FlowTally(
    ref="M1d",
    sender="tax",
    receiver="union",
    message_type="income.assessed",
    read=10,
    rejected=1,
    published=9,
    attempts=1,
    out_of_scope=4,
    accepted=5,
    refused=1,
    delivered=5,
    receipted=5,
    in_files=5,
    entries=19,
)
TAX = Source("tax", "income.assessed")


def test_what_agrees_has_no_fault() -> None:
    assert GOOD.faults() == []


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        ({"published": 10}, ["M1d to union: sent 11, judged 10"]),
        ({"attempts": 0}, ["M1d to union: sent 9, judged 10"]),
        ({"refused": 0}, ["M1d to union: sent 10, judged 9"]),
        ({"out_of_scope": 5}, ["M1d to union: sent 10, judged 11"]),
        (
            {"accepted": 6},
            ["M1d to union: sent 10, judged 11", "M1d to union: accepted 6, delivered 5"],
        ),
        (
            {"delivered": 4},
            [
                "M1d to union: accepted 5, delivered 4",
                "M1d to union: delivered 4, receipts 5",
                "M1d to union: delivered 4, records in the receiver's files 5",
            ],
        ),
        ({"receipted": 4}, ["M1d to union: delivered 5, receipts 4"]),
        ({"in_files": 4}, ["M1d to union: delivered 5, records in the receiver's files 4"]),
        ({"in_files": 6}, ["M1d to union: delivered 5, records in the receiver's files 6"]),
    ],
)
def test_each_difference_names_itself(change: dict[str, int], faults: list[str]) -> None:
    assert replace(GOOD, **change).faults() == faults  # type: ignore[arg-type] # counts only


def test_the_sides_come_together_by_flow_and_receiver() -> None:
    catalogue = load_catalogue()

    def count(kind: Kind, flow: str, receiver: str, number: int) -> FlowCount:
        return FlowCount("tax", "income.assessed", flow, receiver, kind, "", number)

    rows = tally(
        catalogue,
        {TAX: Reading(files=1, records=10, rejected=1, published=9)},
        [
            count(Kind.ACCEPTANCE, "M1d", "union", 5),
            count(Kind.OUT_OF_SCOPE, "M1d", "union", 4),
            count(Kind.DELIVERY, "M1d", "union", 5),
            count(Kind.RECEIPT, "M1d", "union", 5),
            count(Kind.REFUSAL, "", "", 1),
            count(Kind.ACCEPTANCE, "I2", "premium-collection", 3),
        ],
        {"union": Arrived(Counter({"M1d": 5}), {})},
        [TAX],
    )
    by_flow = {(row.ref, row.receiver): row for row in rows}
    assert by_flow["M1d", "union"] == GOOD
    assert by_flow["I2", "premium-collection"].accepted == 3
    assert by_flow["I2", "premium-collection"].in_files == 0
    assert by_flow["I1", "premium-collection"].read == 0


def test_journals_are_summed_up_by_kind_of_file() -> None:
    adapter = adapters.find("tax")
    name = adapter.inbound[0].pattern.replace("*", "1")
    files = [
        InboundFile("a", name, name, InboundState.DONE, 4, 4, 3, 1),
        InboundFile("b", name, name, InboundState.READING, 6, 2, 2, 0),
        InboundFile("c", "other.txt", "other.txt", InboundState.DONE, 100),
    ]
    assert readings({"tax": files}, [adapter]) == {TAX: Reading(2, 10, 1, 5)}


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
    assert content_faults(only, received, {"income.assessed": {"1", "2"}}) == faults


def test_a_receiver_that_got_nothing_lacks_everybody() -> None:
    faults = content_faults(load_catalogue(), {}, {"income.assessed": {"1", "2", "3"}})
    assert "M1d: union lacks 3 persons in scope" in faults
    assert "I2: premium-collection lacks 3 persons in scope" in faults


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
