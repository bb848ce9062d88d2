"""The manual in the console: its pages are there, also in a wheel, and lead nowhere else."""

import tracemalloc
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import LedgerError
from monitoring.console.limiter import Limiter
from monitoring.console.manual import files, folder, manual_page
from monitoring.console.marked import marked
from monitoring.console.rights import Role
from monitoring.rules.alerts import alerts
from tests.console_rig import ConsoleRig, console_rig

pytestmark = pytest.mark.unit

PLAIN_TAGS = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "ul", "ol", "li", "blockquote", "pre", "code"),
    *("em", "strong", "a", "br", "hr", "div", "table", "thead", "tbody", "tr", "th", "td"),
}
PLAIN_NAMES = {"id", "lang", "href", "class", "tabindex", "role", "aria-label", "start"}


class Parts(HTMLParser):
    """The elements of a page: their names and attributes, in order, and where links lead."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    @property
    def links(self) -> list[str]:
        return [given["href"] for tag, given in self.tags if tag == "a"]

    @property
    def anchors(self) -> set[str]:
        return {given["id"] for _, given in self.tags if "id" in given}


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleRig]:
    with console_rig(tmp_path_factory.mktemp("console")) as console:
        console.console.guard.rate = Limiter(100_000, 1.0)
        yield console


def parts_of(name: str) -> Parts:
    page = manual_page(name)
    assert page is not None, name
    assert page.title, name
    return Parts(page.html)


@pytest.mark.parametrize("name", files())
def test_a_link_of_a_page_leads_to_a_place_that_there_is(name: str) -> None:
    found = parts_of(name)
    for link in found.links:
        path, _, anchor = link.partition("#")
        assert not path or path.startswith("/help/"), link
        there = parts_of(path.removeprefix("/help/")) if path else found
        assert not anchor or anchor in there.anchors, link


def test_a_name_of_an_address_that_there_is_not_is_not_kept_in_memory() -> None:
    name = "n" * 100_000
    tracemalloc.start()
    try:
        for number in range(50):
            assert manual_page(f"{number}{name}") is None
        assert tracemalloc.get_traced_memory()[0] < 20 * len(name)
    finally:
        tracemalloc.stop()
    assert manual_page("retries") is manual_page("retries")


def test_every_alert_has_its_page_and_the_list_has_all(rig: ConsoleRig) -> None:
    person = rig.person(Role.VIEWER)
    links = set(Parts(person.get("/help").text).links)
    for one in alerts():
        page = person.get(f"/help/{one.name}")
        assert page.status_code == 200, one.name
        assert f'<h1 lang="en">{one.name}</h1>' in page.text
    assert {f"/help/{name}" for name in files()} <= links
    for name in ("x", "index", "%2e%2e%2fsite-file", "alerts%2FRenkeiGap", "RenkeiGap.md"):
        assert person.get(f"/help/{name}").status_code == 404, name


@pytest.mark.parametrize("role", list(Role))
def test_every_role_finds_help_from_the_pages_that_need_it(rig: ConsoleRig, role: Role) -> None:
    person = rig.person(role)
    before = len(rig.entries())
    assert person.get("/help/RenkeiLedgerHalted").status_code == 200
    assert len(rig.entries()) == before
    late = Parts(person.get("/late").text).links
    assert {"/help", "/help/RenkeiFlowSilent"} <= set(late)
    assert "/help/console" in Parts(person.get("/messages/found/none/1").text).links


def test_help_is_there_while_nothing_can_be_recorded(
    rig: ConsoleRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise LedgerError("the ledger is away")

    person = rig.person(Role.OPERATOR)
    with rig.console.office.books.alone() as ledger:
        monkeypatch.setattr(type(ledger), "append", away)
    page = person.get("/map")
    assert page.status_code == 503
    assert "/help/troubles" in Parts(page.text).links
    assert person.get("/help/troubles").status_code == 200


def test_what_is_japanese_is_marked_so() -> None:
    page = marked("# A title\n\n- 電文の確認\n- of a page\n\n|項目|b|\n|---|---|\n|x y|と|\n", str)
    found = [(tag, given.get("lang", "")) for tag, given in Parts(page.html).tags]
    cells = [("th", "ja"), ("th", ""), ("td", ""), ("td", "ja")]
    assert [one for one in found if one[0] == "li"] == [("li", "ja"), ("li", "")]
    assert [one for one in found if one[0] in {"th", "td"}] == cells


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "a <img src=x onerror=alert(1)> b",
        "[a](javascript:alert(1))",
        "[a](https://elsewhere.example/)",
        "![a](https://elsewhere.example/x.png)",
        "<https://elsewhere.example/>",
        '[a](x.md "onclick=alert(1)")',
        "# <b>\n\n|a|\n|--:|\n|<i>|",
    ],
)
def test_nothing_of_a_page_is_markup_or_leads_elsewhere(text: str) -> None:
    _harmless(text)


@given(st.text(alphabet='<>"&[]()!#|-`* \n:ahref=', max_size=80))
def test_nothing_of_any_text_is(text: str) -> None:
    _harmless(text)


def _harmless(text: str) -> None:
    page = Parts(marked(text, lambda _: None).html)
    assert {tag for tag, _ in page.tags} <= PLAIN_TAGS
    assert {name for _, given in page.tags for name in given} <= PLAIN_NAMES
    assert not page.links


def test_a_wheel_has_every_page(tmp_path: Path) -> None:
    (built,) = WheelBuilder(".").build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(built) as wheel:
        names = set(wheel.namelist())
        for file in files().values():
            inside = f"monitoring/console/manual_pages/{file}"
            assert inside in names
            assert wheel.read(inside) == (folder() / file).read_bytes()
    assert not [name for name in names if name.startswith("docs/")]
    assert {"hub/cli/main.py", "routes/systems.toml"} <= names
    assert "monitoring/console/templates/help.html" in names
