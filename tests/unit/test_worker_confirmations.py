"""A number that is not the known one holds a message; a person sees it, and may reject it."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from hub.errors import LedgerError
from hub.ledger.model import Kind
from hub.ledger.tables import asides
from tests.confirmations_rig import (
    CLERK,
    OTHER,
    PREMIUM,
    UNION,
    bound,
    changed,
    desk,
    drain,
    held,
    ids,
    open_ones,
    row,
    told,
)
from tests.messages import sample_data
from tests.samples import (
    ADDRESSEE,
    MY_NUMBER,
    PSEUDONYMS,
    REGISTRY,
    event,
    income,
    judge,
    resident,
    tax_event,
)
from tests.worker_rig import Fuse, Rig

pytestmark = pytest.mark.unit


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path, judge=judge())


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
            body = select(asides.c.body).where(asides.c.id == second).scalar_subquery()
            connection.execute(asides.update().where(asides.c.id == first).values(body=body))
        with pytest.raises(LedgerError, match="cannot be decrypted"):
            at.show(first, CLERK)
