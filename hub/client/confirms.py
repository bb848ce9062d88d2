"""Which of the messages sent on a channel the broker has confirmed, by their own tags.

py-amqp's own ``confirm_publish`` takes any confirm for the one it waits for, also a late one
of an earlier message. Here each confirm counts for its own message only.
"""

from typing import Any

from hub.client.events import Wire
from hub.client.session import Session, broker_errors
from hub.client.untyped import Producer
from hub.message import CONTENT_TYPE, PARTITION_HEADER
from hub.names import inbound_exchange


class Confirms:
    """Publishes on a session's channel and keeps account of the answers."""

    def __init__(self, session: Session, system: str, write_seconds: float) -> None:
        """Put the channel in confirm mode.

        Raises:
            LinkLost: the broker did not answer.
        """
        self._session = session
        self._system = system
        self._write_seconds = write_seconds
        self._tag = 0
        self._waiting: dict[int, Wire] = {}
        self._returned: set[str] = set()
        self._heard = False
        self.confirmed: set[str] = set()
        self.nacked: set[str] = set()
        self.unroutable: set[str] = set()
        channel = session.channel
        with broker_errors("ask for confirms"):
            channel.confirm_select()
        channel.events["basic_ack"].add(self._on_ack)
        channel.events["basic_nack"].add(self._on_nack)
        self._producer = Producer(channel, auto_declare=False, on_return=self._on_return)

    @property
    def settled(self) -> bool:
        """Say whether the broker has answered for every message."""
        return not self._waiting

    @property
    def is_doubtful(self) -> bool:
        """Say whether nothing was answered on this channel so far, and another node might."""
        return not self._heard and self._session.of_several

    @property
    def open(self) -> set[str]:
        """Give the ids of the messages without an answer."""
        return {wire.event.message_id for wire in self._waiting.values()}

    def begin(self) -> None:
        """Forget the answers of the round before."""
        self.confirmed, self.nacked, self.unroutable = set(), set(), set()

    def send(self, wire: Wire) -> None:
        """Publish persistent and mandatory, without waiting for the confirm.

        Raises:
            LinkLost, Refused: as ``Session.wait`` says.
        """
        event = wire.event
        self._tag += 1
        # Entered first: a message whose writing fails half-way may have arrived.
        self._waiting[self._tag] = wire
        with broker_errors("publish"):
            self._producer.publish(
                wire.body,
                exchange=inbound_exchange(self._system),
                routing_key=event.message_type,
                mandatory=True,
                delivery_mode="persistent",
                content_type=CONTENT_TYPE,
                content_encoding="utf-8",
                headers={PARTITION_HEADER: wire.partition},
                timeout=self._write_seconds,
                message_id=event.message_id,
                type=event.message_type,
                user_id=self._system,
            )

    def wait(self, seconds: float) -> None:
        """Let the broker answer, at most so long."""
        self._session.wait(seconds)

    def _on_ack(self, tag: int, multiple: bool) -> None:  # noqa: FBT001 - py-amqp's signature
        for wire in self._settle(tag, multiple=multiple):
            message_id = wire.event.message_id
            # The broker returns a message before it confirms it.
            if message_id in self._returned:
                self._returned.discard(message_id)
                self.unroutable.add(message_id)
            else:
                self.confirmed.add(message_id)

    def _on_nack(self, tag: int, multiple: bool) -> None:  # noqa: FBT001 - py-amqp's signature
        self.nacked |= {wire.event.message_id for wire in self._settle(tag, multiple=multiple)}

    def _on_return(self, _error: object, _exchange: str, _key: str, message: Any) -> None:  # noqa: ANN401 - py-amqp has no types
        self._returned.add(message.properties["message_id"])

    def _settle(self, tag: int, *, multiple: bool) -> list[Wire]:
        self._heard = True
        tags = [at for at in self._waiting if at <= tag] if multiple else [tag]
        return [self._waiting.pop(at) for at in tags]
