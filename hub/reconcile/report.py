"""What a reconciliation came to: lines of numbers, an object for programs, facts to certify."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from hub.reconcile.compare import Fate, Step
from hub.reconcile.model import Gap, Pair, Waiting
from hub.reconcile.sheet import FlowCount, Sheet, Source, SourceCount

KIND = "renkei.reconciliation/v1"


class SourceLine(NamedTuple):
    """The messages of one sender and kind: sent + by_ledger = the five after them.

    ``sent`` is none where there are no files to count from. ``no_message`` are records that
    only tell about their household, or are not sent yet.
    """

    sender: str
    message_type: str
    files: int
    records: int
    set_aside: int
    no_message: int
    sent: int | None
    by_ledger: int
    accepted: int
    out_of_scope: int
    refused: int
    held: int
    waiting: int

    @property
    def total(self) -> int:
        """How many messages there are."""
        return (self.sent or 0) + self.by_ledger


class FlowLine(NamedTuple):
    """One flow to one receiver.

    All messages of the kind = accepted + out_of_scope + refused + held + waiting + elsewhere,
    where ``elsewhere`` are carried by other flows only, and accepted = delivered + withdrawn +
    expired + dead_lettered + pending.
    """

    flow: str
    sender: str
    receiver: str
    message_type: str
    records: int
    sent: int | None
    by_ledger: int
    accepted: int
    out_of_scope: int
    refused: int
    held: int
    waiting: int
    elsewhere: int
    delivered: int
    withdrawn: int
    expired: int
    dead_lettered: int
    pending: int
    receipted: int

    @property
    def has_moved(self) -> bool:
        """Say whether there was anything for this flow."""
        return bool(self.records or self.sent or self.by_ledger)


def source_lines(sheet: Sheet) -> list[SourceLine]:
    """Give a line for each sender and kind of message, in order."""
    return [_source_line(source, sheet.sources[source]) for source in sorted(sheet.sources)]


def _source_line(source: Source, count: SourceCount) -> SourceLine:
    return SourceLine(
        sender=source.sender,
        message_type=source.message_type,
        files=count.files,
        records=count.records,
        set_aside=count.rejected,
        no_message=count.records - count.rejected - count.sent,
        sent=count.told,
        by_ledger=count.by_ledger,
        accepted=count.fates[Fate.ACCEPTED],
        out_of_scope=count.fates[Fate.OUT_OF_SCOPE],
        refused=count.fates[Fate.REFUSED],
        held=count.fates[Fate.HELD],
        waiting=count.fates[Fate.WAITING],
    )


def flow_lines(sheet: Sheet) -> list[FlowLine]:
    """Give a line for each flow and receiver, in the order in which they were named."""
    return [
        _flow_line(key.source, key.pair, count, sheet.sources[key.source])
        for key, count in sheet.flows.items()
    ]


def _flow_line(source: Source, pair: Pair, flow: FlowCount, all_of: SourceCount) -> FlowLine:
    refused, waiting = all_of.fates[Fate.REFUSED], all_of.fates[Fate.WAITING]
    here = flow.accepted + flow.out_of_scope + flow.held + refused + waiting
    return FlowLine(
        flow=pair.flow,
        sender=source.sender,
        receiver=pair.receiver,
        message_type=source.message_type,
        records=all_of.records,
        sent=all_of.told,
        by_ledger=all_of.by_ledger,
        accepted=flow.accepted,
        out_of_scope=flow.out_of_scope,
        refused=refused,
        held=flow.held,
        waiting=waiting,
        elsewhere=all_of.sent + all_of.by_ledger - here,
        delivered=flow.steps[Step.DELIVERED],
        withdrawn=flow.steps[Step.WITHDRAWN],
        expired=flow.steps[Step.EXPIRED],
        dead_lettered=flow.steps[Step.DEAD_LETTERED],
        pending=flow.steps[Step.PENDING],
        receipted=flow.receipted,
    )


class Head(NamedTuple):
    """What a reconciliation is about: a day or ``all``, and the ledger's state before it.

    ``root`` is the tree's, in base64. ``no_broker`` says why the broker was not asked, or is
    empty.
    """

    day: str
    ledger: str
    size: int
    root: str
    no_broker: str = ""


def as_json(sheet: Sheet, head: Head, *, reconciled: bool) -> dict[str, Any]:
    """Give the object that programs read, with every message of the gap."""
    return {
        "day": head.day,
        "reconciled": reconciled,
        "ledger": {"name": head.ledger, "size": head.size, "root": head.root},
        "broker": _broker_object(sheet.waiting, head),
        "receivers_recorded": sorted(sheet.recorded),
        "messages": [
            line._asdict() | {"refused_by_code": dict(sorted(_refused(sheet, line).items()))}
            for line in source_lines(sheet)
            if line.total or line.records
        ],
        "flows": [line._asdict() for line in flow_lines(sheet) if line.has_moved],
        "gaps": [gap_object(gap) for gap in sheet.gaps],
    }


def gap_object(gap: Gap) -> dict[str, str]:
    """Give a message of the gap as an object."""
    return gap._asdict() | {"lack": gap.lack.code, "text": gap.lack.value}


def _refused(sheet: Sheet, line: SourceLine) -> Mapping[str, int]:
    return sheet.sources[Source(line.sender, line.message_type)].refused


def _broker_object(waiting: Waiting | None, head: Head) -> dict[str, Any]:
    if waiting is None:
        return {"asked": False, "why": head.no_broker}
    return {
        "asked": True,
        "hub": waiting.hub,
        "receivers": dict(sorted(waiting.out.items())),
        "dead_letters": waiting.dead,
        "taken": None if waiting.taken is None else dict(sorted(waiting.taken.items())),
        "note": waiting.note,
    }


def certified_facts(sheet: Sheet, head: Head) -> Sequence[tuple[str, str]]:
    """Give what a certificate states: days, sides, and the numbers of every flow."""
    return tuple(_facts(sheet, head))


def _facts(sheet: Sheet, head: Head) -> Iterator[tuple[str, str]]:
    yield "day", head.day
    yield "ledger", head.ledger
    yield "size", str(head.size)
    yield "root", head.root
    yield "broker", _broker_fact(sheet.waiting, head)
    yield "receivers-recorded", ", ".join(sorted(sheet.recorded)) or "none"
    moved = [line for line in source_lines(sheet) if line.total or line.records]
    yield (
        "total",
        _numbers(
            sent=sum(line.sent or 0 for line in moved),
            by_ledger=sum(line.by_ledger for line in moved),
            accepted=sum(line.accepted for line in moved),
            out_of_scope=sum(line.out_of_scope for line in moved),
            refused=sum(line.refused for line in moved),
            held=sum(line.held for line in moved),
            waiting=sum(line.waiting for line in moved),
        ),
    )
    for line in moved:
        name = f"{line.sender or '-'} {line.message_type or '-'}"
        yield "messages", f"{name}: {_numbers(**_after_names(line, 2))}"
    flows = flow_lines(sheet)
    for flow in flows:
        if flow.has_moved:
            name = f"{flow.flow} {flow.sender} to {flow.receiver} {flow.message_type}"
            yield "flow", f"{name}: {_numbers(**_after_names(flow, 4))}"
    idle = dict.fromkeys(flow.flow for flow in flows if not flow.has_moved)
    yield "nothing-for", ", ".join(idle) or "none"


def _after_names(line: SourceLine | FlowLine, names: int) -> dict[str, int | None]:
    return {name: getattr(line, name) for name in line._fields[names:]}


def _numbers(**values: int | None) -> str:
    return ", ".join(
        f"{name.replace('_', '-')} {'unknown' if value is None else value}"
        for name, value in values.items()
    )


def _broker_fact(waiting: Waiting | None, head: Head) -> str:
    if waiting is None:
        return f"not asked: {head.no_broker}"
    out = sum(waiting.out.values())
    taken = "unknown" if waiting.taken is None else sum(waiting.taken.values())
    said = f"hub {waiting.hub}, receivers {out}, dead-letters {waiting.dead}, taken {taken}"
    return f"{said}, {waiting.note}" if waiting.note else said
