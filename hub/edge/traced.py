"""What an adapter tells of the files and messages that are followed (``hub.traces``)."""

import time
from collections.abc import Iterable, Mapping, Sequence

from hub.edge.aside import Aside
from hub.edge.inbox import Picked
from hub.edge.sorting import Line, Wire
from hub.message import MARKED, MessageKey
from hub.traces import Context, Fact, Span, Step, Traces, context_in, context_of

READ, SET_ASIDE, DELIVERED = "read", "set-aside", "delivered"


def file_read(
    traces: Traces | None, system: str, picked: Picked, began: int, fault: str = ""
) -> None:
    """Tell the first span of a trace: a file was read to its end, or set aside for a ``fault``."""
    context = None if traces is None else context_of(picked.entry.traceparent)
    if traces is None or context is None:
        return
    facts: dict[Fact, str | int] = {
        Fact.SENDER: system,
        Fact.FILE: picked.wire.layout,
        Fact.TYPE: picked.wire.message_type,
        Fact.RECORDS: picked.facts.records,
        Fact.OUTCOME: f"{SET_ASIDE}: {fault}" if fault else READ,
    }
    traces.tell(Span(Step.FILE_IN, context, began, time.time_ns(), facts, failed=bool(fault)))


def files_written(  # noqa: PLR0913, PLR0917 - what a batch came to
    traces: Traces,
    system: str,
    wires: Mapping[str, Wire],
    lines: Mapping[str, Sequence[Line]],
    asides: Iterable[Aside],
    began: int,
) -> None:
    """Tell of each message that is followed that it stands in a file, or why it does not."""
    ended = time.time_ns()

    def tell(context: Context | None, key: tuple[str, str, str], facts: dict[Fact, str]) -> None:
        sender, message_id, flow = key
        if context is None or not traces.follow(MessageKey(sender, message_id), context):
            return
        said: dict[Fact, str | int] = {Fact.SENDER: sender, Fact.ID: message_id, Fact.FLOW: flow}
        failed = facts[Fact.OUTCOME].startswith(SET_ASIDE)
        said |= facts | {Fact.RECEIVER: system}
        traces.tell(Span(Step.FILE_OUT, context, began, ended, said, failed=failed))

    for prefix, written in lines.items():
        out = wires[prefix].outbound
        for line in written:
            outcome = f"{DELIVERED}: {MARKED}" if line.code else DELIVERED
            facts = {Fact.FILE: out.layout, Fact.TYPE: out.message_type, Fact.OUTCOME: outcome}
            tell(line.trace, line.key, facts)
    for aside in asides:
        if aside.key is not None:
            outcome = f"{SET_ASIDE}: {aside.code}"
            tell(context_in(aside.delivery.body), aside.key, {Fact.OUTCOME: outcome})
