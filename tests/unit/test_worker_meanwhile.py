"""An append that fails, whose answer is lost, or that another worker comes before."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from hub.errors import LedgerError
from hub.ledger.beside import NOTHING, Beside, State
from hub.ledger.model import Entry, Kind
from hub.statute.catalogue import Catalogue
from tests.confirmations_rig import changed, drain, held, ids, release, row, told
from tests.dead_letters_rig import CLERK, died, kill_copies, letters, numbers, on_list, replay
from tests.samples import event, judge, resident, shipped
from tests.worker_rig import IN, Process, Rig, full

pytestmark = pytest.mark.unit
UNION, PREMIUM = "union", "premium-collection"


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path, judge=judge())


def answers_late(process: Process, *, when: Kind | None = None, turns: bool = False) -> None:
    """Let the database commit one append and not say so in time (a timeout of the socket)."""
    ledger = process.ledger
    whole = ledger.append
    left = [1]

    def append(
        entries: Sequence[Entry], beside: Beside = NOTHING, since: int | None = None
    ) -> None:
        whole(entries, beside, since)
        hit = any(entry.kind is when for entry in entries) or (turns and beside.turns)
        if hit and left[0]:
            left[0] = 0
            raise LedgerError("the ledger could not record: timed out")

    ledger.append = append  # type: ignore[method-assign]


def tries(process: Process, most: int = 12) -> list[str]:
    """Step as the worker does, over failures of the ledger; give what these said."""
    said: list[str] = []
    for _ in range(most):
        try:
            process.shift.step(0.0)
        except LedgerError as error:
            said.append(str(error))
        process.link._broker.clock.advance(10)
    return said


def test_a_commit_whose_answer_is_lost_does_not_stop_the_hub_with_a_replay(rig: Rig) -> None:
    drain(rig, changed("a1"))
    (number,) = died(rig, UNION)
    replay(rig, number)
    with rig.process() as process:
        process.caller.call()
        answers_late(process, when=Kind.DELIVERY)
        said = tries(process)
        rig.send(changed("b1", addressee_number="9"))
        said += tries(process)
    assert row(rig, number).state == "moved"
    assert "b1" in ids(rig, UNION), said[-1]


def test_a_commit_whose_answer_is_lost_does_not_stop_the_hub_with_a_confirmation(
    rig: Rig,
) -> None:
    (number,) = held(rig)
    release(rig, number)
    with rig.process() as process:
        process.caller.call()
        answers_late(process, when=Kind.DELIVERY)
        said = tries(process)
        rig.send(changed("b1", addressee_number="9"))
        said += tries(process)
    assert row(rig, number).state == "moved"
    assert "b1" in ids(rig, UNION), said[-1]


def test_the_delivery_of_a_replayed_copy_is_recorded_after_a_failure(rig: Rig) -> None:
    drain(rig, changed("a1"))
    (number,) = died(rig, UNION)
    replay(rig, number)
    with rig.process() as process:
        process.caller.call()
        process.shift.step(0.0)  # judged, sent
        process.ledger.broken = 1
        tries(process)
    assert row(rig, number).state == "moved"
    delivered = [one for one in told(rig, "a1") if one[:2] == ("delivery", UNION)]
    assert len(delivered) == 2


def test_the_delivery_of_a_replayed_copy_is_recorded_beside_what_staff_do_meanwhile(
    rig: Rig,
) -> None:
    drain(rig, changed("a1"))
    (number,) = died(rig, UNION)
    others = [one for one in died(rig, PREMIUM) if one != number]
    replay(rig, number)
    with rig.process() as process:
        process.caller.call()
        process.shift.step(0.0)
        replay(rig, *others)  # an entry about the same message, by another process
        tries(process)
    delivered = [one for one in told(rig, "a1") if one[:2] == ("delivery", UNION)]
    assert len(delivered) == 2


def test_a_suspect_is_not_forgotten_where_it_cannot_be_struck_out(rig: Rig) -> None:
    rig.send(changed("a1"), changed("a2"))
    queue = rig.broker.queue(IN)
    for place, stored in enumerate(queue):
        queue[place] = replace(stored, times=3)
    with rig.process() as process:
        cleared = process.ledger.cleared
        left = [1]

        def once(marks: Sequence[str]) -> None:
            if left[0]:
                left[0] = 0
                raise LedgerError("the ledger could not record: timed out")
            cleared(marks)

        process.ledger.cleared = once  # type: ignore[method-assign,assignment]
        tries(process)
        rig.send(changed("a3"))
        tries(process)
        unacked = len(process.link._unacked)
        came = ids(rig, UNION)
    assert unacked == 0
    assert came == ["a1", "a2", "a3"]


def test_a_refusal_that_an_heir_recorded_meanwhile_is_not_recorded_again(rig: Rig) -> None:
    rig.send(event(resident(shoe_size=1), id="bad"))
    with rig.process() as frozen:
        whole = frozen.ledger.append

        def append(
            entries: Sequence[Entry], beside: Beside = NOTHING, since: int | None = None
        ) -> None:
            frozen.ledger.append = whole  # type: ignore[method-assign]
            with rig.process() as heir:  # frozen here: the broker gave the queue to another one
                rig.send(event(resident(shoe_size=1), id="bad"))
                heir.move()
            whole(entries, beside, since)

        frozen.ledger.append = append  # type: ignore[method-assign]
        tries(frozen)
    assert [fact.code for fact in rig.facts(Kind.REFUSAL).elements()] == ["field-not-permitted"]


def test_what_was_accepted_meanwhile_is_not_refused(rig: Rig) -> None:
    """The heir has read the completed catalogue, the frozen one not yet."""
    good = event(resident(), id="x")
    rig.send(good)
    from hub.pipeline import judging  # noqa: F401, PLC0415

    with rig.process() as frozen:
        whole = frozen.ledger.append
        whole_judge = rig.judge

        def append(
            entries: Sequence[Entry], beside: Beside = NOTHING, since: int | None = None
        ) -> None:
            frozen.ledger.append = whole  # type: ignore[method-assign]
            rig.judge = whole_judge
            with rig.process() as heir:
                rig.send(good)
                heir.move()
            whole(entries, beside, since)

        catalogue = shipped()
        rig.judge = judge(Catalogue(catalogue.systems, (), catalogue.digest))
        frozen.ledger.append = append  # type: ignore[method-assign]
        said = tries(frozen)
    kinds = [one[0] for one in told(rig, "x")]
    assert "refusal" not in kinds, (kinds, said)


def discarded(rig: Rig) -> None:
    with letters(rig) as at:
        (number,) = numbers(rig)
        at.discard(number, CLERK)


def test_a_death_whose_commit_was_not_told_stays_what_a_person_decided(rig: Rig) -> None:
    drain(rig, changed("a1"))
    kill_copies(rig, UNION)
    with rig.process() as process:
        answers_late(process, when=Kind.DEAD_LETTER)
        with pytest.raises(LedgerError, match="timed out"):
            process.shift.step(0.0)
        discarded(rig)
        process.move()
    assert [one.state for one in on_list(rig, None)] == [State.DISCARDED]
    assert [kind for kind, _, _ in told(rig, "a1")].count("dead-letter") == 1


def test_a_death_that_an_heir_recorded_stays_what_a_person_decided(rig: Rig) -> None:
    drain(rig, changed("a1"))
    kill_copies(rig, UNION)
    with rig.process() as frozen:
        whole = frozen.ledger.append

        def append(
            entries: Sequence[Entry], beside: Beside = NOTHING, since: int | None = None
        ) -> None:
            frozen.link.close()  # it froze here: the broker gives its message to an heir
            drain(rig)
            discarded(rig)
            whole(entries, beside, since)

        frozen.ledger.append = append  # type: ignore[method-assign]
        with pytest.raises(LedgerError, match="ask again"):
            frozen.shift.step(0.0)
    drain(rig)
    assert [one.state for one in on_list(rig, None)] == [State.DISCARDED]
    assert [kind for kind, _, _ in told(rig, "a1")].count("dead-letter") == 1


def test_replays_that_wait_do_not_stop_the_other_receivers_for_ever(tmp_path: Path) -> None:
    rig = Rig(tmp_path, judge=judge(), waiting_limit=2)
    drain(rig, changed("a1", addressee_number="1"), changed("a2", addressee_number="2"))
    which = died(rig, UNION)
    rig.broker.judge = full(UNION)
    replay(rig, *which)
    with rig.process() as process:
        process.caller.call()
        tries(process)
        rig.send(changed("b1", addressee_number="9"))
        for _ in range(200):
            process.shift.step(0.0)
            rig.broker.clock.advance(3600)
        assert "b1" in ids(rig, PREMIUM), process.worker.room.size


def test_what_the_hub_failed_on_is_put_on_the_list_once(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    import hub.worker.verdicts as verdicts_module  # noqa: PLC0415
    from tests.dead_letters_rig import numbers  # noqa: PLC0415

    def fails(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(verdicts_module, "judged", fails)
    rig.send(event(resident(), id="x"))
    with rig.process() as frozen:
        whole = frozen.ledger.append

        def append(
            entries: Sequence[Entry], beside: Beside = NOTHING, since: int | None = None
        ) -> None:
            frozen.ledger.append = whole  # type: ignore[method-assign]
            with rig.process() as heir:
                rig.send(event(resident(), id="x"))
                heir.move()
            whole(entries, beside, since)

        frozen.ledger.append = append  # type: ignore[method-assign]
        tries(frozen)
    assert len(numbers(rig)) == 1
