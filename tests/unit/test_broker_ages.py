"""Ages of queues: against a queue that remembers when each message came."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.broker.ages import KEPT_SECONDS, STEP_SECONDS, QueueAges

pytestmark = pytest.mark.unit


@given(
    st.integers(0, 10_000),
    st.lists(st.tuples(st.floats(0.1, 30), st.integers(0, 40), st.integers(0, 40)), min_size=1),
)
def test_an_age_is_at_the_least_so_old_and_at_the_most_a_step_less(
    begin: int, turns: list[tuple[float, int, int]]
) -> None:
    ages, queue, now, count = QueueAges(), deque[float](), 0.0, begin
    longest = 0.0
    ages.seen("out.union", now, 0, count)
    for pause, came, went in turns:
        now += pause
        longest = max(longest, pause)
        for _ in range(came):
            queue.append(now)
        for _ in range(min(went, len(queue))):
            queue.popleft()
        count += came
        told = ages.seen("out.union", now, len(queue), count)
        true = now - queue[0] if queue else 0.0
        assert told <= true + 1e-6
        assert told >= min(true - STEP_SECONDS - longest, KEPT_SECONDS)


def test_what_was_there_before_the_first_look_is_as_old_as_that_look() -> None:
    ages = QueueAges()
    assert ages.seen("q", 100.0, 5, 70) == 0
    assert ages.seen("q", 160.0, 5, 70) == 60
    # Two of the five went; three of the old ones and four new ones are there.
    assert ages.seen("q", 200.0, 7, 74) == 100
    # Now only new ones are there.
    assert ages.seen("q", 230.0, 4, 74) == 30


def test_a_count_that_goes_back_begins_anew() -> None:
    ages = QueueAges()
    ages.seen("q", 0.0, 5, 70)
    assert ages.seen("q", 50.0, 5, 3) == 0
    assert ages.seen("q", 60.0, 5, 3) == 10


def test_without_a_count_it_is_the_time_since_the_queue_was_empty() -> None:
    ages = QueueAges()
    assert ages.seen("q", 0.0, 3, None) == 0
    assert ages.seen("q", 10.0, 1, None) == 10
    assert ages.seen("q", 20.0, 0, None) == 0
    assert ages.seen("q", 35.0, 2, None) == 15


def test_queues_are_apart_and_memory_is_bounded() -> None:
    ages = QueueAges()
    for second in range(8000):
        ages.seen("a", float(second), 1, second + 1)
        ages.seen("b", second / 100, 1, second + 1)
    assert ages.seen("a", 8000.0, 7000, 8001) == pytest.approx(KEPT_SECONDS, abs=2)
    assert len(ages._counted["a"]._times) <= KEPT_SECONDS + 2
    assert len(ages._counted["b"]._times) <= 90
