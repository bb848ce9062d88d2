"""What a ledger keeps of refusals and of the catalogue, in SQLite and in PostgreSQL."""

import pytest

from hub.errors import LedgerError
from hub.ledger import schema
from hub.ledger.changes import CATALOGUE_REFUSED, changed, refused
from hub.ledger.model import Kind
from hub.ledger.store import DatabaseLedger
from hub.message import MessageKey
from hub.site import HUB_USER
from tests.samples import NOW, SIGNER, entry
from tests.servers.ledgers import execute, opened, rows_of

pytestmark = pytest.mark.contract

OLD, NEW, BAD = "1" * 64, "2" * 64, "3" * 64


def test_a_refusal_keeps_what_it_is_about(url: str) -> None:
    refusal = entry(kind=Kind.REFUSAL, code="held", detail="legal basis（法令上の根拠）")
    with opened(url) as ledger:
        ledger.append([refusal, entry(2)])
        first, second = rows_of(ledger)
    assert first["detail"] == refusal.detail
    assert second["detail"] == ""


def test_the_catalogue_in_force_is_the_last_one_that_was_not_refused(url: str) -> None:
    with opened(url) as ledger:
        assert ledger.catalogue() == ""
        ledger.append([changed("", OLD, (), NOW), entry()])
        assert ledger.catalogue() == OLD
        ledger.append([refused(OLD, BAD, ["B1.toml:3: no basis"], NOW)])
        assert ledger.catalogue() == OLD
        ledger.append([changed(OLD, NEW, ["B1 closed"], NOW), entry(2)])
        assert ledger.catalogue() == NEW
        rows = [row for row in rows_of(ledger) if row["kind"] == Kind.CATALOGUE_CHANGE]
    assert [(row["digest"], row["code"], row["detail"]) for row in rows] == [
        (OLD, "", "before none"),
        (BAD, CATALOGUE_REFUSED, f"in force {OLD}; B1.toml:3: no basis"),
        (NEW, "", f"before {OLD}; B1 closed"),
    ]


def test_a_change_of_the_catalogue_says_nothing_of_a_message_with_its_name(url: str) -> None:
    change = changed("", OLD, (), NOW)
    with opened(url) as ledger:
        ledger.append([change])
        known = ledger.known([change.message])
    assert change.message == MessageKey(HUB_USER, f"catalogue-{OLD[:32]}")
    assert not any(one.decided or one.accepted for one in known.values())


def test_a_text_that_no_database_keeps_is_cut(url: str) -> None:
    fault = "B1.toml:1: \x00\x1b[2J\ud800 " + "長" * 2000
    with opened(url) as ledger:
        ledger.append([refused(OLD, BAD, [fault], NOW)])
        (row,) = rows_of(ledger)
    detail = str(row["detail"])
    assert detail.startswith(f"in force {OLD}; B1.toml:1:   [2J? 長")
    assert len(detail) == 600


@pytest.mark.parametrize("revision", ["0001", "0002"])
def test_a_ledger_without_a_tree_is_not_taken_over(url: str, revision: str) -> None:
    engine = schema.open_engine(url, make=True)
    engine.dispose()
    execute(url, "CREATE TABLE ledger_version (version_num VARCHAR(32) NOT NULL)")
    execute(url, "INSERT INTO ledger_version VALUES (:revision)", revision=revision)
    for use in (schema.migrate, lambda address: DatabaseLedger(address, SIGNER)):
        with pytest.raises(LedgerError, match="did not hash its entries yet"):
            use(url)
