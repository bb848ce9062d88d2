"""What a worker tells of the messages of a batch that are followed (``hub.traces``).

Where nobody is to be followed it costs one look a batch; else one at each message's bytes. All
spans are told after the step that they are of, so that none of it stands in a message's way.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hub.ledger.model import Entry, Kind
from hub.message import MessageKey
from hub.pipeline.book import Send
from hub.ports import Sent
from hub.traces import Context, Fact, Span, Step, Traces, context_in
from hub.worker.verdicts import Judged

_NOTHING_NEW = "known"
"""The outcome of a message that changed nothing: what is recorded of it was recorded before."""
_TROUBLES = frozenset({Kind.REFUSAL, Kind.HOLD, Kind.DEAD_LETTER, Kind.EXPIRY})
_NANO = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Followed:
    """The messages of a batch that are followed, and their types.

    The batch was ``taken`` and ``judged`` at these times of the monotonic clock.
    """

    traces: Traces
    contexts: Mapping[MessageKey, Context]
    types: Mapping[MessageKey, str]
    taken: float
    judged: float

    def recorded(self, entries: Iterable[Entry], planned: float) -> None:
        """Tell what was said of each, and what was recorded since ``planned``."""
        ended = time.monotonic()
        found: dict[MessageKey, list[Entry]] = {key: [] for key in self.contexts}
        for entry in entries:
            # A receipt is of another message of the batch, whose outcome it is not.
            if entry.message in found and entry.kind is not Kind.RECEIPT:
                found[entry.message].append(entry)
        for key, own in found.items():
            worst = next((one for one in own if one.kind in _TROUBLES), own[0] if own else None)
            outcome = _NOTHING_NEW if worst is None else _outcome(worst)
            failed = worst is not None and worst.kind in _TROUBLES
            self._tell(Step.JUDGE, key, self.taken, self.judged, outcome, failed=failed)
            for entry in own:
                self._tell(
                    Step.RECORD,
                    key,
                    planned,
                    ended,
                    _outcome(entry),
                    (entry.flow, entry.receiver),
                    failed=entry.kind in _TROUBLES,
                )

    def delivered(self, sends: Sequence[Send], fates: Sequence[Sent], published: float) -> None:
        """Tell what became of each copy since it was ``published``."""
        ended = time.monotonic()
        for send, fate in zip(sends, fates, strict=True):
            entry = send.confirmed
            if entry is not None and entry.message in self.contexts:
                self._tell(
                    Step.DELIVER,
                    entry.message,
                    published,
                    ended,
                    fate.value,
                    (entry.flow, entry.receiver),
                    failed=fate is not Sent.CONFIRMED,
                )

    def _tell(  # noqa: PLR0913, PLR0917 - what a span is
        self,
        step: Step,
        key: MessageKey,
        began: float,
        ended: float,
        outcome: str,
        pair: tuple[str, str] = ("", ""),
        *,
        failed: bool,
    ) -> None:
        facts: dict[Fact, str | int] = {
            Fact.ID: key.id,
            Fact.SENDER: key.sender,
            Fact.TYPE: self.types[key],
            Fact.FLOW: pair[0],
            Fact.RECEIVER: pair[1],
            Fact.OUTCOME: outcome,
        }
        now, here = time.time_ns(), time.monotonic()
        first, last = (now - int((here - one) * _NANO) for one in (began, ended))
        self.traces.tell(Span(step, self.contexts[key], first, last, facts, failed))


def followed(traces: Traces | None, judged: Sequence[Judged], taken: float) -> Followed | None:
    """Find the messages of a batch that are followed; none where there are none."""
    if traces is None:
        return None
    contexts: dict[MessageKey, Context] = {}
    types: dict[MessageKey, str] = {}
    for case, verdict in judged:
        context = context_in(case.delivery.body)
        if context is not None and traces.follow(verdict.key, context):
            contexts[verdict.key] = context
            types[verdict.key] = verdict.message_type
    return Followed(traces, contexts, types, taken, time.monotonic()) if contexts else None


def _outcome(entry: Entry) -> str:
    return f"{entry.kind}: {entry.code}" if entry.code else entry.kind.value
