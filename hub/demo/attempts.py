"""The forbidden attempts of the demo: each made as the system's own broker user."""

from dataclasses import dataclass

import pydantic_core

from adapters.simulation.kit import Misdeed
from hub.broker.link import LinkSettings, PikaLink
from hub.errors import LinkLost
from hub.ledger.model import Kind
from hub.ledger.store import DatabaseLedger
from hub.message import MessageKey
from hub.ports import Outgoing, Sent

BROKER = "broker"
_REFUSED_BY_BROKER = "ACCESS_REFUSED"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt; ``code`` is empty while nobody has refused it."""

    misdeed: Misdeed
    code: str = ""

    @property
    def as_expected(self) -> bool:
        """Say whether it was refused, and for the right reason."""
        return self.code == self.misdeed.expected_code


def attempt(misdeed: Misdeed, settings: LinkSettings) -> Outcome:
    """Publish what must not be; say whether the broker itself refused it.

    What the broker takes, the hub has to refuse: ``settled`` tells, once it has.

    Raises:
        LinkLost: the connection is gone for another reason.
    """
    outgoing = Outgoing(
        exchange=misdeed.exchange,
        routing_key=misdeed.routing_key,
        body=pydantic_core.to_json(misdeed.event),
        message_id=misdeed.event["id"],
        message_type=misdeed.event["type"],
    )
    try:
        with PikaLink(settings) as link:
            (fate,) = link.publish([outgoing])
    except LinkLost as lost:
        if _REFUSED_BY_BROKER in str(lost):
            return Outcome(misdeed, BROKER)
        raise
    return Outcome(misdeed, "" if fate is Sent.CONFIRMED else fate.value)


def settled(outcome: Outcome, ledger: DatabaseLedger) -> Outcome:
    """Look in the ledger for the hub's refusal of an attempt that the broker took."""
    if outcome.code:
        return outcome
    key = MessageKey(outcome.misdeed.as_system, outcome.misdeed.event["id"])
    known = ledger.known([key]).get(key)
    if known is None:
        return outcome
    if known.accepted:
        return Outcome(outcome.misdeed, Kind.ACCEPTANCE)
    return Outcome(outcome.misdeed, next(iter(known.decided.values()), ""))
