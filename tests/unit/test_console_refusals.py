"""The console's refusals: counted by time in the ledger, shown page by page."""

import datetime as dt
import html
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hub.ledger.model import Entry, Kind
from hub.ledger.search.counts import counted_by_outcome
from hub.message import MessageKey
from monitoring.console import desks
from monitoring.console.pages import refusals
from monitoring.console.rights import Role
from tests.confirmations_rig import drain
from tests.console_lists_rig import HOSTILE, shows
from tests.console_rig import ConsoleRig, console_rig
from tests.samples import NOW, event
from tests.worker_rig import Rig, shipped_four

pytestmark = pytest.mark.unit


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[ConsoleRig]:
    with console_rig(tmp_path, hub=Rig(tmp_path, judge=shipped_four())) as console:
        yield console


def test_refusals_say_why_and_escape_what_strangers_wrote(rig: ConsoleRig) -> None:
    drain(rig.hub, event(id="a1", type="income.assessed"), event(id="a2", data={HOSTILE: 1}))
    page = shows(rig.person(Role.VIEWER), "/refusals")
    assert "message-type-not-permitted" in page
    assert "この種別の電文を送る法令上の根拠がありません" in page
    assert HOSTILE not in page
    assert not re.search("[:：]\\s*</", page), "a sentence ends with what is not there"
    page = shows(rig.person(Role.VIEWER), "/refusals?code=invalid&sender=tax")
    assert "この種別の電文を送る" not in page
    assert rig.person(Role.VIEWER).get("/refusals", code="x").status_code == 404


def test_refusals_of_a_time_are_counted_in_the_ledger_and_shown_page_by_page(
    rig: ConsoleRig,
) -> None:
    day = dt.timedelta(days=1)
    refused = [
        Entry(
            kind=Kind.REFUSAL,
            at=at,
            message=MessageKey(sender, f"m{n}"),
            message_type="",
            code=code,
        )
        for n, (at, sender, code) in enumerate(
            [
                (NOW - 40 * day, "tax", "invalid"),
                *[(NOW - 10 * day, "tax", "invalid")] * 1100,
                *[(NOW - 2 * day, "union", "wrong-order")] * 2,
                *[(NOW, "tax", "invalid")] * 3,
            ]
        )
    ]
    with rig.console.office.books.alone() as ledger:
        ledger.append(refused)
    person = rig.person(Role.VIEWER)

    def counts(**asked: str) -> list[str]:
        page = person.get("/refusals", **asked)
        assert page.status_code == 200, asked
        return re.findall(r"<li>(\d+): <a", page.text)

    assert counts() == ["3", "2"]
    assert counts(period="today") == ["3"]
    assert counts(period="month") == ["1103", "2"]
    assert counts(period="month", sender="union") == ["2"]
    assert counts(end=(NOW - 9 * day).date().isoformat()) == ["1101"]
    since = (NOW - 2 * day).date().isoformat()
    assert counts(begin=since, end=since, period="today") == ["2"]

    seen: list[str] = []
    path = "/refusals?period=month&code=invalid"
    while path:
        page = shows(person, path)
        seen += re.findall(r'<td class="number">(\d+)</td>', page)
        older = re.search(r'href="([^"]*before=\d+)"', page)
        path = html.unescape(older[1]) if older else ""
        rig.later(minutes=1)
    assert len(seen) == len(set(seen)) == 1103


@pytest.mark.parametrize(
    "wrong", [{"begin": "2026-02-30"}, {"begin": "2026-03-02", "end": "2026-03-01"}]
)
def test_a_time_that_is_none_is_told(rig: ConsoleRig, wrong: dict[str, str]) -> None:
    page = rig.person(Role.VIEWER).get("/refusals", **wrong)
    assert page.status_code == 400
    assert "期間が正しくありません" in page.text
    assert rig.person(Role.VIEWER).get("/refusals", period="x").status_code == 404


@pytest.mark.parametrize(
    ("asked", "is_right"),
    [
        ({"begin": "2025-04-02", "end": "2026-04-02"}, True),
        ({"begin": "2025-04-01", "end": "2026-04-02"}, False),
        ({"begin": "2020-01-01"}, False),
        ({"end": "2020-12-31"}, True),
        ({"end": "0001-03-01"}, False),
    ],
)
def test_a_time_is_a_year_at_the_most(
    rig: ConsoleRig, asked: dict[str, str], *, is_right: bool
) -> None:
    page = rig.person(Role.VIEWER).get("/refusals", **asked)
    assert page.status_code == (200 if is_right else 400)
    assert ("期間は366日以内" in page.text) is (not is_right and "begin" in asked)
    assert ("（2020年1月1日） – 令和2年12月31日" in page.text) is (asked.get("end") == "2020-12-31")


def test_while_refusals_are_counted_others_use_the_ledger(
    rig: ConsoleRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    books, counts, heads = rig.console.office.books, counted_by_outcome, []
    monkeypatch.setattr(desks, "BUSY_SECONDS", 0.1)

    def other() -> None:
        with books.alone() as ledger:
            heads.append(ledger.size())

    def slow(*given: Any) -> Any:  # noqa: ANN401 - what it stands for gets and gives
        with ThreadPoolExecutor(1) as pool:
            pool.submit(other).result()
        return counts(*given)

    monkeypatch.setattr(refusals, "counted_by_outcome", slow)
    shows(rig.person(Role.VIEWER), "/refusals")
    assert heads == [len(rig.entries())]
