"""`renkei maintenance`: recorded first, seen by the workers, over by itself."""

import datetime as dt
import json
from pathlib import Path

import pytest

from hub.cli.main import app, guarded
from hub.cli.maintenance import _moment
from hub.clock import JST
from hub.desks.maintenance import go_on, rest
from hub.errors import LedgerError
from hub.ledger.maintenance import Maintenance, read_maintenance
from hub.ledger.model import Kind
from hub.message import AccessItems
from tests.plain_site import PLAIN
from tests.samples import SIGNER
from tests.servers.ledgers import opened

pytestmark = pytest.mark.unit

NOW = dt.datetime(2026, 11, 28, 22, tzinfo=JST)
HOUR = dt.timedelta(hours=1)
STAFF = AccessItems(staff="0412", reason="a new disk")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "secrets").mkdir()
    for name, text in {"hub": "h" * 40, "key": "p" * 40, "ledger-key": SIGNER.text()}.items():
        secret = tmp_path / "secrets" / name
        secret.write_text(text)
        secret.chmod(0o600)
    path = tmp_path / "site.toml"
    path.write_text(
        f'{PLAIN}[hub]\npassword_file = "secrets/hub"\npseudonym_key_file = "secrets/key"\n'
    )
    with opened(f"sqlite:///{tmp_path / 'ledger.sqlite3'}"):
        pass
    return path


def run(*arguments: str) -> int:
    try:
        return guarded(lambda: app(["maintenance", *arguments], prog_name="renkei"))
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1


def test_what_people_say_is_an_entry_and_a_row_with_an_end(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'ledger.sqlite3'}") as ledger:
        assert not go_on(ledger, STAFF, NOW)
        assert rest(ledger, NOW + HOUR, STAFF, NOW) == Maintenance(NOW + HOUR, "a new disk")
        assert read_maintenance(ledger.engine, NOW) is not None
        assert go_on(ledger, STAFF, NOW)
        assert not go_on(ledger, STAFF, NOW)
        for until in (NOW, NOW + 25 * HOUR):
            with pytest.raises(LedgerError, match="within 24 hours"):
                rest(ledger, until, STAFF, NOW)
        said = [(one.kind, one.outcome, one.detail) for one in ledger.entries()]
    assert said == [
        (Kind.OPERATOR_ACTION, "maintenance-begun", "until 2026-11-28 23:00"),
        (Kind.OPERATOR_ACTION, "maintenance-ended", ""),
    ]


def test_it_is_begun_shown_and_ended(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    until = f"{dt.datetime.now(JST) + HOUR:%Y-%m-%dT%H:%M}"
    at = ("--site", str(site))
    assert run("status", *at) == 0
    assert run("on", *at, "--reason", "a new disk", "--until", until) == 0
    assert run("status", *at, "--json") == 0
    begun = capsys.readouterr().out.splitlines()
    assert begun[0] == "there is no maintenance"
    assert "the hub rests until" in begun[1]
    assert json.loads(begun[2])["reason"] == "a new disk"
    assert run("off", *at) == run("off", *at) == 0
    assert capsys.readouterr().out.splitlines() == ["the hub goes on", "there was no maintenance"]


@pytest.mark.parametrize(
    "wrong",
    [
        ("--reason", " ", "--until", "23:00"),
        ("--reason", "a new disk", "--until", "soon"),
        ("--reason", "a new disk"),
    ],
)
def test_without_a_reason_or_an_end_there_is_none(site: Path, wrong: tuple[str, ...]) -> None:
    assert run("on", "--site", str(site), *wrong) == 2


def test_a_time_of_the_day_is_the_next_one_in_japan() -> None:
    now = dt.datetime.now(JST)
    for text in ("00:00", "12:00", "23:59"):
        moment = _moment(text)
        assert now < moment <= now + 24 * HOUR
        assert f"{moment:%H:%M}" == text
    assert _moment("2026-04-01T02:00") == dt.datetime(2026, 4, 1, 2, tzinfo=JST)
