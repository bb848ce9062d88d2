"""`renkei review`: the same report as the console's, and that it was looked at is recorded."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli.main import app
from hub.ledger.acts import act
from hub.ledger.model import Kind
from hub.ledger.search.ask import Question, search
from hub.message import AccessItems
from tests.plain_site import PLAIN
from tests.samples import NOW, SIGNER
from tests.servers.ledgers import opened

pytestmark = pytest.mark.unit


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
    with opened(f"sqlite:///{tmp_path / 'ledger.sqlite3'}") as ledger:
        ledger.append([act(Kind.EXPORT, AccessItems("somebody"), NOW, code="proof")])
    return path


def test_a_month_is_told_and_the_look_recorded(site: Path) -> None:
    run = CliRunner()
    asked = ["review", "--site", str(site), "--month", "2026-04", "--staff", "0412"]
    told = run.invoke(app, asked)
    assert told.exit_code == 0, told.output
    assert "somebody" in told.output
    assert "refused attempts: none" in told.output
    report = json.loads(run.invoke(app, [*asked, "--json"]).output)
    assert report["exports"] == [{"who": "somebody", "what": "proof", "times": 1}]
    url = f"sqlite:///{site.parent / 'ledger.sqlite3'}"
    with opened(url) as ledger, ledger.engine.connect() as connection:
        looks = search(connection, Question(kind=Kind.LOG_VIEW, staff="0412")).entries
    assert [one.detail for one in looks] == ["review of 2026-04"] * 2
    assert run.invoke(app, [*asked, "--month", "April"]).exit_code != 0
