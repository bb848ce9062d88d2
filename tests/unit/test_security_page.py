"""The page about security names tests that exist, every party, and every attack that is made."""

import ast
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tests.attack.page import BEGIN, END, PAGE, filled, rows, table
from tests.attack.results import RESULTS, Outcome, Party, note, noted, place

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
TEXT = PAGE.read_text(encoding="utf-8")
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
LISTED = {
    "spoofed sender": "test_spoofed_sender",
    "CC/BCC": "test_copies",
    "direct publish to a receiver's queue": "test_direct_publish",
    "reading another's queue": "test_foreign_queue",
    "replayed old message": "test_replayed",
    "altered message in flight": "test_altered_in_flight",
    "stolen adapter key": "test_stolen_key",
    "XXE, entity bombs, ZIP bombs": "test_file",
    "traversal": "test_file",
    "oversized and deeply nested bodies": "test_body",
    "slow readers": "test_slow_reader",
    "connection floods": "test_flood_of_connections",
    "SQL injection": "test_sql_injection",
    "log injection": "test_log_injection",
    "XSS in every field shown": "test_markup_of_systems",
    "CSRF": "test_form_from_elsewhere",
    "session theft": "test_stolen_cookie",
    "role escalation": "test_pages_of_other_roles",
    "ledger rewriting with database rights": "test_rewritten",
    "checkpoint rollback": "test_rolled_back",
}
"""The attacks that the work was asked for, and where the page has each."""


@cache
def functions(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_bytes())
    return frozenset(one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef))


def section(title: str) -> str:
    _, _, rest = TEXT.partition(f"\n{title}\n")
    return re.split(r"\n#{2,3} ", rest)[0]


def test_each_test_that_is_named_exists() -> None:
    named = NAMED.findall(TEXT)
    assert len(named) > 40
    for file, name in named:
        assert (ROOT / file).exists(), file
        assert not name or name in functions(file), f"{file}::{name}"


def test_each_party_has_rows_and_each_row_names_a_test() -> None:
    for party in Party:
        title = f"### {party.value[0].upper()}{party.value[1:]}"
        found = [line for line in section(title).splitlines() if line.startswith("| ")][1:]
        assert found, title
        for line in found:
            assert NAMED.search(line.split(" | ")[-1]), line


def test_each_attack_that_is_made_stands_on_the_page() -> None:
    for file in sorted((ROOT / "tests" / "attack").glob("test_*.py")):
        path = file.relative_to(ROOT).as_posix()
        made = {name for name in functions(path) if name.startswith("test_")}
        assert made <= {name for found, name in NAMED.findall(TEXT) if found == path}, path


@pytest.mark.parametrize("attack", LISTED)
def test_each_attack_that_was_asked_for_is_made(attack: str) -> None:
    made = {name for file, name in NAMED.findall(TEXT) if file.startswith("tests/attack/")}
    assert LISTED[attack] in made


# -- the table that a run writes ---------------------------------------------------------------

ONE = Outcome(
    "an attack",
    Party.NETWORK,
    "in this way",
    "refused",
    "ledger",
    "a metric",
    1.26,
    "tests/x.py::y",
    on="2026-11-28",
    machine="a machine",
)


def test_what_was_noted_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RESULTS, str(tmp_path / "some" / "results.jsonl"))
    note(ONE)
    assert list(noted(place())) == [ONE]


def test_rows_stand_by_party_and_of_two_runs_the_last_counts() -> None:
    first = replace(ONE, party=Party.ADAPTER, attack="a | b")
    found = list(rows([ONE, first, replace(ONE, seconds=2.0)]))
    said = "in this way | refused | ledger | a metric"
    assert found == [
        f"| a compromised adapter | a \\| b | {said} | 1.3 |\n",
        f"| someone on the network | an attack | {said} | 2.0 |\n",
    ]


def test_an_outcome_that_says_nothing_of_a_column_is_none() -> None:
    with pytest.raises(ValueError, match="alerted"):
        replace(ONE, alerted="")


def test_the_page_keeps_its_prose() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    made = filled(page, [ONE])
    assert made.startswith(f"before\n{BEGIN}\n\nSeen 2026-11-28; a machine; 1 attacks.")
    assert made.endswith(f"{END}\nafter\n")
    assert "old" not in made
    assert filled(made, [ONE]) == made
    assert table([ONE]) in made
