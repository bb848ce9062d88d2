"""The demo's closing words: a table for people, one object for programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from hub.demo.attempts import BROKER, Outcome
from hub.demo.state import DemoState
from hub.demo.tally import FlowTally


@dataclass(frozen=True, slots=True)
class Report:
    """What a demo came to; ``faults`` name everything that does not agree."""

    flows: Sequence[FlowTally]
    attempts: Sequence[Outcome]
    entries: int
    faults: Sequence[str]
    seconds: float
    residents: int
    persons_in_scope: int

    @property
    def reconciled(self) -> bool:
        """Say whether every side tells the same and every attempt was refused."""
        return not self.faults and all(one.as_expected for one in self.attempts)


def as_json(report: Report) -> dict[str, Any]:
    """Give the object that ``--json`` prints."""
    return {
        "flows": [
            {
                "ref": flow.ref,
                "sender": flow.sender,
                "receiver": flow.receiver,
                "accepted": flow.accepted,
                "refused": flow.refused,
                "delivered": flow.delivered,
            }
            for flow in report.flows
        ],
        "refused": [
            {
                "sender": one.misdeed.as_system,
                "message_type": one.misdeed.event["type"],
                "reason": one.code,
            }
            for one in report.attempts
            if one.as_expected
        ],
        "ledger": {"entries": report.entries},
        "reconciled": report.reconciled,
    }


_COLUMNS = (
    ("read", "records in the sender's files"),
    ("outside", "persons whom the flow must not carry"),
    ("accepted", "by the hub"),
    ("refused", "by the hub"),
    ("delivered", "to the receiver, with its receipt"),
    ("ledger", "entries about this flow"),
)


def print_report(report: Report, state: DemoState, console: Console) -> None:
    """Print the table, the attempts, the verdict and where everything lies."""
    for table in (_flow_table(report), _attempt_table(report)):
        console.print()
        console.print(table)
    console.print()
    console.print(
        f"City: {report.residents:,} residents, {report.persons_in_scope:,} persons in scope; "
        f"ledger: {report.entries:,} entries; {report.seconds:.1f} s"
    )
    if report.reconciled:
        console.print("Reconciled: files, ledger, queues and receipts agree.", style="bold green")
    else:
        console.print("NOT reconciled:", style="bold red")
        for fault in report.faults:
            console.print(f"  {fault}", markup=False)
        for one in report.attempts:
            if not one.as_expected:
                text = f"  {one.misdeed.name}: expected {one.misdeed.expected_code}, got "
                console.print(text + (one.code or "no answer"), markup=False)
    places = (
        ("files", state.root / "drives"),
        ("ledger", state.ledger),
        ("metrics", state.metrics_targets),
        ("site file", state.site_file),
        ("logs", state.logs),
    )
    for name, path in places:
        console.print(f"{name + ':':10} {path}", soft_wrap=True, highlight=False, markup=False)


def _flow_table(report: Report) -> Table:
    caption = "; ".join(f"{name}: {text}" for name, text in _COLUMNS)
    table = Table(title="What moved", caption=caption, box=None, padding=(0, 1, 0, 0))
    table.add_column("flow", no_wrap=True)
    for name, _ in _COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    for flow in report.flows:
        numbers = (
            flow.read,
            flow.out_of_scope,
            flow.accepted,
            flow.refused,
            flow.delivered,
            flow.entries,
        )
        route = f"{flow.ref:4} {flow.sender}\n     → {flow.receiver}"
        table.add_row(route, *(f"{number:,}" for number in numbers))
    return table


def _attempt_table(report: Report) -> Table:
    table = Table(title="What no statute permits", box=None, padding=(0, 1, 0, 0))
    table.add_column("attempt")
    table.add_column("by", no_wrap=True)
    table.add_column("reason", no_wrap=True)
    for one in report.attempts:
        said = {"": "not refused", BROKER: "by the broker: no right"}.get(one.code, one.code)
        table.add_row(one.misdeed.title, one.misdeed.as_system, said)
    return table
