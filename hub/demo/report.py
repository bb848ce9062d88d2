"""The demo's closing words: a table for people, one object for programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from hub.demo.attempts import Outcome
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
    ("read", "Records in the sender's files"),
    ("rejected", "Bad records, set aside with their reason"),
    ("out_of_scope", "Persons whom the flow must not carry"),
    ("accepted", "Accepted by the hub"),
    ("refused", "Refused by the hub: forbidden attempts"),
    ("delivered", "In the receiver's queue"),
    ("receipted", "Receipts in the ledger"),
    ("in_files", "Records in the receiver's files"),
)


def print_report(report: Report, state: DemoState, console: Console) -> None:
    """Print the table, the attempts, the verdict and where everything lies."""
    console.print(_flow_table(report))
    console.print(_attempt_table(report))
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
    table = Table(title="What moved", caption="messages; read and rejected are records")
    table.add_column("flow", no_wrap=True)
    table.add_column("from → to")
    for name, _ in _COLUMNS:
        table.add_column(name.replace("_", " "), justify="right")
    for flow in report.flows:
        numbers = (f"{getattr(flow, name):,}" for name, _ in _COLUMNS)
        table.add_row(flow.ref, f"{flow.sender} → {flow.receiver}", *numbers)
    return table


def _attempt_table(report: Report) -> Table:
    table = Table(title="What no statute permits")
    table.add_column("attempt")
    table.add_column("sender")
    table.add_column("refused by")
    table.add_column("reason")
    for one in report.attempts:
        wall = "broker" if one.code == "broker" else "hub"
        table.add_row(
            one.misdeed.title, one.misdeed.as_system, wall if one.code else "-", one.code or "none"
        )
    return table
