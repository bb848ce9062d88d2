"""Searching the ledger and the way of a message in the console."""

import datetime as dt
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.message import AccessItems
from monitoring.console.found import MOST_LISTS, Found, FoundLists
from monitoring.console.rights import Role
from schemas.evidence.proof import InclusionProof
from tests.confirmations_rig import drain
from tests.console_rig import ConsoleRig, Person, console_rig
from tests.samples import ADDRESSEE, MY_NUMBER, NAME, NOW, REGISTRY, SIGNER, entry, event
from tests.worker_rig import Rig, shipped_four

pytestmark = [pytest.mark.unit, pytest.mark.slow]

PATH = f"/messages/{REGISTRY}/a1"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[ConsoleRig]:
    hub = Rig(tmp_path, judge=shipped_four())
    drain(hub, event(id="a1"), event(id="a2"), event(id="a3"))
    with console_rig(tmp_path, hub=hub) as console:
        yield console


def found(person: Person, **criteria: str) -> str:
    answer = person.send("/messages", "/messages/search", **criteria)
    assert answer.status_code == 303, answer.text
    page = person.get(answer.headers["location"])
    assert page.status_code == 200, page.text
    return page.text


def test_a_search_is_recorded_by_what_was_asked_and_lists_entries(rig: ConsoleRig) -> None:
    person = rig.person(Role.VIEWER)
    page = found(person, message="a1", sender=REGISTRY)
    assert PATH in page
    assert f"/messages/{REGISTRY}/a2" not in page
    assert NAME not in page
    (look, _) = [one for one in rig.entries() if one.access.staff == person.account][1:]
    assert (look.kind, look.code) == ("log-view", "search")
    assert "message, sender" in look.detail
    assert "a1" not in look.detail


def test_by_person_only_with_the_right_and_by_pseudonym(rig: ConsoleRig) -> None:
    answer = rig.person(Role.OPERATOR).send("/messages", "/messages/search", addressee=ADDRESSEE)
    assert answer.status_code == 400
    person = rig.person(Role.OPERATOR, personal=True)
    page = found(person, addressee=ADDRESSEE)
    assert PATH in page
    assert ADDRESSEE not in page
    look = rig.entries()[-2]
    assert look.resident == rig.console.office.pseudonyms.resident(ADDRESSEE)
    assert ADDRESSEE not in repr(rig.entries())


@pytest.mark.parametrize("typed", [MY_NUMBER, "1234 5678 9018", "１２３４５６７８９０１８"])
def test_a_my_number_is_not_recorded_as_a_pseudonym(rig: ConsoleRig, typed: str) -> None:
    person = rig.person(Role.OPERATOR, personal=True)
    answer = person.send("/messages", "/messages/search", addressee=typed)
    assert answer.status_code == 400
    assert typed not in answer.text
    of = rig.console.office.pseudonyms
    assert {of.resident(typed), of.resident(MY_NUMBER)}.isdisjoint(
        one.resident for one in rig.entries()
    )


def test_a_resident_s_number_may_look_like_a_my_number_and_that_is_said(rig: ConsoleRig) -> None:
    person = rig.person(Role.OPERATOR, personal=True)
    whose = rig.console.office.pseudonyms.resident(MY_NUMBER)
    with rig.console.office.books.alone() as ledger:
        ledger.append([entry(9, resident=whose)])
    said = "個人番号にも見える番号です"
    page = found(person, addressee=MY_NUMBER)
    assert said in page
    assert MY_NUMBER not in page
    assert whose in {one.resident for one in rig.entries(staff=person.account)}
    assert said not in found(person, addressee=ADDRESSEE)


def test_by_staff_only_as_auditor(rig: ConsoleRig) -> None:
    asked = {"staff": "S0099"}
    answer = rig.person(Role.OPERATOR).send("/messages", "/messages/search", **asked)
    assert answer.status_code == 400
    assert "0件" in found(rig.person(Role.AUDITOR), **asked)


@pytest.mark.parametrize(
    "wrong",
    [
        {"message": MY_NUMBER},
        {"kind": "no-such-kind"},
        {"begin": "2026-02-30"},
        {"outcome": "x" * 81},
    ],
    ids=["my-number", "kind", "day", "long"],
)
def test_what_cannot_be_searched_by_is_told_and_not_kept(
    rig: ConsoleRig, wrong: dict[str, str]
) -> None:
    person = rig.person(Role.VIEWER)
    answer = person.send("/messages", "/messages/search", **wrong)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert next(iter(wrong.values())) not in answer.text.partition("<form")[0]
    assert MY_NUMBER not in repr(rig.entries())


def test_a_list_is_its_finder_s_alone_and_for_a_quarter_of_an_hour(rig: ConsoleRig) -> None:
    person = rig.person(Role.VIEWER)
    path = person.send("/messages", "/messages/search", sender=REGISTRY).headers["location"]
    assert rig.person(Role.VIEWER).get(path).status_code == 404
    rig.later(minutes=14)
    assert person.get(path).status_code == 200
    rig.later(minutes=2)
    assert person.get(path).status_code == 404


def test_pages_of_a_list(rig: ConsoleRig) -> None:
    drain(rig.hub, *(event(id=f"c{n}") for n in range(20)))
    person = rig.person(Role.VIEWER)
    path = person.send("/messages", "/messages/search", sender=REGISTRY).headers["location"]
    after = path.removesuffix("1") + "2"
    first, second = person.get(path).text, person.get(after).text
    assert "1 / 2" in first
    assert "2 / 2" in second
    assert PATH in second
    assert PATH not in first
    assert f'href="{after}"' in first
    assert f'href="{path}"' in second
    for no_page in ("0", "3", "99"):
        assert person.get(path.removesuffix("1") + no_page).status_code == 404


def test_each_page_of_a_list_is_recorded_each_time_that_it_is_opened(rig: ConsoleRig) -> None:
    drain(rig.hub, *(event(id=f"c{n}") for n in range(20)))
    person = rig.person(Role.VIEWER)
    first = person.send("/messages", "/messages/search", sender=REGISTRY).headers["location"]
    second = first.removesuffix("1") + "2"
    for path in (first, second, second):
        person.get(path)
    said = [one.detail for one in rig.entries() if one.access.staff == person.account]
    assert said[2:] == [f"messages-found {path}" for path in (first, second, second)]


def test_lists_do_not_fill_memory() -> None:
    lists = FoundLists()
    keys = [lists.keep(Found("p", NOW, (1,), more=False)) for _ in range(MOST_LISTS + 1)]
    assert lists.find(keys[0], "p", NOW) is None
    assert lists.find(keys[1], "p", NOW) is not None
    assert lists.find(keys[1], "q", NOW) is None
    assert lists.find(keys[1], "p", NOW + dt.timedelta(minutes=16)) is None


def test_the_way_of_a_message_has_its_steps_its_law_and_its_proof(rig: ConsoleRig) -> None:
    person = rig.person(Role.VIEWER)
    page = person.get(PATH)
    assert page.status_code == 200
    for said in ("ハブで受付", "送付先のキューへ送付", "法令上の根拠", "提供しなかった項目"):
        assert said in page.text
    assert "含まれることを今確認しました" in page.text
    assert NAME not in page.text
    assert MY_NUMBER not in page.text
    assert "/proof" not in page.text
    look = rig.entries()[-1]
    assert (look.code, look.detail) == ("message", f"message {REGISTRY}/a1")
    english = person.get(PATH)
    assert english.status_code == 200


def test_of_an_unknown_message_nothing_is_told_or_kept(rig: ConsoleRig) -> None:
    answer = rig.person(Role.VIEWER).get(f"/messages/{REGISTRY}/{MY_NUMBER}")
    assert answer.status_code == 404
    look = rig.entries()[-1]
    assert look.code == "message"
    assert MY_NUMBER not in repr(rig.entries())


def test_an_auditor_gets_proofs_that_hold_and_others_do_not(rig: ConsoleRig) -> None:
    auditor = rig.person(Role.AUDITOR)
    answer = auditor.send(PATH, f"{PATH}/proof", reason="監査")
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        texts = [file.read(name) for name in file.namelist() if name.endswith(".proof.txt")]
    assert len(texts) == 4
    for text in texts:
        InclusionProof.parse(text).check([SIGNER.verifier])
    assert rig.entries()[-1].kind == "export"
    assert rig.person(Role.OPERATOR).post(f"{PATH}/proof", {"reason": "x"}).status_code == 403


def test_what_people_did_is_told_by_kind_and_not_about_whom(rig: ConsoleRig) -> None:
    accounts = rig.console.office.accounts
    accounts.lock(rig.account(Role.VIEWER, id="tanaka").id, AccessItems("suzuki", "", "", "", ""))
    for role in (Role.VIEWER, Role.AUDITOR):
        page = found(rig.person(role), kind="operator-action")
        assert "1件" in page
        assert "操作: 利用者のロック" in page
        assert "tanaka" not in page
        assert "suzuki" not in page
