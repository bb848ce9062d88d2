"""`renkei top`: what is in trouble stands first, what is not known is ``?``, JSON has it all."""

import datetime as dt
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from hub.cli.main import app
from hub.cli.top_shown import cells, facts, in_order, process_cells, screen, shares, span, summary
from hub.clock import JST
from monitoring.figures.lines import Line, LineState, Picture
from monitoring.figures.live import LedgerNow, Live, ProcessNow
from monitoring.figures.window import LineKey
from tests.plain_site import PLAIN

pytestmark = pytest.mark.unit

AT = dt.datetime(2026, 11, 28, 12, tzinfo=JST)
OK = Line(LineKey("M1d", "tax", "union"), LineState.OK, 12.34, 3.0, 7, 0.0, 1, 2, due=AT)
STOPPED = Line(LineKey("M1e", "tax", "union"), LineState.STOPPED, 0.0, None, 7, 950.0)
HELD = Line(LineKey("A1", "tax", ""), LineState.HELD)


AWAY = ProcessNow("tax", answers=False)


def running(name: str, **values: Any) -> ProcessNow:  # noqa: ANN401 - as they are
    return ProcessNow(name, answers=True, **values)


def at(seconds: float, *processes: ProcessNow, **live: Any) -> Picture:  # noqa: ANN401
    moment = AT + dt.timedelta(seconds=seconds)
    return Picture(moment, (OK, STOPPED, HELD), Live(processes, **live), 60.0, 4)


def test_what_is_in_trouble_stands_first() -> None:
    assert in_order(at(0)) == [STOPPED, OK, HELD]


def test_a_line_says_what_it_knows_and_no_more() -> None:
    assert cells(OK) == (
        *("M1d", "tax", "union", "ok", "12.3", "3.0 s", "7", "–", "1", "2", "11-28 12:00"),
    )
    assert cells(STOPPED)[5:8] == ("–", "7", "15.8 min")
    assert cells(HELD) == ("A1", "tax", "–", "held", "?", "–", "?", "?", "0", "0", "–")


def test_a_share_is_of_one_process_that_did_not_start_anew() -> None:
    before = at(0, running("hub", started=1.0, cpu_seconds=10), AWAY)
    after = at(2, running("hub", started=1.0, cpu_seconds=11), running("tax"))
    again = at(4, running("hub", started=9.0, cpu_seconds=0.5))
    assert shares(before, after) == {"hub": 0.5}
    assert shares(after, again) == {}


def test_a_process_that_does_not_answer_is_no_process_with_nothing() -> None:
    known = running("hub", linked=True, started=AT.timestamp(), memory=80_000_000, waiting=0)
    rows = process_cells(at(0, known, AWAY), {"hub": 0.31})
    assert rows == [
        ("hub", "ok", "31%", "80 MB", "0", "11-28 12:00"),
        ("tax", "no answer", "?", "?", "?", "?"),
    ]
    cut = process_cells(at(0, running("tax", linked=False)), {})
    assert cut[0][1] == "no link"


def test_the_summary_says_halted_and_maintenance_aloud() -> None:
    ledger = LedgerNow(1200, 1100, 12.0, writable=True, halted=True)
    said = "\n".join(summary(at(0, ledger=ledger, maintenance=True, lists={"confirmations": 3})))
    assert "MAINTENANCE" in said
    assert "ledger HALTED, 1,200 entries, verified through 1,100, checkpoint 12 s behind" in said
    assert "3 confirmations, ? dead letters" in said
    assert "refused outside of every flow in 1.0 min: 4" in said
    assert "ledger ?" in summary(at(0))[0]


def test_json_has_every_line_and_nothing_for_what_is_unknown() -> None:
    told = json.loads(json.dumps(facts(at(0, AWAY), {})))
    assert told["lines"][0]["per_minute"] == 12.34
    assert told["lines"][0]["due"] == "2026-11-28T12:00:00+09:00"
    assert told["lines"][2]["queue"] is None
    assert told["processes"][0]["answers"] is False
    assert told["ledger"] is None


def test_the_screen_shows_all_lines() -> None:
    drawn = StringIO()
    Console(file=drawn, width=160).print(screen(at(0, running("hub")), {}))
    assert all(line.key.flow in drawn.getvalue() for line in (OK, STOPPED, HELD))


@pytest.mark.parametrize(("seconds", "text"), [(59.9, "60 s"), (3600, "1.0 h"), (90_000, "1.0 d")])
def test_a_span_is_in_the_unit_that_fits(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_a_site_where_nothing_runs_is_shown_with_question_marks(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text(
        f'{PLAIN}[hub]\npseudonym_key_file = "key"\npassword_file = "word"\nmetrics_port = 9\n',
        encoding="utf-8",
    )
    ran = CliRunner().invoke(app, ["top", "--site", str(site), "--once", "--json"])
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout)
    assert {line["per_minute"] for line in told["lines"]} == {None}
    assert [one["answers"] for one in told["processes"]] == [False]
