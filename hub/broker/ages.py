"""How old the oldest message of a queue is, worked out from counts; the broker does not say. Pure.

A queue gives out first what came first. Of the ``depth`` messages in it the oldest came when the
running count of all that ever came stood at ``count − depth``. So that count is kept, with its
times, for as long as anybody could wait in vain.
"""

from bisect import bisect_right
from collections import deque

STEP_SECONDS = 1.0
"""Counts closer together than this are kept as one: the age is exact to it."""
KEPT_SECONDS = 3600.0
"""What is older than this is older than this: that is all there is to be told."""


class QueueAges:
    """The counts of some queues; times are of one monotonic clock, in seconds."""

    def __init__(self) -> None:
        self._counted: dict[str, _Counted] = {}
        self._empty: dict[str, float] = {}

    def seen(self, queue: str, now: float, depth: int, count: int | None) -> float:
        """Note how many are there and how many came so far; give the age of the oldest.

        ``count`` may begin anywhere; one that goes back begins anew. It is at the least so old:
        what was there at the first look came before. Without a count the age is the time since
        the queue was last seen empty, which is more where it never empties though it moves. 0
        where nothing is there.
        """
        since = self._empty.setdefault(queue, now)
        if depth <= 0:
            self._empty[queue] = now
        if count is not None:
            # Of two times before which it cannot have come, the later: not all that comes into a
            # queue may be counted, and it came after the queue was last seen empty.
            counted = self._counted.setdefault(queue, _Counted()).seen(now, depth, count)
            since = max(since, counted)
        return max(0.0, now - since) if depth > 0 else 0.0


class _Counted:
    """The counts of one queue: by ``_times[i]`` so many as ``_counts[i]`` had come."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()
        self._counts: deque[int] = deque()

    def seen(self, now: float, depth: int, count: int) -> float:
        """Give the time by which the oldest of ``depth`` had come."""
        self._note(now, count)
        place = bisect_right(self._counts, count - max(depth, 1))
        return self._times[min(place, len(self._times) - 1)]

    def _note(self, now: float, count: int) -> None:
        times, counts = self._times, self._counts
        if counts and count < counts[-1]:
            times.clear()
            counts.clear()
        if counts and count == counts[-1]:
            return
        if len(times) > 1 and now - times[-2] < STEP_SECONDS:
            times[-1], counts[-1] = now, count
        else:
            times.append(now)
            counts.append(count)
        while len(times) > 1 and now - times[1] > KEPT_SECONDS:
            times.popleft()
            counts.popleft()
