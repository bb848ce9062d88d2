"""Somebody on the network, at the console: with the session of somebody else."""

import datetime as dt

import httpx
import pytest

from monitoring.console.rights import Role
from monitoring.console.sessions import COOKIE
from tests.attack.conftest import Report
from tests.attack.results import Party
from tests.attack.visitors import DENIED, FORGED, PEOPLE, WANTED, Console

pytestmark = pytest.mark.attack


def test_stolen_cookie(console: Console, report: Report) -> None:
    """It ends for both, so that its owner sees it."""
    owner = console.person(Role.OPERATOR, personal=True)
    thief = console.browser()
    thief.cookie = owner.cookie
    rises = console.victim.watch(DENIED, why="foreign")
    answer = thief.get("/dead-letters")
    assert answer.headers["location"] == "/login?ended=foreign"
    assert not owner.is_in()
    (entry, *_) = console.said(owner.account, outcome="session-ended")
    assert (entry["terminal"], entry["detail"]) == (thief.address, "foreign")
    report(
        Party.NETWORK,
        "session theft: cookie at another address",
        "a session's cookie, from another terminal",
        refused="sent to the login; the session has ended for its owner as well",
        recorded="ledger: operator-action session-ended (foreign), with the thief's terminal",
        alerted=rises(),
    )


def test_chosen_session(console: Console, report: Report) -> None:
    """Fixation: who gave a browser a cookie knows no session of its owner."""
    owner = console.person(Role.VIEWER)
    before = owner.cookie
    chosen = "chosen-by-the-attacker"
    owner.send("/me", "/logout")
    owner.cookie = chosen
    assert owner.logged_in() == httpx.codes.SEE_OTHER
    values = {one.value for one in owner.client.cookies.jar if one.name == COOKIE}
    thief = console.browser(owner.address)
    for known in (chosen, before):
        thief.cookie = known
        assert not thief.is_in()
    assert values - {chosen, before}
    report(
        Party.NETWORK,
        "session theft: fixation",
        "the owner logs in with a cookie that the attacker chose, or had before",
        refused="sent to the login: each login has a session of its own",
        recorded="ledger: operator-action login",
        alerted="no: nothing is wrong with it",
    )


OVER = {
    "logged out": ("/login", {}, "logout"),
    "idle": ("/login", {"seen": dt.timedelta(minutes=16)}, "session-ended"),
    "at its lifetime's end": ("/login", {"began": dt.timedelta(hours=9)}, "session-ended"),
}


@pytest.mark.parametrize("when", OVER)
def test_session_that_is_over(console: Console, report: Report, when: str) -> None:
    """At the very terminal: the browser was left open, or its disk was read."""
    leads, earlier, outcome = OVER[when]
    owner = console.person(Role.OPERATOR)
    secret = owner.cookie
    if earlier:
        console.aged(owner, **earlier)
    else:
        owner.send("/me", "/logout")
    thief = console.browser(owner.address)
    thief.cookie = secret
    assert thief.get("/map").headers["location"].startswith(leads)
    report(
        Party.NETWORK,
        f"session theft: cookie that is {when}",
        "at the same terminal, after its owner",
        refused="sent to the login",
        recorded=console.recorded(owner.account, outcome),
        alerted="no: nothing is wrong with it",
    )


def test_terminal_left_alone(console: Console, report: Report) -> None:
    """Whoever sits down at an open session looks, but decides nothing without the second factor."""
    owner = console.person(Role.ADMINISTRATOR)
    console.aged(owner, stepped=dt.timedelta(minutes=11))
    rises = console.victim.watch("renkei_console_logins_total", outcome="locked")
    asked = owner.send(PEOPLE, PEOPLE, **WANTED)
    for _ in range(5):
        assert FORGED not in console.rows()
        asked = owner.fill(asked, PEOPLE, **{"step-up-code": "000000"})
    assert not owner.is_in()
    recorded = console.recorded(owner.account, "lockout")
    console.recorded(owner.account, "session-ended", "revoked")
    report(
        Party.NETWORK,
        "session theft: terminal left alone",
        "an administrator's open session, without the second factor",
        refused="asked for the code; after 5 wrong ones the session has ended",
        recorded=f"{recorded}; session-ended (revoked)",
        alerted=rises(),
    )
