"""A message that ends the process, or on which the hub fails, is given up alone."""

import datetime as dt
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import hub.worker.verdicts as verdicts_module
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
from tests.worker_rig import IN, Killed, Rig

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
