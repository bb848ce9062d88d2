"""Every page of the console, asked by everybody: who may what is as the page of rights says."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from monitoring.console.app import every_page
from monitoring.console.limiter import Limiter
from monitoring.console.listed import table
from monitoring.console.page import Page
from monitoring.console.rights import Right, Role, faults_of, may
from monitoring.console.sessions import COOKIE
from monitoring.console.words import Words
from tests.console_rig import ConsoleRig, Person, console_rig

pytestmark = [pytest.mark.unit, pytest.mark.slow]

TEXT = Path("docs/operations/console.md").read_text(encoding="utf-8")
EVERYBODY = [(role, personal) for role in Role for personal in (False, True)]
NOT_PERMITTED = Words("ja")("trouble.403")
NOT_OURS = Words("ja")("trouble.form")


def rights() -> dict[str, set[str]]:
    """Give the roles of each right, as the table for people has them."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in TEXT.split("## Who may what")[1].split("###")[0].splitlines()
        if line.startswith("|")
    ]
    head = rows[0]
    assert head[1:6] == list(Role)
    return {
        row[0].strip("`"): {
            role for role, cell in zip(head[1:6], row[1:6], strict=True) if "✓" in cell
        }
        for row in rows[2:]
    }


def test_the_table_for_people_says_what_the_code_permits() -> None:
    said = rights()
    assert said.keys() == set(Right) - {Right.ANYBODY, Right.OWN}
    for right, roles in said.items():
        assert {role for role in Role if may([role], Right(right))} == roles, right


def test_every_page_stands_in_the_document() -> None:
    assert table(every_page()) in TEXT, "run renkei docs"


def test_who_makes_accounts_does_nothing_else() -> None:
    assert list(faults_of([]))
    assert list(faults_of([Role.ADMINISTRATOR, Role.OPERATOR]))
    assert list(faults_of([Role.ADMINISTRATOR, Role.APPROVER]))
    assert not list(faults_of([Role.OPERATOR, Role.APPROVER, Role.AUDITOR]))
    assert not list(faults_of([Role.ADMINISTRATOR, Role.AUDITOR]))


def address(page: Page) -> str:
    """Give an address of a page, of something that there is not."""
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda found: "1" if found[2] else "x1", page.path)


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleRig]:
    with console_rig(tmp_path_factory.mktemp("console")) as rig:
        rig.console.guard.rate = Limiter(100_000, 1.0)
        yield rig


@pytest.fixture(scope="module")
def people(console: ConsoleRig) -> dict[tuple[Role, bool], Person]:
    return {
        (role, personal): console.person(role, personal=personal) for role, personal in EVERYBODY
    }


ASKED = [page for page in every_page() if page.may is not Right.ANYBODY and page.name != "logout"]


@pytest.mark.parametrize("page", ASKED, ids=lambda page: page.name)
def test_a_page_is_for_those_who_may_and_for_nobody_else(
    console: ConsoleRig, people: dict[tuple[Role, bool], Person], page: Page
) -> None:
    path = address(page)
    anybody = console.browser()
    asked = anybody.post(path) if page.changes else anybody.get(path)
    assert (asked.status_code, asked.headers.get("location")) == (303, "/login")
    for (role, personal), person in people.items():
        if page.changes:
            without = person.post(path)
            assert without.status_code == 403
            assert NOT_OURS in without.text
            secret = person.client.cookies[COOKIE]
            token = console.console.guard.tokens.token(secret, path)
            answer = person.post(path, {"token": token})
        else:
            answer = person.get(path)
        permitted = may([role], page.may) and (personal or not page.personal)
        assert (NOT_PERMITTED in answer.text) != permitted, (role, personal)
        assert answer.status_code != 500, (role, personal)
        assert permitted or answer.status_code == 403


HOSTILE = '"><script>alert(1)</script>'


@pytest.mark.parametrize(
    "page", [page for page in every_page() if not page.changes], ids=lambda page: page.name
)
def test_no_page_takes_what_somebody_wrote_for_its_own(console: ConsoleRig, page: Page) -> None:
    roles = [role for role in Role if may([role], page.may)][:1]
    account = console.account(*roles, personal=True, name=HOSTILE, department=HOSTILE)
    secret = console.console.sessions.begin(account, "10.0.0.9", console.now)
    person = console.browser("10.0.0.9")
    person.client.cookies.set(COOKIE, secret)
    wanted = re.sub(
        r"\{(\w+)(:\w+)?\}", lambda found: "1" if found[2] else quote(HOSTILE, ""), page.path
    )
    answer = person.get(wanted, ended=HOSTILE, state=HOSTILE, code=HOSTILE, month=HOSTILE)
    assert answer.status_code != 500
    assert "<script>alert" not in answer.text
