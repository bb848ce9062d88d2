"""The table of reliability: made from what drills noted, and nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.fault.page import BEGIN, END, filled, rows, table
from tests.fault.results import RESULTS, Result, note, noted, percentile, place, summary

pytestmark = pytest.mark.unit

ONE = Result(
    drill="one process killed",
    times=3,
    messages=1200,
    lost=0,
    doubled=0,
    recovery=[1.0, 2.0, 9.0],
    kills=3,
    seed="7",
    broker="RabbitMQ 3.10.8",
    ledger="SQLite",
    on="2026-11-28",
    machine="a machine",
)
PAGE = f"# Before\n\n{BEGIN}\nold\n{END}\n\nafter\n"


def test_what_was_noted_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RESULTS, str(tmp_path / "some" / "results.jsonl"))
    note(ONE, long=True)
    note(replace(ONE, seed="8"), long=True)
    assert list(noted(place(long=True))) == [ONE, replace(ONE, seed="8")]


def test_short_runs_stand_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(RESULTS, raising=False)
    assert place(long=True) != place(long=False)


def test_runs_of_a_drill_are_one_row_and_recoveries_are_taken_together() -> None:
    again = replace(ONE, times=1, messages=8, lost=2, aside=4, recovery=[20.0], kills=0)
    (row,) = rows([ONE, again])
    assert str(row) == (
        "| one process killed | SQLite | 4 | 3 | 1,208 | 2 | 0 | 4 | 5.5 s | 20.0 s | 20.0 s |\n"
    )


def test_another_ledger_is_another_row_and_nothing_told_is_a_dash() -> None:
    other = replace(ONE, ledger="PostgreSQL", recovery=[])
    assert [str(row).rpartition(" 0 |")[2] for row in rows([ONE, other])] == [
        " 2.0 s | 9.0 s | 9.0 s |\n",
        " – | – | – |\n",
    ]


def test_the_page_keeps_its_prose() -> None:
    page = filled(PAGE, [ONE])
    assert page.startswith(f"# Before\n\n{BEGIN}\n")
    assert page.endswith(f"{END}\n\nafter\n")
    assert "old" not in page
    assert (
        "Seen 2026-11-28; a machine; RabbitMQ 3.10.8; seeds 7; 3 faults, 3 of them kills." in page
    )
    assert filled(page, [ONE]) == page


def test_what_a_drill_says_of_itself_stands_below_once() -> None:
    told = replace(ONE, note="by hand")
    assert table([told, told]).endswith(" 9.0 s |\n\n- one process killed: by hand\n")


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="no <!--"):
        filled("# nothing", [ONE])


def test_nothing_of_a_drill_that_was_not_run_is_there() -> None:
    assert "storm" not in table([ONE])


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([3.0, 1.0, 2.0], 0.5, 2.0), ([1.0], 0.99, 1.0), (list(range(1, 201)), 0.99, 198)],
)
def test_percentiles(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected


def test_no_values_have_no_summary() -> None:
    assert summary([]) == {}
