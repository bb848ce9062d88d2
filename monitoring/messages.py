"""Lines in the log about single messages; ``[logs] messages`` says of which."""

import json
import logging
import time
from collections.abc import Callable, Collection, Sequence
from typing import Literal

from prometheus_client import CollectorRegistry

from hub.ledger.model import Entry, Kind
from hub.message import MARKED, UNENCODABLE, MessageKey
from hub.statute.reasons import DOUBTS, Code
from monitoring.bounds import OTHER
from monitoring.hub import HubMetrics, Sort
from monitoring.logs import FIELDS

log = logging.getLogger(__name__)

LINES_A_SECOND = 200
"""Of so many messages a process logs a line each; more are counted: nobody fills a disk."""
_PLAIN = frozenset({Kind.ACCEPTANCE, Kind.DELIVERY, Kind.RECEIPT, Kind.OUT_OF_SCOPE})
_OF_MESSAGES = _PLAIN | {
    Kind.REFUSAL,
    Kind.HOLD,
    Kind.RELEASE,
    Kind.REPLAY,
    Kind.DEAD_LETTER,
    Kind.EXPIRY,
}
_DELIVERED, _SET_ASIDE = "delivered", "set-aside"
CODES = frozenset({"", *Code, *DOUBTS, UNENCODABLE})
"""The codes that entries about messages have, but for those that systems choose themselves."""


class MessageLines:
    """Logs a line for each entry about a message: of all, or of those off the plain way."""

    def __init__(
        self,
        messages: Literal["none", "failures", "all"],
        monotonic: Callable[[], float] = time.monotonic,
        trace_of: Callable[[MessageKey], str] | None = None,
    ) -> None:
        """Log ``messages``; ``trace_of`` gives the trace of one that is followed, or nothing."""
        self._trace_of = trace_of
        self._messages = messages
        self._monotonic = monotonic
        self._second = 0
        self._lines = 0
        self._left_out = 0

    def wants(self, sorts: Collection[Sort]) -> bool:
        """Say whether a batch with such sorts has anything to log: most have nothing."""
        if self._messages == "failures":
            return not all(_goes_plainly(kind, code) for kind, *_, code in sorts)
        return self._messages == "all"

    def recorded(self, entries: Sequence[Entry]) -> None:
        """Log those of the entries that are to be logged."""
        if self._messages == "none":
            return
        for one in entries:
            if one.kind in _OF_MESSAGES and (self._messages == "all" or not _is_plain(one)):
                self._log(one)

    def _log(self, entry: Entry) -> None:
        second = int(self._monotonic())
        if second != self._second:
            if self._left_out:
                log.info("%d more messages had no line", self._left_out)
            self._second, self._lines, self._left_out = second, 0, 0
        if self._lines >= LINES_A_SECOND:
            self._left_out += 1
            return
        self._lines += 1
        fields = _fields(entry)
        if self._trace_of is not None and (trace := self._trace_of(entry.message)):
            fields["trace_id"] = trace
        # The id is its sender's word, and the only one: quoted, so that no line looks like two.
        text = " ".join(f"{name}={json.dumps(value)}" for name, value in fields.items())
        log.info("message %s", text, extra={FIELDS: fields})


class LoggedMetrics(HubMetrics):
    """Metrics of a worker that logs single messages as well."""

    def __init__(
        self,
        registry: CollectorRegistry,
        systems: Collection[str],
        types: Collection[str],
        flows: Collection[str],
        lines: MessageLines,
    ) -> None:
        super().__init__(registry, systems, types, flows)
        self._lines = lines

    def recorded(self, entries: Sequence[Entry]) -> None:
        """Count entries, and log what is to be logged of them."""
        sorts = self.count(entries)
        if self._lines.wants(sorts):
            self._lines.recorded(entries)


def _is_plain(entry: Entry) -> bool:
    return _goes_plainly(entry.kind, entry.code)


def _goes_plainly(kind: Kind, code: str) -> bool:
    return kind in _PLAIN and _shown(kind, code) in {"", _DELIVERED}


def _shown(kind: Kind, code: str) -> str:
    if kind is not Kind.RECEIPT:
        # A doubt is its sender's own word, and may be any.
        return code if code in CODES else OTHER
    # What else a receipt says was chosen by the receiver; the ledger has it.
    return _DELIVERED if code in {_DELIVERED, MARKED} else _SET_ASIDE


def _fields(entry: Entry) -> dict[str, str]:
    """Name message, flow and what became of it: no resident, no staff, no body, no detail."""
    code = _shown(entry.kind, entry.code)
    said = {
        "message_id": entry.message.id,
        "sender": entry.message.sender,
        "flow": entry.flow,
        "receiver": entry.receiver,
        "outcome": f"{entry.kind.value}: {code}" if code else entry.kind.value,
    }
    return {name: value for name, value in said.items() if value}
