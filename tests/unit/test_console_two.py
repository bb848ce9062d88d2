"""The console's decisions by two: one asks, another approves; of several, or of each by choice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.ledger.beside import State
from monitoring.console import requested
from monitoring.console.rights import Role
from tests.confirmations_rig import drain, open_ones
from tests.console_lists_rig import by_two, dead, held, shows
from tests.console_rig import ConsoleRig, console_rig, forms_of
from tests.dead_letters_rig import numbers
from tests.samples import NAME, event
from tests.worker_rig import Rig, shipped_four

pytestmark = [pytest.mark.unit, pytest.mark.slow]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[ConsoleRig]:
    with console_rig(tmp_path, hub=Rig(tmp_path, judge=shipped_four())) as console:
        yield console


def test_several_are_asked_for_by_one_and_approved_by_another(
    rig: ConsoleRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = dead(rig, "b1", "b2", "b3")
    asking = rig.person(Role.OPERATOR, Role.APPROVER)
    form = next(
        one
        for one in forms_of(shows(asking, "/dead-letters"))
        if one.action == "/dead-letters/request"
    )
    chosen = [("number", str(one)) for one in found[:2]]
    answer = asking.post(form.action, [*form.fields, *chosen, ("reason", "受信側を修理")])
    assert answer.status_code == 303, answer.text
    path = answer.headers["location"]
    assert numbers(rig.hub, State.REQUESTED) == found[:2]
    own = shows(asking, path)
    assert "別の職員の承認が必要です" in own
    assert not [one for one in forms_of(own) if one.action.endswith("/approve")]
    with monkeypatch.context() as patched:  # a page that shows the button by mistake
        patched.setattr(requested, "same_person", lambda *_: False)
        page = asking.get(path)
    answer = asking.fill(page, f"{path}/approve", reason="x")
    assert answer.status_code == 409
    assert numbers(rig.hub, State.REQUESTED) == found[:2]
    other = rig.person(Role.APPROVER)
    assert f"{path}" in shows(other, "/dead-letters")
    assert other.send(path, f"{path}/approve", reason="確認した").status_code == 303
    rig.hub.drain()
    assert numbers(rig.hub, State.MOVED) == found[:2]
    assert numbers(rig.hub) == found[2:]


def test_what_was_overtaken_is_not_asked_for_by_one_box_and_not_approved(rig: ConsoleRig) -> None:
    (number,) = dead(rig, "b1")
    asking, other = rig.person(Role.OPERATOR), rig.person(Role.APPROVER)
    ask = "/dead-letters/request"
    chosen = {"number": str(number), "reason": "受信側を修理"}
    path = asking.send("/dead-letters", ask, **chosen).headers["location"]
    drain(rig.hub, event(id="b2"))
    assert other.send(path, f"{path}/approve", reason="確認した").status_code == 409
    assert asking.send(path, f"{path}/take-back", reason="不要").status_code == 303
    assert asking.send("/dead-letters", ask, **chosen).status_code == 409
    rig.hub.drain()
    assert numbers(rig.hub) == [number]


def test_a_request_is_declined_by_another_or_taken_back_by_its_own(rig: ConsoleRig) -> None:
    found = dead(rig, "b1", "b2")
    asking, other = rig.person(Role.OPERATOR), rig.person(Role.APPROVER)
    for person, end in ((other, "decline"), (asking, "take-back")):
        answer = asking.send("/dead-letters", "/dead-letters/request", which="all", reason="修理")
        path = answer.headers["location"]
        assert numbers(rig.hub, State.REQUESTED) == found
        assert person.send(path, f"{path}/{end}", reason="不要").status_code == 303
        assert numbers(rig.hub) == found


def test_all_that_are_listed_are_asked_for_only_as_they_were_shown(rig: ConsoleRig) -> None:
    dead(rig, "b1", "b2")
    asking = rig.person(Role.OPERATOR)
    page = asking.get("/dead-letters", receiver="union")
    dead(rig, "b3")
    asked = {"which": "all", "reason": "修理"}
    assert asking.fill(page, "/dead-letters/request", **asked).status_code == 409
    assert numbers(rig.hub, State.REQUESTED) == []
    assert asking.send("/dead-letters", "/dead-letters/request", reason="x").status_code == 400


def test_where_the_site_says_so_a_single_one_too_is_decided_about_by_two(rig: ConsoleRig) -> None:
    (number,) = dead(rig, "b1")
    by_two(rig, "dead-letters")
    asking = rig.person(Role.OPERATOR)
    path = f"/dead-letters/{number}"
    assert "別の職員の承認が必要です" in shows(asking, path)
    answer = asking.send(path, f"{path}/discard", reason="不要")
    assert numbers(rig.hub, State.REQUESTED) == [number]
    request = answer.headers["location"]
    other = rig.person(Role.APPROVER)
    assert "廃棄する" in shows(other, request)
    assert other.send(request, f"{request}/approve", reason="確認した").status_code == 303
    assert numbers(rig.hub, State.DISCARDED) == [number]


@pytest.mark.parametrize(
    ("end", "word", "state"),
    [("release", "送付する", State.MOVED), ("reject", "却下する", State.REJECTED)],
)
def test_a_confirmation_too_where_the_site_says_so(
    rig: ConsoleRig, end: str, word: str, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = held(rig)
    by_two(rig, "confirmations")
    asking, other = rig.person(Role.OPERATOR, Role.APPROVER), rig.person(Role.APPROVER)
    path = f"/confirmations/{number}"
    assert "別の職員の承認が必要です" in shows(asking, path)
    answer = asking.send(path, f"{path}/{end}", reason="本人確認済み")
    assert answer.status_code == 303, answer.text
    request = answer.headers["location"]
    rig.hub.drain()
    assert open_ones(rig.hub, State.REQUESTED) == [number]
    assert not [one for one in forms_of(shows(asking, path)) if one.action.startswith(path)]
    own = shows(asking, request)
    assert not [one for one in forms_of(own) if one.action.endswith("/approve")]
    with monkeypatch.context() as patched:  # a page that shows the button by mistake
        patched.setattr(requested, "same_person", lambda *_: False)
        forged = asking.get(request)
    assert asking.fill(forged, f"{request}/approve", reason="x").status_code == 409
    assert f'"{request}"' in shows(other, "/confirmations")
    assert f'"{request}"' in shows(other, path)
    page = shows(other, request)
    assert word in page
    assert "本人確認済み" in page
    assert NAME not in page
    assert other.send(request, f"{request}/approve", reason="確認した").status_code == 303
    rig.hub.drain()
    assert open_ones(rig.hub, state) == [number]
    assert other.get(request).status_code == 404


def test_a_confirmation_asked_for_is_open_again_once_it_is_declined_or_taken_back(
    rig: ConsoleRig,
) -> None:
    number = held(rig)
    by_two(rig, "confirmations")
    asking, other = rig.person(Role.OPERATOR), rig.person(Role.APPROVER)
    path = f"/confirmations/{number}"
    for person, end in ((other, "decline"), (asking, "take-back")):
        request = asking.send(path, f"{path}/release", reason="確認").headers["location"]
        assert person.send(request, f"{request}/{end}", reason=" ").status_code == 400
        assert person.send(request, f"{request}/{end}", reason="不要").status_code == 303
        assert open_ones(rig.hub) == [number]
    said = [
        (one.access.staff, one.code, one.detail.endswith("taken back"))
        for one in rig.entries()
        if one.kind == "release" and one.receiver == "union"
    ]
    asked = (asking.account, "release-requested", False)
    ends = [(other.account, "declined", False), (asking.account, "declined", True)]
    assert sorted(said) == sorted([asked, ends[0], asked, ends[1]])
