"""A person lets a held message go: it moves once, in its place, whoever is killed."""

from pathlib import Path

import pytest

from hub.errors import LedgerError, QuestionError
from hub.ledger.beside import State
from hub.ledger.model import Kind
from hub.ledger.tables import asides
from hub.ledger.verify.ledger import verify
from hub.pipeline.again import RELEASED_TYPE, marker
from hub.worker.caller import CALL_SECONDS
from tests.confirmations_rig import (
    CLERK,
    HELD,
    OTHER,
    PREMIUM,
    UNION,
    changed,
    desk,
    drain,
    held,
    ids,
    open_ones,
    release,
    row,
    told,
)
from tests.samples import SIGNER, judge
from tests.worker_rig import IN, Fuse, Rig, Stored, full

pytestmark = pytest.mark.unit


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path, judge=judge())


def test_a_released_message_moves_and_leaves_the_binding(rig: Rig) -> None:
    (number,) = held(rig)
    release(rig, number)
    assert open_ones(rig, State.RELEASED) == [number]
    drain(rig)
    assert ids(rig, PREMIUM) == ids(rig, UNION) == ["a1", "a2"]
    assert rig.copies(UNION)[1]["data"]["my_number"] == OTHER
    assert [kind for kind, _, _ in told(rig, "a2")] == [
        *["hold"] * 2,
        *["release"] * 2,
        *["acceptance"] * 2,
        *["delivery"] * 2,
    ]
    assert (row(rig, number).state, row(rig, number).body) == ("moved", None)
    drain(rig, changed("a3"), changed("a4", my_number=OTHER))
    assert ids(rig, UNION) == ["a1", "a2", "a3"]
    with desk(rig) as at:
        assert verify(at.ledger.engine, SIGNER.verifier).good


def test_who_released_it_and_why_is_recorded(rig: Rig) -> None:
    (number,) = held(rig)
    release(rig, number)
    said = [r for r in rig.rows() if r["kind"] == Kind.RELEASE]
    assert {(r["flow"], r["receiver"]) for r in said} == HELD
    assert {(r["staff"], r["reason"], r["detail"]) for r in said} == {
        (CLERK.staff, CLERK.reason, f"confirmation {number}")
    }
    assert row(rig, number).decided == said[0]["seq"]


def test_it_is_decided_about_once(rig: Rig) -> None:
    (number,) = held(rig)
    release(rig, number)
    with desk(rig) as at:
        for decide in (at.release, at.reject):
            with pytest.raises(LedgerError, match="decided about already"):
                decide(number, CLERK)
        with pytest.raises(QuestionError, match="no confirmation 99"):
            at.reject(99, CLERK)
    drain(rig)
    drain(rig)
    assert ids(rig, UNION) == ["a1", "a2"]


@pytest.mark.slow
@pytest.mark.parametrize("batch", [1, 500])
def test_killed_at_any_step_it_takes_effect_once_and_in_its_place(
    tmp_path: Path, batch: int
) -> None:
    step, going = batch % 2, True
    while going:
        folder = tmp_path / str(step)
        folder.mkdir()
        rig = Rig(folder, judge=judge())
        (number,) = held(rig)
        release(rig, number)
        with rig.process() as process:
            process.caller.call()
        rig.send(changed("a3"))
        # Another marker comes behind: each process that begins puts one.
        going = not rig.drain(Fuse(step), batch)
        assert rig.drain(batch=batch)
        kinds = [kind for kind, _, _ in told(rig, "a2")]
        assert kinds.count("acceptance") == kinds.count("delivery") == 2
        assert (row(rig, number).state, row(rig, number).body) == ("moved", None)
        for receiver in (PREMIUM, UNION):
            assert list(dict.fromkeys(ids(rig, receiver))) == ["a1", "a2", "a3"]
            assert len({body for body in rig.bodies(receiver) if b'"a2"' in body}) == 1
        step += 2
    assert step > 20


def test_a_marker_that_was_lost_is_put_again(rig: Rig) -> None:
    (number,) = held(rig)
    release(rig, number)
    with rig.process() as process:
        process.caller.call()
        rig.broker.queue(IN).clear()  # somebody has purged it
        process.drain()
        assert ids(rig, UNION) == ["a1"]
        rig.broker.clock.advance(CALL_SECONDS + 1)
        process.drain()
    assert ids(rig, UNION) == ["a1", "a2"]


def test_a_marker_too_many_changes_nothing(rig: Rig) -> None:
    (number,) = held(rig)
    release(rig, number)
    bucket = row(rig, number).bucket
    again = marker(number, bucket)
    for _ in range(3):
        rig.broker.queue(IN).append(Stored(again.routing_key, "hub", again.body))
    drain(rig)
    rig.broker.queue(IN).append(Stored(again.routing_key, "hub", again.body))
    drain(rig)
    assert ids(rig, UNION) == ["a1", "a2"]
    assert rig.waiting() == 0


@pytest.mark.parametrize(
    ("user", "body"),
    [(UNION, b"%d"), ("", b"%d"), ("hub", b"x%d"), ("hub", b"99%d")],
    ids=["a system's", "nobody's", "no number", "of nothing"],
)
def test_a_forged_marker_releases_nothing(rig: Rig, user: str, body: bytes) -> None:
    (number,) = held(rig)
    rig.broker.queue(IN).append(Stored(RELEASED_TYPE, user, body % number))
    drain(rig)
    assert ids(rig, UNION) == ["a1"]
    assert open_ones(rig) == [number]


def test_a_marker_of_what_is_only_held_releases_nothing(rig: Rig) -> None:
    (number,) = held(rig)
    rig.broker.queue(IN).append(Stored(RELEASED_TYPE, "hub", b"%d" % number))
    drain(rig)
    assert ids(rig, UNION) == ["a1"]


def test_a_full_queue_holds_the_rest_of_it_until_it_is_taken(rig: Rig) -> None:
    (number,) = held(rig)
    release(rig, number)
    rig.broker.judge = full(UNION)
    with rig.process() as process:
        process.drain()
    assert row(rig, number).state == "released"
    rig.broker.judge = full()
    drain(rig)
    assert ids(rig, PREMIUM) == ids(rig, UNION) == ["a1", "a2"]
    assert row(rig, number).state == "moved"


def test_one_that_cannot_be_decrypted_holds_up_nobody(rig: Rig) -> None:
    (number,) = held(rig)
    release(rig, number)
    with desk(rig) as at, at.ledger.engine.begin() as connection:
        connection.execute(asides.update().values(body=b"changed by somebody else"))
    drain(rig, changed("b", addressee_number="1"))
    assert ids(rig, UNION) == ["a1", "b"]
    assert row(rig, number).state == "released"


def test_the_worker_calls_what_was_released_by_itself(rig: Rig) -> None:
    (number,) = held(rig)
    release(rig, number)
    with rig.process() as process:
        process.worker.run(lambda: process.link, lambda: len(ids(rig, UNION)) > 1)
    assert row(rig, number).state == "moved"
