"""Tells the hub what became of the messages for the system: the second side of the 授受簿."""

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hub.edge.journal import Journal, Taken
from hub.edge.observe import EdgeObserver
from hub.message import (
    MARKED,
    NOTICE_TYPE,
    RECEIPT_TYPE,
    RECEIPTS_AT_ONCE,
    Receipt,
    Receipts,
    encode_event,
    partition_of,
)
from hub.names import inbound_exchange
from hub.ports import Link, Outgoing, Sent
from hub.site import AccessSite


@dataclass(frozen=True, slots=True)
class Receipting:
    """Sends the receipts of one system."""

    system: str
    access: AccessSite
    journal: Journal
    observe: EdgeObserver
    now: Callable[[], dt.datetime]

    def send(self, link: Link, taken: Sequence[Taken]) -> bool:
        """Send receipts; false where the hub does not take all of them at the moment.

        Raises:
            LinkLost: the link is gone.
            EdgeError: the journal cannot be used.
        """
        owed = [message for message in taken if message.key.flow != NOTICE_TYPE]
        chunks = [
            owed[start : start + RECEIPTS_AT_ONCE]
            for start in range(0, len(owed), RECEIPTS_AT_ONCE)
        ]
        fates = link.publish([self._event(chunk) for chunk in chunks])
        sent = [
            message
            for chunk, fate in zip(chunks, fates, strict=True)
            if fate is Sent.CONFIRMED
            for message in chunk
        ]
        if sent:
            self.journal.receipted(message.key for message in sent)
            self.observe.receipts_sent(len(sent))
        if len(sent) < len(owed):
            self.observe.held_back(len(owed) - len(sent))
        return len(sent) == len(owed)

    def _event(self, taken: Sequence[Taken]) -> Outgoing:
        # A new id each time: the receipts inside are known to the hub by what they are about.
        event_id = f"receipts-{uuid.uuid4().hex}"
        body = encode_event(
            message_id=event_id,
            system=self.system,
            message_type=RECEIPT_TYPE,
            time=self.now(),
            data=Receipts(receipts=list(map(_receipt, taken))).model_dump(),
            access=self.access.items(),
        )
        return Outgoing(
            exchange=inbound_exchange(self.system),
            routing_key=RECEIPT_TYPE,
            body=body,
            message_id=event_id,
            message_type=RECEIPT_TYPE,
            partition=partition_of(event_id),
        )


def _receipt(taken: Taken) -> Receipt:
    sender, message_id, flow = taken.key
    result = "delivered" if taken.code in {"", MARKED} else "set-aside"
    return Receipt(sender=sender, id=message_id, flow=flow, result=result, code=taken.code)
