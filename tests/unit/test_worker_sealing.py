"""Numbers under seal on their way through the hub: in clear nowhere, and each for one reader."""

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest

from hub.errors import LedgerError
from hub.ledger.model import Kind, Pseudonyms
from hub.message import AccessItems, Copy
from hub.names import DEAD_QUEUE
from hub.sealing.keys import Keys
from hub.sealing.opener import Opener
from hub.sealing.seals import Seals
from hub.site import HUB_USER
from tests.confirmations_rig import (
    OTHER,
    PREMIUM,
    UNION,
    bound,
    changed,
    drain,
    held,
    open_ones,
    release,
    row,
    told,
)
from tests.dead_letters_rig import (
    died,
    kill_copies,
    kill_originals,
    letters,
    numbers,
    replay,
)
from tests.keyring import keyring
from tests.samples import ADDRESSEE, MY_NUMBER, PSEUDONYMS, REGISTRY, judge
from tests.sealing_rig import Site
from tests.worker_rig import OUT, Fuse, Rig

pytestmark = [pytest.mark.unit, pytest.mark.slow]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


# -- in and out ------------------------------------------------------------------------------


def test_a_number_comes_sealed_and_goes_sealed_for_each_receiver(site: Site) -> None:
    site.send(changed("a1"))
    assert site.received(PREMIUM) == site.received(UNION) == [("a1", MY_NUMBER)]
    resident = PSEUDONYMS.resident(ADDRESSEE)
    assert bound(site.rig) == {resident: PSEUDONYMS.number(MY_NUMBER)}
    one, other = site.rig.bodies(PREMIUM)[0], site.rig.bodies(UNION)[0]
    assert json.loads(one)["datakey"] != json.loads(other)["datakey"]
    with pytest.raises(Exception, match="not here"):
        Opener(site.ring.keys(UNION)).copy(Copy.model_validate_json(one))
    assert not site.rig.observed.in_clear


def test_what_is_sent_again_under_another_seal_is_one_message(site: Site) -> None:
    site.put(site.body(changed("a1")), site.body(changed("a1")))
    assert site.rig.drain()
    site.send(changed("a1"))
    assert site.received(UNION) == [("a1", MY_NUMBER)]
    assert site.rig.facts(Kind.REFUSAL) == {}
    site.send(changed("a1", note="別の内容"))
    assert told(site.rig, "a1")[-1] == ("refusal", "", "id-reused")


def test_a_hub_that_is_killed_anywhere_leaves_the_same_once_it_is_opened(tmp_path: Path) -> None:
    for step in range(1, 50, 7):
        folder = tmp_path / str(step)
        folder.mkdir()
        site = Site(folder)
        site.put(site.body(changed("a1")), site.body(changed("a2", my_number=OTHER)))
        site.rig.drain(Fuse(step))
        assert site.rig.drain()
        for receiver in PREMIUM, UNION:
            assert set(site.received(receiver)) == {("a1", MY_NUMBER)}
        assert told(site.rig, "a2") == [
            ("hold", PREMIUM, "binding-differs"),
            ("hold", UNION, "binding-differs"),
        ]


def test_the_number_of_another_message_is_refused_and_named_to_nobody(site: Site) -> None:
    for about in ((REGISTRY, "a0"), (PREMIUM, "a1")):
        site.put(site.body(changed("a1"), *about))
    assert site.rig.drain()
    refusals = [("refusal", "", "number-misplaced")] * len(told(site.rig, "a1"))
    assert told(site.rig, "a1") == refusals
    assert refusals
    assert not site.rig.bodies(UNION)
    assert {one["data"]["code"] for one in site.rig.notices(REGISTRY)} == {"number-misplaced"}
    site.send(changed("a1"))
    assert site.received(UNION) == [("a1", MY_NUMBER)]


def test_a_number_that_was_sealed_for_another_key_can_be_sent_anew(site: Site) -> None:
    public, site.ring.public = site.ring.public, keyring(HUB_USER).public  # another's of that name
    site.put(site.body(changed("a1")), site.body(changed("a1")))
    site.ring.public = public
    assert site.rig.drain()
    assert told(site.rig, "a1") == [("refusal", "", "number-unreadable")] * 2
    site.send(changed("a1"))
    site.send(changed("a1"))
    assert site.received(UNION) == [("a1", MY_NUMBER)]
    assert site.rig.facts(Kind.ACCEPTANCE).total() == 2


def test_what_waits_for_a_key_that_is_still_to_be_brought_is_kept_and_replayed(site: Site) -> None:
    key = site.lock_out()
    site.begin()
    sealed = site.body(changed("a1"))
    site.put(sealed, sealed, site.body(changed("a1")))
    assert site.rig.drain()
    assert told(site.rig, "a1") == [("dead-letter", "", "key-awaited")] * 2
    (number, other) = numbers(site.rig)
    assert site.kept(number) == sealed
    with letters(site.rig) as at, pytest.raises(LedgerError, match="個人番号") as said:
        at.replay(number, AccessItems("職員一"))
    assert "hub/enc" in str(said.value)
    assert "discard" not in str(said.value)
    site.ring.private[HUB_USER] = dict(key)
    site.begin()
    replay(site.rig, number)
    drain(site.rig)
    assert site.received(UNION) == [("a1", MY_NUMBER)]
    replay(site.rig, other)
    drain(site.rig)
    assert site.received(UNION) == [("a1", MY_NUMBER)]
    site.verified()


def test_a_number_in_clear_is_refused_and_taken_sealed(site: Site) -> None:
    drain(site.rig, changed("a1"))
    assert told(site.rig, "a1") == [("refusal", "", "number-in-clear")]
    site.send(changed("a1"))
    assert site.received(UNION) == [("a1", MY_NUMBER)]
    drain(site.rig, changed("a2", my_number=None))  # there is nothing to seal
    assert told(site.rig, "a2")[0][0] == "hold"


def test_a_number_in_clear_is_taken_and_counted_through_the_day(tmp_path: Path) -> None:
    site = Site(tmp_path, dt.date(2026, 4, 1))
    drain(site.rig, changed("a1"))
    site.send(changed("a2"))
    assert site.received(UNION) == [("a1", MY_NUMBER), ("a2", MY_NUMBER)]
    assert site.rig.observed.in_clear == [REGISTRY]
    site.plain_until = dt.date(2026, 3, 31)
    site.begin()
    drain(site.rig, changed("a3"))
    assert told(site.rig, "a3") == [("refusal", "", "number-in-clear")]


def test_at_a_site_without_certificates_numbers_move_in_clear_through_the_day_alone(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path, dt.date(2026, 4, 1))
    site.rig.judge = replace(site.rig.judge, seals=_without_keys(site.plain_until))
    drain(site.rig, changed("a1"))
    assert [one["data"]["my_number"] for one in site.rig.copies(UNION)] == [MY_NUMBER]
    site.rig.judge = replace(site.rig.judge, seals=_without_keys(None))
    drain(site.rig, changed("a2"))
    assert told(site.rig, "a2") == [("refusal", "", "number-in-clear")]


def _without_keys(plain_until: dt.date | None) -> Seals:
    return Seals(Keys(HUB_USER), plain_until)


# -- what waits for a person -----------------------------------------------------------------


def test_what_was_held_is_released_sealed_though_the_old_key_is_gone(site: Site) -> None:
    site.send(changed("a1"), changed("a2", my_number=OTHER))
    (number,) = open_ones(site.rig)
    assert json.loads(site.kept(number))["data"]["my_number"] == OTHER
    site.lock_out()
    site.ring.issue(HUB_USER)
    site.begin()
    release(site.rig, number)
    drain(site.rig)
    assert site.received(UNION) == [("a1", MY_NUMBER), ("a2", OTHER)]
    site.verified()


def test_a_copy_without_a_reader_is_kept_and_goes_once_there_is_a_key(site: Site) -> None:
    site.ring.public = [one for one in site.ring.public if one.account != UNION]
    site.begin()
    site.send(changed("a1"))
    assert site.received(PREMIUM) == [("a1", MY_NUMBER)]
    assert told(site.rig, "a1")[-2:] == [
        ("dead-letter", UNION, "no-key"),
        ("delivery", PREMIUM, ""),
    ]
    (number,) = numbers(site.rig)
    with letters(site.rig) as at, pytest.raises(LedgerError, match="certificate") as said:
        at.replay(number, AccessItems("職員一"))
    assert f"renkei pki issue {UNION}" in str(said.value)
    assert f"replay {number}" in str(said.value)
    assert "discard" not in str(said.value)
    site.ring.issue(UNION)
    replay(site.rig, number)
    drain(site.rig)
    assert site.received(UNION) == [("a1", MY_NUMBER)]
    site.verified()


def test_a_copy_whose_readers_key_went_while_it_was_let_go_waits_once_more(site: Site) -> None:
    site.ring.public = [one for one in site.ring.public if one.account != UNION]
    site.begin()
    site.send(changed("a1"))
    (number,) = numbers(site.rig)
    keys, site.ring.public = site.ring.public, [*site.ring.public]
    site.ring.issue(UNION)
    replay(site.rig, number)
    site.ring.public = keys
    drain(site.rig)
    (again,) = numbers(site.rig)
    assert again != number
    assert told(site.rig, "a1")[-1] == ("dead-letter", UNION, "no-key")
    site.ring.issue(UNION)
    replay(site.rig, again)
    drain(site.rig)
    assert site.received(UNION) == [("a1", MY_NUMBER)]
    site.verified()


def test_a_dead_copy_is_replayed_under_its_seal(site: Site) -> None:
    site.send(changed("a1"))
    (sealed,) = site.rig.bodies(UNION)
    (number,) = died(site.rig, UNION)
    assert site.kept(number) == sealed
    assert PSEUDONYMS.number(MY_NUMBER) in row(site.rig, number).history
    replay(site.rig, number)
    drain(site.rig)
    assert site.received(UNION) == [("a1", MY_NUMBER)]
    (back,) = (one for one in site.rig.broker.queue(OUT) if one.routing_key == UNION)
    assert back.number == PSEUDONYMS.number(MY_NUMBER)
    site.verified()


def test_a_dead_copy_of_an_older_number_is_not_sent(site: Site) -> None:
    site.send(changed("a1"))
    assert kill_copies(site.rig, UNION)
    drain(site.rig)
    (number,) = numbers(site.rig)
    with letters(site.rig) as at, at.ledger.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE ledger_bindings SET digest = ?", (PSEUDONYMS.number(OTHER),)
        )
    replay(site.rig, number)
    drain(site.rig)
    assert told(site.rig, "a1")[-1] == ("replay", UNION, "bound-meanwhile")
    assert not site.rig.bodies(UNION)


def test_a_dead_copy_is_compared_also_when_the_key_of_digests_was_exchanged(site: Site) -> None:
    site.send(changed("a1"))
    (number,) = died(site.rig, UNION)
    keyed = Pseudonyms(b"the key after the one of the tests", retired=(PSEUDONYMS.key,))
    site.rig.judge = replace(site.rig.judge, pseudonyms=keyed)
    with letters(site.rig) as at, at.ledger.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE ledger_bindings SET digest = ?", (keyed.number(MY_NUMBER),)
        )
    replay(site.rig, number)
    drain(site.rig)
    assert site.received(UNION) == [("a1", MY_NUMBER)]


def test_a_dead_copy_that_lost_its_digest_is_not_sent(site: Site) -> None:
    site.send(changed("a1"))
    queue = site.rig.broker.queue(OUT)
    stripped = [replace(one, number="") for one in queue]
    queue.clear()
    queue.extend(stripped)
    (number,) = died(site.rig, UNION)
    with letters(site.rig) as at, pytest.raises(LedgerError, match="個人番号"):
        at.replay(number, AccessItems("職員一"))


def test_a_dead_original_is_kept_opened_and_replayed_without_its_key(site: Site) -> None:
    site.put(site.body(changed("a1")))
    kill_originals(site.rig)
    drain(site.rig)
    (number,) = numbers(site.rig)
    assert json.loads(site.kept(number))["data"]["my_number"] == MY_NUMBER
    site.lock_out()
    site.begin()
    replay(site.rig, number)
    drain(site.rig)
    assert site.received(UNION) == [("a1", MY_NUMBER)]
    site.verified()


def test_a_dead_original_with_anothers_number_is_no_way_round_the_seal(site: Site) -> None:
    site.put(site.body(changed("a1"), REGISTRY, "a0"))
    kill_originals(site.rig)
    drain(site.rig)
    (number,) = numbers(site.rig)
    assert MY_NUMBER.encode() not in site.kept(number)
    with letters(site.rig) as at, pytest.raises(LedgerError, match="another message"):
        at.replay(number, AccessItems("職員一"))


def test_a_message_on_which_the_hub_fails_is_kept_opened(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("hub.pipeline.judge.Judge._permitted", fails)
    site.send(changed("a1"))
    monkeypatch.undo()
    (number,) = numbers(site.rig)
    assert json.loads(site.kept(number))["data"]["my_number"] == MY_NUMBER
    replay(site.rig, number)
    drain(site.rig)
    assert site.received(UNION) == [("a1", MY_NUMBER)]


def test_nothing_in_the_ledgers_files_or_the_queues_holds_a_number(site: Site) -> None:
    site.send(changed("a1"), changed("a2", my_number=OTHER, note="x"))
    kill_copies(site.rig, UNION)
    site.put(site.body(changed("a3", addressee_number="77")))
    kill_originals(site.rig)
    drain(site.rig)
    drain(site.rig, changed("a4"))
    files = [path for path in site.rig.folder.rglob("*") if path.is_file()]
    assert files
    for path in files:
        content = path.read_bytes()
        assert MY_NUMBER.encode() not in content
        assert OTHER.encode() not in content
    for name, queue in site.rig.broker.queues.items():
        for stored in queue:
            assert MY_NUMBER.encode() not in stored.body, name
    assert DEAD_QUEUE in site.rig.broker.queues


def test_without_seals_the_hub_is_as_it_was(tmp_path: Path) -> None:
    rig = Rig(tmp_path, judge=judge())
    assert held(rig)
    assert [one["data"]["my_number"] for one in rig.copies(UNION)] == [MY_NUMBER]
    assert not any(one.number for one in rig.broker.queue(OUT))
