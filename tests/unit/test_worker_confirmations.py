"""A number that is not the known one holds a message; a person lets it go, or not; all once."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from hub.compose.confirmations import Desk
from hub.errors import LedgerError, QuestionError
from hub.ledger.beside import State
from hub.ledger.model import Kind
from hub.ledger.store import DatabaseLedger
from hub.ledger.tables import bindings, confirmations
from hub.ledger.verify.ledger import verify
from hub.message import AccessItems
from hub.pipeline.again import RELEASED_TYPE, marker
from hub.pipeline.judge import Judge
from hub.statute.catalogue import Catalogue
from tests.messages import sample_data
from tests.samples import (
    ADDRESSEE,
    MY_NUMBER,
    NOW,
    PSEUDONYMS,
    REGISTRY,
    SIGNER,
    event,
    income,
    judge,
    resident,
    shipped,
    tax_event,
)
from tests.worker_rig import IN, Fuse, Rig, Stored, full, shipped_four

pytestmark = pytest.mark.unit

OTHER = "219876543216"
PREMIUM, UNION = "premium-collection", "union"
CLERK = AccessItems("確認係", "後期高齢", "T-9", "本人確認済み", "confirmations release")
HELD = {("I1", PREMIUM), ("M1b", UNION)}


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path, judge=judge())


@contextmanager
def desk(rig: Rig, judged_by: Judge | None = None) -> Iterator[Desk]:
    ledger = DatabaseLedger(rig.url, SIGNER)
    try:
        yield Desk(ledger, judged_by or rig.judge, lambda: NOW + dt.timedelta(hours=1))
    finally:
        ledger.close()


def changed(message_id: str, **data: object) -> dict[str, Any]:
    return event(resident(**data), id=message_id)


def drain(rig: Rig, *events: dict[str, Any]) -> None:
    rig.send(*events)
    assert rig.drain()


def held(rig: Rig) -> list[int]:
    """Bind the resident, and have a message with another number held; give its place."""
    drain(rig, changed("a1"), changed("a2", my_number=OTHER, note="別の番号"))
    return open_ones(rig)


def open_ones(rig: Rig, state: State = State.OPEN) -> list[int]:
    with desk(rig) as at:
        return [one.id for one in at.listed(state)]


def release(rig: Rig, number: int) -> None:
    with desk(rig) as at:
        at.release(number, CLERK)


def told(rig: Rig, message_id: str) -> list[tuple[str, str, str]]:
    """Give kind, receiver and code of each entry about a message, in order."""
    return [
        (r["kind"], r["receiver"], r["code"]) for r in rig.rows() if r["message_id"] == message_id
    ]


def ids(rig: Rig, receiver: str) -> list[str]:
    return [copy["id"] for copy in rig.copies(receiver)]


def row(rig: Rig, number: int) -> Any:  # noqa: ANN401 - a row
    with desk(rig) as at, at.ledger.engine.connect() as connection:
        return connection.execute(select(confirmations).where(confirmations.c.id == number)).one()


def bound(rig: Rig) -> dict[str, str]:
    with desk(rig) as at, at.ledger.engine.connect() as connection:
        return {one.resident: one.digest for one in connection.execute(select(bindings))}


# -- what is held --------------------------------------------------------------------------


def test_another_number_is_held_and_goes_to_nobody(rig: Rig) -> None:
    (number,) = held(rig)
    assert ids(rig, PREMIUM) == ids(rig, UNION) == ["a1"]
    assert rig.waiting() == 0
    assert told(rig, "a2") == [
        ("hold", PREMIUM, "binding-differs"),
        ("hold", UNION, "binding-differs"),
    ]
    assert next(r["seq"] for r in rig.rows() if r["message_id"] == "a2") == number
    (notice,) = rig.notices(REGISTRY)
    assert (notice["data"]["id"], notice["data"]["code"]) == ("a2", "binding-differs")
    assert "確認リスト" in notice["data"]["reason_ja"]


def test_only_keyed_digests_and_an_encrypted_body_are_kept(rig: Rig) -> None:
    (number,) = held(rig)
    assert bound(rig) == {PSEUDONYMS.resident(ADDRESSEE): PSEUDONYMS.number(MY_NUMBER)}
    said = rig.url.removeprefix("sqlite:///")
    content = (
        Path(said).read_bytes() + Path(f"{said}-wal").read_bytes()
        if Path(f"{said}-wal").exists()
        else Path(said).read_bytes()
    )
    for text in (OTHER, MY_NUMBER, ADDRESSEE, "別の番号"):
        assert text.encode() not in content
    kept = row(rig, number)
    assert (kept.sender, kept.message_id, kept.state) == (REGISTRY, "a2", "open")


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (changed("b", my_number=None), "binding-missing"),
        (tax_event(income(my_number=OTHER), id="b"), "binding-differs"),
        (tax_event(income(my_number=None), id="b"), "binding-missing"),
        (changed("b", my_number=None, event_reason="my-number-changed"), "binding-missing"),
        (changed("b") | {"doubt": "ambiguous"}, "ambiguous"),
    ],
    ids=["blank", "another sender's", "another sender's blank", "a change to nothing", "doubt"],
)
def test_what_else_is_held(rig: Rig, second: dict[str, Any], code: str) -> None:
    second = {**second, "data": {k: v for k, v in second["data"].items() if v is not None}}
    drain(rig, changed("a"), second)
    assert {kind for kind, _, _ in told(rig, "b")} == {"hold"}
    assert {why for _, _, why in told(rig, "b")} == {code}
    assert len(open_ones(rig)) == 1


def test_the_same_number_moves_and_so_does_a_first_one_after_a_blank(rig: Rig) -> None:
    blank = resident()
    del blank["my_number"]
    drain(rig, event(blank, id="a"), changed("b"), tax_event(id="c"), changed("d"))
    assert ids(rig, UNION) == ["a", "b", "c", "d"]
    assert len(bound(rig)) == 1


def test_only_a_change_of_the_number_changes_the_binding(rig: Rig) -> None:
    drain(
        rig,
        changed("a"),
        changed("b", my_number=OTHER, event_reason="my-number-changed"),
        changed("c"),
    )
    drain(rig, changed("d", my_number=OTHER), changed("e"))
    assert ids(rig, UNION) == ["a", "b", "d"]
    assert bound(rig) == {PSEUDONYMS.resident(ADDRESSEE): PSEUDONYMS.number(OTHER)}


def test_a_person_out_of_scope_is_bound_to_nothing(rig: Rig) -> None:
    drain(rig, changed("a", my_number=OTHER, scope={"insurance": "none"}), changed("b"))
    assert ids(rig, UNION) == ["b"]


def test_a_number_that_no_receiver_gets_does_not_count(rig: Rig) -> None:
    without = event(
        sample_data("care-benefit.paid", my_number=OTHER),
        id="b",
        source="/systems/care-insurance",
        type="care-benefit.paid",
    )
    drain(rig, changed("a"), without)
    assert ids(rig, PREMIUM) == ["a", "b"]
    assert bound(rig) == {PSEUDONYMS.resident(ADDRESSEE): PSEUDONYMS.number(MY_NUMBER)}


def test_a_refused_message_binds_nobody(rig: Rig) -> None:
    drain(rig, changed("a", my_number=OTHER, shoe_size=1), changed("b"))
    assert ids(rig, UNION) == ["b"]


def test_what_is_held_stays_held_when_it_is_sent_again(rig: Rig) -> None:
    (number,) = held(rig)
    drain(rig, changed("a2", my_number=OTHER, note="別の番号"))
    assert open_ones(rig) == [number]
    assert len(told(rig, "a2")) == 2
    drain(rig, changed("a2", note="直した"))
    assert told(rig, "a2")[2:] == [("refusal", "", "id-reused")]


@pytest.mark.slow
def test_killed_at_any_step_it_is_held_once(tmp_path: Path) -> None:
    step, going = 0, True
    while going:
        folder = tmp_path / str(step)
        folder.mkdir()
        rig = Rig(folder, judge=judge())
        rig.send(changed("a1"), changed("a2", my_number=OTHER), changed("a3"))
        going = not rig.drain(Fuse(step))
        assert rig.drain()
        assert len(open_ones(rig)) == 1
        assert [kind for kind, _, _ in told(rig, "a2")] == ["hold", "hold"]
        assert list(dict.fromkeys(ids(rig, UNION))) == ["a1", "a3"]
        assert rig.notices(REGISTRY)
        step += 1
    assert step > 15


# -- release -------------------------------------------------------------------------------


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
            process.worker.call(process.link, {})
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


def test_a_marker_that_was_lost_is_put_again(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    (number,) = held(rig)
    release(rig, number)
    with rig.process() as process:
        process.worker.call(process.link, process.called)
        rig.broker.queue(IN).clear()  # somebody has purged it
        process.drain()
        assert ids(rig, UNION) == ["a1"]
        monkeypatch.setattr("hub.worker.CALL_SECONDS", -1.0)
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
    with rig.process() as process, pytest.raises(Exception, match="did not take"):
        process.drain()
    assert row(rig, number).state == "released"
    rig.broker.judge = full()
    drain(rig)
    assert ids(rig, PREMIUM) == ids(rig, UNION) == ["a1", "a2"]
    assert row(rig, number).state == "moved"


# -- what is newer, what today's rules say ---------------------------------------------------


def test_a_newer_one_was_accepted_then_it_can_only_be_rejected(rig: Rig) -> None:
    (number,) = held(rig)
    drain(rig, changed("a3"))
    with desk(rig) as at:
        with pytest.raises(LedgerError, match="newer message"):
            at.release(number, CLERK)
        assert at.show(number, CLERK).is_overtaken
        at.reject(number, CLERK)
    drain(rig)
    assert ids(rig, UNION) == ["a1", "a3"]


def test_a_newer_one_ahead_in_the_queue_overtakes_it(rig: Rig) -> None:
    (number,) = held(rig)
    release(rig, number)
    drain(rig, changed("a3"))
    assert ids(rig, UNION) == ["a1", "a3"]
    assert told(rig, "a2")[-2:] == [
        ("release", PREMIUM, "overtaken"),
        ("release", UNION, "overtaken"),
    ]
    assert (row(rig, number).state, row(rig, number).body) == ("refused", None)
    assert rig.notices(REGISTRY)[-1]["data"]["code"] == "overtaken"


def test_a_release_for_another_doubt_does_not_let_another_number_pass(rig: Rig) -> None:
    drain(rig, changed("a1", my_number=OTHER) | {"doubt": "ambiguous"})
    (number,) = open_ones(rig)
    drain(rig, tax_event(income(), id="t1"))
    release(rig, number)
    assert rig.drain()
    assert "a1" not in ids(rig, PREMIUM) + ids(rig, UNION)
    assert {code for kind, _, code in told(rig, "a1") if kind == "release"} >= {"bound-meanwhile"}
    assert open_ones(rig, State.REFUSED) == [number]


def test_other_kinds_and_persons_overtake_nobody(rig: Rig) -> None:
    (number,) = held(rig)
    drain(rig, tax_event(id="t"), changed("b", addressee_number="1", my_number=OTHER))
    release(rig, number)
    drain(rig)
    assert ids(rig, PREMIUM) == ["a1", "t", "b", "a2"]


@pytest.mark.parametrize("batch", [1, 500])
def test_of_two_held_ones_the_older_never_follows_the_newer(rig: Rig, batch: int) -> None:
    drain(rig, changed("a1"), changed("a2", my_number=OTHER), changed("a3", my_number=OTHER))
    older, newer = open_ones(rig)
    release(rig, newer)
    release(rig, older)
    newest_first = [marker(newer, "1"), marker(older, "1")]
    for one in newest_first:
        rig.broker.queue(IN).append(Stored(one.routing_key, "hub", one.body))
    assert rig.drain(batch=batch)
    assert ids(rig, UNION) == ["a1", "a3"]
    assert row(rig, older).state == "refused"


def test_of_two_held_ones_the_newer_follows_the_older(rig: Rig) -> None:
    drain(rig, changed("a1"), changed("a2", my_number=OTHER), changed("a3", my_number=OTHER))
    older, newer = open_ones(rig)
    release(rig, older)
    drain(rig)
    release(rig, newer)
    drain(rig)
    assert ids(rig, UNION) == ["a1", "a2", "a3"]


def without(ref: str) -> Judge:
    catalogue = shipped()
    kept = tuple(flow for flow in catalogue.flows if flow.ref != ref)
    return judge(Catalogue(catalogue.systems, kept, catalogue.digest))


def test_today_the_flow_is_gone_then_it_cannot_be_released(rig: Rig) -> None:
    blank = tax_event(income(my_number=OTHER), id="t")
    drain(rig, changed("a1"), blank)
    (number,) = open_ones(rig)
    gone = shipped_four().catalogue
    none = judge(
        Catalogue(
            gone.systems, tuple(f for f in gone.flows if f.ref[0] != "M" and f.ref != "I2"), "x"
        )
    )
    with desk(rig, none) as at, pytest.raises(LedgerError, match="today's rules"):
        at.release(number, CLERK)
    assert open_ones(rig) == [number]


def test_a_flow_that_ends_after_the_release_carries_nothing(rig: Rig) -> None:
    (number,) = held(rig)
    release(rig, number)
    rig.judge = without("M1b")
    drain(rig)
    assert ids(rig, PREMIUM) == ["a1", "a2"]
    assert ids(rig, UNION) == ["a1"]
    assert ("release", UNION, "withdrawn") in told(rig, "a2")
    assert row(rig, number).state == "moved"


def test_all_flows_end_after_the_release_then_it_is_refused(rig: Rig) -> None:
    (number,) = held(rig)
    release(rig, number)
    gone = shipped()
    kept = tuple(flow for flow in gone.flows if flow.message_type != "resident.changed")
    rig.judge = judge(Catalogue(gone.systems, kept, gone.digest))
    drain(rig)
    assert ids(rig, UNION) == ["a1"]
    assert row(rig, number).state == "refused"
    assert {code for kind, _, code in told(rig, "a2")[4:] if kind == "release"} == {"no-flow"}


# -- reject ----------------------------------------------------------------------------------


def test_a_rejected_message_is_gone_and_stays_gone(rig: Rig) -> None:
    (number,) = held(rig)
    with desk(rig) as at:
        at.reject(number, CLERK)
        assert at.show(number, CLERK).fields == []
    drain(rig, changed("a2", my_number=OTHER, note="別の番号"))
    assert ids(rig, UNION) == ["a1"]
    assert told(rig, "a2")[2:] == [("release", PREMIUM, "rejected"), ("release", UNION, "rejected")]
    assert (row(rig, number).state, row(rig, number).body) == ("rejected", None)
    assert open_ones(rig) == []


def test_what_is_shown_has_no_number_and_is_recorded(rig: Rig) -> None:
    (number,) = held(rig)
    with desk(rig) as at:
        shown = at.show(number, CLERK)
    said = dict(shown.fields)
    assert said["my_number"] == "[個人番号]"
    assert said["note"] == "別の番号"
    assert said["birth_date.raw"] == "1940-05-06"
    assert OTHER not in repr(shown)
    assert "scope" not in " ".join(said)
    (viewed,) = (r for r in rig.rows() if r["kind"] == Kind.LOG_VIEW)
    assert (viewed["code"], viewed["resident"]) == ("confirmation", PSEUDONYMS.resident(ADDRESSEE))


def test_a_body_of_another_row_or_site_cannot_be_read(rig: Rig) -> None:
    drain(rig, changed("a1"), changed("a2", my_number=OTHER), changed("a3", my_number=OTHER))
    first, second = open_ones(rig)
    with desk(rig) as at:
        with at.ledger.engine.begin() as connection:
            body = (
                select(confirmations.c.body).where(confirmations.c.id == second).scalar_subquery()
            )
            connection.execute(
                confirmations.update().where(confirmations.c.id == first).values(body=body)
            )
        with pytest.raises(LedgerError, match="cannot be decrypted"):
            at.show(first, CLERK)


def test_one_that_cannot_be_decrypted_holds_up_nobody(rig: Rig) -> None:
    (number,) = held(rig)
    release(rig, number)
    with desk(rig) as at, at.ledger.engine.begin() as connection:
        connection.execute(confirmations.update().values(body=b"changed by somebody else"))
    drain(rig, changed("b", addressee_number="1"))
    assert ids(rig, UNION) == ["a1", "b"]
    assert row(rig, number).state == "released"


def test_the_worker_calls_what_was_released_by_itself(rig: Rig) -> None:
    (number,) = held(rig)
    release(rig, number)
    with rig.process() as process:
        process.worker.run(lambda: process.link, lambda: len(ids(rig, UNION)) > 1)
    assert row(rig, number).state == "moved"
