"""Words that would be commands elsewhere: to a database, a log, a terminal, a browser."""

import json

import pytest

from tests.attack.conftest import Report
from tests.attack.results import Party
from tests.attack.victim import ENTRIES, Victim

pytestmark = pytest.mark.attack

SQL = "'; DROP TABLE ledger_head; --"
SCRIPT = "<script>alert(1)</script>"
IMAGE = '"><img src=x onerror=alert(1)>'
ESCAPE = "\x1b]0;owned\x07\x1b[2J"


def test_sql_injection(victim: Victim, report: Report) -> None:
    """In every field that a sender fills, and in every word of a search."""
    event = victim.event(staff=SQL, department=SQL, terminal=SQL, reason=SQL)
    assert not victim.publish(event)
    victim.recorded(str(event["id"]), "delivered")
    assert SQL in {one["staff"] for one in victim.found("--message", str(event["id"]))}
    status, said = victim.ground.renkei("ledger", "search", "--outcome", SQL)
    assert status == 2, said  # of these there is a list
    for option in ("--message", "--sender", "--flow", "--system", "--staff-member"):
        found = victim.found(option, SQL)
        assert bool(found) == (option == "--staff-member")
    assert victim.passes()
    report(
        Party.SYSTEM,
        "SQL injection",
        "in staff, department, terminal, reason; in each word of a search",
        refused="a text like any other; no outcome has such a name",
        recorded="ledger: acceptance, with the words as they came",
        alerted="no: nothing is wrong with it",
    )


@pytest.mark.parametrize("attribute", ["id", "staff", "traceparent", "follows"])
def test_log_injection(victim: Victim, report: Report, attribute: str) -> None:
    """A line feed and an escape sequence: refused, and never in a log as they are."""
    forged = f"x\n2026-11-28 00:00:00,000 INFO forged{ESCAPE}"
    rises = victim.watch(ENTRIES, kind="refusal")
    assert not victim.publish(victim.event(**{attribute: forged}))
    alerted = rises()
    for log in victim.ground.state.logs.glob("*.log"):
        text = log.read_text(encoding="utf-8")
        assert "\x1b" not in text, log
        assert not any(line.endswith("INFO forged") for line in text.splitlines()), log
    report(
        Party.SYSTEM,
        f"log injection by {attribute}",
        "a line feed and an escape sequence",
        refused="refused",
        recorded="ledger: refusal; no log has it",
        alerted=alerted,
    )


def test_markup(victim: Victim, report: Report) -> None:
    """What a resident is given is opened in a browser: no word of a sender is markup there."""
    event = victim.event(staff=SCRIPT, department=IMAGE, terminal=SCRIPT, reason=IMAGE)
    assert not victim.publish(event)
    victim.recorded(str(event["id"]), "delivered")
    folder = victim.ground.folder
    who = folder / "who"
    who.write_text(str(event["data"]["addressee_number"]))
    out = folder / "disclosed"
    status, printed = victim.ground.renkei(
        "ledger",
        "disclose",
        "--addressee-file",
        str(who),
        "--out",
        str(out),
        "--show-staff",
        "--reason",
        SCRIPT,
    )
    assert status == 0, printed
    page = (out / "disclosure.html").read_text(encoding="utf-8")
    assert "alert(1)" in page
    assert "<script" not in page
    assert "<img" not in page
    assert json.loads((out / "disclosure.json").read_text(encoding="utf-8"))
    report(
        Party.SYSTEM,
        "XSS in a disclosure",
        "markup in every word of a sender, and of who asks",
        refused="shown as text in HTML and PDF",
        recorded="ledger: log-view and export disclosure",
        alerted="no: nothing is wrong with it",
    )
