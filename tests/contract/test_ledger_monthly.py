"""What is counted in the database is what a plain look at every entry gives, in both databases."""

import datetime as dt
from collections import Counter, defaultdict

import pytest

from hub.clock import midnight
from hub.errors import LedgerError
from hub.ledger.leaf import Recorded, microseconds
from hub.ledger.model import Kind
from hub.ledger.monthly import Sort, counted_by_hour, looked_up
from hub.ledger.months import all_months
from hub.ledger.tables import months
from hub.ledger.tally import Span
from hub.message import AccessItems, MessageKey
from tests.samples import PSEUDONYMS, entry
from tests.servers.ledgers import opened

pytestmark = pytest.mark.contract

MAY, JUNE = (midnight(dt.date(2026, month, 1)) for month in (5, 6))
HOURS = (-700, -1, 0, 1, 1, 30, 743, 744, 743, 800)
"""Since May began; the clock is set back once after it is over."""


def sort(one: Recorded) -> Sort:
    hour = microseconds(one.at) // 3_600_000_000
    place = (one.message.sender, one.flow, one.receiver, one.access.staff)
    return Sort(one.kind, one.code, *place, hour)


def test_a_month_is_counted_as_its_entries_are(url: str) -> None:
    with opened(url) as ledger:
        for number, hours in enumerate(HOURS):
            at = MAY + dt.timedelta(hours=hours)
            looks = [
                entry(
                    number * 3 + which,
                    at=at,
                    kind=Kind.LOG_VIEW if which else Kind.ACCEPTANCE,
                    message=MessageKey("tax", f"m-{number}-{which}"),
                    resident=PSEUDONYMS.resident(f"{number % 3}") if which < 2 else "",
                    code="search" if which else "",
                    access=AccessItems(("a", "b", "")[number % 3]),
                )
                for which in range(3)
            ]
            ledger.append(looks)
        span = Span(microseconds(MAY), microseconds(JUNE))
        among = [one for one in ledger.entries() if MAY <= one.at < JUNE]
        assert len(among) == 3 * 6
        seen: defaultdict[str, set[str]] = defaultdict(set)
        for one in among:
            if one.kind is Kind.LOG_VIEW and one.resident:
                seen[one.access.staff].add(one.resident)
        with ledger.engine.connect() as connection:
            counts = Counter[Sort]()
            for key, count in counted_by_hour(connection, span):
                counts[key] += count
            assert counts == Counter(map(sort, among))
            assert looked_up(connection, span) == {who: len(them) for who, them in seen.items()}
        with ledger.engine.begin() as connection:
            may = next(one for one in all_months(connection) if one.month == 202605)
            connection.execute(
                months.update().where(months.c.month == may.month).values(destroyed=1)
            )
            with pytest.raises(LedgerError, match="destroyed"):
                list(counted_by_hour(connection, span))
