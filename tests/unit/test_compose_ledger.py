"""``renkei up`` makes the ledger of a new site, and changes no other."""

import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hub.compose.ledger import begin_ledger
from hub.errors import LedgerError
from hub.ledger.schema import ledger_errors, open_engine
from hub.site import Site, load_site
from tests.plain_site import PLAIN

pytestmark = pytest.mark.unit

SITE = f"""{PLAIN}
[hub]
password_file = "secrets/hub"
pseudonym_key_file = "secrets/key"

[systems.tax]
folder = "drives/tax"
journal = "tax.sqlite3"
password_file = "secrets/tax"
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    path = tmp_path / "site.toml"
    path.write_text(SITE)
    return load_site(path)


def schema(folder: Path, older: str = "") -> str:
    with closing(sqlite3.connect(folder / "ledger.sqlite3")) as database, database:
        if older:
            database.execute("UPDATE ledger_version SET version_num = ?", (older,))
        (found,) = database.execute("SELECT version_num FROM ledger_version").fetchone()
    return str(found)


def test_a_new_site_gets_its_ledger_once(site: Site) -> None:
    assert begin_ledger(site)
    assert not begin_ledger(site)


def test_an_older_ledger_is_left_alone_and_the_way_is_said(site: Site, tmp_path: Path) -> None:
    begin_ledger(site)
    schema(tmp_path, "0004")
    with pytest.raises(LedgerError) as caught:
        begin_ledger(site)
    for word in ("renkei ledger migrate", "renkei broker apply", "nothing was started"):
        assert word in str(caught.value)
    assert schema(tmp_path) == "0004"


def test_a_ledger_that_is_gone_is_not_made_anew(site: Site, tmp_path: Path) -> None:
    (tmp_path / "tax.sqlite3").touch()
    with pytest.raises(LedgerError, match="the adapters of tax have worked"):
        begin_ledger(site)
    assert not (tmp_path / "ledger.sqlite3").exists()


def test_a_database_on_a_machine_that_nobody_knows_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(*_: object) -> socket.socket:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "create_connection", unknown)
    engine = open_engine("postgresql+pg8000://renkei@localhost/renkei")
    with (
        pytest.raises(LedgerError, match=r"the machine localhost is not found .*\[hub\]"),
        ledger_errors("be read"),
        engine.connect(),
    ):
        pass
