"""A message that says what it follows passes the scope rule only if the ledger bears it out."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from hub.ledger.model import Kind
from tests.messages import sample_data
from tests.samples import event, judge
from tests.worker_rig import Fuse, Rig, full

pytestmark = pytest.mark.unit

COLLECTION, BANK = "premium-collection", "bank"
ASKED = "account-transfer.requested"
ANSWER = "payment.received"


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path, judge=judge(), notified=frozenset({COLLECTION, BANK}))


def asked(message_id: str = "q1", *, insured: bool = True) -> dict[str, Any]:
    data = sample_data(ASKED, insured=insured)
    return event(data, id=message_id, source=f"/systems/{COLLECTION}", type=ASKED)


def answer(message_id: str, follows: str | None, **changes: object) -> dict[str, Any]:
    """Give an answer that has no evidence about the household."""
    data = sample_data(ANSWER, insured=False, **changes)
    made = event(data, id=message_id, source=f"/systems/{BANK}", type=ANSWER)
    return made if follows is None else made | {"follows": follows}


def fates(rig: Rig) -> dict[str, set[tuple[str, str]]]:
    found: dict[str, set[tuple[str, str]]] = {}
    for fact in rig.facts():
        if fact.sender == BANK:
            found.setdefault(fact.id, set()).add((fact.kind, fact.code))
    return found


MOVED = {("acceptance", ""), ("delivery", "")}
NOT_ASKED = {("refusal", "not-asked")}


def test_an_answer_to_what_was_delivered_moves_and_one_to_nothing_is_refused(rig: Rig) -> None:
    rig.send(asked())
    rig.drain()
    rig.send(answer("a1", f"{COLLECTION}/q1"), answer("a2", None))
    rig.send(answer("a3", f"{COLLECTION}/q2"))
    rig.drain()
    assert fates(rig) == {"a1": MOVED, "a2": {("out-of-scope", "")}, "a3": NOT_ASKED}
    (notice,) = rig.notices(BANK)
    assert notice["data"]["code"] == "not-asked"


@pytest.mark.parametrize(
    "follows",
    [f"{COLLECTION}/q0", f"{BANK}/q1", "union/q1", f"{BANK}/a"],
    ids=["unknown", "another sender's", "a stranger's", "itself"],
)
def test_a_claim_that_is_not_true_is_refused_also_with_evidence(rig: Rig, follows: str) -> None:
    rig.send(asked())
    rig.drain()
    rig.send(
        event(
            sample_data(ANSWER),
            id="a",
            source=f"/systems/{BANK}",
            type=ANSWER,
            follows=follows,
        )
    )
    rig.drain()
    assert fates(rig) == {"a": NOT_ASKED}


def test_an_answer_about_another_person_is_refused(rig: Rig) -> None:
    rig.send(asked())
    rig.drain()
    rig.send(answer("a", f"{COLLECTION}/q1", addressee_number="1"))
    rig.drain()
    assert fates(rig) == {"a": NOT_ASKED}


def test_another_systems_copy_is_no_ones_to_answer(rig: Rig) -> None:
    # What the bank was sent was not sent to the union, whoever knows its name.
    rig.send(asked())
    rig.drain()
    data = sample_data("premium.decided")
    rig.send(
        event(
            data,
            id="u",
            source="/systems/union",
            type="premium.decided",
            follows=f"{COLLECTION}/q1",
        )
    )
    rig.drain()
    assert {(f.kind, f.code) for f in rig.facts() if f.sender == "union"} == NOT_ASKED


def test_what_a_system_was_told_of_a_person_does_not_let_it_send_all_else(rig: Rig) -> None:
    rig.send(asked())
    rig.send(answer("a", f"{COLLECTION}/q1"))
    rig.drain()
    assert len(rig.copies(COLLECTION)) == 1
    rig.send(asked("q2", insured=False) | {"follows": f"{BANK}/a"})
    rig.drain()
    assert {(f.kind, f.code) for f in rig.facts() if f.id == "q2"} == NOT_ASKED


def test_accepted_is_not_yet_delivered(rig: Rig) -> None:
    rig.broker.judge = full(BANK)
    rig.send(asked())
    with rig.process() as process:
        process.drain()
    rig.broker.queue("hub.in.0").clear()
    rig.send(answer("a", f"{COLLECTION}/q1"))
    rig.drain()
    assert fates(rig) == {"a": NOT_ASKED}


def test_a_redelivery_of_what_was_accepted_is_not_refused_anew(tmp_path: Path) -> None:
    for step in itertools.count():
        (tmp_path / str(step)).mkdir()
        rig = Rig(tmp_path / str(step), judge=judge(), notified=frozenset({COLLECTION, BANK}))
        rig.send(asked())
        rig.drain()
        rig.send(answer("a", f"{COLLECTION}/q1"))
        is_over = rig.drain(Fuse(step))
        rig.drain()
        assert fates(rig) == {"a": MOVED}
        assert set(rig.facts(Kind.ACCEPTANCE).values()) == {1}
        if is_over:
            break
    assert step > 6


def test_an_answer_that_waits_behind_its_question_moves_after_a_crash(rig: Rig) -> None:
    rig.send(asked())
    assert not rig.drain(Fuse(6))  # the copy is out, its delivery is not recorded
    assert len(rig.copies(BANK)) == 1
    assert not rig.facts(Kind.DELIVERY)
    rig.send(answer("a", f"{COLLECTION}/q1"))
    rig.drain()
    assert fates(rig) == {"a": MOVED}


def test_a_refused_answer_that_is_sent_again_once_it_is_asked_for_moves(rig: Rig) -> None:
    rig.send(answer("a", f"{COLLECTION}/q1"))
    rig.drain()
    rig.send(answer("a", f"{COLLECTION}/q1"))
    rig.drain()
    assert rig.facts(Kind.REFUSAL).total() == 1
    rig.send(asked())
    rig.drain()
    rig.send(answer("a", f"{COLLECTION}/q1"))
    rig.drain()
    assert fates(rig) == {"a": MOVED | NOT_ASKED}
