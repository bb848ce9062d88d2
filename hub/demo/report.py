"""The demo's closing words: a table for people, one object for programs."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from adapters.simulation.kit import BROKER
from hub.demo.attempts import Outcome
from hub.demo.flows import FlowStory
from hub.demo.state import DemoState
from hub.demo.tally import FlowTally
from hub.statute.model import Standing


@dataclass(frozen=True, slots=True)
class Report:
    """What a demo came to.

    ``catalogue`` says of every flow what became of it; ``faults`` name everything that does not
    agree; ``strangers`` are files on its drives that somebody else put there; ``waiting`` counts
    by code what waits on the confirmation list, ``dead`` is how many dead letters do.
    """

    flows: Sequence[FlowTally]
    attempts: Sequence[Outcome]
    entries: int
    faults: Sequence[str]
    seconds: float
    residents: int
    persons_in_scope: int
    strangers: Sequence[str] = ()
    catalogue: Sequence[FlowStory] = ()
    waiting: Mapping[str, int] = field(default_factory=dict)
    dead: int = 0

    @property
    def reconciled(self) -> bool:
        """Say whether every side tells the same and every attempt was refused."""
        return not self.faults and all(one.as_expected for one in self.attempts)


def as_json(report: Report) -> dict[str, Any]:
    """Give the object that ``--json`` prints; flows for which nothing was sent are left out."""
    return {
        "flows": [
            {
                "ref": flow.line.flow,
                "sender": flow.line.sender,
                "receiver": flow.line.receiver,
                "accepted": flow.line.accepted,
                "refused": flow.line.refused,
                "delivered": flow.line.delivered,
            }
            for flow in report.flows
            if flow.line.has_moved
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
    ("outside", "about persons whom the flow must not carry; they reached nobody"),
    ("accepted", "by the hub for this receiver"),
    ("refused", "by the hub: the attempts below"),
    ("delivered", "into the receiver's queue, and read from there"),
    ("ledger", "entries about this flow: one for each step above, and the receipts"),
    (
        "same",
        "= field by field as in the sender's file, ~ where a part was compared",
    ),
)
_ONE_LINE = 104
"""From this width on, a flow stands on one line."""


def print_report(report: Report, state: DemoState, console: Console) -> None:
    """Print the table, the attempts, the verdict and where everything lies."""
    console.print()
    console.print("What moved, in messages", style="bold")
    completed = {one.flow.ref for one in report.catalogue if one.is_completed}
    moved = [flow for flow in report.flows if flow.line.has_moved]
    console.print(_flow_table(moved, completed, console.width))
    for name, text in _COLUMNS:
        console.print(f"  {name:10} {text}", style="dim", highlight=False)
    console.print()
    _print_decided(report, state, console)
    _print_attempts(report.attempts, console)
    if report.strangers:
        console.print("Files that are not the demo's own were found", style="bold")
        for line in report.strangers:
            console.print(f"  {line}", soft_wrap=True, highlight=False, markup=False)
        console.print()
    _print_verdict(report, console)
    places = (
        ("files", state.root / "drives"),
        ("ledger", state.ledger),
        ("certified", state.certificate),
        ("metrics", state.metrics_targets),
        ("site file", state.site_file),
        ("logs", state.logs),
    )
    for name, path in places:
        if path == state.certificate and not report.reconciled:
            continue
        console.print(f"{name + ':':10} {path}", soft_wrap=True, highlight=False, markup=False)


def _print_decided(report: Report, state: DemoState, console: Console) -> None:
    still = [one for one in report.catalogue if one.standing is not Standing.PERMITTED]
    if still:
        console.print("What did not move, and why", style="bold")
    for one in still:
        _print(console, one.flow.ref, f"{one.flow.title}: {one.why}")
    for one in report.catalogue:
        if one.is_completed:
            _print(console, f"{one.flow.ref}*", f"{one.flow.title}: {one.why}")
    if report.waiting:
        what = ", ".join(f"{number} ({code})" for code, number in report.waiting.items())
        command = f"renkei confirmations list --state {state.root}"
        text = f"Waiting for a person on the confirmation list: {what}; {command}"
        console.print(text, soft_wrap=True, highlight=False, markup=False)
    if report.dead:
        command = f"renkei dead-letters list --state {state.root}"
        text = f"Waiting for a person among the dead letters: {report.dead:,}; {command}"
        console.print(text, soft_wrap=True, highlight=False, markup=False)
    if still or report.waiting or report.dead:
        console.print()


def _print(console: Console, mark: str, text: str) -> None:
    """Print a paragraph that hangs on its mark."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True, min_width=6)
    grid.add_column()
    grid.add_row(f"  {mark}", Text(text))
    console.print(grid)


_WALLS = (
    (True, "Refused by the broker, so that the hub never saw it:"),
    (False, "Refused by the hub, with an entry in the ledger and a notice to the sender:"),
)


def _print_attempts(attempts: Sequence[Outcome], console: Console) -> None:
    console.print("What no statute permits was tried too", style="bold")
    for by_broker, heading in _WALLS:
        console.print(heading, highlight=False)
        for one in attempts:
            if (one.misdeed.expected_code == BROKER) is not by_broker:
                continue
            console.print(f"  {one.misdeed.title}", highlight=False, markup=False)
            answer = f"    as {one.misdeed.as_system}: {_said(one)}"
            console.print(answer, highlight=False, markup=False)
    console.print()


def _print_verdict(report: Report, console: Console) -> None:
    console.print(
        f"{report.residents:,} residents, {report.persons_in_scope:,} persons in scope over the "
        f"days; {report.entries:,} ledger entries;\ndone in {report.seconds:.1f} s"
    )
    if report.reconciled:
        text = "Reconciled: files, ledger, queues and receipts agree; every attempt was refused."
        console.print(text, style="bold green")
        return
    console.print("NOT reconciled:", style="bold red")
    for fault in (*report.faults, *_unexpected(report.attempts)):
        console.print(f"  {fault}", soft_wrap=True, highlight=False, markup=False)


def _unexpected(attempts: Sequence[Outcome]) -> Iterator[str]:
    for one in attempts:
        if not one.as_expected:
            answer = one.code or "no answer"
            yield f"{one.misdeed.name}: expected {one.misdeed.expected_code}, got {answer}"


def _said(outcome: Outcome) -> str:
    if not outcome.as_expected:
        return f"NOT REFUSED as it must be ({outcome.code or 'no answer'})"
    if outcome.code == BROKER:
        return "refused by the broker, where it has no right"
    return f"refused by the hub ({outcome.code})"


def _flow_table(flows: Sequence[FlowTally], completed: Collection[str], width: int) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("flow", no_wrap=True)
    for name, _ in _COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    way = "{} → {}" if width >= _ONE_LINE else "{}\n  → {}"
    for flow in flows:
        line = flow.line
        numbers = (
            line.records,
            line.out_of_scope,
            line.accepted,
            line.refused,
            line.delivered,
            flow.entries,
        )
        ref = f"{line.flow}{'*' if line.flow in completed else ''}"
        route = f"{ref:4} {way.format(line.sender, line.receiver)}"
        table.add_row(route, *(f"{number:,}" for number in numbers), _same(flow))
    return table


def _same(flow: FlowTally) -> str:
    if flow.checked is None:
        return "-"
    if flow.checked.faults:
        return "NO"
    return "~" if flow.checked.sampled else "="
