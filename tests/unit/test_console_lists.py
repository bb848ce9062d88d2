"""The work lists in the console: looking, deciding, asking for several, approving."""

import datetime as dt
import html
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hub.ledger.beside import State
from hub.ledger.model import Entry, Kind
from hub.ledger.search.counts import counted_by_outcome
from hub.message import AccessItems, MessageKey
from monitoring.console import desks, requested
from monitoring.console.pages import refusals
from monitoring.console.rights import Role
from monitoring.console.sessions import COOKIE
from tests.confirmations_rig import OTHER, changed, drain, open_ones, told
from tests.console_rig import ConsoleRig, Person, console_rig, forms_of
from tests.dead_letters_rig import died, numbers
from tests.samples import ADDRESSEE, MY_NUMBER, NAME, NOW, event
from tests.worker_rig import Rig, shipped_four

pytestmark = pytest.mark.unit

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[ConsoleRig]:
    with console_rig(tmp_path, hub=Rig(tmp_path, judge=shipped_four())) as console:
        yield console


def held(rig: ConsoleRig) -> int:
    drain(rig.hub, changed("a1"), changed("a2", my_number=OTHER, note=HOSTILE))
    (number,) = open_ones(rig.hub)
    return number


def by_two(rig: ConsoleRig, *lists: str) -> None:
    office = rig.console.office
    hub = office.site.hub.model_copy(update={"second_person": lists})
    object.__setattr__(office, "site", office.site.model_copy(update={"hub": hub}))


def dead(rig: ConsoleRig, *ids: str) -> list[int]:
    drain(rig.hub, *(event(id=one) for one in ids))
    return died(rig.hub, "union")


def shows(person: Person, path: str) -> str:
    answer = person.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


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


def test_refusals_say_why_and_escape_what_strangers_wrote(rig: ConsoleRig) -> None:
    drain(rig.hub, event(id="a1", type="income.assessed"), event(id="a2", data={HOSTILE: 1}))
    page = shows(rig.person(Role.VIEWER), "/refusals")
    assert "message-type-not-permitted" in page
    assert "この種別の電文を送る法令上の根拠がありません" in page
    assert HOSTILE not in page
    assert not re.search("[:：]\\s*</", page), "a sentence ends with what is not there"
    page = shows(rig.person(Role.VIEWER), "/refusals?code=invalid&sender=tax")
    assert "この種別の電文を送る" not in page
    assert rig.person(Role.VIEWER).get("/refusals", code="x").status_code == 404


def test_refusals_of_a_time_are_counted_in_the_ledger_and_shown_page_by_page(
    rig: ConsoleRig,
) -> None:
    day = dt.timedelta(days=1)
    refused = [
        Entry(
            kind=Kind.REFUSAL,
            at=at,
            message=MessageKey(sender, f"m{n}"),
            message_type="",
            code=code,
        )
        for n, (at, sender, code) in enumerate(
            [
                (NOW - 40 * day, "tax", "invalid"),
                *[(NOW - 10 * day, "tax", "invalid")] * 1100,
                *[(NOW - 2 * day, "union", "wrong-order")] * 2,
                *[(NOW, "tax", "invalid")] * 3,
            ]
        )
    ]
    with rig.console.office.books.alone() as ledger:
        ledger.append(refused)
    person = rig.person(Role.VIEWER)

    def counts(**asked: str) -> list[str]:
        page = person.get("/refusals", **asked)
        assert page.status_code == 200, asked
        return re.findall(r"<li>(\d+): <a", page.text)

    assert counts() == ["3", "2"]
    assert counts(period="today") == ["3"]
    assert counts(period="month") == ["1103", "2"]
    assert counts(period="month", sender="union") == ["2"]
    assert counts(end=(NOW - 9 * day).date().isoformat()) == ["1101"]
    since = (NOW - 2 * day).date().isoformat()
    assert counts(begin=since, end=since, period="today") == ["2"]

    seen: list[str] = []
    path = "/refusals?period=month&code=invalid"
    while path:
        page = shows(person, path)
        seen += re.findall(r'<td class="number">(\d+)</td>', page)
        older = re.search(r'href="([^"]*before=\d+)"', page)
        path = html.unescape(older[1]) if older else ""
        rig.later(minutes=1)
    assert len(seen) == len(set(seen)) == 1103


@pytest.mark.parametrize(
    "wrong", [{"begin": "2026-02-30"}, {"begin": "2026-03-02", "end": "2026-03-01"}]
)
def test_a_time_that_is_none_is_told(rig: ConsoleRig, wrong: dict[str, str]) -> None:
    page = rig.person(Role.VIEWER).get("/refusals", **wrong)
    assert page.status_code == 400
    assert "期間が正しくありません" in page.text
    assert rig.person(Role.VIEWER).get("/refusals", period="x").status_code == 404


@pytest.mark.parametrize(
    ("asked", "is_right"),
    [
        ({"begin": "2025-04-02", "end": "2026-04-02"}, True),
        ({"begin": "2025-04-01", "end": "2026-04-02"}, False),
        ({"begin": "2020-01-01"}, False),
        ({"end": "2020-12-31"}, True),
        ({"end": "0001-03-01"}, False),
    ],
)
def test_a_time_is_a_year_at_the_most(
    rig: ConsoleRig, asked: dict[str, str], *, is_right: bool
) -> None:
    page = rig.person(Role.VIEWER).get("/refusals", **asked)
    assert page.status_code == (200 if is_right else 400)
    assert ("期間は366日以内" in page.text) is (not is_right and "begin" in asked)
    assert ("（2020年1月1日） – 令和2年12月31日" in page.text) is (asked.get("end") == "2020-12-31")


def test_while_refusals_are_counted_others_use_the_ledger(
    rig: ConsoleRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    books, counts, heads = rig.console.office.books, counted_by_outcome, []
    monkeypatch.setattr(desks, "BUSY_SECONDS", 0.1)

    def other() -> None:
        with books.alone() as ledger:
            heads.append(ledger.size())

    def slow(*given: Any) -> Any:  # noqa: ANN401 - what it stands for gets and gives
        with ThreadPoolExecutor(1) as pool:
            pool.submit(other).result()
        return counts(*given)

    monkeypatch.setattr(refusals, "counted_by_outcome", slow)
    shows(rig.person(Role.VIEWER), "/refusals")
    assert heads == [len(rig.entries())]


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
