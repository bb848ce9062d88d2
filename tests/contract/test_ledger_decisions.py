"""Reading what was decided, in SQLite and in PostgreSQL."""

import datetime as dt
from pathlib import Path

import pytest

from hub.errors import LedgerError
from hub.ledger.decisions import Decided, open_decisions
from hub.ledger.model import Kind
from hub.message import MessageKey
from tests.samples import NOW, REGISTRY, entry
from tests.servers.ledgers import opened

pytestmark = pytest.mark.contract

HOUR = dt.timedelta(hours=1)


def test_only_decisions_are_read_in_order_and_from_the_moment_on(url: str) -> None:
    kinds = (Kind.ACCEPTANCE, Kind.DELIVERY, Kind.RECEIPT, Kind.OUT_OF_SCOPE, Kind.REFUSAL)
    with opened(url) as ledger:
        for number in range(3):
            at = NOW + number * HOUR
            ledger.append([entry(number, kind=kind, at=at, code="held") for kind in kinds])
    with open_decisions(url) as decisions:
        assert decisions.size() == 15
        found = list(decisions.since(NOW + HOUR))
    assert [(one.number, one.kind) for one in found] == [
        (6, Kind.ACCEPTANCE),
        (9, Kind.OUT_OF_SCOPE),
        (10, Kind.REFUSAL),
        (11, Kind.ACCEPTANCE),
        (14, Kind.OUT_OF_SCOPE),
        (15, Kind.REFUSAL),
    ]
    assert found[0] == Decided(
        number=6,
        at=NOW + HOUR,
        kind=Kind.ACCEPTANCE,
        message=MessageKey(REGISTRY, "file-1.1"),
        message_type="resident.changed",
        flow="I1",
        receiver="premium-collection",
        code="held",
    )


def test_many_are_streamed_while_others_are_added(url: str) -> None:
    with opened(url) as ledger:
        ledger.append([entry(number) for number in range(5000)])
        with open_decisions(url) as decisions:
            read = decisions.since(NOW)
            first = next(read)
            ledger.append([entry(5000)])
            numbers = [first.number, *(one.number for one in read)]
    assert numbers == list(range(1, 5001))


def test_a_ledger_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "ledger.sqlite3"
    with (
        pytest.raises(LedgerError, match="there is no ledger"),
        open_decisions(f"sqlite:///{path}"),
    ):
        pass
    assert not path.parent.exists()


def test_a_ledger_of_another_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    path.touch()
    with (
        pytest.raises(LedgerError, match="ledger migrate"),
        open_decisions(f"sqlite:///{path}"),
    ):
        pass
