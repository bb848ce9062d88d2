"""The tables of ``renkei ledger reconcile``, for a terminal of 80 columns."""

from collections.abc import Iterable

from rich.table import Table

from hub.reconcile.report import FlowLine, SourceLine

_SENT = ("records", "aside", "sent", "other", "taken", "outside", "refused", "held", "open")
_BECAME = ("accepted", "delivered", "receipts", "withdrawn", "expired", "dead", "pending")


def source_table(lines: Iterable[SourceLine]) -> Table:
    """Show what each system sent: sent + other = the five columns after them.

    *other* are messages that only the ledger knows of, *taken* the accepted ones.
    """
    table = _table("sender", _SENT)
    for line in lines:
        sent = "?" if line.sent is None else f"{line.sent:,}"
        before = (f"{line.records:,}", f"{line.set_aside:,}", sent)
        numbers = (
            line.by_ledger,
            line.accepted,
            line.out_of_scope,
            line.refused,
            line.held,
            line.waiting,
        )
        name = f"{line.sender or '(not proven)'}\n{line.message_type or '-'}"
        table.add_row(name, *before, *(f"{number:,}" for number in numbers))
    return table


def flow_table(lines: Iterable[FlowLine]) -> Table:
    """Show what became of each flow's copies: accepted = the others but the receipts."""
    table = _table("flow", _BECAME)
    for line in lines:
        numbers = (
            line.accepted,
            line.delivered,
            line.receipted,
            line.withdrawn,
            line.expired,
            line.dead_lettered,
            line.pending,
        )
        route = f"{line.flow}\n{line.sender}\n→ {line.receiver}"
        table.add_row(route, *(f"{number:,}" for number in numbers))
    return table


def _table(first: str, columns: Iterable[str]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column(first, overflow="fold")
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    return table
