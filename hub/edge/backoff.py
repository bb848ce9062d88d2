"""How long to wait before something is tried again."""

import random

FIRST_SECONDS = 0.1
MOST_SECONDS = 30.0


class Backoff:
    """Waits that double from ``FIRST_SECONDS`` to ``MOST_SECONDS``, each with some jitter."""

    def __init__(self) -> None:
        self._seconds = FIRST_SECONDS

    def next(self) -> float:
        """Give the next wait in seconds."""
        seconds = self._seconds
        self._seconds = min(seconds * 2, MOST_SECONDS)
        return seconds * random.uniform(0.75, 1.0)  # noqa: S311 - spreads load, guards nothing

    def reset(self) -> None:
        """Begin with the shortest wait again: it worked."""
        self._seconds = FIRST_SECONDS
