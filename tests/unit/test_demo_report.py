"""What the demo says at its end: readable in 80 columns, exact in JSON, honest about faults."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import adapters
from hub.clock import today
from hub.demo.attempts import Outcome
from hub.demo.content import Checked, Way
from hub.demo.flows import told_of_flows
from hub.demo.report import Report, as_json, print_report
from hub.demo.state import DemoState, Parameters
from hub.demo.tally import FlowTally
from hub.reconcile.report import FlowLine
from hub.site import CatalogueSite
from hub.statute.catalogue import load_catalogue
from hub.statute.overrides import decided

pytestmark = pytest.mark.unit

FLOW = FlowTally(
    FlowLine(
        flow="M1b",
        sender="resident-registry",
        receiver="premium-collection",
        message_type="resident.changed",
        records=434_567,
        sent=434_567,
        by_ledger=1,
        accepted=234_567,
        out_of_scope=200_000,
        refused=1,
        held=0,
        waiting=0,
        elsewhere=0,
        delivered=234_567,
        withdrawn=0,
        expired=0,
        dead_lettered=0,
        pending=0,
        receipted=234_567,
    ),
    in_files=234_567,
)
OUTCOMES = [
    Outcome(misdeed, misdeed.expected_code)
    for system in adapters.systems()
    for misdeed in adapters.simulator(system).misdeeds()
]
GOOD = Report(
    flows=[FLOW],
    attempts=OUTCOMES,
    entries=903_705,
    faults=[],
    seconds=12.34,
    residents=100_000,
    persons_in_scope=23_400,
)


def printed(report: Report, width: int = 80, **options: Any) -> str:  # noqa: ANN401
    out = io.StringIO()
    state = DemoState(Path("/var/demo"), Parameters(1, 1, 1))
    print_report(report, state, Console(file=out, width=width, **options))
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 103, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_no_number_is_cut(width: int) -> None:
    text = printed(GOOD, width)
    assert max(map(len, text.splitlines())) <= width
    for number in ("434,567", "200,000", "234,567", "903,701"):
        assert number in text
    assert "…" not in text


def test_every_attempt_stands_on_a_line_of_its_own() -> None:
    lines = [line.strip() for line in printed(GOOD).splitlines()]
    for one in OUTCOMES:
        place = lines.index(one.misdeed.title)
        answer = lines[place + 1]
        assert answer.startswith(f"as {one.misdeed.as_system}: refused by the ")
        if one.code != "broker":
            assert f"({one.code})" in answer


def test_a_good_end_is_said_and_where_everything_lies() -> None:
    text = printed(GOOD)
    assert "\nReconciled: " in text
    assert "NOT" not in text
    for place in ("/var/demo/drives", "/var/demo/ledger/ledger.sqlite3", "metrics-targets.json"):
        assert place in text


def test_dead_letters_that_wait_are_said_with_their_command() -> None:
    line = "among the dead letters: 17; renkei dead-letters list --state /var/demo\n"
    assert line in printed(replace(GOOD, dead=17, faults=["I8a: a fault"]))
    assert "dead-letters" not in printed(GOOD)


def test_a_fault_is_said_and_what_it_is() -> None:
    bad = replace(GOOD, faults=["M1b to union: delivered 5, receipts 4"])
    text = printed(bad)
    assert "NOT reconciled:\n  M1b to union: delivered 5, receipts 4\n" in text
    assert "\nReconciled" not in text
    assert not bad.reconciled
    assert as_json(bad)["reconciled"] is False


@pytest.mark.parametrize("code", ["", "acceptance", "no-answer-of-ours"])
def test_an_attempt_that_was_not_refused_as_it_must_be_is_no_good_end(code: str) -> None:
    first, *rest = OUTCOMES
    bad = replace(GOOD, attempts=[Outcome(first.misdeed, code), *rest])
    assert not bad.reconciled
    text = printed(bad)
    assert f"NOT REFUSED as it must be ({code or 'no answer'})" in text
    expected = first.misdeed.expected_code
    assert f"{first.misdeed.name}: expected {expected}, got {code or 'no answer'}" in text
    assert len(as_json(bad)["refused"]) == len(OUTCOMES) - 1


def test_files_of_others_are_told_without_spoiling_the_end() -> None:
    report = replace(GOOD, strangers=["tax: x[red].csv, set aside whole (encoding)"])
    assert report.reconciled
    text = printed(report)
    assert "Files that are not the demo's own" in text
    assert "  tax: x[red].csv, set aside whole (encoding)\n" in text
    assert "not the demo's own" not in printed(GOOD)


def test_the_object_for_programs_has_exactly_its_shape() -> None:
    document = json.loads(json.dumps(as_json(GOOD)))
    assert document == {
        "flows": [
            {
                "ref": "M1b",
                "sender": "resident-registry",
                "receiver": "premium-collection",
                "accepted": 234_567,
                "refused": 1,
                "delivered": 234_567,
            }
        ],
        "refused": [
            {
                "sender": one.misdeed.as_system,
                "message_type": one.misdeed.event["type"],
                "reason": one.code,
            }
            for one in OUTCOMES
        ],
        "ledger": {"entries": 903_705},
        "reconciled": True,
    }


def test_a_wide_terminal_has_a_flow_on_one_line() -> None:
    route = "resident-registry → premium-collection"
    assert route in printed(GOOD, 120)
    assert route not in printed(GOOD, 80)


@pytest.mark.parametrize(
    ("checked", "mark"),
    [
        (None, "-"),
        (Checked(Way("M1b", "x"), 5, sampled=False), "="),
        (Checked(Way("M1b", "x"), 5, sampled=True), "~"),
        (Checked(Way("M1b", "x"), 5, sampled=False, faults=("name differs",)), "NO"),
    ],
)
def test_the_comparison_of_contents_has_a_mark(checked: Checked | None, mark: str) -> None:
    flow = replace(FLOW, checked=checked)
    row = next(
        line for line in printed(replace(GOOD, flows=[flow]), 120).splitlines() if "→" in line
    )
    assert row.split()[-1] == mark
    assert flow.faults() == (["name differs"] if mark == "NO" else [])


def test_every_flow_that_did_not_move_is_told_with_its_reason() -> None:
    catalogue = load_catalogue()
    text = printed(replace(GOOD, catalogue=told_of_flows(catalogue, today(), [])), 400)
    for ref, why in (
        ("M3", "held: missing destination"),
        ("I12a", "held: missing legal basis"),
        ("X1", "denied: The assessment marks"),
    ):
        assert any(line.split()[0] == ref and why in line for line in text.splitlines() if line)
    assert "Waiting for a person" not in text


def test_a_completed_flow_is_marked_with_who_did_it() -> None:
    completed = {
        "I12a": {
            "basis": [{"law": "法", "article": "第1条", "valid_from": "2023-07-07"}],
            "decided_by": "課長",
            "decided_on": "2023-07-07",
        }
    }
    effective = decided(load_catalogue(), CatalogueSite(flows=completed))
    assert not effective.faults
    flow = replace(FLOW, line=FLOW.line._replace(flow="I12a"))
    stories = told_of_flows(effective.catalogue, today(), [flow])
    text = printed(replace(GOOD, flows=[flow], catalogue=stories), 400)
    assert "I12a*" in text
    assert "completed by 課長 on 2023-07-07: 法 第1条" in text


def test_a_permitted_flow_that_moved_nothing_is_a_fault() -> None:
    stories = told_of_flows(load_catalogue(), today(), [FLOW])
    faults = [fault for story in stories for fault in story.faults]
    assert "B1 to bank: it is permitted, and nothing moved" in faults
    assert "I11a to intermediate-server: it is permitted, and nothing moved" in faults
    assert not any(fault.startswith(("M3", "X1", "I12a")) for fault in faults)


def test_what_waits_for_a_person_is_told_with_the_command_that_shows_it() -> None:
    text = printed(replace(GOOD, waiting={"binding-differs": 2}))
    assert "2 (binding-differs); renkei confirmations list --state /var/demo" in text


def test_colours_only_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b" not in printed(GOOD)
    assert "\x1b[1;32m" in printed(GOOD, force_terminal=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "32m" not in printed(GOOD, force_terminal=True)


def test_flows_for_which_nothing_was_sent_are_in_no_list() -> None:
    flow = GOOD.flows[0]
    numbers: dict[str, Any] = {
        name: 0 for name, said in flow.line._asdict().items() if isinstance(said, int)
    }
    idle = FlowTally(flow.line._replace(flow="B1", **numbers), in_files=0)
    document = as_json(replace(GOOD, flows=[*GOOD.flows, idle]))
    assert [flow["ref"] for flow in document["flows"]] == ["M1b"]
