"""The circuit breaker: opens after failures in a row, and closes by one probe that works."""

import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.breaker import Breaker, BreakerLimits, BreakerState

pytestmark = pytest.mark.unit

LIMITS = BreakerLimits(failures=3, first_seconds=2.0, longest_seconds=5.0)


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def uncut() -> float:
    return 0.0


def opened(clock: Clock, chance: Callable[[], float] = uncut) -> Breaker:
    breaker = Breaker(LIMITS, clock, chance)
    for _ in range(LIMITS.failures):
        assert breaker.may_try()
        breaker.failed()
    return breaker


def test_it_opens_after_failures_in_a_row_only() -> None:
    breaker = Breaker(LIMITS, Clock())
    for fails in (True, True, False, True, True):
        assert breaker.may_try()
        if fails:
            breaker.failed()
        else:
            breaker.worked()
    assert breaker.state is BreakerState.CLOSED
    breaker.failed()
    assert breaker.state is BreakerState.OPEN
    assert not breaker.may_try()


def test_after_the_pause_one_probe_is_let_through() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 1.9
    assert not breaker.may_try()
    assert breaker.seconds_left() == pytest.approx(0.1)
    clock.now += 0.2
    assert [breaker.may_try() for _ in range(3)] == [True, False, False]
    breaker.worked()
    assert breaker.state is BreakerState.CLOSED
    assert breaker.may_try()


def test_the_pause_doubles_up_to_the_longest_and_begins_anew() -> None:
    clock = Clock()
    breaker = opened(clock)
    pauses = []
    for _ in range(4):
        pauses.append(breaker.seconds_left())
        clock.now += breaker.seconds_left()
        assert breaker.may_try()
        breaker.failed()
    assert pauses == [2.0, 4.0, 5.0, 5.0]
    clock.now += breaker.seconds_left()
    assert breaker.may_try()
    breaker.worked()
    for _ in range(LIMITS.failures):
        breaker.failed()
    assert breaker.seconds_left() == LIMITS.first_seconds


def test_a_pause_is_cut_by_up_to_a_half() -> None:
    assert opened(Clock(), lambda: 0.5).seconds_left() == pytest.approx(1.5)
    assert opened(Clock(), lambda: 1.0).seconds_left() == pytest.approx(1.0)


def test_those_who_lost_the_same_thing_come_back_at_different_times() -> None:
    drawn = random.Random(4).random  # noqa: S311 - nothing secret
    left = {round(opened(Clock(), drawn).seconds_left(), 2) for _ in range(100)}
    assert len(left) > 50


def test_an_abandoned_probe_leaves_the_next_one_free() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += LIMITS.first_seconds
    assert breaker.may_try()
    breaker.abandoned()
    assert breaker.may_try()


def test_a_failure_from_before_it_opened_does_not_lengthen_the_pause() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 1.0
    breaker.failed()
    assert breaker.seconds_left() == pytest.approx(1.0)


def test_a_late_failure_after_the_pause_says_that_it_is_not_well_yet() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += LIMITS.first_seconds
    breaker.failed()
    assert breaker.state is BreakerState.OPEN
    assert breaker.seconds_left() == pytest.approx(2 * LIMITS.first_seconds)


_STEPS = st.lists(
    st.one_of(
        st.sampled_from(["worked", "failed", "abandoned"]), st.floats(min_value=0.0, max_value=6.0)
    ),
    max_size=60,
)


@given(steps=_STEPS)
def test_never_two_probes_and_never_open_for_ever(steps: list[str | float]) -> None:
    clock = Clock()
    breaker = Breaker(LIMITS, clock)
    trying = 0
    row = 0
    for step in steps:
        if isinstance(step, float):
            clock.now += step
            continue
        was = breaker.state
        if not breaker.may_try():
            assert was is not BreakerState.CLOSED
            continue
        trying = trying + 1 if was is BreakerState.HALF_OPEN else 0
        assert trying <= 1
        assert not (was is BreakerState.HALF_OPEN and breaker.may_try())
        getattr(breaker, step)()
        trying = 0
        row = row + 1 if step == "failed" else (0 if step == "worked" else row)
        if step == "worked":
            assert breaker.state is BreakerState.CLOSED
        if was is BreakerState.CLOSED:
            assert (breaker.state is BreakerState.CLOSED) == (row < LIMITS.failures)
        assert breaker.seconds_left() <= LIMITS.longest_seconds
    clock.now += LIMITS.longest_seconds
    assert breaker.may_try()
