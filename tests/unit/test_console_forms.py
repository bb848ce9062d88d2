"""Forms, headers, right and second factor around every page of the console."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.responses import HTMLResponse, Response

from monitoring.console.page import Page
from monitoring.console.pages import own
from monitoring.console.rights import Right, Role
from monitoring.console.sessions import COOKIE
from monitoring.console.visit import Visit
from monitoring.visits import Denial
from tests.console_rig import ORIGIN, ConsoleRig, console_rig, forms_of

pytestmark = pytest.mark.unit

DONE: list[str] = []


def form_page(visit: Visit) -> Response:
    token = visit.token("/test/decide")
    return HTMLResponse(
        f'<form method="post" action="/test/decide"><input name="token" value="{token}"></form>'
        f"{visit.words('required')}"
    )


def decide(visit: Visit) -> Response:
    DONE.append(visit.form.get("what", ""))
    return visit.go("/me")


def fail(visit: Visit) -> Response:
    raise RuntimeError(f"about {visit.who.id}")


PAGES = (
    *own.PAGES,
    Page("test.form", "/test/form", Right.FACTS, form_page),
    Page("test.decide", "/test/decide", Right.DECIDE, decide, "POST", step_up=True),
    Page("test.fail", "/test/fail", Right.OVERVIEW, fail),
)


@pytest.fixture
def console(tmp_path: Path) -> Iterator[ConsoleRig]:
    DONE.clear()
    with console_rig(tmp_path, PAGES) as rig:
        yield rig


def test_a_form_is_taken_once_from_our_own_page(console: ConsoleRig) -> None:
    clerk = console.person(Role.OPERATOR)
    page = clerk.get("/test/form")
    assert clerk.fill(page, "/test/decide", what="a").status_code == 303
    assert clerk.fill(page, "/test/decide", what="again").status_code == 403
    (form,) = forms_of(clerk.get("/test/form").text)
    token = dict(form.fields)["token"]
    for headers in (
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none"},
        {"Sec_Fetch_Site": "", "Origin": ""},
        {"Sec_Fetch_Site": "", "Origin": "https://elsewhere.test"},
        {"Origin": "https://elsewhere.test"},
    ):
        forged = clerk.post("/test/decide", {"token": token, "what": "forged"}, **headers)
        assert forged.status_code == 403
    for wrong in ("", "x.y", token[:-1] + ("0" if token[-1] != "0" else "1")):
        answer = clerk.post("/test/decide", {"token": wrong, "what": "forged"})
        assert answer.status_code == 403
    assert clerk.post("/logout", {"token": token}).status_code == 403
    assert clerk.post("/test/decide", {"token": token, "what": "b"}).status_code == 303
    assert DONE == ["a", "b"]


def test_another_sessions_token_is_none(console: ConsoleRig) -> None:
    clerk, other = console.person(Role.OPERATOR), console.person(Role.OPERATOR)
    (form,) = forms_of(other.get("/test/form").text)
    assert clerk.post("/test/decide", form.fields).status_code == 403


def test_who_may_not_is_told_so_and_recorded(console: ConsoleRig) -> None:
    viewer = console.person(Role.VIEWER)
    assert viewer.fill(viewer.get("/test/form"), "/test/decide", what="x").status_code == 403
    assert DONE == []
    said = [one.detail for one in console.entries() if one.access.staff == viewer.account]
    assert said == ["test.form", "test.decide: not permitted"]


def test_what_is_denied_is_counted_by_why_and_recorded(console: ConsoleRig) -> None:
    viewer = console.person(Role.VIEWER)
    page = viewer.get("/test/form")
    viewer.fill(page, "/test/decide")
    viewer.fill(page, "/test/decide")
    viewer.post("/logout", {}, Origin="https://elsewhere.test")
    assert [one.detail for one in console.entries() if one.access.staff == viewer.account] == [
        "test.form",
        "test.decide: not permitted",
        "test.decide: form not ours, or sent twice",
        "logout: form sent from elsewhere",
    ]
    nobody = console.browser()
    for _ in range(3):  # nobody can fill the ledger so
        assert nobody.post("/login", {}, Sec_Fetch_Site="cross-site").status_code == 403
    thief = console.browser("10.0.0.66")
    thief.client.cookies.set(COOKIE, viewer.client.cookies[COOKIE])
    thief.get("/me")
    other = console.person(Role.VIEWER)
    for _ in range(26):
        other.get("/me")
    counted = {
        why: console.registry.get_sample_value("renkei_console_denied_total", {"why": why})
        for why in Denial
    }
    assert counted == {"origin": 4, "form": 1, "foreign": 1, "right": 1, "self": 0, "busy": 1}
    assert sum("elsewhere" in one.detail for one in console.entries()) == 1


def test_a_decision_long_after_the_login_wants_the_second_factor(console: ConsoleRig) -> None:
    clerk = console.person(Role.OPERATOR)
    console.later(minutes=11)
    before = clerk.client.cookies[COOKIE]
    asked = clerk.send("/test/form", "/test/decide", what="<1>")
    assert DONE == []
    wrong = clerk.fill(asked, "/test/decide", **{"step-up-code": "000000"})
    assert DONE == []
    clerk.fill(wrong, "/test/decide", **{"step-up-code": console.code()})
    assert DONE == ["<1>"]
    newest = [one.value for one in clerk.client.cookies.jar if one.name == COOKIE]
    assert before not in newest[-1:]
    console.later(minutes=1)
    clerk.send("/test/form", "/test/decide", what="2")
    assert DONE == ["<1>", "2"]


def test_wrong_second_factors_end_the_session(console: ConsoleRig) -> None:
    clerk = console.person(Role.OPERATOR)
    console.later(minutes=11)
    page = clerk.send("/test/form", "/test/decide", what="x")
    for _ in range(5):
        page = clerk.fill(page, "/test/decide", **{"step-up-code": "000000"})
    assert clerk.get("/me").status_code == 303
    assert "lockout" in console.codes(clerk.account)
    assert DONE == []


def test_every_answer_says_what_a_browser_may_do_with_it(console: ConsoleRig) -> None:
    anybody = console.browser()
    css = anybody.get("/login").text.split('rel="stylesheet" href="')[1].split('"')[0]
    for path in ("/login", "/nothing", "/", css, "/test/form"):
        heads = anybody.get(path).headers
        policy = heads["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert heads["x-content-type-options"] == "nosniff"
        assert heads["referrer-policy"] == "same-origin"
        assert heads["strict-transport-security"]
        assert ("immutable" in heads["cache-control"]) == (path == css)
        assert path == css or heads["cache-control"] == "no-store"


def test_cookies_are_of_no_use_to_scripts_and_other_sites(console: ConsoleRig) -> None:
    clerk = console.browser(account=console.account(Role.VIEWER).id)
    (cookie,) = clerk.logged_in().headers.get_list("set-cookie")
    assert cookie.startswith("__Host-renkei=")
    assert cookie.endswith("; Path=/; Secure; HttpOnly; SameSite=Strict")


def test_we_answer_to_our_own_name_alone(console: ConsoleRig) -> None:
    anybody = console.browser()
    answer = console.run(anybody.client.get("/login", headers={"Host": "evil.test"}))
    assert answer.status_code == 421


def test_a_head_is_no_larger_than_any_of_ours(console: ConsoleRig) -> None:
    anybody = console.browser()
    heads = {"X-Much": "x" * 17_000}
    assert console.run(anybody.client.get("/login", headers=heads)).status_code == 431
    assert anybody.get("/login", ended="x" * 17_000).status_code == 431
    assert anybody.get("/login", ended="x" * 1_000).status_code == 200


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        ("a=" + "x" * 70_000, "application/x-www-form-urlencoded", 413),
        ("&".join(f"a{n}=1" for n in range(60)), "application/x-www-form-urlencoded", 400),
        ('{"a": 1}', "application/json", 400),
        ("a=%ff", "application/x-www-form-urlencoded", 400),
    ],
)
def test_a_body_that_is_no_form_of_ours(
    console: ConsoleRig, content: str, kind: str, status: int
) -> None:
    heads = {"Content-Type": kind, "Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
    anybody = console.browser()
    answer = console.run(anybody.client.post("/login", content=content, headers=heads))
    assert answer.status_code == status


def test_what_fails_says_nothing_of_what_it_had(
    console: ConsoleRig, caplog: pytest.LogCaptureFixture
) -> None:
    clerk = console.person(Role.VIEWER)
    answer = clerk.get("/test/fail")
    assert answer.status_code == 500
    assert "visit" not in answer.text.split("<main")[1]
    said = [one for one in caplog.records if one.levelname == "ERROR"]
    assert ["RuntimeError at test_console_forms.py" in one.getMessage() for one in said] == [True]
    assert "about " not in caplog.text


def test_a_page_is_japanese_unless_somebody_chose_english(console: ConsoleRig) -> None:
    anybody = console.browser()
    assert '<html lang="ja">' in anybody.get("/login").text
    answer = anybody.send("/login", "/language")
    assert answer.headers["location"] == "/login"
    assert '<html lang="en">' in anybody.get("/login").text
    elsewhere = anybody.post("/language", {"language": "ja", "back": "//evil.test"})
    assert elsewhere.headers["location"] == "/"


def test_a_busy_session_has_to_wait(console: ConsoleRig) -> None:
    clerk = console.person(Role.VIEWER)
    statuses = [clerk.get("/me").status_code for _ in range(26)]
    assert statuses[-1] == 429
