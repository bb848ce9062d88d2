"""The messages of one ``publish`` call: which may go now, and what became of each.

Of the messages with one order key, each waits for the confirm of the one before it; the rest
go on meanwhile. Nothing here knows a connection.
"""

from collections import deque
from collections.abc import Sequence

from hub.ports import Outgoing, Sent


class Window:
    """Keeps one ``publish`` call's messages; ``ready`` are the indexes that may be sent now."""

    def __init__(self, messages: Sequence[Outgoing]) -> None:
        self.ready: deque[int] = deque()
        self.in_flight: dict[int, int] = {}  # delivery tag → index; tags ascend
        self.messages = messages
        self._fates: list[Sent | None] = [None] * len(messages)
        self._open = len(messages)
        self._follower: dict[int, int] = {}  # index → the next one with its order key
        self._returned: set[int] = set()
        latest: dict[str, int] = {}
        for index, message in enumerate(messages):
            key = message.order_key
            if key and key in latest:
                self._follower[latest[key]] = index
            else:
                self.ready.append(index)
            if key:
                latest[key] = index

    @property
    def open(self) -> int:
        """How many messages have no fate yet."""
        return self._open

    def fates(self) -> list[Sent]:
        """Give each message's fate, in the order of the call; only once none is open."""
        known = [fate for fate in self._fates if fate is not None]
        if len(known) != len(self._fates):
            raise RuntimeError("a message without a fate")
        return known

    def sent(self, tag: int, index: int) -> None:
        """Note that a message went out under this delivery tag."""
        self.in_flight[tag] = index

    def returned(self, exchange: str, routing_key: str, message_id: str | None) -> bool:
        """Note a message that no queue took, if it is one of these; its confirm follows."""
        for index in self.in_flight.values():
            message = self.messages[index]
            if (
                message.message_id == message_id
                and message.routing_key == routing_key
                and message.exchange == exchange
                and index not in self._returned
            ):
                self._returned.add(index)
                return True
        return False

    def settle(self, tag: int, *, multiple: bool, confirmed: bool) -> None:
        """Note the broker's word on one message, or on all up to it; they may be others'."""
        if not multiple:
            if tag in self.in_flight:
                self._settle_one(tag, confirmed=confirmed)
            return
        settled = []
        for sent in self.in_flight:
            if sent > tag:
                break
            settled.append(sent)
        for sent in settled:
            self._settle_one(sent, confirmed=confirmed)

    def _settle_one(self, tag: int, *, confirmed: bool) -> None:
        index = self.in_flight.pop(tag)
        if not confirmed:
            self._close(index, Sent.REFUSED)
        elif index in self._returned:
            self._close(index, Sent.UNROUTABLE)
        else:
            self._close(index, Sent.CONFIRMED)

    def _close(self, index: int, fate: Sent) -> None:
        self._fates[index] = fate
        self._open -= 1
        follower = self._follower.pop(index, None)
        if follower is None:
            return
        if fate is Sent.CONFIRMED:
            self.ready.append(follower)
            return
        while follower is not None:
            self._fates[follower] = Sent.WITHHELD
            self._open -= 1
            follower = self._follower.pop(follower, None)
