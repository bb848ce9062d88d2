"""Which of the newest entries are a process's own: all the others are asked about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.ledger.meanwhile import OWN_RUNS, Own, Run

pytestmark = pytest.mark.unit

APPENDS = st.lists(st.tuples(st.booleans(), st.integers(1, 5)), max_size=OWN_RUNS)
"""Appends one after another: whether it is this process's, and how many entries it has."""


def recorded(appends: list[tuple[bool, int]]) -> tuple[Own, list[bool]]:
    """Let a process see appends; say of each entry whether it is its own."""
    own, whose = Own(), list[bool]()
    for mine, count in appends:
        if mine:
            own.recorded(len(whose) + 1, len(whose) + count)
        whose += [mine] * count
    return own, whose


@given(APPENDS, st.data())
def test_others_are_all_entries_but_its_own(
    appends: list[tuple[bool, int]], data: st.DataObject
) -> None:
    own, whose = recorded(appends)
    after = data.draw(st.integers(0, len(whose)))
    last = data.draw(st.integers(after, len(whose)))
    runs = own.others(after, last)
    assert all(run.first <= run.last for run in runs)
    found = [no for run in runs for no in range(run.first, run.last + 1)]
    assert found == [no for no in range(after + 1, last + 1) if not whose[no - 1]]


def test_nothing_is_asked_of_who_is_alone() -> None:
    own, whose = recorded([(True, 3)] * 100)
    assert own.others(0, len(whose)) == []


def test_runs_that_are_forgotten_count_as_others() -> None:
    own, whose = recorded([(True, 1), (False, 1)] * (OWN_RUNS + 2))
    assert own.others(0, len(whose))[0] == Run(1, 4)
