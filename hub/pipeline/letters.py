"""Copies that their receiver set aside for its encoding lacks characters of them.

Such a copy stands on the confirmation list with an order in place of a body: where it is released,
the order goes into the receiver's queue, and the receiver's adapter writes the copy with marks.
"""

import datetime as dt
from typing import Self

from pydantic import BaseModel, ConfigDict

from hub.ledger.beside import Aside
from hub.ledger.vault import Vault
from hub.message import (
    RELEASE_TYPE,
    UNENCODABLE,
    MessageKey,
    ReleaseOrder,
    encode_release,
    partition_of,
    source_of,
)
from hub.names import OUT_EXCHANGE
from hub.ports import Outgoing
from hub.site import HUB_USER


class Letter(BaseModel):
    """An order to a receiver about one copy."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    receiver: str
    order: ReleaseOrder

    @property
    def key(self) -> MessageKey:
        """Name the message."""
        return MessageKey(self.order.sender, self.order.id)

    @property
    def pair(self) -> tuple[str, str]:
        """Flow and receiver."""
        return (self.order.flow, self.receiver)

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Read what ``aside`` put on the list."""
        return cls.model_validate_json(body)

    def aside(self, place: int, resident: str, at: dt.datetime, vault: Vault) -> Aside:
        """Put it on the confirmation list; ``place`` is that of the receipt's entry."""
        body = self.model_dump_json().encode()
        return Aside(
            place,
            self.key,
            RELEASE_TYPE,
            resident,
            UNENCODABLE,
            partition_of(self.order.id),
            at,
            lambda row: vault.seal(row, body),
        )

    def outgoing(self, number: int, at: dt.datetime) -> Outgoing:
        """Make the order of the confirmation of this number; a second one changes nothing."""
        name = f"release-{number}"
        return Outgoing(
            exchange=OUT_EXCHANGE,
            routing_key=self.receiver,
            body=encode_release(name, self.order, source_of(HUB_USER), at),
            message_id=name,
            message_type=RELEASE_TYPE,
        )
