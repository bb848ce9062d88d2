"""An SQLite ledger whose file goes away or is exchanged: nothing may be recorded elsewhere."""

import shutil
from pathlib import Path

import pytest

from hub.errors import LedgerError
from hub.ledger.schema import is_empty, migrate
from hub.ledger.store import DatabaseLedger
from tests.samples import SIGNER, entry

pytestmark = pytest.mark.contract


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ledger" / "ledger.sqlite3"
    migrate(f"sqlite:///{path}")
    return path


def test_nothing_is_recorded_while_the_file_is_gone(file: Path) -> None:
    ledger = DatabaseLedger(f"sqlite:///{file}", SIGNER)
    ledger.append([entry(1)])
    away = file.with_name("away")
    file.rename(away)
    with pytest.raises(LedgerError, match="gone or was replaced"):
        ledger.append([entry(2)])
    with pytest.raises(LedgerError, match="gone or was replaced"):
        ledger.known([entry(1).message])
    away.rename(file)
    ledger.append([entry(2)])
    assert ledger.size() == 2
    ledger.close()


def test_nothing_is_recorded_beside_a_copy_put_in_its_place(file: Path) -> None:
    ledger = DatabaseLedger(f"sqlite:///{file}", SIGNER)
    copy = file.with_name("copy")
    shutil.copy(file, copy)
    copy.replace(file)
    with pytest.raises(LedgerError, match="start the hub again"):
        ledger.append([entry(1)])
    ledger.close()


def test_looking_for_a_ledger_makes_none(tmp_path: Path) -> None:
    path = tmp_path / "none.sqlite3"
    assert is_empty(f"sqlite:///{path}")
    assert not path.exists()


def test_a_ledger_that_is_there_is_not_empty(file: Path) -> None:
    assert not is_empty(f"sqlite:///{file}")
