"""How soon a link sees that its broker says nothing any more, as when it is frozen.

RabbitMQ lets no more than one heartbeat timeout pass without a byte. pika looks every timeout
plus 5 seconds, so that with 5 seconds it sees a silence only after 10 to 20.
"""

from pika.heartbeat import HeartbeatChecker

LOOKS = 2
"""So many looks in one timeout; at each of them what has arrived was read before."""
SILENT_LOOKS = 3
"""So many in a row that saw nothing new are the end: after 1.5 to 2 timeouts."""


class Heart(HeartbeatChecker):  # type: ignore[misc] # pika ships no types
    """Sends heartbeats as pika does, and ends the connection after a silence of two timeouts.

    A caller that did not turn the loop for long does no harm: there is one look at each turn,
    after the bytes that had arrived meanwhile.
    """

    @property
    def connection_is_idle(self) -> bool:
        """Say whether it is the end."""
        return bool(self._idle_byte_intervals >= SILENT_LOOKS)

    def _start_check_timer(self) -> None:
        self._check_interval = self._timeout / LOOKS
        super()._start_check_timer()
