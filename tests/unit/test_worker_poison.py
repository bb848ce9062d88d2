"""A message that ends the process, or on which the hub fails, is given up alone."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import hub.worker.verdicts as verdicts_module
from hub.errors import LinkLost
from hub.ledger.model import Kind
from hub.names import DEAD_QUEUE
from hub.pipeline.again import Case
from hub.pipeline.book import Plan
from hub.pipeline.judge import Judge
from hub.pipeline.judging import judged
from hub.pipeline.verdict import Permitted, Verdict
from hub.worker.intray import SUSPECT
from hub.worker.trial import TRIES
from tests.samples import event, resident
from tests.worker_rig import IN, FusedLink, Killed, Process, Rig

pytestmark = pytest.mark.unit

LIMIT = 20
POISON = "poison"


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    rig = Rig(tmp_path)
    rig.broker.limit = LIMIT
    return rig


def innocents(count: int, first: int = 0) -> list[str]:
    return [f"m{number}" for number in range(first, first + count)]


def send(rig: Rig, names: list[str]) -> None:
    rig.send(*(event(resident(addressee_number=str(n)), id=one) for n, one in enumerate(names)))


@pytest.fixture
def deadly(monkeypatch: pytest.MonkeyPatch) -> None:
    """End the process at each sight of the poison."""

    def ending(judge: Judge, case: Case, at: dt.datetime) -> Verdict:
        if b"poison" in case.delivery.body and case.delivery.queue == IN:
            raise Killed
        return judged(judge, case, at)

    monkeypatch.setattr(verdicts_module, "judged", ending)


def lives(rig: Rig) -> Iterator[int]:
    """Start process after process until one has nothing left to do."""
    for life in range(10 * LIMIT):
        if rig.drain():
            return
        yield life
    raise AssertionError("it never ends")


@pytest.mark.usefixtures("deadly")
@pytest.mark.parametrize("before", [0, 5])
def test_what_ends_the_process_dies_and_its_neighbours_live(rig: Rig, before: int) -> None:
    send(rig, [*innocents(before), POISON, *innocents(40, before)])
    ended = max(lives(rig)) + 1
    assert ended == SUSPECT + TRIES
    accepted = {fact.id for fact in rig.facts(Kind.ACCEPTANCE)}
    assert accepted == set(innocents(before + 40))
    assert [(fact.id, fact.code) for fact in rig.facts(Kind.DEAD_LETTER)] == [(POISON, "hub-fault")]
    assert rig.waiting() == 0
    assert not rig.broker.queue(DEAD_QUEUE)
    assert rig.suspects() == {}


@pytest.mark.usefixtures("deadly")
def test_the_broker_gives_up_what_the_hub_cannot_note(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.worker.trial.TRIES", 10 * LIMIT)
    send(rig, [POISON])
    assert max(lives(rig)) == LIMIT
    assert [(fact.id, fact.code) for fact in rig.facts(Kind.DEAD_LETTER)] == [
        (POISON, "delivery-limit")
    ]


def test_one_that_was_only_given_out_often_moves(rig: Rig) -> None:
    send(rig, innocents(30))
    for stored in rig.broker.queue(IN):
        object.__setattr__(stored, "times", SUSPECT + 2)
    rig.drain()
    assert {fact.id for fact in rig.facts(Kind.DELIVERY)} == set(innocents(30))
    assert rig.suspects() == {}


def given_out_often(rig: Rig) -> None:
    for place, stored in enumerate(rig.broker.queue(IN)):
        rig.broker.queue(IN)[place] = replace(stored, times=SUSPECT)


def links(rig: Rig, process: Process, lost: int) -> Callable[[], FusedLink]:
    """Give links of which so many are lost between the note about a suspect and its record."""
    made = [process.link]

    def lose() -> None:
        rig.broker.lost = True
        raise LinkLost("gone")

    def connect() -> FusedLink:
        made[-1].close()
        rig.broker.lost = False
        made.append(FusedLink(rig.broker, process.link._fuse))
        if len(made) <= lost + 1:
            made[-1].turn = lose  # type: ignore[method-assign]
        process.link = made[-1]
        return made[-1]

    return connect


@pytest.mark.parametrize(("lost", "broken"), [(3 * TRIES, 0), (0, 3 * TRIES)])
def test_a_link_or_a_ledger_that_fails_again_and_again_ended_no_process(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, lost: int, broken: int
) -> None:
    monkeypatch.setattr("hub.worker.shift.TURN_EVERY", 1)
    send(rig, innocents(3))
    given_out_often(rig)
    with rig.process() as process:
        process.ledger.broken = broken
        process.worker.run(links(rig, process, lost), lambda: sum(rig.observed.batches) >= 3)
    assert rig.observed.lost == lost
    assert {fact.id for fact in rig.facts(Kind.DELIVERY)} == set(innocents(3))
    assert rig.facts(Kind.DEAD_LETTER) == {}
    assert rig.suspects() == {}


def test_what_was_in_hand_at_a_stop_without_a_link_ended_no_process(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.worker.shift.TURN_EVERY", 1)
    send(rig, innocents(2))
    for _ in range(TRIES + 1):
        given_out_often(rig)
        with rig.process() as process:
            process.worker.run(links(rig, process, 1), lambda: rig.broker.lost)
        rig.broker.lost = False
        assert (rig.waiting(), rig.suspects()) == (2, {})
    assert rig.drain()
    assert {fact.id for fact in rig.facts(Kind.DELIVERY)} == set(innocents(2))


def test_a_message_that_cannot_be_planned_is_given_up_and_the_batch_goes_on(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = verdicts_module.plan_batch

    def failing(verdicts: Iterable[Verdict], *given: Any, **named: Any) -> Plan:  # noqa: ANN401 - passed on
        seen = list(verdicts)
        if any(isinstance(one, Permitted) and one.key.id == POISON for one in seen):
            raise ZeroDivisionError
        return usual(seen, *given, **named)

    monkeypatch.setattr(verdicts_module, "plan_batch", failing)
    send(rig, ["m0", POISON, "m1"])
    rig.drain()
    assert {fact.id for fact in rig.facts(Kind.ACCEPTANCE)} == {"m0", "m1"}
    assert [(fact.id, fact.code) for fact in rig.facts(Kind.DEAD_LETTER)] == [(POISON, "hub-fault")]
    assert rig.waiting() == 0
