"""A span as it leaves the process: its words from closed lists, or of a shape without room.

Types, outcomes and layouts are those that are known here; flow, sender and receiver the catalogue's
own words. The id alone is its sender's; a 個人番号 in it is found as ``schemas.hidden`` finds one.
"""

import re
import secrets
from collections.abc import Collection, Mapping
from typing import NamedTuple

from hub.edge.aside import AsideCode
from hub.edge.form import FileFault
from hub.edge.wall import WallCode
from hub.ledger.model import Kind
from hub.message import MARKED, NOTICE_TYPE, RECEIPT_TYPE, RELEASE_TYPE
from hub.ports import Sent
from hub.statute.reasons import DOUBTS, Code
from hub.traces import Fact, Span, Step
from schemas import MESSAGE_TYPES
from schemas.hidden import holds_my_number

OTHER = "other"
"""Stands for any word that is no known one, or could say more than it should."""
TYPES = frozenset({*MESSAGE_TYPES, RECEIPT_TYPE, NOTICE_TYPE, RELEASE_TYPE})
_OUTCOMES = frozenset({*Kind, *Sent, "read", "delivered", "set-aside", "known"})
_CODES = frozenset({*Code, *DOUBTS, *FileFault, *AsideCode, *WallCode, MARKED})
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_SHAPES = {
    Fact.FLOW: re.compile(r"[A-Za-z0-9-]{1,20}"),
    Fact.ID: re.compile(r"[A-Za-z0-9._:-]{1,80}"),
    Fact.SENDER: _NAME,
    Fact.RECEIVER: _NAME,
    Fact.FILE: _NAME,
}
_SPAN_BYTES = 8
_TOO_MANY = 1 << 63


class Told(NamedTuple):
    """A span with an id of its own; ``parent`` is empty for the first of a trace."""

    step: Step
    trace: str
    span: str
    parent: str
    began: int
    ended: int
    facts: Mapping[Fact, str | int]
    failed: bool


def told(span: Span, types: Collection[str] = TYPES) -> Told:
    """Make of a span what may be sent."""
    trace, parent = span.context
    is_first = span.step is Step.FILE_IN
    own = parent if is_first else secrets.token_hex(_SPAN_BYTES)
    facts = {
        fact: _closed(fact, value, types)
        for fact, value in span.facts.items()
        if isinstance(fact, Fact) and value != ""
    }
    ended = max(span.began, span.ended)
    return Told(
        span.step, trace, own, "" if is_first else parent, span.began, ended, facts, span.failed
    )


def _closed(fact: Fact, value: str | int, types: Collection[str]) -> str | int:
    if fact is Fact.RECORDS:
        return value if isinstance(value, int) and 0 <= value < _TOO_MANY else OTHER
    if not isinstance(value, str):
        return OTHER
    if fact is Fact.TYPE:
        return value if value in types else OTHER
    if fact is Fact.OUTCOME:
        return _outcome(value)
    shape = _SHAPES[fact]
    return value if shape.fullmatch(value) and not holds_my_number(value) else OTHER


def _outcome(value: str) -> str:
    """Keep the codes of ours; one of a sender's or receiver's own choice is another."""
    what, colon, code = value.partition(": ")
    if what not in _OUTCOMES:
        return OTHER
    return f"{what}: {code if code in _CODES else OTHER}" if colon else what
