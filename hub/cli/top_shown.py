"""How the figures of now look in a terminal, and as JSON. Pure; ``?`` is what is not known."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from hub.clock import JST
from monitoring.figures.lines import Line, LineState, Picture

if TYPE_CHECKING:
    from rich.console import RenderableType

UNKNOWN = "?"
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
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
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
        _number(line.per_minute, "{:.1f}"),
        "–" if line.delay is None else span(line.delay),
        _number(line.queue),
        _known(line.oldest, lambda age: span(age) if age else "–"),
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
                _number(used.get(one.name), "{:.0%}"),
                _known(one.memory, lambda bytes_: f"{bytes_ / _MEGABYTE:.0f} MB"),
                "–" if one.answers and one.waiting is None else _number(one.waiting),
                _known(one.started, lambda at: f"{dt.datetime.fromtimestamp(at, JST):%m-%d %H:%M}"),
            )
        )
    return rows


def summary(found: Picture) -> list[str]:
    """Say in lines what belongs to no flow: ledger, lists, what nobody may have sent."""
    live = found.live
    said = []
    if live.maintenance:
        said.append("MAINTENANCE: the hub takes nothing until people say so")
    ledger = live.ledger
    if ledger is None:
        said.append("ledger ? (the watch does not answer)")
    else:
        state = "HALTED" if ledger.halted else "writable" if ledger.writable else "NOT WRITABLE"
        said.append(
            f"ledger {state}, {ledger.size:,} entries, verified through {ledger.verified:,}, "
            f"checkpoint {span(ledger.checkpoint_age)} behind"
        )
    lists = live.lists or {}
    said.append(
        f"for people to decide: {_number(lists.get('confirmations'))} confirmations, "
        f"{_number(lists.get('dead-letters'))} dead letters; refused outside of every flow in "
        f"{span(found.seen_for)}: {found.refused_elsewhere}"
    )
    return said


def facts(found: Picture, used: Shares) -> dict[str, Any]:
    """Give it as an object for a program; times in ISO 8601, spans in seconds."""
    live = found.live
    ledger = live.ledger
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
        "refused_elsewhere": found.refused_elsewhere,
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


def span(seconds: float) -> str:
    """Write a span of time, in the unit that fits.

    >>> [span(one) for one in (0.25, 12, 90, 7200, 200_000)]
    ['0.2 s', '12 s', '1.5 min', '2.0 h', '2.3 d']
    """
    if seconds < _MINUTE:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004
    for unit, length, more in (("min", _MINUTE, _HOUR), ("h", _HOUR, _DAY)):
        if seconds < more:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds / _DAY:.1f} d"


def _number(value: float | None, form: str = "{:.0f}") -> str:
    return UNKNOWN if value is None else form.format(value)


def _known(value: float | None, written: Callable[[float], str]) -> str:
    return UNKNOWN if value is None else written(value)
