"""Somebody on the network, at the console: forms from elsewhere, guesses, another name."""

import time

import httpx
import pytest

from monitoring.console.rights import Role
from tests.attack.conftest import Report
from tests.attack.results import Party
from tests.attack.visitors import DENIED, FORGED, PEOPLE, TOO_MANY, WANTED, Console, Visitor
from tests.console_rig import PASSWORD, forms_of
from tests.known import Known

pytestmark = pytest.mark.attack

EVIL = "https://evil.example"
ELSEWHERE = (
    {"Origin": EVIL, "Sec_Fetch_Site": "cross-site"},
    {"Origin": "null", "Sec_Fetch_Site": "cross-site"},
    {"Origin": "https://127.0.0.1:1", "Sec_Fetch_Site": "same-site"},
    {"Origin": EVIL},
    {"Origin": "", "Sec_Fetch_Site": "none"},
    {"Origin": EVIL, "Sec_Fetch_Site": ""},
    {"Origin": "", "Sec_Fetch_Site": ""},
)
"""What a browser says of a form that another page sent, or says nothing of."""
WRONG = "four cranes crossed the river"
FORBIDDEN = httpx.codes.FORBIDDEN


def token_of(person: Visitor, page: str, action: str) -> str:
    """Give the token of a form as a page has it."""
    form = next(one for one in forms_of(person.get(page).text) if one.action == action)
    return dict(form.fields)["token"]


def is_refused(console: Console, answer: httpx.Response) -> bool:
    """Say whether nothing came of a forged form."""
    return answer.status_code == FORBIDDEN and FORGED not in console.rows()


def test_form_from_elsewhere(console: Console, report: Report) -> None:
    """Another site has an administrator's browser add an account; even with a token that is ours.

    A browser does not even send the cookie then (``SameSite``): here it does.
    """
    admin = console.be(Role.ADMINISTRATOR)
    rises = console.victim.watch(DENIED, why="origin")
    for headers in ELSEWHERE:
        token = token_of(admin, PEOPLE, PEOPLE)
        assert is_refused(console, admin.post(PEOPLE, WANTED | {"token": token}, **headers))
    recorded = console.recorded(admin.account, "page", "form sent from elsewhere")
    report(
        Party.NETWORK,
        "CSRF: form from another page",
        f"{len(ELSEWHERE)} words of a browser about its origin, with cookie and token",
        refused="HTTP 403, nothing is changed",
        recorded=recorded,
        alerted=rises(),
    )


def test_form_without_its_token(console: Console, report: Report) -> None:
    """None, another session's, another form's, and one that was used; then its own, which is."""
    admin, other = console.be(Role.ADMINISTRATOR), console.person(Role.ADMINISTRATOR)
    rises = console.victim.watch(DENIED, why="form")
    good = token_of(admin, PEOPLE, PEOPLE)
    for token in (
        "",
        "x.y",
        token_of(other, PEOPLE, PEOPLE),
        token_of(admin, PEOPLE, "/logout"),
    ):
        assert is_refused(console, admin.post(PEOPLE, WANTED | {"token": token}))
    given = WANTED | {"token": good, "role": "viewer"}
    assert admin.post(PEOPLE, given).status_code == httpx.codes.OK
    console.renkei("remove", FORGED)
    assert is_refused(console, admin.post(PEOPLE, given))
    report(
        Party.NETWORK,
        "CSRF: form without its token",
        "no token, another session's, another form's, one that was used",
        refused="HTTP 403, nothing is changed",
        recorded=console.recorded(admin.account, "page", "form not ours, or sent twice"),
        alerted=rises(),
    )


def test_login_from_elsewhere(console: Console, report: Report) -> None:
    """Another site logs a browser in, with an account of the attacker's."""
    own = console.person(Role.VIEWER)
    assert own.known is not None
    browser = console.browser()
    rises = console.victim.watch(DENIED, why="origin")
    given = {"account": own.account, "password": PASSWORD, "code": own.known.code()}
    answer = browser.post("/login", given, Origin=EVIL, Sec_Fetch_Site="cross-site")
    assert answer.status_code == FORBIDDEN
    assert not browser.cookie
    report(
        Party.NETWORK,
        "CSRF: login",
        "another page sends the login form, with right words",
        refused="HTTP 403, no session begins",
        recorded="no: nobody was logged in",
        alerted=rises(),
    )


def test_guesses(console: Console, report: Report) -> None:
    """A password is guessed, of an account and of one that there is not: nobody can tell which."""
    owner = console.person(Role.VIEWER)
    owner.send("/me", "/logout")
    guesser = console.browser()
    rises = console.victim.watch("renkei_console_logins_total", outcome="locked")
    answers, took = set(), {}
    for account, tries in ((owner.account, 6), ("nobody-at-all", 2)):
        began = time.monotonic()
        for _ in range(tries):
            given = {"account": account, "password": WRONG, "code": "000000"}
            answer = guesser.send("/login", "/login", **given)
            answers.add((answer.status_code, answer.text))
        took[account] = (time.monotonic() - began) / tries
    assert len(answers) == 1
    assert owner.logged_in() == FORBIDDEN  # the right words, too
    report(
        Party.NETWORK,
        "guesses a console's password",
        "6 times of an account, then of one that there is not",
        refused="one answer to all, "
        + " and ".join(f"{seconds:.1f} s" for seconds in took.values())
        + "; locked for 15 minutes after 5",
        recorded=console.recorded(owner.account, "lockout"),
        alerted=rises(),
    )


def test_code_twice(console: Console, report: Report) -> None:
    """Who looked over a shoulder has password and code, but not the next one."""
    owner = console.person(Role.OPERATOR)
    assert owner.known is not None
    owner.send("/me", "/logout")
    code = owner.known.code()
    assert owner.logged_in(code) == httpx.codes.SEE_OTHER
    thief = console.browser(known=Known(owner.account, PASSWORD, owner.known.secret))
    rises = console.victim.watch("renkei_console_logins_total", outcome="wrong")
    assert thief.logged_in(code) == FORBIDDEN
    assert owner.is_in()
    report(
        Party.NETWORK,
        "a code that was used",
        "password and code as their owner typed them, seconds later",
        refused="HTTP 403",
        recorded=console.recorded(owner.account, "login-refused"),
        alerted=rises(),
    )


def test_many_tries_of_an_address(console: Console, report: Report) -> None:
    """Of whatever kind: also one-time codes of accounts that are being set up."""
    guesser = console.browser()
    guesser.patient = False
    rises = console.victim.watch("renkei_console_logins_total", outcome="limited")
    given = {"account": "nobody-at-all", "code": "x", "password": WRONG, "again": "another"}
    statuses = [guesser.send("/enrol", "/enrol", **given).status_code for _ in range(21)]
    assert statuses[-1] == TOO_MANY
    assert statuses.count(TOO_MANY) == 1
    assert guesser.logged_in() == TOO_MANY
    report(
        Party.NETWORK,
        "many tries of one address",
        "one-time codes and passwords, 20 in a minute",
        refused="HTTP 429",
        recorded="no: its tries before were",
        alerted=rises(),
    )


def test_another_name(console: Console, report: Report) -> None:
    """A name that leads to the console's address (DNS rebinding) has no console."""
    admin = console.be(Role.ADMINISTRATOR)
    answer = admin.ask("GET", "/me", headers={"Host": "evil.example"})
    assert answer.status_code == httpx.codes.MISDIRECTED_REQUEST
    assert admin.account not in answer.text
    report(
        Party.NETWORK,
        "the console under another name",
        "`Host` names the attacker's site (DNS rebinding)",
        refused="HTTP 421",
        recorded="no",
        alerted="no",
    )
