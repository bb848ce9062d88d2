"""``renkei ledger export, prove, consistency, check, checkpoint, key and cosign``."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from hub.cli.main import app, guarded
from hub.ledger.evidence.certificate import certificate
from hub.ledger.leaf import Recorded
from hub.ledger.model import Kind
from hub.message import MessageKey
from schemas.evidence import check as evidence_check
from schemas.evidence.audit import main as audit_main
from schemas.evidence.note import SignedNote
from schemas.evidence.proof import InclusionProof
from tests.plain_site import PLAIN
from tests.samples import PSEUDONYMS, SIGNER, TAX, entry
from tests.servers.ledgers import opened

pytestmark = [pytest.mark.unit, pytest.mark.slow]

VKEY = SIGNER.verifier.text()
SITE = f"""{PLAIN}
[hub]
password_file = "secrets/hub"
pseudonym_key_file = "secrets/key"
"""


def run(*arguments: object) -> Result:
    """Run ``renkei ledger`` as its script does: errors of ours are a text and an exit status."""
    runner, words = CliRunner(), ["ledger", *map(str, arguments)]
    result = runner.invoke(app, words)
    if result.exception is None or isinstance(result.exception, SystemExit):
        return result
    exception = result.exception

    def again() -> None:
        raise exception

    result.exit_code = guarded(again)
    return result


def done(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*arguments: object, status: int = 1) -> str:
    result = run(*arguments)
    assert result.exit_code == status, result.output
    return str(result.exception) if status == 1 else result.output


@pytest.fixture(scope="module")
def made_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    (folder / "secrets").mkdir()
    secrets = {"hub": "h" * 40, "key": PSEUDONYMS.key.decode(), "ledger-key": SIGNER.text()}
    for name, text in secrets.items():
        path = folder / "secrets" / name
        path.write_text(text)
        path.chmod(0o600)
    (folder / "site.toml").write_text(SITE)
    with opened(f"sqlite:///{folder}/ledger.sqlite3") as ledger:
        ledger.append([entry(n) for n in range(300)])
        ledger.append([entry(7, kind=Kind.DELIVERY), entry(7, kind=Kind.RECEIPT, code="delivered")])
        ledger.append([entry(9, message=MessageKey(TAX, "file-1.9"))])
    return folder


@pytest.fixture
def site(made_site: Path, tmp_path: Path) -> Path:
    shutil.copytree(made_site, tmp_path / "site")
    return tmp_path / "site" / "site.toml"


def entries(site: Path) -> list[Recorded]:
    with opened(f"sqlite:///{site.parent}/ledger.sqlite3") as ledger:
        return list(ledger.entries())


def test_an_export_is_verified_as_it_says(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    said = done("export", out, "--site", site, "--staff", "職員二", "--reason", "監査")
    assert f"{out}: 304 entries of {SIGNER.name}\n" in said
    command = said.splitlines()[-1].removeprefix("to verify: ").split()
    assert command[:3] == ["python", "-m", "schemas.evidence.audit"]
    assert audit_main(command[3:]) == 0
    told = json.loads(done("export", out, "--state", site.parent, "--json"))
    assert (told["size"], told["before"], told["destroyed"]) == (305, 304, [])
    assert audit_main([str(out), "--key", VKEY]) == 0
    first, second = entries(site)[-2:]
    assert (first.kind, first.code, first.access.staff) == (Kind.EXPORT, "tiles", "職員二")
    assert second.access.staff
    bundle = out / "tile" / "entries" / "000"
    bundle.write_bytes(bundle.read_bytes().replace(b"file-1.7", b"file-1.8"))
    assert audit_main([str(out), "--key", VKEY]) == 1
    assert "first bad entry: 8\n" in capsys.readouterr().out


def test_an_export_to_a_folder_with_something_else_is_refused(site: Path) -> None:
    assert "which no export has" in refused("export", site.parent, "--site", site)
    assert len(entries(site)) == 303


def test_proofs_of_a_message_are_written_and_checked(site: Path, tmp_path: Path) -> None:
    said = done("prove", "file-1.7", "--site", site, "--out", tmp_path / "proofs")
    names = sorted(path.name for path in (tmp_path / "proofs").iterdir())
    assert names == [
        "entry-301-delivery.tlog-proof",
        "entry-302-receipt.tlog-proof",
        "entry-8-acceptance.tlog-proof",
    ]
    assert all(name in said for name in names)
    for name in names:
        path = tmp_path / "proofs" / name
        assert path.stat().st_mode & 0o077 == 0
        checked = done("check", path, "--key", VKEY)
        assert "is in the log renkei.test/ledger" in checked
        assert "message: resident-registry/file-1.7" in checked
        assert evidence_check.main([str(path), "--key", VKEY]) == 0
    again = refused("prove", "file-1.7", "--site", site, "--out", tmp_path / "proofs")
    assert "is there already" in again


def test_a_single_proof_may_be_given_a_name(site: Path, tmp_path: Path) -> None:
    path = tmp_path / "one.tlog-proof"
    told = json.loads(done("prove", "file-1.3", "--site", site, "-o", path, "--json"))
    assert told == [
        {"file": str(path), "entry": 4, "kind": "acceptance", "receiver": "premium-collection"}
    ]
    assert json.loads(done("check", path, "--key", VKEY, "--json"))["entry"] == 4
    refused("prove", "file-1.7", "--site", site, "-o", tmp_path / "x.tlog-proof", status=2)


def test_the_sender_is_asked_for_where_there_are_several(site: Path, tmp_path: Path) -> None:
    refused("prove", "file-1.9", "--site", site, "-o", tmp_path, status=2)
    told = done("prove", "file-1.9", "--site", site, "--sender", TAX, "-o", tmp_path, "--json")
    assert [one["entry"] for one in json.loads(told)] == [303]
    assert "no entry" in refused("prove", "no-such", "--site", site, "-o", tmp_path)


def test_a_proof_without_its_entry_is_checked_with_it(site: Path, tmp_path: Path) -> None:
    path, content = tmp_path / "one.tlog-proof", tmp_path / "entry"
    done("prove", "file-1.3", "--site", site, "-o", path)
    proof = InclusionProof.parse(path.read_bytes())
    content.write_bytes(proof.entry or b"")
    path.write_bytes(InclusionProof(proof.index, proof.hashes, proof.checkpoint, None).encode())
    assert "NOT PROVED" in run("check", path, "--key", VKEY).stdout
    done("check", path, "--key", VKEY, "--entry", content)
    content.write_bytes(b"{}")
    result = run("check", path, "--key", VKEY, "--entry", content, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["proved"] is False


def test_growth_is_proved_between_files_and_numbers(site: Path, tmp_path: Path) -> None:
    early, proof = tmp_path / "early", tmp_path / "proof"
    note = done("checkpoint", "--site", site, "--out", early)
    assert early.read_text() == note
    for points in ((early,), (early, 4), (2, 300)):
        printed = done("consistency", *points, "--site", site, "--out", proof)
        assert proof.read_text() == printed
        said = done("check", proof, "--key", VKEY)
        assert "None of them was changed, left out or exchanged in between." in said
        proof.unlink()
    assert "fewer than 9999" in refused("consistency", 9999, "--site", site)
    early.write_text("x")
    assert "not a signed note" in refused("consistency", early, "--site", site)


def test_any_signed_note_is_checked(site: Path, tmp_path: Path) -> None:
    path = tmp_path / "note"
    path.write_text(done("checkpoint", "--site", site))
    assert "303 entries" in done("check", path, "--key", VKEY)
    path.write_text(certificate("renkei.destruction/v1", [("month", "202604")], SIGNER))
    said = done("check", path, "--key", VKEY)
    assert f"{SIGNER.name} has signed this text:\n  renkei.destruction/v1\n" in said
    path.write_text(path.read_text().replace("202604", "202605"))
    assert "does not verify" in run("check", path, "--key", VKEY).stdout
    assert run("check", path, "--key", VKEY).exit_code == 1
    refused("check", path, "--key", "no key", status=2)
    refused("check", path, status=2)
    refused("check", tmp_path / "missing", "--key", VKEY, status=2)


def test_the_key_is_the_public_one(site: Path) -> None:
    assert done("key", "--site", site) == f"{VKEY}\n"
    refused("key", status=2)


@pytest.fixture
def cosigner(tmp_path: Path, site: Path) -> str:
    vkey = done("cosign", "key", "--name", "audit.example", "-o", tmp_path / "audit-key").strip()
    site.write_text(f'{SITE}ledger_cosigners = ["{vkey}"]\n')
    return vkey


def test_a_second_party_cosigns_and_the_ledger_keeps_it(
    site: Path, tmp_path: Path, cosigner: str
) -> None:
    key = tmp_path / "audit-key"
    assert key.stat().st_mode & 0o077 == 0
    given = ("--key", key, "--log", VKEY)
    done("checkpoint", "--site", site, "-o", tmp_path / "1")
    done("cosign", "sign", tmp_path / "1", *given, "--first", "-o", tmp_path / "1-signed")
    assert "no checkpoint of this ledger is cosigned" in refused(
        "checkpoint", "--cosigned", "--site", site
    )
    assert "audit.example" in done("cosign", "add", tmp_path / "1-signed", "--site", site)
    assert (entries(site)[-1].kind, entries(site)[-1].code) == (
        Kind.OPERATOR_ACTION,
        "cosignature",
    )
    assert "kept already" in done("cosign", "add", tmp_path / "1-signed", "--site", site)
    kept = done("checkpoint", "--cosigned", "--site", site)
    assert kept == (tmp_path / "1-signed").read_text()
    said = done("check", tmp_path / "1-signed", "--key", VKEY, "--cosigner", cosigner)
    assert "audit.example has cosigned that" in said

    done("consistency", tmp_path / "1-signed", "--site", site, "-o", tmp_path / "proof")
    done("checkpoint", "--site", site, "-o", tmp_path / "2")
    before = ("--previous", tmp_path / "1-signed")
    refused("cosign", "sign", tmp_path / "2", *given, *before, "-o", tmp_path / "2-signed")
    assert not (tmp_path / "2-signed").exists()
    grown = (*before, "--proof", tmp_path / "proof")
    done("cosign", "sign", tmp_path / "2", *given, *grown, "-o", tmp_path / "2-signed")
    done("cosign", "add", tmp_path / "2-signed", "--site", site)
    refused("cosign", "sign", tmp_path / "2", *given, "-o", tmp_path / "3", status=2)
    done("export", tmp_path / "out", "--site", site)
    asked = [str(tmp_path / "out"), "--key", VKEY, "--since", str(tmp_path / "2-signed")]
    assert audit_main(asked) == 0


@pytest.mark.usefixtures("cosigner")
def test_a_cosigner_whom_the_site_does_not_know_is_left_out(site: Path, tmp_path: Path) -> None:
    done("cosign", "key", "--name", "else.example", "-o", tmp_path / "else-key")
    done("checkpoint", "--site", site, "-o", tmp_path / "1")
    given = ("--log", VKEY, "--first")
    done(
        "cosign",
        "sign",
        tmp_path / "1",
        "--key",
        tmp_path / "else-key",
        *given,
        "-o",
        tmp_path / "2",
    )
    assert "else.example" in refused("cosign", "add", tmp_path / "2", "--site", site)
    done(
        "cosign",
        "sign",
        tmp_path / "2",
        "--key",
        tmp_path / "audit-key",
        *given,
        "-o",
        tmp_path / "3",
    )
    result = run("cosign", "add", tmp_path / "3", "--site", site)
    assert "left out, since the site does not know this key: else.example" in result.stderr
    kept = SignedNote.parse(done("checkpoint", "--cosigned", "--site", site))
    assert [one.name for one in kept.signatures] == [SIGNER.name, "audit.example"]


def test_wrong_keys_are_refused(site: Path, tmp_path: Path) -> None:
    refused("cosign", "key", "--name", "a b", "-o", tmp_path / "x", status=2)
    site.write_text(f'{SITE}ledger_cosigners = ["{VKEY}"]\n')
    assert "ledger_cosigners" in refused("checkpoint", "--site", site)
    site.write_text(SITE)
    done("checkpoint", "--site", site, "-o", tmp_path / "1")
    secret = site.parent / "secrets" / "ledger-key"
    given = ("--log", VKEY, "--first", "-o", tmp_path / "2")
    assert "no cosigner's key" in refused("cosign", "sign", tmp_path / "1", "--key", secret, *given)
