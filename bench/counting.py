"""Counts what arrives in a queue that another program fills, without waiting for statistics."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pika

from bench.stand import VHOST, Stand

PASSIVE_SECONDS = 0.01


class Arrivals:
    """Looks at a queue's depth by AMQP until it has everything."""

    def __init__(self, stand: Stand, queue: str, count: int) -> None:
        self._stand, self._queue, self._count = stand, queue, count
        self._all_there = threading.Event()
        self._at = 0.0

    def look(self) -> None:
        """Declare the queue passively, again and again: its answer has the true depth."""
        place = self._stand.broker
        credentials = pika.PlainCredentials(
            place.admin_user, place.admin_password.get_secret_value()
        )
        parameters = pika.ConnectionParameters(place.host, place.port, VHOST, credentials)
        with pika.BlockingConnection(parameters) as connection:
            channel = connection.channel()
            while not self._all_there.is_set():
                found = channel.queue_declare(self._queue, passive=True).method.message_count
                if found >= self._count:
                    self._at = time.perf_counter()
                    self._all_there.set()
                time.sleep(PASSIVE_SECONDS)

    def wait(self, seconds: float) -> float:
        """Wait until all is there, and give when it was (``time.perf_counter``)."""
        if not self._all_there.wait(seconds):
            raise RuntimeError(f"{self._queue} did not fill in {seconds:g} s")
        return self._at

    def end(self) -> None:
        """Stop looking."""
        self._all_there.set()


@contextmanager
def arrivals(stand: Stand, queue: str, count: int) -> Iterator[Arrivals]:
    """Look at a queue in a thread meanwhile."""
    seen = Arrivals(stand, queue, count)
    thread = threading.Thread(target=seen.look)
    thread.start()
    try:
        yield seen
    finally:
        seen.end()
        thread.join()
