"""What people open in a spreadsheet is text, whatever somebody wrote into it."""

import csv
import doctest
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.edge import for_people
from hub.edge.for_people import neutral
from hub.edge.kit import BadRecord
from hub.edge.rejects import RejectsFile
from hub.edge.workbook import writing

pytestmark = pytest.mark.unit

FORMULAS = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "\u3000=1",  # an ideographic blank
    "\u00a0=1",
    "\u200b=1",
    "\ufeff=1",
    "\u202e=1",
    "＝1",
    "＋1+1",
    "－1+1",
    "＠SUM(A1)",
    "﹦1",  # a small form
    "\x00=1",
    "-",
    "--5",
    "-5x",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_may_be_run_is_made_a_text(text: str) -> None:
    assert neutral(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", " ", "a", "a=b", "架空", "-500", "0", "-1.5", "'=1", "１"])
def test_what_is_none_stays_as_it_is(text: str) -> None:
    assert neutral(text) == text


@given(st.text())
def test_nothing_is_lost_and_nothing_that_may_be_run_is_left(text: str) -> None:
    made = neutral(text)
    assert made in {text, f"'{text}"}
    assert neutral(made) == made
    if text.strip().startswith(("=", "+", "@", "＝", "＋", "＠")):
        assert made.startswith("'")


def test_the_list_of_rejected_records_goes_through_it(tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    with RejectsFile(path) as rejects:
        for number, text in enumerate(FORMULAS, 1):
            rejects.add(BadRecord(number, number, "=field()", text))
        rejects.finish()
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert len(rows) == len(FORMULAS)
    assert {row[2] for row in rows} == {"'=field()"}
    assert all(row[3].startswith("'") for row in rows)


def test_a_workbook_that_is_written_has_text_cells_alone() -> None:
    """A formula of a workbook is an element of its own; what is written has none."""
    row = writing.row(FORMULAS[:9])
    assert row.count(b't="inlineStr"') == 9
    assert b"<f" not in row
    assert b"<v" not in row


def test_the_example_holds() -> None:
    assert doctest.testmod(for_people).failed == 0
