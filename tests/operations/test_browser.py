"""The console in a real browser: each page and role, both languages, a phone, a wide screen."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By

from hub.ledger.beside import Shelf, State
from monitoring.console.app import every_page
from monitoring.console.rights import Right, Role, may
from tests.operations.rig import PHONE, WIDE, AtBrowser, Served

pytestmark = pytest.mark.operations

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"

RECEIVER = "union"
SCREENS = (("ja", PHONE), ("en", WIDE))
FEWER = {Role.VIEWER: SCREENS[:1], Role.APPROVER: SCREENS[1:]}
"""Who sees little that others do not see as well looks at it once."""
PAGES = [page for page in every_page() if page.method == "GET" and page.may is not Right.ANYBODY]
LISTS = (
    "/map",
    "/confirmations",
    "/dead-letters",
    "/messages",
    "/refusals",
    "/evidence",
    "/people",
    "/help",
)
"""Pages whose links lead to pages about one thing."""


@pytest.fixture(autouse=True)
def afresh(person: AtBrowser) -> None:
    person.forget()
    person.size(WIDE)


def of_one_thing(person: AtBrowser) -> Iterator[str]:
    """Give an address of each kind of page about one thing, as far as there is such a thing."""
    plain = {page.path for page in PAGES}
    seen: set[str] = set()
    for path in LISTS:
        if path in plain and person.open(path) == 200:
            for link in person.links("/"):
                kind = "/".join(link.split("/")[:2])
                if link not in plain and "?" not in link and kind not in seen:
                    seen.add(kind)
                    yield link


@pytest.mark.parametrize("role", list(Role))
def test_each_page_opens_for_whom_it_may_and_is_for_everybody(
    person: AtBrowser, role: Role
) -> None:
    person.be(role)
    faults: list[str] = []
    plain = [page for page in PAGES if "{" not in page.path and page.name != "map-figures"]
    for page in plain:
        status = person.open(page.path)
        permitted = may([role], page.may)
        if permitted != (status == 200):
            faults.append(f"{page.path}: {status} for {role}")
    permitted_paths = [page.path for page in plain if may([role], page.may)]
    permitted_paths += of_one_thing(person)
    for language, size in FEWER.get(role, SCREENS):
        person.size(size)
        person.open("/me")
        person.speak(language)
        for path in permitted_paths:
            assert person.open(path) == 200, f"{path}: {person.status} for {role}"
            said = person.one("html").get_attribute("lang")
            faults += [] if said == language else [f"{path}: lang is {said}, not {language}"]
            faults += person.faults()
    person.speak("ja")
    person.keep(role)
    assert faults == []


@pytest.mark.parametrize(("language", "size"), SCREENS)
def test_who_is_not_logged_in_sees_the_login_and_no_more(
    person: AtBrowser, language: str, size: tuple[int, int]
) -> None:
    person.size(size)
    for page in PAGES:
        if "{" not in page.path:
            person.open(page.path)
            assert person.path == "/login"
    faults: list[str] = []
    for path in ("/login", "/enrol"):
        person.open(path)
        person.speak(language)
        faults += person.faults()
    assert faults == []


def test_one_logs_in_and_releases_by_keyboard_alone(person: AtBrowser, served: Served) -> None:
    known = served.known[Role.OPERATOR]
    person.open("/login")
    person.tab_to("input[name='account']").send_keys(known.account)
    person.tab_to("input[name='password']").send_keys(known.password)
    before = person.one("html")
    person.tab_to("input[name='code']").send_keys(known.code(), Keys.ENTER)
    person.after(before)
    assert person.path == "/map"
    person.keep(Role.OPERATOR)

    person.driver.switch_to.active_element.send_keys(Keys.TAB)
    assert person.driver.switch_to.active_element.get_attribute("class") == "skip"
    number = one_to_release(person, served)
    for css in ("nav a[href='/confirmations']", f"main a[href='/confirmations/{number}']"):
        before = person.one("html")
        person.tab_to(css).send_keys(Keys.ENTER)
        person.after(before)
    person.tab_to("form[action$='/release'] input[name='reason']").send_keys("本人に確認した")
    before = person.one("html")
    person.tab_to("form[action$='/release'] button").send_keys(Keys.ENTER)
    person.after(before)
    person.confirm(Role.OPERATOR)
    assert number not in {one.id for one in served.waiting(Shelf.CONFIRMATION)}


def one_to_release(person: AtBrowser, served: Served) -> int:
    """Find somebody whom a person has to confirm, and of whom nothing newer has come."""
    for one in served.waiting(Shelf.CONFIRMATION):
        person.open(f"/confirmations/{one.id}")
        if person.driver.find_elements(By.CSS_SELECTOR, "form[action$='/release']"):
            return one.id
    raise AssertionError("the demo has nobody whom a person could confirm")


def test_pages_fit_when_they_are_twice_as_large(person: AtBrowser) -> None:
    person.be(Role.OPERATOR)
    person.size((640, 512))  # 1280 x 1024 at 200 %
    faults: list[str] = []
    for path in ("/map", "/confirmations", "/dead-letters"):
        person.open(path)
        faults += person.faults()
    assert faults == []


def test_two_dead_letters_go_again_when_another_person_approves(
    person: AtBrowser, served: Served, two_dead: list[int]
) -> None:
    files = served.state / "drives" / RECEIVER / "from-hub"
    person.be(Role.OPERATOR)
    person.open("/dead-letters")
    for number in two_dead:
        person.one(f"input[name='number'][value='{number}']").click()
    person.fill("reason", "窓口端末が直った")
    person.press("form[action='/dead-letters/request'] button")
    person.confirm(Role.OPERATOR)
    request = person.path
    assert request.startswith("/dead-letters/requests/")
    approve = f"form[action='{request}/approve']"
    assert person.driver.find_elements(By.CSS_SELECTOR, approve) == []  # not one's own

    before = set(files.iterdir())
    person.be(Role.APPROVER)
    person.open(request)
    person.fill("reason", "内容を確認した")
    person.press(f"{approve} button")
    person.confirm(Role.APPROVER)
    moved = {*two_dead}
    served.until(
        lambda: moved <= {one.id for one in served.waiting(Shelf.DEAD_LETTER, State.MOVED)},
        "both dead letters to move",
    )
    served.until(lambda: bool(set(files.iterdir()) - before), "a file for the receiver")


def test_nothing_was_asked_of_anybody_else(person: AtBrowser, served: Served) -> None:
    person.be(Role.VIEWER)
    person.open("/map")
    assert len(person.asked) > len(PAGES) // 2
    assert person.foreign() == set()
    assert served.run.process.poll() is None


@pytest.mark.pictures
def test_pictures_of_the_pages(person: AtBrowser) -> None:
    PICTURES.mkdir(exist_ok=True)
    for role, path, name, size in (
        (Role.OPERATOR, "/map", "map", WIDE),
        (Role.OPERATOR, "/map", "map-phone", PHONE),
        (Role.OPERATOR, "/confirmations", "confirmations", WIDE),
        (Role.OPERATOR, "/dead-letters", "dead-letters", WIDE),
        (Role.AUDITOR, "/evidence", "evidence", WIDE),
        (Role.ADMINISTRATOR, "/people", "people", WIDE),
    ):
        person.be(role)
        person.size(size)
        if person.open(path) == 200:
            taken = person.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
            (PICTURES / f"{name}.png").write_bytes(base64.b64decode(taken["data"]))
