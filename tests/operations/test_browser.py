"""The console in a real browser: each page and role, both languages, a phone, a wide screen."""

import base64
import io
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from PIL import Image
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By

from hub.ledger.beside import Shelf, State
from monitoring.console.app import every_page
from monitoring.console.rights import Right, Role, may
from monitoring.console.views import TEMPLATES
from tests.operations.places import ANSWERS, OFFICE, PLACES, REQUESTS, Place
from tests.operations.rig import PHONE, TOO_MANY, WIDE, AtBrowser, Served

pytestmark = pytest.mark.operations

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"

DESK = (1440, 900)
MOST_BYTES = 200_000
VIEWS = [
    ("map", Role.OPERATOR, "/map", DESK, "ja"),
    ("map-phone", Role.OPERATOR, "/map#lines", PHONE, "ja"),
    ("map-english", Role.OPERATOR, "/map", DESK, "en"),
    ("flow", Role.OPERATOR, "flow", DESK, "ja"),
    ("messages-found", Role.OPERATOR, "messages-found", DESK, "ja"),
    ("message", Role.OPERATOR, "message", DESK, "ja"),
    ("confirmations", Role.OPERATOR, "/confirmations", DESK, "ja"),
    ("confirmation-phone", Role.OPERATOR, "confirmation", PHONE, "ja"),
    ("dead-letters", Role.OPERATOR, "/dead-letters", DESK, "ja"),
    ("refusals", Role.OPERATOR, "/refusals", DESK, "ja"),
    ("late", Role.OPERATOR, "/late", DESK, "ja"),
    ("evidence", Role.AUDITOR, "/evidence", DESK, "ja"),
    ("review", Role.AUDITOR, "review", DESK, "ja"),
    ("people", Role.ADMINISTRATOR, "/people", DESK, "ja"),
]
"""The pictures of docs/pictures: of which page (a place or an address), as seen by whom, how."""
HAS_MOVED = """
const moved = cell => parseFloat(cell.textContent) > 0;
return document.querySelector("tr[data-state='stopped']") !== null
    && [...document.querySelectorAll("td[data-cell='rate']")].some(moved);
"""

RECEIVER = "union"
SCREENS = (("ja", PHONE), ("en", WIDE))
FEWER = {Role.VIEWER: SCREENS[:1], Role.APPROVER: SCREENS[1:]}
"""Who sees little that others do not see as well looks at it once."""
PAGES = [page for page in every_page() if page.method == "GET" and page.may is not Right.ANYBODY]
PLAIN = [page for page in PAGES if "{" not in page.path and not page.by_script]
LOGIN = {"login": "login.html", "enrol": "enrol.html"}
NOT_SEEN = {"oidc_done.html"}
"""Leads on at once."""
EVERY = {page.name: page for page in every_page()}


@pytest.fixture(autouse=True)
def afresh(person: AtBrowser) -> None:
    person.forget()
    person.size(WIDE)


def test_every_page_is_opened_by_one_of_these_tests() -> None:
    gets = {page.name for page in every_page() if page.method == "GET" and not page.by_script}
    assert gets == {page.name for page in PLAIN} | LOGIN.keys() | PLACES.keys() | (
        OFFICE.keys() & gets
    )
    of_pages = {
        path.name
        for path in TEMPLATES.iterdir()
        if 'extends "base.html"' in path.read_text("utf-8")
    }
    places = [*PLACES.values(), *ANSWERS.values(), *OFFICE.values()]
    seen = {one.template for one in places} | {*LOGIN.values()} | NOT_SEEN
    assert len(of_pages - seen) == len(PLAIN), "a template that no test opens"


def looked_at(person: AtBrowser, place: Place, language: str) -> Iterator[str]:
    """Go to a place, and say what is wrong there."""
    place.go(person)
    where = f"{person.path} ({place.template})"
    if person.status != place.status:
        yield f"{where}: {person.status}, not {place.status}"
    if not person.driver.find_elements(By.CSS_SELECTOR, place.css):
        yield f"{where}: there is no {place.css}"
    if person.one("html").get_attribute("lang") != language:
        yield f"{where}: it is not in {language}"
    told = f"status of {place.status} "
    yield from (one for one in person.faults() if told not in one)


@pytest.mark.usefixtures("two_dead")
@pytest.mark.parametrize("role", list(Role))
def test_each_page_opens_for_whom_it_may_and_is_for_everybody(
    person: AtBrowser, role: Role
) -> None:
    person.be(role)
    faults: list[str] = []
    for page in PLAIN:
        status = person.open(page.path)
        permitted = may([role], page.may)
        if permitted != (status == 200):
            faults.append(f"{page.path}: {status} for {role}")
    permitted_paths = [page.path for page in PLAIN if may([role], page.may)]
    for name in PLACES.keys() - REQUESTS:
        if may([role], EVERY[name].may):
            PLACES[name].go(person)
            permitted_paths.append(person.path)
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


def test_who_was_too_fast_sends_the_form_again_by_loading_anew(person: AtBrowser) -> None:
    person.be(Role.OPERATOR)
    person.open("/messages")
    hurry = "return Promise.all([...Array(60)].map(() => fetch('/me').then(got => got.status)))"
    assert TOO_MANY in person.driver.execute_script(hurry)
    assert person.press("form[action='/messages/search'] button") == HTTPStatus.OK
    assert person.path.startswith("/messages/found/")


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
    # Meanwhile a new day may bring something newer about just that person.
    assert any(released_by_keyboard(person, served) for _ in range(3))


def released_by_keyboard(person: AtBrowser, served: Served) -> bool:
    """Release somebody's message; say whether it went."""
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
    return number not in {one.id for one in served.waiting(Shelf.CONFIRMATION)}


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
    request = asked_for(person, two_dead)
    for (language, size), role in zip(SCREENS, (Role.OPERATOR, Role.APPROVER), strict=True):
        person.be(role)
        in_language(person, language, size)
        assert not list(looked_at(person, PLACES["dead-letter-request"], language))
        person.speak("ja")
        person.keep(role)
    person.be(Role.OPERATOR)
    person.open(request)
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


def asked_for(person: AtBrowser, dead: list[int]) -> str:
    """Ask for dead letters to go again; give the request's address."""
    person.be(Role.OPERATOR)
    person.open("/dead-letters")
    for number in dead:
        person.one(f"input[name='number'][value='{number}']").click()
    person.fill("reason", "窓口端末が直った")
    person.press("form[action='/dead-letters/request'] button")
    person.confirm(Role.OPERATOR)
    assert person.path.startswith("/dead-letters/requests/")
    return person.path


def in_language(person: AtBrowser, language: str, size: tuple[int, int]) -> None:
    """Have a screen of this size, and pages in this language."""
    person.size(size)
    person.open("/help" if person.driver.get_cookies() else "/login")
    person.speak(language)


@pytest.mark.parametrize(("language", "size"), SCREENS)
def test_what_forms_are_answered_with_is_for_everybody(
    person: AtBrowser, language: str, size: tuple[int, int]
) -> None:
    faults: list[str] = []
    for name, place in ANSWERS.items():
        needed = Right.MANAGE if EVERY[name].may is Right.ANYBODY else EVERY[name].may
        role = next(role for role in Role if may([role], needed))
        person.be(role)
        in_language(person, language, size)
        faults += looked_at(person, place, language)
        person.open("/me")
        person.speak("ja")
        person.keep(role)
    assert faults == []


@pytest.mark.pictures
@pytest.mark.usefixtures("two_dead")
@pytest.mark.parametrize(("name", "role", "path", "size", "language"), VIEWS)
def test_pictures_of_the_pages(  # noqa: PLR0913, PLR0917 - what a picture is of
    person: AtBrowser,
    served: Served,
    name: str,
    role: Role,
    path: str,
    size: tuple[int, int],
    language: str,
) -> None:
    person.be(role)
    in_language(person, language, size)
    if path in PLACES:
        PLACES[path].go(person)
    else:
        person.open(path)
    assert person.status == 200
    served.hold(*([f"adapter-{RECEIVER}"] if path.startswith("/map") else []))
    if path.startswith("/map"):
        served.until(lambda: person.driver.execute_script(HAS_MOVED), "a line that stops")
    taken = person.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    picture = Image.open(io.BytesIO(base64.b64decode(taken["data"]))).convert("RGB")
    few = picture.quantize(128, dither=Image.Dither.NONE)
    PICTURES.mkdir(exist_ok=True)
    few.save(PICTURES / f"{name}.png", optimize=True)
    assert (PICTURES / f"{name}.png").stat().st_size < MOST_BYTES
    person.speak("ja")
    person.keep(role)


@pytest.mark.usefixtures("other_site")
@pytest.mark.parametrize(("language", "size"), SCREENS)
def test_the_way_in_by_the_office_s_login_is_for_everybody(
    person: AtBrowser, language: str, size: tuple[int, int]
) -> None:
    faults: list[str] = []
    for place in OFFICE.values():
        person.forget()
        in_language(person, language, size)
        assert person.driver.find_elements(By.CSS_SELECTOR, "a[href='/oidc']")
        faults += looked_at(person, place, language)
    assert faults == []


@pytest.mark.usefixtures("other_site")
def test_a_confirmation_is_released_by_two_where_the_site_says_so(
    person: AtBrowser, served: Served
) -> None:
    person.be(Role.OPERATOR)
    number = one_to_release(person, served)
    person.one("form[action$='/release'] input[name='reason']").send_keys("本人に確認した")
    person.press("form[action$='/release'] button")
    person.confirm(Role.OPERATOR)
    request = person.path
    assert request.startswith("/confirmations/requests/")
    approve = f"form[action='{request}/approve']"
    assert person.driver.find_elements(By.CSS_SELECTOR, approve) == []  # not one's own
    asked = served.waiting(Shelf.CONFIRMATION, State.REQUESTED)
    assert [one.id for one in asked] == [number]

    person.be(Role.APPROVER)
    for language, size in SCREENS:
        in_language(person, language, size)
        assert not list(looked_at(person, PLACES["confirmation-request"], language))
    person.speak("ja")
    assert person.path == request
    person.fill("reason", "内容を確認した")
    person.press(f"{approve} button")
    person.confirm(Role.APPROVER)
    served.until(
        lambda: number in {one.id for one in served.waiting(Shelf.CONFIRMATION, State.MOVED)},
        "the confirmation to move",
    )


def test_nothing_was_asked_of_anybody_else(person: AtBrowser, served: Served) -> None:
    person.be(Role.VIEWER)
    person.open("/map")
    assert len(person.asked) > len(PAGES) // 2
    assert person.foreign() == set()
    assert served.run.process.poll() is None
