"""The forbidden attempts of the demo: each made as the system's own broker user.

They go over a plain AMQP connection, as somebody would who has the system's password and no
regard for the hub's client.
"""

from dataclasses import dataclass

import pika
import pydantic_core
from pika.exceptions import AMQPError, ChannelClosedByBroker, NackError, UnroutableError

from adapters.simulation.kit import BROKER, Misdeed
from hub.broker.parameters import LinkSettings, parameters
from hub.errors import LinkLost
from hub.ledger.model import Kind
from hub.ledger.store import DatabaseLedger
from hub.message import CONTENT_TYPE, MessageKey
from hub.ports import Sent

_REFUSALS = frozenset({403, 406})
"""What RabbitMQ closes a channel with: no right to it, or another user's name."""
_PERSISTENT = 2


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
        LinkLost: the broker cannot be reached, or the connection ended for another reason.
    """
    try:
        _try_once(parameters(settings), misdeed)
    except ChannelClosedByBroker as closed:
        if closed.reply_code in _REFUSALS:
            return Outcome(misdeed, BROKER)
        raise LinkLost(f"{misdeed.name}: {closed.reply_text}") from closed
    except UnroutableError:
        return Outcome(misdeed, Sent.UNROUTABLE)
    except NackError:
        return Outcome(misdeed, Sent.REFUSED)
    except (AMQPError, OSError) as error:
        raise LinkLost(f"{misdeed.name}: {type(error).__name__}") from error
    return Outcome(misdeed)


def _try_once(where: pika.ConnectionParameters, misdeed: Misdeed) -> None:
    connection = pika.BlockingConnection(where)
    try:
        _publish(connection, misdeed)
    except Exception:
        connection.close()
        raise
    # A signal leaves it as it is: pika cannot close what it was in the middle of opening.
    connection.close()


def _publish(connection: pika.BlockingConnection, misdeed: Misdeed) -> None:
    channel = connection.channel()
    channel.confirm_delivery()
    properties = pika.BasicProperties(
        content_type=CONTENT_TYPE,
        delivery_mode=_PERSISTENT,
        message_id=misdeed.event["id"],
        type=misdeed.event["type"],
        user_id=misdeed.signed_as or misdeed.as_system,
        headers={"CC": list(misdeed.copies)} if misdeed.copies else None,
    )
    body = pydantic_core.to_json(misdeed.event)
    channel.basic_publish(misdeed.exchange, misdeed.routing_key, body, properties, mandatory=True)


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
