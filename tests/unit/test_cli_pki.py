"""``renkei pki``: what it says, what it exits with, and what follows when something is revoked."""

import json
from pathlib import Path
from typing import Any

import pytest

from hub.cli.main import app, guarded
from hub.compose import certificates
from hub.compose.ledger import open_ledger, prepare_ledger
from hub.errors import BrokerError
from hub.ledger.model import Kind
from tests.pki_rig import BROKER, Pki
from tests.samples import PSEUDONYMS, SIGNER
from tests.servers.ledgers import rows_of

pytestmark = pytest.mark.unit


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    (tmp_path / "secrets").mkdir(mode=0o700)
    texts = {"key": PSEUDONYMS.key.decode(), "ledger-key": SIGNER.text()}
    for name, text in texts.items():
        (tmp_path / "secrets" / name).touch(mode=0o600)
        (tmp_path / "secrets" / name).write_text(text)
    return Pki(tmp_path)


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Give whose connections were closed; there is no broker here."""
    found: list[tuple[str, ...]] = []

    def cut_off(_site: object, accounts: list[str]) -> dict[str, int]:
        found.append(tuple(accounts))
        return dict.fromkeys(accounts, 2)

    monkeypatch.setattr(certificates, "cut_off", cut_off)
    return found


def run(pki: Pki, *arguments: str) -> int:
    words = ["pki", *arguments, "--site", str(pki.site_file)]
    try:
        return guarded(lambda: app(words))
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1


def answer(pki: Pki, capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> Any:  # noqa: ANN401 - any JSON
    capsys.readouterr()
    assert run(pki, *arguments, "--json") == status
    return json.loads(capsys.readouterr().out)


def entries(pki: Pki) -> list[dict[str, Any]]:
    ledger = open_ledger(pki.site)
    try:
        return rows_of(ledger)
    finally:
        ledger.close()


def test_a_site_gets_its_certificates(pki: Pki, capsys: pytest.CaptureFixture[str]) -> None:
    made = answer(pki, capsys, "init")
    assert made["key"] == str(pki.pki / "ca" / "ca.key")
    assert run(pki, "init") == 1
    assert "this site has an authority" in capsys.readouterr().err
    rows = answer(pki, capsys, "issue", "--all")["made"]
    assert {row["process"] for row in rows} >= {"hub", "hub-2", "tax", BROKER}
    assert answer(pki, capsys, "issue", "--all") == {"made": []}
    found = answer(pki, capsys, "check")
    assert found["findings"] == []
    (note,) = found["notes"]
    assert "ca/ca.key lies on this machine" in note
    away = (pki.pki / "ca" / "ca.key").rename(pki.folder / "stick.key")
    assert answer(pki, capsys, "check") == {"findings": [], "notes": []}
    assert run(pki, "renew") == 1
    said = capsys.readouterr().err
    assert "--ca-key" in said
    assert "pki init" not in said
    away.rename(pki.pki / "ca" / "ca.key")
    assert {row["revoked"] for row in answer(pki, capsys, "list")} == {False}
    assert answer(pki, capsys, "renew") == {"made": [], "deleted": []}
    assert len(answer(pki, capsys, "renew", "tax")["made"]) == 2
    assert run(pki, "check") == 0
    assert "nothing is wrong" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [("issue",), ("issue", "tax", "--all"), ("issue", "taxx")])
def test_what_is_asked_for_has_to_be_clear(
    pki: Pki, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    pki.made()
    assert run(pki, *arguments) == (1 if arguments[-1] == "taxx" else 2)
    said = capsys.readouterr().err
    assert "did you mean tax?" in said or "--all" in said


def test_what_is_wrong_ends_with_1(pki: Pki, capsys: pytest.CaptureFixture[str]) -> None:
    pki.made()
    (pki.pki / "tax" / "tls.key").chmod(0o644)
    (found,) = answer(pki, capsys, "check", status=1)["findings"]
    assert found["name"] == "tax"
    assert "chmod 600" in found["text"]


def test_who_is_revoked_is_cut_off_and_the_ledger_says_so(
    pki: Pki, closed: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    pki.made()
    prepare_ledger(pki.site)
    why = ("--staff", "係長", "--reason", "the disk was stolen")
    said = answer(pki, capsys, "revoke", "tax", *why)
    assert {(row["process"], row["use"]) for row in said["revoked"]} == {
        ("tax", "connections"),
        ("tax", "encryption"),
    }
    assert said["closed"] == {"tax": 2}
    assert closed == [("tax",)]
    (entry,) = entries(pki)
    assert (entry["kind"], entry["code"]) == (Kind.OPERATOR_ACTION, "certificate-revoked")
    assert (entry["staff"], entry["reason"]) == ("係長", "the disk was stolen")
    for row in said["revoked"]:
        assert row["serial"] in entry["detail"]
    assert answer(pki, capsys, "revoke", "tax") == {"revoked": [], "closed": {"tax": 2}}
    assert len(entries(pki)) == 1
    assert len(closed) == 2
    assert {row["process"] for row in answer(pki, capsys, "list") if row["revoked"]} == {"tax"}


def test_one_serial_number_cuts_its_account_off_and_revokes_nothing_else(
    pki: Pki, closed: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    pki.made()
    prepare_ledger(pki.site)
    serial = next(row["serial"] for row in answer(pki, capsys, "list") if row["process"] == "hub-2")
    (row,) = answer(pki, capsys, "revoke", serial)["revoked"]
    assert (row["process"], row["account"]) == ("hub-2", "hub")
    assert closed == [("hub",)]


def test_the_list_is_written_whatever_cannot_be_done_after_it(
    pki: Pki, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuses(*_: object) -> dict[str, int]:
        raise BrokerError("nobody answers")

    monkeypatch.setattr(certificates, "cut_off", refuses)
    pki.made()
    assert run(pki, "revoke", "tax") == 1
    said = capsys.readouterr().err
    assert "the revocation list is written, but" in said
    assert "nobody answers" in said
    assert "the ledger has no entry of it" in said
    assert "tax: it is revoked" in pki.said()


def test_offline_nothing_else_is_asked(
    pki: Pki, closed: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    pki.made()
    assert run(pki, "revoke", "tax", "--offline") == 0
    assert "revoked: tax (connections)" in capsys.readouterr().out
    assert closed == []


def test_a_request_is_written_and_an_answer_put_in_place(
    pki: Pki, capsys: pytest.CaptureFixture[str]
) -> None:
    pki.made()
    made = Path(answer(pki, capsys, "request", "tax")["request"])
    assert made.read_text().startswith("-----BEGIN CERTIFICATE REQUEST-----")
    wrong = pki.pki / "union" / "tls.pem"
    assert run(pki, "accept", "tax", str(wrong)) == 1
    assert "cannot be used for tax" in capsys.readouterr().err
    assert pki.findings() == []


def test_a_site_on_one_machine_has_no_folder_for_them(
    pki: Pki, capsys: pytest.CaptureFixture[str]
) -> None:
    text = pki.text.replace('folder = "pki"', "plain_loopback = true").replace("mq.example", "::1")
    text = text.replace('listen = "10.0.0.5"', "").replace("https://::1", "https://[::1]")
    text = text.replace("[hub]", '[hub]\npassword_file = "p"')
    text = text.replace("journal", 'password_file = "p"\njournal')
    pki.site_file.write_text(text)
    assert run(pki, "check") == 1
    assert 'write folder = "pki" under [tls]' in capsys.readouterr().err
