"""What ``renkei top`` says in lines above its tables. Pure; ``?`` is what is not known."""

from collections.abc import Callable, Mapping

from monitoring.figures.lines import Picture
from monitoring.figures.live import LedgerNow, QueueNow
from monitoring.figures.standing import Standing

UNKNOWN = "?"
LOW_SHARE = 0.1
"""Less of a disk than this is little: as the rule RenkeiDiskLow has it."""
MOST_REASONS = 8
ENCRYPTION = "encryption"
"""What is called so among a process's certificates are the keys of others (``hub.pki.ends``)."""
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def summary(found: Picture) -> list[str]:
    """Say what belongs to no flow: queues, what ends, the ledger, lists, what was refused."""
    live, standing = found.live, found.live.standing
    lists = live.lists or {}
    ends = (f"nearest end of a certificate: {_end(found)}", f"checks: {_checks(standing)}")
    elsewhere = f"outside of every flow: {found.refused_elsewhere}"
    said = [
        f"the hub's queues: {_hub_queues(live.hub_queues())}",
        "; ".join((*ends, _disk(standing))),
        _ledger(live.ledger),
        f"for people to decide: {_waiting(lists)}",
        f"refused in {span(found.seen_for)}: {_reasons(found)}; {elsewhere}",
        _again(standing),
    ]
    if live.maintenance:
        said.insert(0, "MAINTENANCE: the hub takes nothing until people say so")
    return said


def _hub_queues(queues: dict[str, QueueNow] | None) -> str:
    if not queues:
        return UNKNOWN
    full = sorted(((one.messages, name) for name, one in queues.items() if one.messages))
    told = [_queue(name, queues[name]) for _, name in reversed(full)]
    empty = len(queues) - len(told)
    return ", ".join((*told, *([f"{empty} empty"] if empty else ())))


def _queue(name: str, queue: QueueNow) -> str:
    nobody = "" if queue.consumers else ", NOBODY takes from it"
    return f"{name} {queue.messages:,} (oldest {span(queue.oldest)}{nobody})"


def _end(found: Picture) -> str:
    end = found.live.standing.end
    if end is None:
        return UNKNOWN
    left = end.at - found.at.timestamp()
    if end.certificate == ENCRYPTION:
        what = f"a public key with which {end.process} encrypts for somebody else"
        until = f"in {span(left)}" if left > 0 else "ENDED, or MISSING"
    else:
        what = f"{end.certificate} of {end.process}"
        until = f"in {span(left)}" if left > 0 else "ENDED, or not readable"
    which = "" if left > 0 else " (which: renkei doctor)"
    return f"{what} {until}{which}"


def _checks(standing: Standing) -> str:
    if standing.failed is None:
        return UNKNOWN
    return f"FAILED: {', '.join(standing.failed)}" if standing.failed else "all well"


def _disk(standing: Standing) -> str:
    disk = standing.disk
    if disk is None:
        return f"disks {UNKNOWN}"
    low = "LOW DISK" if disk.free < LOW_SHARE else "least free disk"
    return f"{low}: {disk.place} of {disk.process} {disk.free:.0%}"


def _ledger(ledger: LedgerNow | None) -> str:
    if ledger is None:
        return f"ledger {UNKNOWN} (the watch does not answer)"
    state = "HALTED" if ledger.halted else "writable" if ledger.writable else "NOT WRITABLE"
    return (
        f"ledger {state}, {ledger.size:,} entries, verified through {ledger.verified:,}, "
        f"checkpoint {span(ledger.checkpoint_age)} behind"
    )


def _waiting(lists: Mapping[str, int]) -> str:
    confirmations, dead = lists.get("confirmations"), lists.get("dead-letters")
    return f"{number(confirmations)} confirmations, {number(dead)} dead letters"


def _reasons(found: Picture) -> str:
    by_number = sorted(found.reasons.items(), key=lambda one: (-one[1], one[0]))
    told = [f"{code} {count}" for code, count in by_number[:MOST_REASONS]]
    rest = sum(count for _, count in by_number[MOST_REASONS:])
    return ", ".join((*told, *([f"for other reasons {rest}"] if rest else ()))) or "nothing"


def _again(standing: Standing) -> str:
    again = standing.again
    told = [UNKNOWN] * 3 if again is None else list(map(str, again))
    return (
        f"since the processes began: {told[0]} copies sent once more, {told[1]} messages given out "
        f"once more, {told[2]} links lost"
    )


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


def number(value: float | None, form: str = "{:.0f}") -> str:
    """Write a number; what is not known is no 0."""
    return UNKNOWN if value is None else form.format(value)


def known(value: float | None, written: Callable[[float], str]) -> str:
    """Write a value in its own way, where it is known."""
    return UNKNOWN if value is None else written(value)
