"""A file with a person's data: asked for, permitted by another, had once, each step recorded."""

import datetime as dt
import hashlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import SecretStr

from hub.desks.disclose import FORMATS
from hub.desks.exports import KEPT, KIND, WAITS, Exports, Wish
from hub.errors import LedgerError, QuestionError
from hub.ledger.model import Kind
from hub.ledger.search.ask import Question, search
from hub.ledger.search.whom import MyNumberGiven
from hub.ledger.store import DatabaseLedger
from hub.message import AccessItems
from monitoring.console.store import NAME, Store
from tests.samples import ADDRESSEE, MY_NUMBER, NOW, PSEUDONYMS, entry, shipped
from tests.servers.ledgers import opened

pytestmark = pytest.mark.unit

CLERK = AccessItems("clerk", "後期高齢", "T-1", "開示請求", "test")
OTHER = AccessItems("other", "後期高齢", "T-2", "確認済", "test")
WISH = Wish(number=ADDRESSEE, format="json")
MINUTE = dt.timedelta(minutes=1)


@dataclass
class Office:
    ledger: DatabaseLedger
    store: Store
    now: dt.datetime = NOW
    desk: Exports = field(init=False)

    def __post_init__(self) -> None:
        self.desk = Exports(self.ledger, shipped(), PSEUDONYMS, self.store, lambda: self.now)

    def exports(self) -> list[str]:
        with self.ledger.engine.connect() as connection:
            found = search(connection, Question(kind=Kind.EXPORT)).entries
        return [one.outcome for one in found][::-1]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with opened(f"sqlite:///{tmp_path / 'ledger.sqlite3'}") as ledger:
        store = Store(tmp_path / "console", SecretStr("a key of the tests"))
        yield Office(ledger, store)
        store.close()


def test_a_file_is_had_once_when_another_person_has_permitted_it(office: Office) -> None:
    asked = office.desk.ask(WISH, CLERK)
    with pytest.raises(LedgerError, match="nobody has permitted"):
        office.desk.take(asked.id, CLERK)
    office.desk.approve(asked.id, OTHER)
    with pytest.raises(LedgerError, match="only the person who asked"):
        office.desk.take(asked.id, OTHER)
    name, content = office.desk.take(asked.id, CLERK)
    assert name == f"disclosure-{asked.id}.json"
    assert office.exports() == ["export-requested", "export-approved", "disclosure"]
    with office.ledger.engine.connect() as connection:
        left = search(connection, Question(kind=Kind.EXPORT, outcome="disclosure")).entries[0]
    assert left.digest == hashlib.sha256(content).hexdigest()
    assert left.resident == PSEUDONYMS.resident(ADDRESSEE)
    with pytest.raises(QuestionError):
        office.desk.take(asked.id, CLERK)
    assert office.desk.waiting() == []


@pytest.mark.parametrize("name", ["clerk", "CLERK", " clerk", "ｃｌｅｒｋ"])
def test_nobody_permits_what_they_asked_for(office: Office, name: str) -> None:
    asked = office.desk.ask(WISH, CLERK)
    with pytest.raises(LedgerError, match="same person"):
        office.desk.approve(asked.id, CLERK._replace(staff=name))
    assert office.exports() == ["export-requested"]


def test_what_is_declined_is_gone(office: Office) -> None:
    asked = office.desk.ask(WISH, CLERK)
    office.desk.decline(asked.id, OTHER)
    with pytest.raises(QuestionError):
        office.desk.approve(asked.id, OTHER)
    assert office.exports() == ["export-requested", "export-declined"]


def test_what_nobody_permits_or_takes_ends_by_itself(office: Office) -> None:
    first = office.desk.ask(WISH, CLERK)
    office.now += WAITS - MINUTE
    office.desk.approve(first.id, OTHER)
    with pytest.raises(LedgerError, match="permitted already"):
        office.desk.approve(first.id, OTHER)
    office.now += KEPT
    with pytest.raises(QuestionError):
        office.desk.take(first.id, CLERK)
    office.desk.ask(WISH, CLERK)
    office.now += WAITS
    assert office.desk.waiting() == []
    assert office.store.all(KIND) == []


def test_a_wrong_number_or_period_is_not_asked_for(office: Office) -> None:
    wrong = ("", "12a", "1" * 16, "１２３", "123456789018")
    for wish in (
        *(WISH.model_copy(update={"number": number}) for number in wrong),
        WISH.model_copy(update={"begin": dt.date(2026, 2, 1), "end": dt.date(2026, 1, 1)}),
    ):
        with pytest.raises(QuestionError) as error:
            office.desk.ask(wish, CLERK)
        assert "12a" not in str(error.value)
    assert office.exports() == []


def test_a_resident_s_number_may_look_like_a_my_number(office: Office) -> None:
    wish = WISH.model_copy(update={"number": MY_NUMBER})
    with pytest.raises(MyNumberGiven) as error:
        office.desk.ask(wish, CLERK)
    assert MY_NUMBER not in str(error.value)
    office.ledger.append([entry(1, resident=PSEUDONYMS.resident(MY_NUMBER))])
    office.desk.approve(office.desk.ask(wish, CLERK).id, OTHER)
    assert office.exports() == ["export-requested", "export-approved"]


def test_what_cannot_be_recorded_is_not_done(office: Office) -> None:
    asked = office.desk.ask(WISH, CLERK)

    def fail(*_: object) -> None:
        raise LedgerError("the disk is full")

    broken = SimpleNamespace(append=fail)
    desk = Exports(broken, shipped(), PSEUDONYMS, office.store, lambda: office.now)  # type: ignore[arg-type]
    for step in (desk.approve, desk.decline):
        with pytest.raises(LedgerError):
            step(asked.id, OTHER)
    with pytest.raises(LedgerError):
        desk.ask(WISH, CLERK)
    assert [one.permitted_at for one in office.desk.waiting()] == [None]


def test_a_damaged_row_is_nothing(office: Office) -> None:
    office.store.put(KIND, "a", b"{}")
    assert office.desk.waiting() == []
    with pytest.raises(QuestionError):
        office.desk.find("a")


def test_nobody_waits_while_a_file_is_made_and_it_is_looked_at_again_after(
    office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = office.desk.ask(WISH, CLERK)
    office.desk.approve(asked.id, OTHER)
    with sqlite3.connect(tmp_path / "console" / NAME, timeout=0) as other:

        def taken_back(_: object) -> bytes:
            other.execute("BEGIN IMMEDIATE")  # fails where anybody has the rows for himself
            other.execute("COMMIT")
            office.desk.decline(asked.id, OTHER)
            return b"made in vain"

        monkeypatch.setitem(FORMATS, "json", taken_back)
        with pytest.raises(QuestionError):
            office.desk.take(asked.id, CLERK)
    other.close()
    assert office.exports() == ["export-requested", "export-approved", "export-declined"]
