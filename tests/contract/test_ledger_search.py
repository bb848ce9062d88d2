"""Search gives what a plain look at every entry gives, in SQLite and in PostgreSQL."""

import datetime as dt
import itertools
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import update

from hub.errors import LedgerError
from hub.ledger.head import set_fault
from hub.ledger.leaf import Recorded
from hub.ledger.model import Entry, Kind
from hub.ledger.months import all_months
from hub.ledger.search import cases as search_cases
from hub.ledger.search import times as search_times
from hub.ledger.search.ask import MOST, Found, Question, entries_about, look_up, search
from hub.ledger.search.counts import counted_by_outcome
from hub.ledger.store import DatabaseLedger
from hub.ledger.tables import entries as entries_of
from hub.ledger.tables import months
from hub.message import AccessItems, MessageKey
from tests.samples import ADDRESSEE, NOW, PSEUDONYMS, entry
from tests.servers.ledgers import opened

pytestmark = pytest.mark.contract

DAY = dt.timedelta(days=1)
SENDERS = ("resident-registry", "tax")
PAIRS = (("", ""), ("I1", "premium-collection"), ("M1b", "union"), ("I2", "tax"))
STAFF = ("", "職員一", "職員二", "?")
RESIDENTS = ("", *(PSEUDONYMS.resident(f"{number}") for number in range(4)))
CODES = ("", "delivered", "held", "accepted", "refused")
ENTRIES = 400


def _random_entry(chance: random.Random, at: dt.datetime) -> Entry:
    flow, receiver = chance.choice(PAIRS)
    number = chance.randrange(40)
    return entry(
        kind=chance.choice(list(Kind)[:6]),
        at=at + chance.randrange(-3, 3) * DAY / 3,
        message=MessageKey(chance.choice(SENDERS), f"m-{number}"),
        flow=flow,
        receiver=receiver,
        resident=chance.choice(RESIDENTS) if number % 5 == 0 else RESIDENTS[number % 5],
        code=chance.choice(CODES),
        access=AccessItems(staff=chance.choice(STAFF)),
    )


def fill(ledger: DatabaseLedger, chance: random.Random) -> list[Recorded]:
    """Append entries over three months, the clock being set back now and then."""
    day = 0
    while ledger.size() < ENTRIES:
        day += chance.choice([1, 2, 3, 5, -6])
        batch = [_random_entry(chance, NOW + day * DAY) for _ in range(chance.randrange(1, 20))]
        ledger.append(batch)
        day = day % 80
    return list(ledger.entries())[::-1]


def plain(entries: list[Recorded], question: Question) -> Found:
    """Answer a question by looking at every entry, the newest first."""
    found = [one for one in entries if _holds(one, question)]
    return Found(tuple(found[: question.limit]), len(found) > question.limit)


def _holds(one: Recorded, asked: Question) -> bool:
    return (
        asked.resident in {"", one.resident}
        and asked.message in {"", one.message.id}
        and asked.sender in {"", one.message.sender}
        and asked.flow in {"", one.flow}
        and (not asked.system or asked.system in {one.message.sender, one.receiver})
        and asked.staff in {"", one.access.staff}
        and asked.kind in {None, one.kind}
        and asked.outcome in {"", one.outcome}
        and (asked.begin is None or asked.begin <= one.at)
        and (asked.end is None or one.at < asked.end)
        and (asked.before is None or one.number < asked.before)
    )


def questions(chance: random.Random) -> Iterator[Question]:
    """Give random questions; each part is asked now and then, also for what is not there."""
    while True:

        def maybe(*values: object) -> object:
            return chance.choice(values) if chance.random() < 0.3 else None

        begin = NOW + chance.randrange(-10, 90) * DAY if chance.random() < 0.3 else None
        end = NOW + chance.randrange(-10, 90) * DAY if chance.random() < 0.3 else None
        yield Question(
            resident=str(maybe(*RESIDENTS, "nobody") or ""),
            message=f"m-{chance.randrange(42)}" if chance.random() < 0.2 else "",
            sender=str(maybe(*SENDERS, "nobody") or ""),
            flow=str(maybe("I1", "M1b", "X") or ""),
            system=str(maybe(*SENDERS, "union", "nobody") or ""),
            staff=str(maybe(*STAFF, "nobody") or ""),
            kind=maybe(*Kind),  # type: ignore[arg-type]  # a kind or none
            outcome=str(maybe(*CODES, "delivered", "received", "out-of-scope") or ""),
            begin=begin,
            end=end,
            before=chance.randrange(0, ENTRIES + 9) if chance.random() < 0.3 else None,
            limit=chance.choice([1, 2, 10, 100, MOST]),
        )


@pytest.mark.parametrize("few", [300, 0], ids=["few", "many"])
def test_search_gives_what_a_look_at_every_entry_gives(
    url: str, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_cases, "FEW", few)
    monkeypatch.setattr(search_cases, "NEWEST", 30)
    monkeypatch.setattr(search_times, "TOGETHER", 2)
    monkeypatch.setattr(search_times, "TIMES_TOGETHER", 4)
    chance = random.Random(few)  # noqa: S311 - made-up entries
    with opened(url) as ledger, ledger.engine.connect() as connection:
        entries = fill(ledger, chance)
        assert len({one.at.month for one in entries}) >= 3
        answered = 0
        for question in itertools.islice(questions(chance), 300):
            found = search(connection, question)
            assert found == plain(entries, question), question
            answered += bool(found.entries)
        assert answered > 60, "the questions must not all be about nothing"


@pytest.mark.parametrize("seed", [1, 2])
def test_counts_are_those_of_all_that_a_search_finds(
    url: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_times, "TOGETHER", 2)
    chance = random.Random(seed)  # noqa: S311 - made-up entries
    with opened(url) as ledger, ledger.engine.connect() as connection:
        entries = fill(ledger, chance)
        answered = 0
        for made in itertools.islice(questions(chance), 60):
            kind = chance.choice(list(Kind)[:6])
            asked = replace(
                made, kind=kind, resident="", message="", before=None, outcome="", limit=1
            )
            told = Counter(one.outcome for one in entries if _holds(one, asked))
            assert counted_by_outcome(connection, asked) == told, asked
            answered += bool(told)
        assert answered > 10, "the questions must not all be about nothing"
        for wrong in (Question(), Question(kind=Kind.REFUSAL, message="m-1")):
            with pytest.raises(ValueError, match="of nobody and no message"):
                counted_by_outcome(connection, wrong)


def test_pages_give_each_entry_once(url: str) -> None:
    with opened(url) as ledger, ledger.engine.connect() as connection:
        entries = fill(ledger, random.Random(7))  # noqa: S311 - made-up entries
        for asked in (
            Question(limit=7),
            Question(limit=7, flow="I1"),
            Question(limit=3, staff="?"),
        ):
            pages: list[Recorded] = []
            more = True
            while more:
                before = pages[-1].number if pages else None
                found = search(connection, replace(asked, before=before))
                pages += found.entries
                more = found.more
                assert found.entries
            assert pages == list(plain(entries, replace(asked, limit=MOST)).entries)


def test_each_search_leaves_one_entry_that_names_no_value(url: str) -> None:
    resident = PSEUDONYMS.resident(ADDRESSEE)
    access = AccessItems("職員三", "保険年金課", "T-9", "照会", "ledger search")
    asked = Question(resident=resident, message="m-secret", staff="Somebody", begin=NOW)
    with opened(url) as ledger:
        ledger.append([entry(1), entry(2)])
        found = look_up(ledger, asked, access, NOW + DAY)
        assert found == Found((), more=False)
        last = list(ledger.entries())[2:]
    (view,) = last
    assert (view.kind, view.code, view.resident, view.access) == (
        Kind.LOG_VIEW,
        "search",
        resident,
        access,
    )
    assert view.detail == "by resident, message, staff, begin; at most 100 entries"


def test_what_cannot_be_recorded_is_not_shown(url: str) -> None:
    with opened(url) as ledger:
        ledger.append([entry(1)])
        with ledger.engine.begin() as connection:
            set_fault(connection, "a test")
        with pytest.raises(LedgerError, match="takes nothing"):
            look_up(ledger, Question(), AccessItems(), NOW)


def test_destroyed_months_are_not_searched(url: str) -> None:
    with opened(url) as ledger:
        ledger.append([entry(1)])
        ledger.append(
            [entry(1, kind=Kind.DELIVERY, at=NOW + 40 * DAY), entry(2, at=NOW + 40 * DAY)]
        )
        with ledger.engine.begin() as connection:
            first = all_months(connection)[0]
            connection.execute(
                update(months).where(months.c.month == first.month), {"destroyed": 3}
            )
            entries_of(first.month).drop(connection)
        with ledger.engine.connect() as connection:
            for asked in (Question(), Question(flow="I1"), Question(resident=entry().resident)):
                assert [one.number for one in search(connection, asked).entries] == [3, 2]
            about = entries_about(connection, [entry().resident], 2)
            assert [one.number for one in about] == [2]


@pytest.mark.parametrize("limit", [0, MOST + 1])
def test_a_page_has_its_bounds(limit: int) -> None:
    with pytest.raises(ValueError, match="a page has"):
        Question(limit=limit)


def test_a_time_without_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        Question(begin=dt.datetime(2026, 4, 1))  # noqa: DTZ001 - that is what is refused
