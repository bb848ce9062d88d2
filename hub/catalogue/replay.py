"""What would have become of recorded messages under another catalogue. Pure.

The ledger holds no content and nothing about persons, so only the catalogue's part is judged:
a message that would be permitted may still fail for its fields or for whose it is.
"""

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from hub.clock import JST
from hub.ledger.decisions import Decided
from hub.ledger.model import Kind
from hub.statute.model import Catalogue, Standing
from hub.statute.reasons import Code
from hub.statute.rules import rule

_EXAMPLES = 3
BY_CATALOGUE = frozenset(
    {
        Code.SENDER_UNKNOWN,
        Code.NEIGHBOUR,
        Code.NO_FLOW,
        Code.TYPE_NOT_PERMITTED,
        Code.HELD,
        Code.DENIED,
        Code.CLOSED,
        Code.NOT_IN_FORCE,
    }
)
"""The refusals that another catalogue may undo."""

Pair = tuple[str, str]
"""A flow's reference and a receiver."""


class Becomes(StrEnum):
    """What another catalogue changes for a message and one receiver."""

    PERMITTED = "permitted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Kinship:
    """What the messages of one group have in common; ``reason`` is why they are refused."""

    becomes: Becomes
    sender: str
    message_type: str
    flow: str
    receiver: str
    reason: str = ""


@dataclass(slots=True)
class Group:
    """Messages whose outcome would change alike: how many, from which day to which, some ids."""

    first: dt.date
    last: dt.date
    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, day: dt.date, message_id: str) -> None:
        """Count one more."""
        self.first, self.last = min(self.first, day), max(self.last, day)
        self.count += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(message_id)


def replay(decisions: Iterable[Decided], other: Catalogue) -> dict[Kinship, Group]:
    """Judge what was recorded by another catalogue; give what would change, in order.

    The decisions come in the ledger's order: those about one message stand together.
    """
    judged: dict[tuple[str, str, dt.date], frozenset[Pair]] = {}
    groups: dict[Kinship, Group] = {}
    for _, same in itertools.groupby(decisions, key=lambda one: (one.message, one.at)):
        rows = list(same)
        first = rows[0]
        day = first.at.astimezone(JST).date()
        asked = (first.message.sender, first.message_type, day)
        if asked not in judged:
            judged[asked] = _pairs(other, *asked)
        for becomes, pair in _changes(rows, judged[asked]):
            reason = _reason(other, pair, day) if becomes is Becomes.REFUSED else ""
            kin = Kinship(becomes, first.message.sender, first.message_type, *pair, reason)
            groups.setdefault(kin, Group(day, day)).add(day, first.message.id)
    return {kin: groups[kin] for kin in sorted(groups, key=_order)}


def _order(kin: Kinship) -> tuple[str, ...]:
    return (kin.becomes, kin.sender, kin.message_type, kin.flow, kin.receiver, kin.reason)


def _pairs(other: Catalogue, sender: str, message_type: str, day: dt.date) -> frozenset[Pair]:
    """Give the flows and receivers that the other catalogue permits."""
    if sender not in other.systems:
        return frozenset()
    ruling = rule(other, sender, message_type, day)
    return frozenset(
        (carrier.flow.ref, receiver)
        for carrier in ruling.flows
        for receiver in carrier.leg.receivers
    )


def _changes(rows: list[Decided], permitted: frozenset[Pair]) -> Iterator[tuple[Becomes, Pair]]:
    accepted = {(one.flow, one.receiver) for one in rows if one.kind is Kind.ACCEPTANCE}
    outside = {(one.flow, one.receiver) for one in rows if one.kind is Kind.OUT_OF_SCOPE}
    refused = any(one.kind is Kind.REFUSAL and one.code in BY_CATALOGUE for one in rows)
    if accepted or outside or refused:
        for pair in sorted(permitted - accepted - outside):
            yield Becomes.PERMITTED, pair
    for pair in sorted(accepted - permitted):
        yield Becomes.REFUSED, pair


def _reason(other: Catalogue, pair: Pair, day: dt.date) -> str:
    """Say why the other catalogue does not let a receiver have what it got."""
    ref, receiver = pair
    flow = other.flow(ref)
    if flow is None:
        return "no such flow"
    standing = flow.standing(day)
    if standing is not Standing.PERMITTED:
        return str(standing)
    if any(receiver in leg.receivers for leg in flow.legs):
        return "sender or message type differs"
    return f"{receiver} is no receiver of it"


def other_persons(now: Catalogue, other: Catalogue) -> list[str]:
    """Name the flows whose rule about persons differs; the ledger cannot tell what that does."""
    return [
        flow.ref
        for flow in now.flows
        if (theirs := other.flow(flow.ref)) is not None and theirs.whose.rule != flow.whose.rule
    ]


def as_json(groups: dict[Kinship, Group]) -> list[dict[str, Any]]:
    """Give the groups as objects for a program."""
    return [
        {
            "becomes": str(kin.becomes),
            "sender": kin.sender,
            "message_type": kin.message_type,
            "flow": kin.flow,
            "receiver": kin.receiver,
            "reason": kin.reason,
            "count": group.count,
            "first_day": group.first.isoformat(),
            "last_day": group.last.isoformat(),
            "examples": group.examples,
        }
        for kin, group in groups.items()
    ]
