"""How the figures of now look in a terminal, and as JSON. Pure; ``?`` is what is not known."""

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hub.cli.top_said import known, number, span, summary
from hub.clock import JST
from monitoring.figures.lines import Line, LineState, Picture
from monitoring.figures.standing import Standing

if TYPE_CHECKING:
    from rich.console import RenderableType

LINE_HEADS = (
    *("flow", "from", "to", "state", "per min", "delay", "queue", "oldest"),
    *("refused", "dead", "due"),
)
PROCESS_HEADS = ("process", "state", "cpu", "memory", "waiting", "up since")
_FIRST = (
    *(LineState.STOPPED, LineState.LATE, LineState.SLOW, LineState.UNKNOWN, LineState.OK),
    *(LineState.HELD, LineState.DENIED, LineState.NOT_IN_FORCE),
)
_STYLES = {
    LineState.STOPPED: "bold red",
    LineState.LATE: "bold yellow",
    LineState.SLOW: "yellow",
    LineState.UNKNOWN: "magenta",
    LineState.HELD: "dim",
    LineState.DENIED: "dim",
    LineState.NOT_IN_FORCE: "dim",
}
_MEGABYTE = 1_000_000

Shares = Mapping[str, float]
"""How much of one CPU each process used between two looks."""


def shares(before: Picture, after: Picture) -> dict[str, float]:
    """Work out the share of a CPU that each process used between two pictures.

    One that was started anew meanwhile is left out: its seconds began anew as well.
    """
    seconds = (after.at - before.at).total_seconds()
    earlier = {one.name: one for one in before.live.processes}
    found: dict[str, float] = {}
    for one in after.live.processes:
        was = earlier.get(one.name)
        if was is None or one.started != was.started or seconds <= 0:
            continue
        if one.cpu_seconds is not None and was.cpu_seconds is not None:
            found[one.name] = (one.cpu_seconds - was.cpu_seconds) / seconds
    return found


def in_order(found: Picture) -> list[Line]:
    """Give the lines, those in trouble first."""
    return sorted(found.lines, key=lambda line: (_FIRST.index(line.state), line.key))


def cells(line: Line) -> tuple[str, ...]:
    """Write a line of the table."""
    return (
        line.key.flow,
        line.key.sender,
        line.key.receiver or "–",
        line.state.value,
        number(line.per_minute, "{:.1f}"),
        "–" if line.delay is None else span(line.delay),
        number(line.queue),
        known(line.oldest, lambda age: span(age) if age else "–"),
        str(line.refused),
        str(line.dead),
        "–" if line.due is None else f"{line.due.astimezone(JST):%m-%d %H:%M}",
    )


def process_cells(found: Picture, used: Shares) -> list[tuple[str, ...]]:
    """Write the table of processes."""
    rows: list[tuple[str, ...]] = []
    for one in found.live.processes:
        state = "no answer" if not one.answers else "no link" if one.linked is False else "ok"
        rows.append(
            (
                one.name,
                state,
                number(used.get(one.name), "{:.0%}"),
                known(one.memory, lambda bytes_: f"{bytes_ / _MEGABYTE:.0f} MB"),
                "–" if one.answers and one.waiting is None else number(one.waiting),
                known(one.started, lambda at: f"{dt.datetime.fromtimestamp(at, JST):%m-%d %H:%M}"),
            )
        )
    return rows


def facts(found: Picture, used: Shares) -> dict[str, Any]:
    """Give it as an object for a program; times in ISO 8601, spans in seconds."""
    live = found.live
    ledger, queues = live.ledger, live.hub_queues()
    return {
        "at": found.at.astimezone(JST).isoformat(),
        "seen_for": found.seen_for,
        "maintenance": live.maintenance,
        "lines": [_line_facts(line) for line in found.lines],
        "processes": [
            {
                "name": one.name,
                "answers": one.answers,
                "linked": one.linked,
                "cpu": used.get(one.name),
                "memory": one.memory,
                "waiting": one.waiting,
            }
            for one in live.processes
        ],
        "ledger": ledger
        and {
            "size": ledger.size,
            "verified": ledger.verified,
            "checkpoint_age": ledger.checkpoint_age,
            "writable": ledger.writable,
            "halted": ledger.halted,
        },
        "lists": live.lists and dict(live.lists),
        "hub_queues": queues and {name: one._asdict() for name, one in queues.items()},
        **_standing_facts(live.standing),
        "refused_by_reason": dict(found.reasons),
        "refused_elsewhere": found.refused_elsewhere,
    }


def _standing_facts(standing: Standing) -> dict[str, Any]:
    end, disk = standing.end, standing.disk
    ends = end and dt.datetime.fromtimestamp(end.at, JST).isoformat()
    return {
        "nearest_end": end and {**end._asdict(), "at": ends},
        "least_disk": disk and disk._asdict(),
        "failed_checks": None if standing.failed is None else list(standing.failed),
        "again": standing.again and standing.again._asdict(),
    }


def _line_facts(line: Line) -> dict[str, Any]:
    return {
        **line.key._asdict(),
        "state": line.state.value,
        "per_minute": line.per_minute,
        "delay": line.delay,
        "queue": line.queue,
        "oldest": line.oldest,
        "refused": line.refused,
        "dead": line.dead,
        "last": line.last and line.last.astimezone(JST).isoformat(),
        "due": line.due and line.due.astimezone(JST).isoformat(),
    }


def screen(found: Picture, used: Shares) -> "RenderableType":
    """Draw all of it for a terminal."""
    from rich.console import Group  # noqa: PLC0415 - only where people read
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    lines = Table(*LINE_HEADS, title=f"{found.at.astimezone(JST):%Y-%m-%d %H:%M:%S}")
    for line in in_order(found):
        lines.add_row(*map(Text, cells(line)), style=_STYLES.get(line.state, ""))
    processes = Table(*PROCESS_HEADS)
    for row in process_cells(found, used):
        processes.add_row(*map(Text, row), style="bold red" if row[1] != "ok" else "")
    return Group(*map(Text, summary(found)), processes, lines)
