"""What ends the process dies alone, also where it was accepted before."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

import hub.worker.verdicts as verdicts_module
from hub.ledger.model import Kind
from hub.pipeline.again import Case
from hub.pipeline.judge import Judge
from hub.pipeline.judging import judged
from hub.pipeline.verdict import Verdict
from hub.worker.intray import SUSPECT
from hub.worker.trial import TRIES
from tests.samples import event, resident
from tests.worker_rig import IN, Killed, Rig, full

pytestmark = pytest.mark.unit
LIMIT = 100


def accepted_and_waiting(folder: Path) -> Rig:
    rig = Rig(folder)
    rig.broker.limit = LIMIT
    rig.broker.judge = full("union")
    rig.send(event(resident(), id="poison"), event(resident(addressee_number="9"), id="m"))
    with rig.process() as process:
        process.move()
    rig.broker.judge = full()
    return rig


def test_what_was_accepted_and_ends_the_process_now_dies_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an upgrade: the new version ends on what the one before has accepted."""
    rig = accepted_and_waiting(tmp_path)

    def ending(judge: Judge, case: Case, at: dt.datetime) -> Verdict:
        if b"poison" in case.delivery.body and case.delivery.queue == IN:
            raise Killed
        return judged(judge, case, at)

    monkeypatch.setattr(verdicts_module, "judged", ending)
    lives = 0
    while not rig.drain():
        lives += 1
        assert lives <= SUSPECT + TRIES, "the guilty one is judged after all"
    assert [(one.id, one.code) for one in rig.facts(Kind.DEAD_LETTER)] == [("poison", "hub-fault")]


def test_one_that_is_given_up_although_it_was_accepted_does_not_end_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = accepted_and_waiting(tmp_path)
    for place, stored in enumerate(rig.broker.queue(IN)):
        rig.broker.queue(IN)[place] = replace(stored, times=SUSPECT)
    monkeypatch.setattr("hub.worker.trial.Trial.guilty", lambda _: frozenset({0}))
    with rig.process() as process:
        process.move()
    assert rig.waiting() == 0
