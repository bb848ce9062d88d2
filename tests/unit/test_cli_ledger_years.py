"""The commands about years: archive, retain, hold, erase, backup, restore and drill."""

import datetime as dt
import json
from pathlib import Path

import pytest

from hub.cli.main import app, guarded
from hub.ledger.evidence.certificate import read_certificate
from hub.ledger.model import Kind, Pseudonyms
from hub.ledger.years.sealed import Identity
from schemas.evidence.note import SignedNote
from tests.plain_site import PLAIN
from tests.samples import ADDRESSEE, REGISTRY, SIGNER, entry
from tests.servers.ledgers import opened

pytestmark = [pytest.mark.unit, pytest.mark.slow]

IDENTITY = Identity.fresh()
PSEUDONYM_KEY = "p" * 40
RESIDENT = Pseudonyms(PSEUDONYM_KEY.encode()).resident(ADDRESSEE)
WHO = ("--staff", "職員九", "--reason", "試験")


def run(*arguments: str) -> int:
    try:
        return guarded(lambda: app(["ledger", *arguments], prog_name="renkei"))
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Make a site whose ledger has entries of January and February 2018, and of today."""
    secrets = {"hub": "h" * 40, "key": PSEUDONYM_KEY, "ledger-key": SIGNER.text()}
    (tmp_path / "secrets").mkdir()
    for name, text in {**secrets, "identity": IDENTITY.text()}.items():
        secret = tmp_path / "secrets" / name
        secret.write_text(text)
        secret.chmod(0o600)
    path = tmp_path / "site.toml"
    path.write_text(
        f'{PLAIN}[hub]\npassword_file = "secrets/hub"\npseudonym_key_file = "secrets/key"\n'
        f'archive_recipients = ["{IDENTITY.recipient}"]\n'
    )
    with opened(f"sqlite:///{tmp_path / 'ledger.sqlite3'}") as ledger:
        for month in (1, 2):
            at = dt.datetime(2018, month, 3, tzinfo=dt.UTC)
            resident = RESIDENT if month == 1 else "b" * 32
            ledger.append([entry(100 * month + n, at=at, resident=resident) for n in range(3)])
        ledger.append([entry(9, at=dt.datetime.now(dt.UTC))])
        ledger.checkpoint()
    return path


def identity_of(site: Path) -> str:
    return str(site.parent / "secrets" / "identity")


def acts(site: Path) -> list[tuple[str, str]]:
    with opened(f"sqlite:///{site.parent / 'ledger.sqlite3'}") as ledger:
        said = [one for one in ledger.entries() if one.kind is not Kind.ACCEPTANCE]
    assert all(one.access.staff for one in said)
    return [(one.kind.value, one.outcome) for one in said]


def test_closed_months_are_archived_once_and_can_be_checked(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("archive", "--site", str(site), *WHO, "--json") == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["month"], first["entries"]) == (201801, [1, 3])
    assert Path(second["file"]).name == "renkei-ledger-2018-02.tar.gz.age"
    assert run("archive", "--site", str(site)) == 0
    assert "every closed month" in capsys.readouterr().out
    assert acts(site) == [("export", "archive")] * 2
    key = SIGNER.verifier.text()
    check = ("archive", "--check", first["file"], "--identity", identity_of(site))
    assert run(*check, "--key", key, "--json") == 0
    assert json.loads(capsys.readouterr().out)["entries"] == [1, 3]
    assert run(*check, "--site", str(site)) == 0
    damaged = bytearray(Path(first["file"]).read_bytes())
    damaged[-1] ^= 1
    Path(first["file"]).write_bytes(bytes(damaged))
    assert run(*check, "--key", key) == 1
    assert run(*check) == 2
    assert run("archive", "--site", str(site), "--month", "2018-03") == 1
    assert "no closed month" in capsys.readouterr().err
    assert run("archive", "--site", str(site), "--month", "March") == 2


def test_what_is_past_is_destroyed_with_a_certificate(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("retain", "--site", str(site), "--dry-run") == 0
    assert capsys.readouterr().out.count("WARNING: it was never archived") == 2
    assert acts(site) == []
    assert run("retain", "--site", str(site), "--yes", *WHO) == 0
    assert "renkei.destruction/v1\n" in capsys.readouterr().out
    assert acts(site) == [("destruction", "month")] * 2
    note = (site.parent / "certificates" / "destruction-2018-01.txt").read_bytes()
    facts = dict(read_certificate(note, [SIGNER.verifier])[1])
    assert (facts["entries"], facts["staff"], facts["reason"]) == ("1-3", "職員九", "試験")
    assert run("retain", "--site", str(site), "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []


def test_nothing_is_destroyed_without_a_yes(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("typer.confirm", lambda *_, **__: (_ for _ in ()).throw(SystemExit(1)))
    assert run("retain", "--site", str(site)) == 1
    assert acts(site) == []
    assert "to be destroyed" in capsys.readouterr().out


def test_holds_are_added_listed_obeyed_and_lifted(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ("--site", str(site))
    assert run("hold", "add", *at, "--addressee", ADDRESSEE, "--reason", "審査請求 1号") == 0
    name = capsys.readouterr().out.strip()
    assert run("hold", "list", *at, "--json") == 0
    (hold,) = json.loads(capsys.readouterr().out)
    assert (hold["hold"], hold["resident"], hold["reason"]) == (name, RESIDENT, "審査請求 1号")
    assert run("retain", *at, "--yes") == 0
    assert f"kept by the legal hold {name}" in capsys.readouterr().out
    assert run("retain", *at, "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["holds"] == [name]
    assert run("hold", "lift", name, *at, "--reason", "ended") == 0
    assert run("hold", "lift", name, *at, "--reason", "ended") == 1
    assert run("hold", "add", *at, "--from", "2018-02", "--reason", "late") == 0
    assert "destroyed already" in capsys.readouterr().err
    assert run("hold", "add", *at, "--reason", "x") == 2
    assert run("hold", "add", *at, "--from", "2018-02", "--to", "2018-01", "--reason", "x") == 1
    codes = [code for _, code in acts(site)]
    assert codes == ["legal-hold", "month", "legal-hold-lifted", "legal-hold"]


def test_a_hold_says_when_the_ledger_does_not_know_the_number(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ("--site", str(site), "--reason", "x")
    number = tmp_path / "number"
    number.write_text(f"{ADDRESSEE}\n")
    assert run("hold", "add", *at, "--addressee-file", str(number)) == 0
    assert capsys.readouterr().err == ""
    number.write_text(f"0{ADDRESSEE}"[-15:] if len(ADDRESSEE) < 15 else ADDRESSEE[:-1])
    assert run("hold", "add", *at, "--addressee-file", str(number)) == 0
    told = capsys.readouterr().err
    assert "no entry about this number" in told
    assert ADDRESSEE not in told
    assert run("hold", "add", *at, "--addressee", "x") == 2


def test_salts_of_a_message_are_erased(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ask = ("erase", "--site", str(site), "--message", "file-1.101", "--sender", REGISTRY)
    assert run(*ask, "--reason", "order 1") == 0
    assert "entries 2" in capsys.readouterr().out
    assert run(*ask, "--reason", "order 1") == 1
    assert acts(site) == [("destruction", "salts")]


def test_a_key_pair_is_made_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "identity"
    assert run("archive-key", "-o", str(path)) == 0
    assert capsys.readouterr().out.strip() in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert run("archive-key", "-o", str(path)) == 1


def test_a_backup_needs_somebody_who_can_read_it(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site.write_text(site.read_text().replace("archive_recipients", "# "))
    target = site.parent / "b"
    assert run("backup", str(target), "--site", str(site)) == 1
    assert run("archive", "--site", str(site)) == 1
    assert "archive-key" in capsys.readouterr().err
    assert run("backup", str(target), "--site", str(site), "--plain", "--json") == 0
    assert json.loads(capsys.readouterr().out)["entries"] == 7
    assert target.read_bytes().startswith(b"SQLite format 3")


def test_a_backup_is_restored_where_there_is_no_ledger(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at, target = ("--site", str(site)), site.parent / "backup.age"
    restore = ("restore", str(target), *at, "--identity", identity_of(site))
    assert run("backup", str(target), *at, *WHO) == 0
    assert run("drill", *at, "--backup", str(target), "--identity", identity_of(site)) == 0
    assert run(*restore) == 1
    assert "already" in capsys.readouterr().err
    for path in site.parent.glob("ledger.sqlite3*"):
        path.unlink()
    assert run("restore", str(target), *at) == 1
    assert "--identity" in capsys.readouterr().err
    assert run(*restore) == 0
    assert "nobody knows how many" in capsys.readouterr().err
    assert acts(site) == [("operator-action", "restore")]
    assert [path.name for path in site.parent.glob(".renkei-*")] == []


def test_entries_that_a_restore_would_forget_have_to_be_accepted(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at, target = ("--site", str(site)), site.parent / "backup.age"
    restore = ("restore", str(target), *at, "--identity", identity_of(site))
    assert run("backup", str(target), *at) == 0
    with opened(f"sqlite:///{site.parent / 'ledger.sqlite3'}") as ledger:
        later = SignedNote.parse(ledger.checkpoint())
    witness = site.parent / "ledger.witness"
    witness.write_bytes(later.encode())
    for path in site.parent.glob("ledger.sqlite3*"):
        path.unlink()
    assert run(*restore) == 1
    assert "lacks 1 entries" in capsys.readouterr().err
    assert not (site.parent / "ledger.sqlite3").exists()
    assert run(*restore, "--accept-loss", "--json") == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["missing"] == 1
    assert "forgotten, for good" in told.err
    assert not witness.exists()
    assert len(list(site.parent.glob("ledger.witness.before-*"))) == 1


def test_a_drill_makes_its_own_backup(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("drill", "--site", str(site), "--json") == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["entries"], done["behind"]) == (7, 0)
    assert acts(site) == [("operator-action", "restore-drill")]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('archive_recipients = ["age1damaged"]', "no public key of age"),
        (f'archive_recipients = ["{IDENTITY.text().splitlines()[-1]}"]', "no public key of age"),
        ("retention_years = 6", "greater than or equal to 7"),
    ],
    ids=["damaged", "private", "years"],
)
def test_the_site_file_names_keys_that_are_right_and_years_enough(
    site: Path, capsys: pytest.CaptureFixture[str], line: str, fault: str
) -> None:
    text = site.read_text()
    site.write_text(text[: text.index("archive_recipients")] + line + "\n")
    assert run("hold", "list", "--site", str(site)) == 1
    told = capsys.readouterr().err
    assert fault in told
    assert "AGE-SECRET" not in told
