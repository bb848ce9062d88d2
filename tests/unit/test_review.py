"""The review report counts what a month of the ledger has, refused attempts first."""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hub.clock import JST
from hub.desks.evidence import DayState, accounts_said, changes, days, differing, standing
from hub.desks.review import (
    Counted,
    Unusual,
    Viewed,
    is_over,
    period,
    read_review,
    rests,
    said_of,
    signed,
    unusual,
)
from hub.errors import QuestionError
from hub.ledger.acts import Act, act
from hub.ledger.model import Entry, Kind
from hub.ledger.monthly import Sort
from hub.ledger.store import DatabaseLedger
from hub.message import AccessItems, MessageKey
from hub.sections import WatchSite
from tests.samples import NOW, PSEUDONYMS
from tests.servers.ledgers import opened

pytestmark = pytest.mark.unit

APRIL = NOW.astimezone(JST)
MAY = dt.datetime(2026, 5, 3, 9, tzinfo=JST)
SOMEBODY, OTHER = (PSEUDONYMS.resident(f"{number:015d}") for number in (1, 2))


def staff(name: str) -> AccessItems:
    return AccessItems(name, "保険年金課", "T-9", "点検", "test")


def moved(at: dt.datetime, number: int, **changes: object) -> Entry:
    sent = Entry(
        kind=Kind.ACCEPTANCE,
        at=at,
        message=MessageKey("tax", f"m-{number}"),
        message_type="income.assessed",
        flow="M1b",
        receiver="union",
        resident=SOMEBODY,
        digest="0" * 64,
    )
    return replace(sent, **changes)  # type: ignore[arg-type]


def did(kind: Kind, code: str, who: str, at: dt.datetime = APRIL, **said: str) -> Entry:
    return act(kind, staff(who), at, code=code, **said)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[DatabaseLedger]:
    with opened(f"sqlite:///{tmp_path / 'ledger.sqlite3'}") as found:
        refused = replace(moved(APRIL, 3), kind=Kind.REFUSAL, receiver="", resident="")
        found.append(
            [
                moved(APRIL, 1),
                moved(APRIL.replace(hour=23), 2),
                replace(refused, code="denied"),
                replace(refused, code="denied", message=MessageKey("tax", "m-4")),
                replace(refused, code="invalid", message=MessageKey("tax", "m-5")),
                replace(moved(APRIL, 6), kind=Kind.RELEASE, access=staff("a")),
                replace(moved(APRIL, 7), kind=Kind.REPLAY, code="discarded", access=staff("b")),
                replace(moved(APRIL, 8), kind=Kind.REPLAY, code="withdrawn", access=staff("b")),
                did(Kind.LOG_VIEW, "search", "a", resident=SOMEBODY),
                did(Kind.LOG_VIEW, "message", "a", resident=SOMEBODY),
                did(Kind.LOG_VIEW, "message", "a", resident=OTHER),
                did(Kind.LOG_VIEW, "page", "b"),
                did(Kind.EXPORT, "disclosure", "b", resident=SOMEBODY),
                did(Kind.OPERATOR_ACTION, "login", "b"),
                did(Kind.OPERATOR_ACTION, "login-refused", "b"),
                did(Kind.OPERATOR_ACTION, "backup", "timer"),
                did(Kind.OPERATOR_ACTION, "account-added", "admin", detail="b: viewer"),
                did(Kind.CATALOGUE_CHANGE, "", "hub", detail="the first"),
            ]
        )
        found.append(
            [
                did(Kind.OPERATOR_ACTION, "gap", "b", MAY, detail="day 2026-04-02, 3 missing"),
                did(Kind.OPERATOR_ACTION, "reconciled", "b", MAY, detail="day 2026-04-02, 0"),
                did(Kind.OPERATOR_ACTION, "gap", "b", MAY, detail="day 2026-04-03, 1 missing"),
                did(Kind.LOG_VIEW, "search", "a", MAY, resident=OTHER),
            ]
        )
        yield found


def test_a_month_is_counted_by_who_and_what(ledger: DatabaseLedger) -> None:
    report = read_review(ledger, "2026-04", WatchSite(), MAY)
    assert report.attempts == (Counted("tax", "denied", 2),)
    assert report.refusals == (Counted("tax", "invalid", 1),)
    assert report.unusual == (Unusual("tax", "M1b", 1, 0),)
    assert report.decisions == (
        Counted("a", "release", 1),
        Counted("b", "replay:discarded", 1),
    )
    assert report.views == (Viewed("a", 3, 2), Viewed("b", 1, 0))
    assert report.exports == (Counted("b", "disclosure", 1),)
    assert report.logins == (Counted("b", "login", 1), Counted("b", "login-refused", 1))
    assert report.operations == (Counted("timer", "backup", 1),)
    assert [one.detail for one in report.accounts] == ["b: viewer"]
    assert [one.detail for one in report.catalogue] == ["the first"]
    states = {one.day: one.state for one in report.days}
    assert len(states) == 30
    assert states["2026-04-01"] == DayState.NOT
    assert states["2026-04-02"] == DayState.RECONCILED
    assert states["2026-04-03"] == DayState.GAP
    assert len(report.unreconciled) == 29


def test_the_same_ledger_gives_the_same_report_without_anybody_it_is_about(
    ledger: DatabaseLedger,
) -> None:
    first = read_review(ledger, "2026-04", WatchSite(), MAY)
    ledger.append([did(Kind.LOG_VIEW, "page", "c", MAY)])
    again = read_review(ledger, "2026-04", WatchSite(), MAY)
    assert first.digest() == again.digest()
    said = first.document().decode()
    assert SOMEBODY not in said
    assert json.loads(said)["attempts"] == [{"who": "tax", "what": "denied", "times": 2}]
    ledger.append([did(Kind.EXPORT, "proof", "c", APRIL)])
    assert read_review(ledger, "2026-04", WatchSite(), MAY).digest() != first.digest()


def test_a_month_that_has_not_begun_or_is_none_is_no_question(ledger: DatabaseLedger) -> None:
    for month in ("2026-06", "2026-13", "2026-4", "0000-01", "9999-12", "2026-04-01"):
        with pytest.raises(QuestionError):
            read_review(ledger, month, WatchSite(), MAY)
    assert is_over("2026-04", MAY)
    assert not is_over("2026-05", MAY)
    assert period("2026-02")[1] == dt.date(2026, 3, 1)


def test_the_month_that_it_is_has_the_days_up_to_yesterday(ledger: DatabaseLedger) -> None:
    report = read_review(ledger, "2026-05", WatchSite(), MAY)
    assert [one.day for one in report.days] == ["2026-05-01", "2026-05-02"]


def test_who_signed_is_found_by_the_month(ledger: DatabaseLedger) -> None:
    entry = did(Kind.OPERATOR_ACTION, Act.REVIEWED, "admin", MAY, detail=said_of("2026-04"))
    ledger.append([entry])
    with ledger.engine.connect() as connection:
        found = signed(connection, "2026-04")
        assert found is not None
        assert found.access.staff == "admin"
        assert signed(connection, "2026-03") is None


def test_a_reconciliation_of_all_counts_for_the_days_before_it(ledger: DatabaseLedger) -> None:
    ledger.append([did(Kind.OPERATOR_ACTION, "reconciled", "b", MAY, detail="day all, 0")])
    with ledger.engine.connect() as connection:
        found = days(connection, dt.date(2026, 5, 1), dt.date(2026, 5, 4))
    assert [one.state for one in found] == [
        *[DayState.RECONCILED] * 2,
        *[DayState.NOT] * 2,
    ]


def test_days_before_the_ledger_began_are_no_omission(ledger: DatabaseLedger) -> None:
    began = APRIL.date()
    with ledger.engine.connect() as connection:
        found = days(connection, began - dt.timedelta(days=20), began)
    assert [(one.day, one.state) for one in found] == [(began, DayState.NOT)]


def test_days_of_rest_are_those_of_the_site() -> None:
    at = dt.datetime(2026, 5, 2, 10, tzinfo=JST)  # a Saturday
    hour = int(at.timestamp()) // 3600
    counts = {
        Sort(Kind.ACCEPTANCE, "", "tax", "M1b", "union", "", hour): 5,
        Sort(Kind.DELIVERY, "", "tax", "M1b", "union", "", hour): 5,
    }
    assert unusual(counts, rests(WatchSite())) == (Unusual("tax", "M1b", 0, 5),)
    assert unusual(counts, rests(WatchSite(rest_days=("sun",)))) == ()
    holidays = WatchSite(rest_days=("sun",), holidays=(at.date(),))
    assert unusual(counts, rests(holidays)) == (Unusual("tax", "M1b", 0, 5),)


def test_accounts_are_as_the_ledger_says_or_are_named(ledger: DatabaseLedger) -> None:
    for code, said in (
        (Act.ACCOUNT_ADDED, "c: operator, personal"),
        (Act.ACCOUNT_CHANGED, "c: approver"),
        (Act.ACCOUNT_CHANGED, "c: set up anew"),
        (Act.ACCOUNT_LOCKED, "c"),
        (Act.ACCOUNT_ADDED, "d: viewer"),
        (Act.ACCOUNT_REMOVED, "d"),
    ):
        ledger.append([did(Kind.OPERATOR_ACTION, code, "admin", MAY, detail=said)])
    with ledger.engine.connect() as connection:
        said_now = accounts_said(connection)
    assert said_now == {"b": "viewer", "c": "approver, locked"}
    assert differing(said_now, said_now) == []
    (other,) = differing(said_now, {"b": "viewer", "c": "administrator, locked"})
    assert other == ("c", "approver, locked", "administrator, locked")


def test_the_standing_names_the_newest_checkpoint_and_backup(ledger: DatabaseLedger) -> None:
    found = standing(ledger)
    assert found.checkpoint.size == ledger.size()
    assert found.backup is not None
    assert found.backup.access.staff == "timer"
    assert found.drill is None
    assert [one.detail for one in changes(ledger)] == ["the first"]
