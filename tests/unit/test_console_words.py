"""What the console says: every word there in both languages, and nothing from anywhere else."""

import re
import string

import pytest

from hub.ledger.acts import Act
from monitoring.console.app import every_page
from monitoring.console.views import STATIC, TEMPLATES
from monitoring.console.words import every_word

pytestmark = pytest.mark.unit

TEXTS = {path.name: path.read_text(encoding="utf-8") for path in sorted(TEMPLATES.iterdir())}
FILES = TEXTS | {path.name: path.read_text(encoding="utf-8") for path in sorted(STATIC.iterdir())}
OURS = {"factor.html", "help_page.html", "map.html"}
"""The pages with a picture or a text of ours, which is put in as it is."""


def names_in(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_word_is_there_in_both_languages() -> None:
    for key, word in every_word().items():
        assert word.en.strip(), key
        assert word.ja.strip(), key
        assert names_in(word.en) == names_in(word.ja), key


def test_every_act_has_a_word() -> None:
    assert {f"act.{one}" for one in Act} <= every_word().keys()


def test_every_word_that_a_page_asks_for_is_there() -> None:
    asked = {
        key for text in TEXTS.values() for key in re.findall(r"""\bt\(["']([^"']+)["'][,)]""", text)
    }
    assert asked
    assert asked - every_word().keys() == set()
    menus = {f"menu.{page.name}" for page in every_page() if page.menu}
    assert menus - every_word().keys() == set()


@pytest.mark.parametrize("name", FILES)
def test_nothing_comes_from_elsewhere(name: str) -> None:
    text = FILES[name].replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"(?:https?:)?//[a-z0-9]+\.[a-z]", text)
    assert "url(" not in text
    assert "@import" not in text


@pytest.mark.parametrize("name", TEXTS)
def test_a_page_has_no_script_or_style_in_it(name: str) -> None:
    text = TEXTS[name]
    assert not re.search(r"\son[a-z]+\s*=", text)
    assert not re.search(r"\sstyle\s*=", text)
    assert "<style" not in text
    assert "javascript:" not in text
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert name in OURS or not re.search(r"\|\s*safe|autoescape|Markup", text)


def test_scripts_make_no_markup_of_text() -> None:
    for name, text in FILES.items():
        if name.endswith(".js"):
            assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", text)
