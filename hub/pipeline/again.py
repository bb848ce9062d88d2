"""Messages that staff released: how they come back into the queue of their resident, in order.

The hub publishes a marker, a number and nothing else, into the partition that has all of the
resident's messages. Whoever consumes that partition takes the message from the confirmation
list when it comes upon the marker. So it has its place among the others, also with several
workers; a marker too many finds the message gone and changes nothing.
"""

import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from hub.errors import LedgerError
from hub.ledger.beside import GOING, Shelf, Shelved
from hub.ledger.vault import Vault
from hub.message import NUMBER_HEADER, bucket_of
from hub.names import DEAD_QUEUE, PARTITIONS_EXCHANGE, partition_queue
from hub.pipeline.verdict import Again
from hub.ports import Delivery, Outgoing
from hub.record import record
from hub.site import HUB_USER

log = logging.getLogger(__name__)

RELEASED_TYPE = "hub.released"
"""The routing key of a marker."""
_MOST_DIGITS = 18
_DIGEST = re.compile(r"[0-9a-f]{32}")


@record
class Case:
    """A delivery to judge, as its sender sent it; ``again`` where it was on the list.

    ``marker`` is the delivery that brought it from there. ``tried`` are the receivers whose copies
    this process tried in vain.
    """

    delivery: Delivery
    again: Again | None = None
    tried: frozenset[str] = frozenset()
    marker: Delivery | None = None

    @property
    def taken(self) -> Delivery:
        """Give the delivery as it was taken: what is acknowledged, or waits."""
        return self.marker or self.delivery


def marker(number: int, bucket: str) -> Outgoing:
    """Make the marker of a released message; ``bucket`` as its row says, also an older one's."""
    return Outgoing(
        exchange=PARTITIONS_EXCHANGE,
        routing_key=RELEASED_TYPE,
        body=b"%d" % number,
        message_id=f"released-{number}",
        message_type=RELEASED_TYPE,
        order_key=f"released {bucket_of(bucket)}",
        partition=bucket_of(bucket),
    )


def queue_of(bucket: str, partitions: int) -> str:
    """Name the queue that a marker for this bucket gets into, of so many partitions.

    As the broker's bindings lead it (``hub.broker.plan``): what is in no bucket goes to the first.

    >>> [queue_of(bucket, 4) for bucket in ("6", "4091", "")]
    ['hub.in.2', 'hub.in.3', 'hub.in.0']
    """
    today = bucket_of(bucket)
    return partition_queue(int(today) % partitions if today.isdecimal() else 0)


def marked(delivery: Delivery) -> int | None:
    """Give the number that a marker names; none where it is no marker of the hub's own."""
    if delivery.user_id != HUB_USER or delivery.routing_key != RELEASED_TYPE:
        return None
    is_number = delivery.body.isdigit() and len(delivery.body) <= _MOST_DIGITS
    return int(delivery.body) if is_number else None


def cases_of(
    batch: Sequence[Delivery],
    found: Mapping[int, Shelved],
    overtaken: frozenset[int],
    vault: Vault,
) -> Iterator[Case | None]:
    """Give what each delivery asks to be judged; nothing for a marker that has no effect.

    ``found`` are the rows of the markers in the batch, ``overtaken`` those that are not the
    newest any more.
    """
    done: set[int] = set()
    for delivery in batch:
        number = marked(delivery)
        if number is None:
            yield Case(delivery)
            continue
        row = found.get(number)
        if row is None or row.state not in GOING or number in done:
            yield None
            continue
        done.add(number)
        again = again_of(row, is_overtaken=number in overtaken)
        # One that died ends what it was to move; it must not be tried as if nothing had been.
        is_dead = delivery.queue == DEAD_QUEUE
        yield Case(delivery, again) if is_dead else _released(delivery, row, again, vault)


def again_of(row: Shelved, *, is_overtaken: bool = False) -> Again:
    """Give what is known of a message that staff released."""
    return Again(
        id=row.id,
        is_overtaken=is_overtaken,
        is_dead=row.shelf is Shelf.DEAD_LETTER,
        state=row.state,
        age=row.age,
        resident=row.resident,
        bucket=row.bucket,
        pair=(row.flow, row.receiver),
        number=_number_in(row),
    )


def _number_in(row: Shelved) -> str:
    """Give the digest that came back with a dead copy; the broker's administrator may write any."""
    if row.cause is None or not row.cause.history:
        return ""
    said = json.loads(row.cause.history).get(NUMBER_HEADER, "")
    return said if isinstance(said, str) and _DIGEST.fullmatch(said) else ""


def _released(delivery: Delivery, row: Shelved, again: Again, vault: Vault) -> Case | None:
    try:
        body = vault.open(row.id, row.sealed)
    except LedgerError as error:
        # It could be read when it was released. It stays on the list, and holds up nobody.
        log.error("a released message cannot move: %s", error)  # noqa: TRY400 - the text says all
        return None
    as_sent = replace(
        delivery,
        routing_key=row.message_type,
        user_id=row.key.sender,
        body=body,
        redelivered=False,
        copied=False,
    )
    return Case(as_sent, again, marker=delivery)
