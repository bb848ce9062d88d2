"""個人番号 at the edges: encrypted as they leave, opened behind the wall, in clear in files."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.simulation.people import my_number
from hub.edge.kit import Adapter, BadRecord, Inbound, Mapped, Outbound, Row, without_desk
from hub.edge.numbers import Numbers
from hub.errors import NumberFault
from hub.message import Copy, Envelope, encode_copy
from hub.sealing.opener import Opener
from hub.sealing.sealer import Sealer
from hub.statute.model import Grant
from schemas.canonical import ScopeEvidence
from schemas.numbers import MyNumber
from tests.edge_rig import (
    BETA,
    CATALOGUE,
    CREATED,
    IN_CLEAR,
    NOTES_IN,
    NOTES_OUT,
    Noted,
    Rig,
    Standing,
    use_test_layouts,
)
from tests.keyring import Keyring, keyring
from tests.numbers_at_rest import Numbers as Searched

pytestmark = pytest.mark.unit

NUMBER = "123456789018"
OTHER = my_number(5)
SEARCHED = Searched([NUMBER, OTHER])
QUEUE = "out.beta"


class Numbered(Noted):
    """A note with the number of its resident, which the rows call a note."""

    my_number: MyNumber | None = None


def to_messages(rows: Sequence[Row]) -> list[Mapped | BadRecord]:
    return [
        Mapped(
            row.number,
            Numbered(
                addressee_number=row.values["person"],
                scope=ScopeEvidence(),
                note="",
                household=1,
                my_number=MyNumber(row.values["note"]) if row.values["note"] else None,
            ),
            "異動",
        )
        for row in rows
    ]


def to_row(copy: Copy) -> Mapping[str, str]:
    return {"person": copy.data["addressee_number"], "note": copy.data["my_number"]}


ALPHA = Adapter(
    system="alpha",
    inbound=(Inbound("notes_*.csv", NOTES_IN.id, Noted.MESSAGE_TYPE, without_desk(to_messages)),),
)
RECEIVER = Adapter(
    system="beta", outbound=(Outbound("notes", NOTES_OUT.id, Noted.MESSAGE_TYPE, to_row),)
)


GRANT = Grant(fields=("addressee_number", "my_number"))
NUMBERED = replace(
    CATALOGUE,
    flows=tuple(
        one.model_copy(update={"receivers": dict.fromkeys(one.receivers, GRANT)})
        for one in CATALOGUE.flows
    ),
)


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    use_test_layouts(monkeypatch)
    return Rig(tmp_path)


@pytest.fixture
def ring() -> Keyring:
    return keyring("hub", "alpha", "beta")


def numbers_of(ring: Keyring, system: str, *, plain: bool = False) -> Numbers:
    return Numbers.by(ring.keys(system), takes_plain=lambda: plain)


def sent_by_alpha(rig: Rig, numbers: Numbers, **more: Any) -> list[bytes]:  # noqa: ANN401
    rig.run(ALPHA, numbers=numbers, **more)
    return [stored.body for stored in rig.broker.queue("hub")]


def copy_for_beta(ring: Keyring, number: int, said: str = NUMBER, **changes: str) -> bytes:
    """Make a copy as the hub sends it; ``changes`` say for whom and what it is sealed instead."""
    event = Envelope[Any](
        id=f"m-{number}",
        source="/systems/alpha",
        type=Noted.MESSAGE_TYPE,
        time=CREATED,
        data=None,
    )
    to = {"by": "hub", "reader": "beta", "receiver": "beta"} | changes
    seal = Sealer(ring.keys(to["by"]), to["reader"], "hub", to["receiver"])
    data = {"addressee_number": "1", "my_number": said}
    return encode_copy(event, "F1", data, CREATED, seal=seal)


def run_beta(rig: Rig, ring: Keyring, *, plain: bool = False) -> None:
    numbers = numbers_of(ring, "beta", plain=plain)
    rig.run(RECEIVER, walls=Standing("beta", NUMBERED), numbers=numbers)


def everything_but_the_systems_files(rig: Rig) -> dict[str, int]:
    own = [rig.at("alpha", name) for name in ("to-hub", "processed")]
    return SEARCHED.found_in_files(rig.folder, [*own, rig.at("beta", "from-hub")])


# -- sending -------------------------------------------------------------------------------------


def test_a_number_leaves_only_for_the_hub_to_read(rig: Rig, ring: Keyring) -> None:
    rig.give("notes_1.csv", [("1", "11", NUMBER), ("2", "12", "")])
    numbered, other = sent_by_alpha(rig, numbers_of(ring, "alpha"))
    assert SEARCHED.found_in(numbered) == set()
    assert b"datakey" not in other
    opened = Opener(ring.keys("hub")).opened(numbered, "alpha")
    assert opened.numbers == (f"alpha\n{json.loads(numbered)['id']}".encode(),)
    assert json.loads(opened.body)["data"]["my_number"] == NUMBER
    assert not Opener(ring.keys("beta")).opened(numbered, "alpha").is_readable


def test_without_a_key_of_the_hub_the_file_waits_and_says_so(rig: Rig) -> None:
    ring = keyring("alpha", "beta")
    rig.give("notes_1.csv", [("1", "11", ""), ("2", "12", NUMBER)])
    assert sent_by_alpha(rig, numbers_of(ring, "alpha")) == []
    (where, said), *_ = rig.recorder.all("trouble")
    assert where == "inbound"
    assert "hub has no encryption certificate in force" in said
    assert rig.names("alpha", "to-hub") == ["notes_1.csv"]
    ring.issue("hub")
    assert len(sent_by_alpha(rig, numbers_of(ring, "alpha"), seconds=60.0)) == 2
    assert rig.names("alpha", "to-hub") == []
    assert everything_but_the_systems_files(rig) == {}


def test_in_clear_only_while_that_is_permitted_and_the_hub_has_no_key(rig: Rig) -> None:
    ring = keyring("alpha")
    rig.give("notes_1.csv", [("1", "11", NUMBER)])
    (early,) = sent_by_alpha(rig, numbers_of(ring, "alpha", plain=True))
    assert SEARCHED.found_in(early) == {NUMBER}, "this test searches for nothing"
    ring.issue("hub")
    rig.give("notes_2.csv", [("1", "12", OTHER)])
    _, late = sent_by_alpha(rig, numbers_of(ring, "alpha", plain=True))
    assert SEARCHED.found_in(late) == set()


# -- receiving -----------------------------------------------------------------------------------


def test_a_number_is_in_clear_in_the_systems_file_and_nowhere_else(rig: Rig, ring: Keyring) -> None:
    for number in (1, 2):
        rig.broker.put(QUEUE, copy_for_beta(ring, number))
    run_beta(rig, ring)
    assert rig.written() == [("1", NUMBER), ("1", NUMBER)]
    assert rig.receipts() == [("m-1", "delivered"), ("m-2", "delivered")]
    assert everything_but_the_systems_files(rig) == {}
    files = SEARCHED.found_in_files(rig.at("beta", "from-hub"))
    assert files, "this test searches for nothing"


def test_an_older_key_still_opens_what_waited_long(rig: Rig, ring: Keyring) -> None:
    waited = copy_for_beta(ring, 1)
    ring.issue("beta")
    rig.broker.put(QUEUE, waited)
    rig.broker.put(QUEUE, copy_for_beta(ring, 2))
    run_beta(rig, ring)
    assert rig.receipts() == [("m-1", "delivered"), ("m-2", "delivered")]


def test_a_copy_for_a_key_that_is_not_here_yet_waits_for_it(rig: Rig, ring: Keyring) -> None:
    old = dict(ring.private["beta"])
    ring.issue("beta")
    new, ring.private["beta"] = ring.private["beta"], old
    for number in (1, 2):
        rig.broker.put(QUEUE, copy_for_beta(ring, number))
    run_beta(rig, ring)
    (where, said), *_ = rig.recorder.all("trouble")
    assert where == "outbound"
    assert "beta.00000001.key into beta/enc" in said
    assert (rig.receipts(), rig.names("beta", "set-aside")) == ([], [])
    ring.private["beta"] = new
    run_beta(rig, ring)
    assert rig.receipts() == [("m-1", "delivered"), ("m-2", "delivered")]


def test_a_copy_for_a_key_that_is_lost_and_revoked_is_set_aside(rig: Rig, ring: Keyring) -> None:
    rig.broker.put(QUEUE, copy_for_beta(ring, 1))
    ring.private["beta"].clear()
    ring.public = [one for one in ring.public if one.account != "beta"]
    run_beta(rig, ring)
    assert rig.receipts() == [("m-1", "number-unreadable")]


def test_a_number_of_another_copy_or_receiver_or_a_changed_one_is_set_aside(
    rig: Rig, ring: Keyring
) -> None:
    ring.issue("gamma")
    moved = json.loads(copy_for_beta(ring, 1, OTHER))
    rig.broker.put(QUEUE, json.dumps(moved | {"id": "m-2"}).encode())
    rig.broker.put(QUEUE, copy_for_beta(ring, 3, receiver="gamma"))
    rig.broker.put(QUEUE, copy_for_beta(ring, 4, reader="gamma"))
    token = moved["data"]["my_number"]
    changed = token[:-3] + ("B" if token[-3] != "B" else "C") + token[-2:]
    moved["data"]["my_number"] = changed
    rig.broker.put(QUEUE, json.dumps(moved | {"id": "m-5"}).encode())
    rig.broker.put(QUEUE, copy_for_beta(ring, 6))
    run_beta(rig, ring)
    assert sorted(rig.receipts()) == [
        ("m-2", "number-misplaced"),
        ("m-3", "number-misplaced"),
        ("m-4", "number-unreadable"),
        ("m-5", "number-unreadable"),
        ("m-6", "delivered"),
    ]
    assert rig.written() == [("1", NUMBER)]
    assert len(rig.names("beta", "set-aside")) == 4
    assert everything_but_the_systems_files(rig) == {}


def test_a_number_in_clear_is_set_aside_and_masked(rig: Rig, ring: Keyring) -> None:
    body = json.loads(copy_for_beta(ring, 1))
    body["data"]["my_number"] = NUMBER
    rig.broker.put(QUEUE, json.dumps(body).encode())
    rig.broker.put(QUEUE, json.dumps(body).encode(), user_id="gamma")
    run_beta(rig, ring)
    assert rig.receipts() == [("m-1", "number-in-clear")]
    assert everything_but_the_systems_files(rig) == {}
    (path, *_) = sorted(rig.at("beta", "set-aside").iterdir())
    assert MyNumber.MASK in path.read_text("utf-8")


def test_a_number_in_clear_is_taken_while_that_is_permitted(rig: Rig, ring: Keyring) -> None:
    body = json.loads(copy_for_beta(ring, 1))
    del body["datakey"]
    body["data"]["my_number"] = NUMBER
    rig.broker.put(QUEUE, json.dumps(body).encode())
    run_beta(rig, ring, plain=True)
    assert rig.written() == [("1", NUMBER)]


def test_the_wall_comes_first(rig: Rig, ring: Keyring) -> None:
    """What no flow releases to the system is not opened for it."""
    rig.broker.put(QUEUE, copy_for_beta(ring, 1))
    rig.run(RECEIVER, walls=Standing("beta"), numbers=numbers_of(ring, "beta"))
    assert rig.receipts() == [("m-1", "field-outside")]
    assert everything_but_the_systems_files(rig) == {}


def test_a_notice_is_written_down_whatever_keys_there_are(rig: Rig) -> None:
    notice = {"specversion": "1.0", "id": "notice-1", "type": "hub.notice", "data": {"code": "x"}}
    rig.broker.put(QUEUE, json.dumps(notice).encode())
    rig.run(BETA, numbers=numbers_of(keyring(), "beta"))
    assert rig.recorder.all("notices_written") == [(1,)]


def test_an_adapter_without_keys_opens_nothing(ring: Keyring) -> None:
    copy = Copy.model_validate_json(copy_for_beta(ring, 1))
    with pytest.raises(NumberFault, match="my_number"):
        IN_CLEAR.opened(copy)
