"""``renkei ledger verify``: what it prints, and its exit status."""

import json
import sqlite3
from pathlib import Path

import pytest

from hub.cli.main import app, guarded
from schemas.evidence.note import Signer
from tests.plain_site import PLAIN
from tests.samples import SIGNER
from tests.servers.ledger_to_verify import COSIGNER, destroy_november, filled

pytestmark = pytest.mark.contract


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Give a site with a ledger of two months."""
    (tmp_path / "secrets").mkdir()
    for name, text in {"hub": "h" * 40, "key": "k" * 40, "ledger-key": SIGNER.text()}.items():
        secret = tmp_path / "secrets" / name
        secret.write_text(text)
        secret.chmod(0o600)
    filled(f"sqlite:///{tmp_path / 'ledger.sqlite3'}", 300, 30)
    path = tmp_path / "site.toml"
    lines = [
        PLAIN,
        "[hub]",
        'password_file = "secrets/hub"',
        'pseudonym_key_file = "secrets/key"',
        f'ledger_cosigners = ["{COSIGNER.verifier.text()}"]',
        "[systems.tax]",
        'folder = "drives/tax"',
        'journal = "tax.sqlite3"',
        'password_file = "secrets/hub"',
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def run(*arguments: object) -> int:
    try:
        return guarded(lambda: app([*map(str, arguments)], prog_name="renkei"))
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1


def edit(site: Path, statement: str) -> None:
    database = sqlite3.connect(site.parent / "ledger.sqlite3")
    with database:
        database.execute(statement)
    database.close()


def test_a_good_ledger(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("ledger", "verify", "--site", site) == 0
    said = capsys.readouterr().out
    assert "330 entries, root " in said
    assert "good through entry 330" in said
    assert "good: every row, tile and signature fits" in said
    assert run("ledger", "verify", "--state", site.parent) == 0


def test_a_bad_ledger_names_the_entry_and_what_to_do(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(site, "UPDATE ledger_entries_202611 SET at = at + 1 WHERE seq = 123")
    assert run("ledger", "verify", "--site", site) == 1
    said = capsys.readouterr().out
    assert "good through entry 122" in said
    assert "first bad entry: 123\nBAD: entry 123 was changed" in said
    assert "what to do: keep the database" in said


def test_json(site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    destroy_november(f"sqlite:///{tmp_path / 'ledger.sqlite3'}", tmp_path)
    assert run("ledger", "verify", "--site", site, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["good"], said["size"], said["through"]) == (True, 331, 331)
    assert (said["destroyed"], said["first_bad"], said["fault"]) == ([[1, 300]], None, "")


def test_a_ledger_that_is_halted_is_not_called_good(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(site, "UPDATE ledger_head SET fault = 'seen before'")
    assert run("ledger", "verify", "--site", site) == 1
    assert "takes nothing, since an earlier check failed: seen before" in capsys.readouterr().out


@pytest.mark.parametrize("kept", ["--witness", "ledger.witness"])
def test_a_ledger_that_was_put_back_is_found_by_the_witness(
    site: Path, kept: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (note,) = (
        sqlite3.connect(site.parent / "ledger.sqlite3")
        .execute("SELECT seal FROM ledger_head")
        .fetchone()
    )
    arguments: tuple[object, ...] = ()
    path = site.parent / "ledger.witness"
    if kept == "--witness":
        path = site.parent / "elsewhere"
        arguments = (kept, path)
    path.write_text(note, encoding="utf-8")
    assert run("ledger", "verify", "--site", site, *arguments) == 0
    for one in site.parent.glob("ledger.sqlite3*"):
        one.unlink()
    filled(f"sqlite:///{site.parent / 'ledger.sqlite3'}", 300, 10)
    assert run("ledger", "verify", "--site", site, *arguments) == 1
    assert "first bad entry: 311" in capsys.readouterr().out


def test_since_a_checkpoint(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (note,) = (
        sqlite3.connect(site.parent / "ledger.sqlite3")
        .execute("SELECT note FROM ledger_checkpoints WHERE id = 2")
        .fetchone()
    )
    path = site.parent / "earlier"
    path.write_text(note, encoding="utf-8")
    assert run("ledger", "verify", "--site", site, "--since", path, "--quick") == 0
    path.write_text("nonsense", encoding="utf-8")
    assert run("ledger", "verify", "--site", site, "--since", path) == 1
    assert "earlier" in capsys.readouterr().err


def test_a_file_that_is_no_database_is_no_good_ledger(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for one in site.parent.glob("ledger.sqlite3*"):
        one.unlink()
    (site.parent / "ledger.sqlite3").write_bytes(b"x" * 10_000)
    assert run("ledger", "verify", "--site", site) == 1
    said = capsys.readouterr()
    assert "database" in said.out + said.err


# -- exports ---------------------------------------------------------------------------------


def exported(site: Path) -> Path:
    folder = site.parent / "export"
    assert run("ledger", "export", folder, "--site", site) == 0
    return folder


def test_an_export_with_the_sites_key_or_another(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = exported(site)
    assert run("ledger", "verify", "--from-export", folder, "--site", site) == 0
    key = SIGNER.verifier.text()
    assert run("ledger", "verify", "--from-export", folder, "--key", key) == 0
    assert "331 entries of renkei.test/ledger" in capsys.readouterr().out
    foreign = Signer.generate(SIGNER.name).verifier.text()
    assert run("ledger", "verify", "--from-export", folder, "--key", foreign) == 1
    assert "BAD: checkpoint" in capsys.readouterr().out


def test_a_bad_export_names_the_entry(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = exported(site)
    capsys.readouterr()
    bundle = folder / "tile" / "entries" / "000"
    bundle.write_bytes(bundle.read_bytes()[:-1] + b"x")
    asked = ("ledger", "verify", "--from-export", folder, "--site", site)
    assert run(*asked) == 1
    assert "first bad entry: 256" in capsys.readouterr().out
    assert run(*asked, "--json") == 1
    assert json.loads(capsys.readouterr().out)["first_bad"] == 256


def test_an_entry_bundle_may_be_missing_only_where_it_is_said_to_be_destroyed(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = exported(site)
    (folder / "tile" / "entries" / "000").unlink()
    asked = ("ledger", "verify", "--from-export", folder, "--site", site)
    assert run(*asked) == 1
    assert run(*asked, "--destroyed", "1-256") == 0
    assert "said to be destroyed: 1-256" in capsys.readouterr().out
    assert run(*asked, "--destroyed", "256-1") == 2


def test_what_cannot_be_asked(site: Path, tmp_path: Path) -> None:
    assert run("ledger", "verify") == 2
    assert run("ledger", "verify", "--from-export", tmp_path) == 2
    assert run("ledger", "verify", "--from-export", tmp_path, "--key", "x") == 2
    assert run("ledger", "verify", "--site", site, "--key", SIGNER.verifier.text()) == 2
    assert run("ledger", "verify", "--site", site, "--destroyed", "1-2") == 2
