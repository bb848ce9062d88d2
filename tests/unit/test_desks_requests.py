"""What two persons decide is judged twice, is about what the second one saw, and is by two."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import event as hooks

from hub.desks.dead_letters import DeadLetters
from hub.errors import LedgerError, QuestionError
from hub.ledger.asides import Wanted
from hub.ledger.beside import Shelf, State
from tests.confirmations_rig import UNION, changed, drain, ids, row
from tests.dead_letters_rig import (
    CLERK,
    OTHER_CLERK,
    died,
    letters,
    numbers,
    on_list,
    without,
)
from tests.samples import judge
from tests.worker_rig import Rig

pytestmark = pytest.mark.unit


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path, judge=judge())


def overtake(rig: Rig) -> None:
    drain(rig, changed("b1", addressee_number="1"))


def end_flow(rig: Rig) -> None:
    rig.judge = without("M1b")


LOST: list[Callable[[Rig], None]] = [overtake, end_flow]


def three(rig: Rig) -> list[int]:
    drain(rig, *(changed(f"a{n}", addressee_number=f"{n}") for n in (1, 2, 3)))
    return died(rig, UNION)


def is_as_it_was(rig: Rig, number: int, state: State) -> bool:
    drain(rig)
    one = row(rig, number)
    return one.state == state.value and one.body is not None


@pytest.mark.parametrize("lose", LOST)
def test_a_replay_is_judged_again_when_it_is_approved(
    rig: Rig, lose: Callable[[Rig], None]
) -> None:
    number, *_ = three(rig)
    with letters(rig, by_two=True) as at:
        request = at.replay(number, CLERK)
    lose(rig)
    with letters(rig, by_two=True) as at, pytest.raises(LedgerError, match="rules") as refused:
        at.approve(request, OTHER_CLERK)
    assert f"decline {request}, then renkei dead-letters discard {number}" in str(refused.value)
    assert is_as_it_was(rig, number, State.REQUESTED)
    with letters(rig, by_two=True) as at:
        assert at.decline(request, OTHER_CLERK) == 1
    assert is_as_it_was(rig, number, State.OPEN)


@pytest.mark.parametrize("lose", LOST)
def test_a_replay_is_judged_when_one_ticked_box_asks_for_it(
    rig: Rig, lose: Callable[[Rig], None]
) -> None:
    number, *_ = three(rig)
    lose(rig)
    with letters(rig) as at, pytest.raises(LedgerError, match=r"rules.*discard"):
        at.request([at.open_row(number)[0]], CLERK, State.RELEASED)
    assert is_as_it_was(rig, number, State.OPEN)


@pytest.mark.parametrize("is_asked", [False, True])
def test_of_several_those_are_named_that_would_be_lost_and_the_others_can_go(
    rig: Rig, *, is_asked: bool
) -> None:
    found = three(rig)
    with letters(rig) as at:
        request = at.request(on_list(rig), CLERK, State.RELEASED) if is_asked else 0
    overtake(rig)
    with letters(rig) as at:
        ask = partial(at.request, on_list(rig), CLERK, State.RELEASED)
        approve = partial(at.approve, request, OTHER_CLERK)
        with pytest.raises(LedgerError, match="1 of these 3") as refused:
            (approve if is_asked else ask)()
        assert f"decided: {found[0]}: " in str(refused.value)
        assert "--movable" in str(refused.value)
        assert (f"decline {request}, then" in str(refused.value)) is is_asked
        if is_asked:
            at.decline(request, CLERK)
        moving = at.movable(at.chosen(Wanted(Shelf.DEAD_LETTER)))
        again = at.request(moving, CLERK, State.RELEASED)
        assert at.approve(again, OTHER_CLERK) == (2, State.RELEASED)
    drain(rig)
    assert numbers(rig, State.MOVED) == found[1:]
    assert is_as_it_was(rig, found[0], State.OPEN)


def test_what_is_to_be_discarded_is_not_judged(rig: Rig) -> None:
    found = three(rig)
    overtake(rig)
    end_flow(rig)
    with letters(rig) as at:
        request = at.request(on_list(rig), CLERK, State.DISCARDED)
        assert at.approve(request, OTHER_CLERK) == (3, State.DISCARDED)
    assert numbers(rig, State.DISCARDED) == found


def questions(at: DeadLetters, most: int) -> int:
    """Count the questions to the database for seeing what may move of so many."""
    asked: list[str] = []
    rows = at.chosen(Wanted(Shelf.DEAD_LETTER))[:most]

    def hear(*said: object) -> None:
        asked.append(str(said[2]))

    hooks.listen(at.ledger.engine, "before_cursor_execute", hear)
    assert len(at.movable(rows)) == len(rows)
    hooks.remove(at.ledger.engine, "before_cursor_execute", hear)
    return len(asked)


def test_many_are_looked_at_together_and_lists_have_no_bodies(rig: Rig) -> None:
    drain(rig, *(changed(f"a{n}", addressee_number=f"{n + 1}") for n in range(40)))
    died(rig, UNION)
    with letters(rig) as at:
        questions(at, 1)  # what is asked once for all
        assert questions(at, 40) == questions(at, 2)
        request = at.request(at.chosen(Wanted(Shelf.DEAD_LETTER)), CLERK, State.RELEASED)
        rows, _ = at.requested(request)
        assert not any(one.sealed for one in rows)
        assert at.row(rows[0].id)[0].sealed
        assert len(at.requested(request, 3)[0]) == 3
        assert at.count(request) == 40


@pytest.mark.parametrize("is_approved", [True, False])
def test_a_decision_about_a_request_that_was_taken_back_is_not_about_the_next(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, *, is_approved: bool
) -> None:
    three(rig)
    with letters(rig) as at:
        first = at.request(on_list(rig), CLERK, State.DISCARDED)
        seen = at.requested(first)  # and then, before it is decided about:
        at.decline(first, CLERK)
        second = at.request(on_list(rig), OTHER_CLERK, State.DISCARDED)
        with monkeypatch.context() as patched:
            patched.setattr(DeadLetters, "requested", lambda *_: seen)
            decide = at.approve if is_approved else at.decline
            with pytest.raises(LedgerError, match="meanwhile"):
                decide(first, OTHER_CLERK)
        assert len(at.requested(second)[0]) == 3
    assert ids(rig, UNION) == []


@pytest.mark.parametrize("nobody", ["", "  ", "\u3000", "\u200b", "\ufe0f"])
def test_nobody_is_no_person(rig: Rig, nobody: str) -> None:
    three(rig)
    unnamed = CLERK._replace(staff=nobody)
    with letters(rig) as at:
        with pytest.raises(QuestionError, match="name"):
            at.request(on_list(rig), unnamed, State.DISCARDED)
        request = at.request(on_list(rig), CLERK, State.DISCARDED)
        for decide in (at.approve, at.decline):
            with pytest.raises(QuestionError, match="name"):
                decide(request, unnamed)
        assert at.count(request) == 3


@pytest.mark.parametrize("number", [0, -1, 2**63, 10**20])
def test_a_number_that_none_can_have_is_one_that_is_not_there(rig: Rig, number: int) -> None:
    with letters(rig) as at:
        for ask in (at.approve, at.decline, at.replay, at.show):
            with pytest.raises(QuestionError, match="no "):
                ask(number, CLERK)
