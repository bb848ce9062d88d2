"""`renkei top`: what is in trouble stands first, what is not known is ``?``, JSON has it all."""

import datetime as dt
import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from hub.cli.main import app
from hub.cli.top_said import span, summary
from hub.cli.top_shown import cells, facts, in_order, process_cells, screen, shares
from hub.clock import JST
from monitoring.figures.lines import Line, LineState, Picture
from monitoring.figures.live import LedgerNow, Live, ProcessNow, QueueNow
from monitoring.figures.standing import AgainNow, DiskNow, EndNow, Standing
from monitoring.figures.window import LineKey
from tests.plain_site import PLAIN

pytestmark = [pytest.mark.unit, pytest.mark.slow]

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
    assert "refused in 1.0 min: nothing; outside of every flow: 4" in said
    assert "ledger ? (the watch does not answer)" in summary(at(0))


def test_the_summary_begins_with_queues_that_no_line_shows_and_with_what_ends() -> None:
    queues = {
        "hub.in.0": QueueNow(0, 1, 0.0),
        "hub.in.3": QueueNow(1200, 1, 950.0),
        "hub.dead-letters": QueueNow(2, 0, 5.0),
        "out.union": QueueNow(7, 1, 9.0),
    }
    end = EndNow("watch", "broker-mq", AT.timestamp() + 86_400 * 17)
    standing = Standing(end, DiskNow("tax", "drives", 0.04), ("witness",), AgainNow(3, 2, 1))
    picture = replace(at(0, queues=queues, standing=standing), reasons={"denied": 1, "invalid": 3})
    first, second, *_, refused, again = summary(picture)
    assert first == (
        "the hub's queues: hub.in.3 1,200 (oldest 15.8 min), "
        "hub.dead-letters 2 (oldest 5.0 s, NOBODY takes from it), 1 empty"
    )
    assert second == (
        "nearest end of a certificate: broker-mq of watch in 17.0 d; checks: FAILED: witness; "
        "LOW DISK: drives of tax 4%"
    )
    assert refused.startswith("refused in 1.0 min: invalid 3, denied 1;")
    assert again.endswith("3 copies sent once more, 2 messages given out once more, 1 links lost")
    many = replace(picture, reasons={f"code-{n}": n for n in range(1, 12)})
    assert "code-4 4, for other reasons 6;" in summary(many)[-2]
    told = json.loads(json.dumps(facts(picture, {})))
    assert told["hub_queues"]["hub.in.3"] == {"messages": 1200, "consumers": 1, "oldest": 950.0}
    assert "out.union" not in told["hub_queues"]
    assert told["nearest_end"] == {
        "process": "watch",
        "certificate": "broker-mq",
        "at": "2026-12-15T12:00:00+09:00",
    }
    assert told["least_disk"]["free"] == 0.04
    assert told["failed_checks"] == ["witness"]
    assert told["refused_by_reason"] == {"denied": 1, "invalid": 3}
    assert told["again"] == {"retries": 3, "redeliveries": 2, "links_lost": 1}


def test_what_no_process_tells_is_a_question_mark_in_the_summary_too() -> None:
    first, second, *_, again = summary(at(0))
    assert first.endswith("queues: ?")
    assert second == "nearest end of a certificate: ?; checks: ?; disks ?"
    assert again.count("?") == 3
    ended = Standing(end=EndNow("hub", "own", 0.0), failed=())
    assert (
        "own of hub ENDED, or not readable (which: renkei doctor); checks: all well"
        in summary(at(0, standing=ended))[1]
    )


def test_the_key_of_somebody_else_is_not_told_as_the_process_s_own() -> None:
    for end, said in ((0.0, "ENDED, or MISSING (which: renkei doctor)"), (86_400 * 2, "in 2.0 d")):
        at_end = AT.timestamp() + end if end else 0.0
        lacks = Standing(end=EndNow("hub", "encryption", at_end), failed=())
        told = summary(at(0, standing=lacks))[1]
        assert f"a public key with which hub encrypts for somebody else {said};" in told


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
