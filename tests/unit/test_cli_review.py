"""`renkei review`: the same report as the console's, and that it was looked at is recorded."""

import hashlib
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


@pytest.mark.parametrize(
    ("name", "begins"),
    [("folder", b"%PDF-"), ("april.pdf", b"%PDF-"), ("april.HTML", b"<!DOC"), ("a.json", b"{")],
)
def test_a_report_becomes_a_file_once_and_that_is_recorded(
    site: Path, name: str, begins: bytes
) -> None:
    run = CliRunner()
    (site.parent / "folder").mkdir()
    out = site.parent / name
    asked = ["review", "--site", str(site), "--month", "2026-04", "--staff", "0412"]
    told = run.invoke(app, [*asked, "--out", str(out)])
    assert told.exit_code == 0, told.output
    file = out / "review-2026-04.pdf" if name == "folder" else out
    content = file.read_bytes()
    assert content.startswith(begins)
    assert file.stat().st_mode & 0o777 == 0o600
    digest = hashlib.sha256(content).hexdigest()
    assert digest in told.output
    if name.lower().endswith("html"):
        text = content.decode()
        for said in ("somebody", "包含証明", "2026-04 の点検報告", "未点検", "なし"):
            assert said in text
    url = f"sqlite:///{site.parent / 'ledger.sqlite3'}"
    with opened(url) as ledger, ledger.engine.connect() as connection:
        (export,) = search(connection, Question(kind=Kind.EXPORT, staff="0412")).entries
    said = (export.code, export.digest, export.detail)
    assert said == ("review", digest, f"review of 2026-04: {file.name}")
    again = run.invoke(app, [*asked, "--out", str(out)])
    assert again.exit_code != 0
    assert file.read_bytes() == content


def test_a_file_of_no_known_form_is_not_written(site: Path) -> None:
    asked = ["review", "--site", str(site), "--month", "2026-04", "--out", "x.txt"]
    assert CliRunner().invoke(app, asked).exit_code == 2
