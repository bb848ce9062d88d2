"""A silent broker is given up after 1.5 to 2 heartbeat timeouts, and not because we were away."""

from collections.abc import Callable

import pytest
from pika.exceptions import AMQPHeartbeatTimeout

from hub.broker.heart import Heart

pytestmark = pytest.mark.unit

TIMEOUT = 5


class FakeConnection:
    """Counts bytes and keeps the timers, which ``turn`` fires as the loop of a link does."""

    def __init__(self) -> None:
        self.now = 0.0
        self.bytes_received = self.bytes_sent = 0
        self.timers: dict[int, tuple[float, Callable[[], None]]] = {}
        self.ended: Exception | None = None
        self._numbers = 0

    def turn(self, until: float) -> None:
        """Fire what is due by then, each timer once."""
        self.now = until
        for number, (due, call) in list(self.timers.items()):
            if due <= until and number in self.timers:
                del self.timers[number]
                call()

    def _adapter_call_later(self, delay: float, call: Callable[[], None]) -> int:
        self._numbers += 1
        self.timers[self._numbers] = (self.now + delay, call)
        return self._numbers

    def _adapter_remove_timeout(self, number: int) -> None:
        self.timers.pop(number, None)

    def _send_frame(self, _frame: object) -> None:
        self.bytes_sent += 8

    def _terminate_stream(self, error: Exception) -> None:
        self.ended = error


@pytest.fixture
def connection() -> FakeConnection:
    made = FakeConnection()
    Heart(made, TIMEOUT)
    return made


def test_silence_is_the_end_after_two_timeouts_at_the_latest(connection: FakeConnection) -> None:
    while connection.ended is None and connection.now < 60:
        connection.turn(connection.now + 0.1)
    assert isinstance(connection.ended, AMQPHeartbeatTimeout)
    assert 1.5 * TIMEOUT <= connection.now <= 2 * TIMEOUT + 0.1


def test_a_byte_within_each_timeout_is_enough(connection: FakeConnection) -> None:
    while connection.now < 60:
        connection.turn(connection.now + 0.1)
        if connection.now % TIMEOUT < 0.1:
            connection.bytes_received += 8
    assert connection.ended is None


def test_a_caller_that_was_away_for_long_has_not_lost_it(connection: FakeConnection) -> None:
    for _ in range(20):
        connection.bytes_received += 8  # read before the timers fire
        connection.turn(connection.now + 6 * TIMEOUT)
    assert connection.ended is None


def test_heartbeats_are_sent_twice_in_a_timeout(connection: FakeConnection) -> None:
    for _ in range(100):
        connection.turn(connection.now + 0.1)
        connection.bytes_received += 1
    assert connection.bytes_sent >= 8 * 3
