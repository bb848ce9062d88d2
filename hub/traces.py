"""Traces: where a message was and for how long, from file to file, by W3C's trace context.

A file that is followed begins a trace; its context stands in the event of each of its messages that
is followed (``traceparent``), in their copies too, and whoever works on one tells a span of it.
Nothing here sends anything: ``monitoring.traces`` does, where the site says so.

What stands in an event depends on the file's content alone, so that a file that is read once more,
after a crash or without its journal, makes the same events.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from hub.message import MessageKey

MOST_OF_A_FILE = 100
"""So many messages of a file are followed, spread over it: they tell as much as all of them."""
_CHOICES = 1 << 64
_IN_BODY = b'"traceparent"'
_TEXT = r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})"
_PARENT = re.compile(_TEXT)
_IN_EVENT = re.compile(rb'"traceparent"\s{0,8}:\s{0,8}"([0-9a-f-]{55})"')
_SAMPLED = 1


class Context(NamedTuple):
    """A trace, and the span in it that is the parent: 32 and 16 digits of hexadecimal."""

    trace: str
    span: str


class Step(StrEnum):
    """What a span is of."""

    FILE_IN = "file in"
    JUDGE = "judge"
    RECORD = "record"
    DELIVER = "deliver"
    FILE_OUT = "file out"


class Fact(StrEnum):
    """All that a span may say; nothing of a person, and no name of a file."""

    FLOW = "renkei.flow"
    TYPE = "renkei.message.type"
    ID = "renkei.message.id"
    SENDER = "renkei.sender"
    RECEIVER = "renkei.receiver"
    OUTCOME = "renkei.outcome"
    FILE = "renkei.file.layout"
    RECORDS = "renkei.file.records"


@dataclass(frozen=True, slots=True)
class Span:
    """One step of something that is followed.

    ``context`` is the parent's; of ``FILE_IN``, which has none, its own. It ``began`` and ``ended``
    at these nanoseconds since 1970. ``failed`` says that it did not go the plain way.
    """

    step: Step
    context: Context
    began: int
    ended: int
    facts: Mapping[Fact, str | int]
    failed: bool = False


class Traces(Protocol):
    """Where spans go. Nothing of it waits or raises; what is too much is left out and counted."""

    def begun(self, system: str, digest: str) -> str:
        """Decide whether a file is followed: give its ``traceparent``, or an empty text."""
        ...

    def follow(self, message: MessageKey, context: Context) -> bool:
        """Say whether there is room to follow a message here; note its trace if so."""
        ...

    def tell(self, span: Span) -> None:
        """Take a span."""
        ...


def begun(system: str, digest: str, ratio: float) -> str:
    """Give the ``traceparent`` of a file of this content, of a share ``ratio`` of all files.

    Empty for the others. The same file has always the same.

    >>> begun("tax", "ab" * 32, 1.0)
    '00-74ab553810b67c1bc63502a5afae0b0e-afbcfa44f52cdafe-01'
    >>> begun("tax", "ab" * 32, 0.0)
    ''
    """
    seed = f"{system}\n{digest}".encode()
    drawn = hashlib.blake2b(seed, digest_size=32, person=b"renkei-trace").digest()
    if int.from_bytes(drawn[24:]) >= ratio * _CHOICES:
        return ""
    return f"00-{drawn[:16].hex()}-{drawn[16:24].hex()}-01"


def for_record(traceparent: str, number: int, records: int) -> str:
    """Give what the message of a file's record has in its event: the file's own, or nothing.

    >>> [n for n in range(1, 401) if for_record("x", n, 400)][:3]
    [1, 5, 9]
    """
    every = -(-records // MOST_OF_A_FILE)
    return traceparent if traceparent and (number - 1) % max(every, 1) == 0 else ""


def context_of(traceparent: str | None) -> Context | None:
    """Read a ``traceparent``; none where it is none, or says that nobody is to follow it."""
    found = _PARENT.fullmatch(traceparent) if traceparent else None
    if found is None or not int(found[3], 16) & _SAMPLED:
        return None
    trace, span, _ = found.groups()
    return Context(trace, span) if int(trace, 16) and int(span, 16) else None


def context_in(body: bytes) -> Context | None:
    """Find the context in an event that need not be sound; one look where there is none.

    In a sound one no text can look like it: a quote within a text has a backslash before it.
    """
    if _IN_BODY not in body:
        return None
    found = _IN_EVENT.search(body)
    return None if found is None else context_of(found[1].decode())
