"""The key of pseudonyms is exchanged between two batches, and the hub goes on as if it were not."""

import itertools
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.errors import LedgerError, LinkLost
from hub.ledger.acts import Act
from hub.ledger.model import Kind, Pseudonyms
from hub.ledger.rotated import open_keyed
from hub.ledger.rotation import enter
from hub.ledger.search.ask import Question, search
from hub.ledger.verify.ledger import verify
from hub.ledger.years.records import Order
from hub.message import AccessItems
from hub.names import DEAD_QUEUE
from hub.pipeline.judge import Judge
from tests.confirmations_rig import (
    CLERK,
    OTHER,
    UNION,
    bound,
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
from tests.dead_letters_rig import died, kill_originals, letters, numbers, replay
from tests.fakes import Stored
from tests.samples import (
    ADDRESSEE,
    MY_NUMBER,
    NOW,
    PSEUDONYMS,
    REGISTRY,
    SIGNER,
    judge,
    receipts_event,
)
from tests.unit.test_worker_follows import COLLECTION, MOVED, answer, asked, fates
from tests.worker_rig import IN, Rig, full

pytestmark = [pytest.mark.unit, pytest.mark.slow]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path, judge=judge())


def exchange(rig: Rig, *, forget: bool = False) -> Pseudonyms:
    """Put another key in use, as ``renkei keys`` does; ``forget`` throws the old one away."""
    with desk(rig) as at:
        size = at.ledger.size()
    old = rig.judge.pseudonyms
    retired = () if forget else (old.key, *old.retired)
    new = Pseudonyms(secrets.token_bytes(32), retired, size)
    rig.judge = judged_by(rig, new)
    return new


def enter_exchange(rig: Rig) -> None:
    """Enter what ``renkei keys rotate pseudonym`` does, while the old key is in use."""
    with desk(rig) as at:
        order = Order(AccessItems("職員一", "情報政策", "T-1", "年に一度", "keys"), NOW, SIGNER)
        enter(at.ledger, Act.PSEUDONYM_KEY, "1" * 8, "2" * 8, order)


def judged_by(rig: Rig, keyed: Pseudonyms) -> Judge:
    return replace(rig.judge, pseudonyms=keyed)


def sound(rig: Rig) -> bool:
    with desk(rig) as at:
        return verify(at.ledger.engine, SIGNER.verifier).good


def codes(rig: Rig, message_id: str, kind: str) -> set[str]:
    return {code for found, _, code in told(rig, message_id) if found == kind}


def lacking(message_id: str) -> dict[str, Any]:
    facts = {"sender": REGISTRY, "id": message_id, "flow": "M1b"}
    said = {**facts, "result": "set-aside", "code": "unencodable"}
    return receipts_event(UNION, [said], id=f"r-{message_id}")


# -- bindings ----------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1, 2])
def test_another_number_is_still_held(rig: Rig, times: int) -> None:
    drain(rig, changed("a1"))
    for _ in range(times):
        exchange(rig)
    drain(rig, changed("a2", my_number=OTHER))
    assert codes(rig, "a2", "hold") == {"binding-differs"}
    assert bound(rig) == {PSEUDONYMS.resident(ADDRESSEE): PSEUDONYMS.number(MY_NUMBER)}


def test_without_the_old_key_it_would_pass(rig: Rig) -> None:
    drain(rig, changed("a1"))
    exchange(rig, forget=True)
    drain(rig, changed("a2", my_number=OTHER))
    assert codes(rig, "a2", "hold") == set()


def test_a_missing_number_is_still_held(rig: Rig) -> None:
    drain(rig, changed("a1"))
    exchange(rig)
    drain(rig, changed("a2", my_number=None))
    assert codes(rig, "a2", "hold") <= {"binding-missing"}
    assert codes(rig, "a2", "acceptance") == set()


def test_the_same_number_moves_and_stands_under_the_new_key_from_then_on(rig: Rig) -> None:
    drain(rig, changed("a1"))
    new = exchange(rig)
    drain(rig, changed("a2"), changed("a3"))
    assert ids(rig, UNION) == ["a1", "a2", "a3"]
    assert bound(rig) == {new.resident(ADDRESSEE): new.number(MY_NUMBER)}
    drain(rig, changed("a4", my_number=OTHER))
    assert codes(rig, "a4", "hold") == {"binding-differs"}
    assert sound(rig)


def test_a_new_number_takes_the_place_of_the_old_one(rig: Rig) -> None:
    drain(rig, changed("a1"))
    new = exchange(rig)
    drain(rig, changed("a2", my_number=OTHER, event_reason="my-number-changed"))
    assert ids(rig, UNION) == ["a1", "a2"]
    assert bound(rig) == {new.resident(ADDRESSEE): new.number(OTHER)}


def test_a_batch_that_cannot_be_recorded_is_asked_anew(rig: Rig) -> None:
    drain(rig, changed("a1"))
    new = exchange(rig)
    rig.send(changed("a2"))
    with rig.process() as process:
        process.ledger.broken = 1
        with pytest.raises(LedgerError):
            process.move()
        process.move()
    assert ids(rig, UNION) == ["a1", "a2"]
    assert bound(rig) == {new.resident(ADDRESSEE): new.number(MY_NUMBER)}


def test_two_workers_move_a_binding_once(rig: Rig) -> None:
    drain(rig, changed("a1"))
    new = exchange(rig)
    keyed = [replace(new, aliases=type(new.aliases)()) for _ in range(2)]
    ledgers = [open_keyed(rig.url, SIGNER, one) for one in keyed]
    names = [(one.resident(ADDRESSEE), one.number(MY_NUMBER)) for one in keyed]
    assert [one.bindings([names[0][0]]) for one in ledgers] == [dict([names[0]])] * 2
    rig.send(changed("a2"))
    assert rig.drain()
    assert [one.bindings([names[0][0]]) for one in ledgers] == [dict([names[0]])] * 2
    for one in ledgers:
        one.close()


# -- what was put aside --------------------------------------------------------------------------


def test_an_old_hold_can_be_read_and_released(rig: Rig) -> None:
    (number,) = held(rig)
    exchange(rig)
    with desk(rig) as at:
        assert at.show(number, CLERK).fields
    release(rig, number)
    drain(rig)
    assert ids(rig, UNION) == ["a1", "a2"]


def test_what_came_after_the_exchange_overtakes_an_old_hold(rig: Rig) -> None:
    (number,) = held(rig)
    exchange(rig)
    drain(rig, changed("a3"))
    with desk(rig) as at, pytest.raises(LedgerError, match="newer message"):
        at.release(number, CLERK)
    assert ids(rig, UNION) == ["a1", "a3"]


def test_what_came_before_the_exchange_overtakes_it_too(rig: Rig) -> None:
    (number,) = held(rig)
    drain(rig, changed("a3"))
    exchange(rig)
    with desk(rig) as at, pytest.raises(LedgerError, match="newer message"):
        at.release(number, CLERK)


def test_an_old_dead_copy_is_replayed_unless_it_is_overtaken(rig: Rig) -> None:
    drain(rig, changed("a1"))
    (number,) = died(rig, UNION)
    exchange(rig)
    replay(rig, number)
    drain(rig)
    assert ids(rig, UNION) == ["a1"]
    (second,) = died(rig, UNION)
    exchange(rig)
    drain(rig, changed("a2"))
    with letters(rig) as at, pytest.raises(LedgerError, match="newer one"):
        at.replay(second, CLERK)
    assert sound(rig)


def test_a_dead_letter_that_comes_again_is_recorded_once(rig: Rig) -> None:
    rig.send(changed("a1"))
    kill_originals(rig)
    (dead,) = rig.broker.queue(DEAD_QUEUE)
    drain(rig)
    exchange(rig)
    rig.broker.queue(DEAD_QUEUE).append(replace(dead, redelivered=True))
    drain(rig)
    assert len(numbers(rig)) == 1
    assert [kind for kind, _, _ in told(rig, "a1")] == ["dead-letter"]


def test_a_dead_letter_that_was_decided_about_and_comes_again_is_not_recorded_anew(
    rig: Rig,
) -> None:
    rig.send(changed("a1"))
    kill_originals(rig)
    (dead,) = rig.broker.queue(DEAD_QUEUE)
    drain(rig)
    (number,) = numbers(rig)
    with letters(rig) as at:
        at.discard(number, CLERK)
    exchange(rig)
    rig.broker.queue(DEAD_QUEUE).append(replace(dead, redelivered=True, times=1))
    drain(rig)
    assert numbers(rig) == []
    assert [kind for kind, _, _ in told(rig, "a1")] == ["dead-letter", "replay"]


def test_a_copy_that_lacks_characters_and_says_nothing_of_its_resident_stays(rig: Rig) -> None:
    drain(rig, changed("a1"))
    drain(rig, lacking("a1"))
    (number,) = open_ones(rig)
    exchange(rig)
    with desk(rig) as at, pytest.raises(LedgerError, match="newer message"):
        at.release(number, CLERK)
    drain(rig, changed("a2"))
    drain(rig, lacking("a2"))
    _, later = open_ones(rig)
    release(rig, later)
    drain(rig)
    assert row(rig, later).state == "moved"


# -- what follows, and what is told --------------------------------------------------------------


def test_an_answer_to_what_was_delivered_before_moves(tmp_path: Path) -> None:
    rig = Rig(tmp_path, judge=judge())
    drain(rig, asked())
    exchange(rig)
    drain(rig, answer("b1", f"{COLLECTION}/q1"), answer("b2", f"{COLLECTION}/q2"))
    assert fates(rig)["b1"] == MOVED
    assert fates(rig)["b2"] == {("refusal", "not-asked")}


def test_a_message_that_waits_for_its_receiver_goes_its_way(rig: Rig) -> None:
    rig.broker.judge = full(UNION)
    rig.send(changed("a1"))
    with rig.process() as process:
        process.shift.step(0.0)
        process.shift.step(0.0)
    assert ids(rig, UNION) == []
    exchange(rig)
    rig.broker.judge = full()
    rig.broker.clock.advance(100)
    drain(rig, changed("a2"))
    assert ids(rig, UNION) == ["a1", "a2"]
    kinds = [kind for kind, receiver, _ in told(rig, "a1") if receiver == UNION]
    assert kinds == ["acceptance", "delivery"]


def test_what_cannot_be_read_is_refused_once(rig: Rig) -> None:
    unread = Stored("resident.changed", REGISTRY, b"{")
    rig.broker.queue(IN).append(unread)
    assert rig.drain()
    exchange(rig)
    rig.broker.queue(IN).append(replace(unread, redelivered=True))
    assert rig.drain()
    assert [one["kind"] for one in rig.rows()] == [Kind.REFUSAL]


def test_a_resident_is_found_by_all_keys(rig: Rig) -> None:
    drain(rig, changed("a1"))
    exchange(rig)
    drain(rig, changed("a2"), changed("b1", addressee_number="1"))
    new = exchange(rig)
    drain(rig, changed("a3"))
    resident, *former = new.residents(ADDRESSEE)
    assert len(former) == 2
    with desk(rig) as at, at.ledger.engine.connect() as connection:
        asked_for = Question(resident=resident, former=tuple(former), kind=Kind.ACCEPTANCE)
        found = search(connection, asked_for).entries
        alone = search(connection, replace(asked_for, former=())).entries
    assert {one.message.id for one in found} == {"a1", "a2", "a3"}
    assert {one.message.id for one in alone} == {"a3"}


def test_a_worker_that_slept_through_the_exchange_records_nothing_more(rig: Rig) -> None:
    rig.confirms = itertools.cycle([False])
    rig.send(changed("a1"))
    with rig.process() as frozen:
        frozen.shift.step(0.0)  # what it sent is confirmed, and it has not heard of it
        frozen.link.close()  # it froze here: the broker gives its message to others
        enter_exchange(rig)
        exchange(rig)
        rig.confirms = None
        drain(rig, changed("a2"))
        for one in frozen.shift._under:
            one.sending.open = 0
        with pytest.raises(LinkLost):
            frozen.shift.step(0.0)
        assert not frozen.shift.rescue()
    facts = rig.facts(Kind.DELIVERY)
    assert {fact.id for fact in facts} == {"a1", "a2"}
    assert set(facts.values()) == {1}
    assert sound(rig)
