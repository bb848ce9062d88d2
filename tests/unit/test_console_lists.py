"""The work lists in the console: looking, deciding, asking for several, approving."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.ledger.beside import State
from hub.ledger.model import Entry, Kind
from hub.message import AccessItems, MessageKey
from monitoring.console.rights import Role
from monitoring.console.sessions import COOKIE
from tests.confirmations_rig import OTHER, open_ones, told
from tests.console_lists_rig import HOSTILE, dead, held, shows
from tests.console_rig import ConsoleRig, console_rig, forms_of
from tests.dead_letters_rig import numbers
from tests.samples import ADDRESSEE, MY_NUMBER, NAME, NOW
from tests.worker_rig import Rig, shipped_four

pytestmark = [pytest.mark.unit, pytest.mark.slow]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[ConsoleRig]:
    with console_rig(tmp_path, hub=Rig(tmp_path, judge=shipped_four())) as console:
        yield console


def test_the_list_of_confirmations_says_who_waits_for_what_and_nobody_s_data(
    rig: ConsoleRig,
) -> None:
    number = held(rig)
    page = shows(rig.person(Role.VIEWER), "/confirmations")
    assert f"/confirmations/{number}" in page
    assert "確認リストで職員の確認を待っています" in page
    assert NAME not in page
    assert ADDRESSEE not in page
    assert "該当する電文はありません" in shows(
        rig.person(Role.VIEWER), "/confirmations?state=moved"
    )
    assert rig.person(Role.VIEWER).get("/confirmations", state="x").status_code == 404


def test_the_content_is_shown_to_those_with_the_right_alone_and_the_look_is_recorded(
    rig: ConsoleRig,
) -> None:
    number = held(rig)
    without = rig.person(Role.OPERATOR)
    page = shows(without, f"/confirmations/{number}")
    assert NAME not in page
    assert ADDRESSEE not in page
    person = rig.person(Role.OPERATOR, personal=True)
    page = shows(person, f"/confirmations/{number}")
    assert NAME in page
    assert "&lt;script&gt;" in page
    assert HOSTILE not in page
    assert OTHER not in page
    assert MY_NUMBER not in page
    for who in (without, person):
        (look,) = [one for one in rig.entries() if one.access.staff == who.account]
        assert (look.kind, look.code) == ("log-view", "confirmation")
        assert look.resident


def test_an_operator_releases_with_a_reason_and_the_hub_moves_it(rig: ConsoleRig) -> None:
    number = held(rig)
    person = rig.person(Role.OPERATOR)
    path = f"/confirmations/{number}"
    action = f"{path}/release"
    assert person.send(path, action, reason=" ").status_code == 400
    assert open_ones(rig.hub) == [number]
    answer = person.send(path, action, reason="本人確認済み")
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    rig.hub.drain()
    assert ("delivery", "union", "") in told(rig.hub, "a2")
    (entry,) = {one.access.reason for one in rig.entries() if one.kind == "release"}
    assert entry == "本人確認済み"
    page = shows(person, path)
    assert not [one for one in forms_of(page) if one.action.startswith(path)]
    assert person.post(action, {"reason": "x"}).status_code == 403


def test_an_operator_rejects_and_a_second_try_is_told(rig: ConsoleRig) -> None:
    number = held(rig)
    person = rig.person(Role.OPERATOR)
    path = f"/confirmations/{number}"
    page = person.get(path)
    assert person.fill(page, f"{path}/reject", reason="別人").status_code == 303
    assert open_ones(rig.hub) == []
    assert person.fill(page, f"{path}/release", reason="x").status_code == 409


@pytest.mark.parametrize("role", [Role.VIEWER, Role.APPROVER, Role.AUDITOR])
def test_others_have_no_button_and_a_forged_form_does_nothing(rig: ConsoleRig, role: Role) -> None:
    number = held(rig)
    person = rig.person(role)
    path = f"/confirmations/{number}"
    assert not [one for one in forms_of(shows(person, path)) if "release" in one.action]
    assert person.post(f"{path}/release", {"reason": "x"}).status_code == 403
    assert open_ones(rig.hub) == [number]


def test_one_dead_letter_is_replayed_by_one_person(rig: ConsoleRig) -> None:
    (number,) = dead(rig, "b1")
    person = rig.person(Role.OPERATOR)
    page = shows(person, "/dead-letters")
    assert f"/dead-letters/{number}" in page
    path = f"/dead-letters/{number}"
    page = shows(person, path)
    assert "授受簿の記録" in page
    assert NAME not in page
    assert person.send(path, f"{path}/replay", reason="受信側を修理").status_code == 303
    rig.hub.drain()
    assert numbers(rig.hub, State.MOVED) == [number]


def test_late_flows_are_unknown_without_the_watch(rig: ConsoleRig) -> None:
    assert "監視が応答しないため" in shows(rig.person(Role.ADMINISTRATOR), "/late")


@pytest.mark.parametrize("path", ["/confirmations", "/dead-letters", "/refusals", "/messages"])
def test_an_administrator_sees_no_list(rig: ConsoleRig, path: str) -> None:
    assert rig.person(Role.ADMINISTRATOR).get(path).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/confirmations/7",
        "/confirmations/requests/7",
        "/dead-letters/7",
        "/dead-letters/requests/7",
    ],
)
def test_what_is_not_there_is_not_found(rig: ConsoleRig, path: str) -> None:
    assert rig.person(Role.OPERATOR).get(path).status_code == 404


def test_what_strangers_wrote_is_text_on_every_page(rig: ConsoleRig) -> None:
    """A ledger keeps words as they came: system, type, code, detail, staff, receiver."""
    key = MessageKey("tax", "x1")
    words = dict.fromkeys(
        ("message_type", "receiver", "code", "detail", "basis", "purpose"), HOSTILE
    )
    access = AccessItems(*[HOSTILE] * 5)
    kinds = (Kind.ACCEPTANCE, Kind.REFUSAL, Kind.RECEIPT, Kind.REPLAY, Kind.RELEASE, Kind.HOLD)
    entries = [
        Entry(
            kind=kind,
            at=NOW,
            message=MessageKey(HOSTILE, HOSTILE) if is_stranger else key,
            flow="M1b",
            access=access,
            released=(HOSTILE,),
            **words,  # type: ignore[arg-type]
        )
        for kind in kinds
        for is_stranger in (False, True)
    ]
    with rig.console.office.books.alone() as ledger:
        ledger.append(entries)
    person = rig.person(Role.OPERATOR)
    found = person.send("/messages", "/messages/search", flow="M1b").headers["location"]
    for path in ("/refusals", "/flows/M1b", "/messages/tax/x1", found):
        page = shows(person, path)
        assert "&lt;script&gt;" in page, path
        assert HOSTILE not in page, path


@pytest.mark.parametrize("digits", [1, 30, 1900, 6000])
def test_a_number_that_none_has_is_no_page(rig: ConsoleRig, digits: int) -> None:
    person = rig.person(Role.OPERATOR)
    for path in ("/confirmations", "/confirmations/requests", "/dead-letters/requests"):
        assert person.get(f"{path}/{'9' * digits}").status_code == 404, path
    number = "9" * digits
    opened = person.client.cookies[COOKIE]
    for action in ("/confirmations/{}/release", "/dead-letters/{}/discard"):
        where = action.format(number)
        token = rig.console.guard.tokens.token(opened, where)
        answer = person.post(where, {"token": token, "reason": "x"})
        assert answer.status_code in {404, 409}, action
    auditor = rig.person(Role.AUDITOR)
    for month in ("0000-01", "0001-01", "9999-12", f"{number}-01"):
        assert auditor.get(f"/evidence/review/{month}").status_code == 404, month
