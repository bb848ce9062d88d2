"""How a browser comes to each page that is about one thing, or that a form is answered with."""

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from selenium.webdriver.common.by import By

from hub.site import read_secret
from monitoring.console.pages import oidc
from monitoring.console.rights import Role
from monitoring.console.sessions import KIND, STEP_UP, Session
from monitoring.console.store import Store
from tests.operations.rig import AtBrowser

Go = Callable[[AtBrowser], None]
NOBODY = "nobody"
ONE_TIME = "main .secret strong"
SEND = """
const form = document.createElement("form");
form.method = "post";
form.action = arguments[0];
document.body.append(form);
form.submit();
"""
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Place:
    """A template's page: how one gets there, its status, and what only it has."""

    template: str
    go: Go
    status: int = 200
    css: str = "main h1"


def opened(path: str) -> Go:
    """Open an address."""
    return lambda person: _open(person, path)


def linked(page: str, start: str, *, but: str = "\0") -> Go:
    """Open the first address that a page has a link to and that begins so."""

    def go(person: AtBrowser) -> None:
        assert person.open(page) == 200, page
        found = [one for one in person.links(start) if not one.startswith(but)]
        assert found, f"{page} leads to none of {start}"
        _open(person, found[0])

    return go


def _open(person: AtBrowser, path: str) -> None:
    person.open(path)


def _found(person: AtBrowser) -> None:
    person.open("/messages")
    # Not the newest of all: those are looks of this browser, and no messages.
    person.one("select[name='kind'] option[value='acceptance']").click()
    person.press("form[action='/messages/search'] button")


def _message(person: AtBrowser) -> None:
    _found(person)
    (first, *_) = [one for one in person.links("/messages/") if "/found/" not in one]
    _open(person, first)


def _proof(person: AtBrowser) -> None:
    _message(person)
    old_factor(person, Role.AUDITOR)
    person.one("form[action$='/proof'] input[name='reason']").send_keys("監査")
    person.press("form[action$='/proof'] button")


def _person_code(person: AtBrowser) -> None:
    _added(person)


def _added(person: AtBrowser) -> str:
    account = f"new{next(_numbers)}"
    person.open("/people")
    person.fill("id", account)
    person.fill("name", "新任 明")
    person.fill("department", "医療保険課")
    for box in person.driver.find_elements(By.CSS_SELECTOR, "input[name='role']")[:1]:
        box.click()
    person.one("form[action='/people'] input[name='reason']").send_keys("採用")
    person.press("form[action='/people'] button")
    return account


def _factor(person: AtBrowser) -> None:
    account, code = _added(person), person.one(ONE_TIME).text
    person.open("/enrol")
    for name, text in (
        ("account", account),
        ("code", code),
        ("password", "seven cranes cross the river"),
        ("again", "seven cranes cross the river"),
    ):
        person.fill(name, text)
    person.press("main form button")


def _reconciled(person: AtBrowser) -> None:
    person.open("/evidence/days")
    person.one("form[action='/evidence/days'] input[name='reason']").send_keys("日次の照合")
    person.press("form[action='/evidence/days'] button")


def _oidc_factor(person: AtBrowser) -> None:
    secret = f"under-way-{next(_numbers)}"
    until = datetime.now(UTC) + timedelta(minutes=5)
    under = json.dumps({"step": "known", "until": until.isoformat(), "account": NOBODY})
    with _store(person) as store:
        row = hashlib.sha256(secret.encode()).hexdigest()
        store.put(oidc.KIND, row, under.encode())
    cookie = {"name": oidc.BROWSER, "value": secret, "secure": True}
    person.driver.execute_cdp_cmd(
        "Network.setCookie", cookie | {"url": person.served.origin, "path": "/", "httpOnly": True}
    )
    person.open("/login")
    before = person.one("html")
    person.driver.execute_script(SEND, "/oidc/factor")
    person.after(before)


@contextmanager
def _store(person: AtBrowser) -> Iterator[Store]:
    settings = person.served.site.console
    assert settings is not None
    store = Store(settings.folder, read_secret(settings.key_file))
    try:
        yield store
    finally:
        store.close()


def old_factor(person: AtBrowser, role: Role) -> None:
    """Let somebody have given the second factor long ago."""
    account = person.served.known[role].account
    with _store(person) as store:
        for row, content in store.all(KIND):
            session = Session.model_validate_json(content or b"")
            if session.account == account:
                stepped = session.stepped - STEP_UP - timedelta(minutes=1)
                made = session.model_copy(update={"stepped": stepped})
                store.put(KIND, row, made.model_dump_json().encode())


PLACES: Mapping[str, Place] = {
    "confirmation": Place(
        "confirmation.html",
        linked("/confirmations", "/confirmations/", but="/confirmations/requests"),
    ),
    "confirmation-request": Place(
        "request.html", linked("/confirmations", "/confirmations/requests/")
    ),
    "dead-letter": Place(
        "dead_letter.html", linked("/dead-letters", "/dead-letters/", but="/dead-letters/requests")
    ),
    "dead-letter-request": Place(
        "request.html", linked("/dead-letters", "/dead-letters/requests/")
    ),
    "flow": Place("flow.html", linked("/map", "/flows/")),
    "help-page": Place("help_page.html", linked("/help", "/help/")),
    "message": Place("message.html", _message, css="main .lane"),
    "messages-found": Place("messages_found.html", _found),
    "person": Place("person.html", linked("/people", "/people/")),
    "review": Place("review.html", linked("/evidence/review", "/evidence/review/")),
}
"""By the name of a page that ``GET`` gives: those about one thing."""
ANSWERS: Mapping[str, Place] = {
    "message-proof": Place("step_up.html", _proof, css="input[name='step-up-code']"),
    "person-add": Place("person_code.html", _person_code, css=ONE_TIME),
    "enrol-send": Place("factor.html", _factor, css=".qr svg"),
    "days-reconcile": Place("reconciled.html", _reconciled, css="main pre"),
    "flow": Place("trouble.html", opened("/flows/none"), 404),
}
"""What is answered to those who do something, by the name of the page that they do it at."""
OFFICE: Mapping[str, Place] = {
    "oidc": Place("login.html", opened("/oidc"), 503, ".alert"),
    "oidc-back": Place("login.html", opened("/oidc/callback"), 403, ".alert"),
    "oidc-factor": Place("oidc_factor.html", _oidc_factor, 403, "form[action='/oidc/factor']"),
}
"""What is there only where people come by the office's login."""
REQUESTS = frozenset({"confirmation-request", "dead-letter-request"})
"""Places that are there once somebody has asked for something."""
