"""Pauses before the broker is tried again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.pauses import FIRST_SECONDS, LONGEST_SECONDS, pause

pytestmark = pytest.mark.unit


def test_the_longest_pause_doubles_up_to_the_cap() -> None:
    longest = [pause(failures, lambda: 1.0) for failures in (1, 2, 3, 4, 5, 10**6)]
    assert longest == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]


@given(failures=st.integers(min_value=1), chance=st.floats(min_value=0.0, max_value=1.0))
def test_a_pause_is_drawn_from_nothing_to_the_longest(failures: int, chance: float) -> None:
    assert pause(failures, lambda: 0.0) == 0.0
    assert 0.0 <= pause(failures, lambda: chance) <= LONGEST_SECONDS
    assert pause(1, lambda: chance) <= FIRST_SECONDS
