"""``renkei ledger search`` and ``disclose``: answers, errors, and no number where none may be."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hub.cli.main import app, guarded
from hub.ledger.leaf import Recorded
from hub.ledger.model import Kind, Pseudonyms
from hub.ledger.schema import migrate
from hub.ledger.store import DatabaseLedger
from tests.plain_site import PLAIN
from tests.samples import ADDRESSEE, MY_NUMBER, SIGNER, entry

pytestmark = [pytest.mark.unit, pytest.mark.slow]

KEY = "k" * 40
RESIDENT = Pseudonyms(KEY.encode()).resident(ADDRESSEE)


def run(*arguments: str) -> int:
    try:
        return guarded(lambda: app(["ledger", *arguments], prog_name="renkei"))
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Give the site file of a hub whose ledger has three entries, two about the resident."""
    (tmp_path / "secrets").mkdir()
    for name, text in {"hub": "h" * 40, "key": KEY, "ledger-key": SIGNER.text()}.items():
        secret = tmp_path / "secrets" / name
        secret.write_text(text)
        secret.chmod(0o600)
    path = tmp_path / "site.toml"
    path.write_text(
        f'{PLAIN}[hub]\npassword_file = "secrets/hub"\npseudonym_key_file = "secrets/key"\n',
        "utf-8",
    )
    with _ledger(path, fresh=True) as ledger:
        ledger.append(
            [
                entry(1, resident=RESIDENT),
                entry(1, kind=Kind.DELIVERY, resident=RESIDENT),
                entry(2, resident="", flow="M1b"),
            ]
        )
    return path


@contextmanager
def _ledger(site: Path, *, fresh: bool = False) -> Iterator[DatabaseLedger]:
    url = f"sqlite:///{site.parent / 'ledger.sqlite3'}"
    if fresh:
        migrate(url)
    ledger = DatabaseLedger(url, SIGNER)
    try:
        yield ledger
    finally:
        ledger.close()


def entries(site: Path) -> list[Recorded]:
    with _ledger(site) as ledger:
        return list(ledger.entries())


def number_file(site: Path, text: str = ADDRESSEE + "\n") -> str:
    path = site.parent / "request"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_json_gives_an_entry_a_line_and_the_search_is_recorded(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--addressee-file", number_file(site), "--json", "--staff", "S1", "--reason", "照会"]
    assert run("search", "--site", str(site), *asked) == 0
    told = capsys.readouterr()
    assert [json.loads(line)["entry"] for line in told.out.splitlines()] == [2, 1]
    assert json.loads(told.out.splitlines()[1])["released"] == ["addressee_number", "name"]
    view = entries(site)[3]
    assert (view.kind, view.resident, view.access.staff, view.access.reason) == (
        Kind.LOG_VIEW,
        RESIDENT,
        "S1",
        "照会",
    )
    assert ADDRESSEE not in told.out + told.err + str(entries(site))


def test_an_outcome_that_there_is_not_is_answered_with_those_that_there_are(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("search", "--site", str(site), "--outcome", "binding-difers") == 2
    told = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert "did you mean binding-differs?" in told
    for known in ("delivered", "not-in-force", "disclosure"):
        assert known in told
    assert len(entries(site)) == 3
    with _ledger(site) as ledger:
        ledger.append([entry(1, kind=Kind.RECEIPT, code="of-the-receiver")])
    assert run("search", "--site", str(site), "--outcome", "of-the-receiver", "--json") == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_number_in_a_reason_is_recorded_masked_and_that_is_said(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("search", "--site", str(site), "--reason", f"{MY_NUMBER}の件") == 0
    told = capsys.readouterr().err
    assert "recorded as [個人番号]" in told
    assert MY_NUMBER not in told
    assert entries(site)[-1].access.reason == "[個人番号]の件"
    assert run("search", "--site", str(site), "--reason", "照会の件") == 0
    assert "recorded as" not in capsys.readouterr().err


def test_of_a_number_that_nobody_has_the_files_say_nothing_and_that_is_said(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--site", str(site), "--addressee-file", number_file(site, "999"), "--format", "json"]
    assert run("disclose", *asked, "--out", str(tmp_path / "d.pdf")) == 2
    assert not (tmp_path / "d.pdf").exists()
    assert run("disclose", *asked, "--out", str(tmp_path / "d")) == 0
    told = capsys.readouterr()
    assert "nobody with this number is in the ledger" in told.err
    assert told.out.startswith("0 transfers")


def test_a_table_is_printed_and_the_next_page_is_named(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("search", "--site", str(site), "--limit", "2") == 0
    told = capsys.readouterr()
    assert "file-1.2" in told.out
    assert "職員一" in told.out
    assert "--before 2" in told.err
    assert run("search", "--state", str(site.parent), "--before", "2", "--json") == 0
    assert [json.loads(one)["entry"] for one in capsys.readouterr().out.splitlines()] == [1]
    assert run("search", "--site", str(site), "--kind", "expiry", "--outcome", "held") == 0
    assert "nothing was found" in capsys.readouterr().out
    assert len(entries(site)) == 6


def test_a_word_that_no_entry_has_is_told_when_nothing_is_found(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--flow", "M1x", "--sender", "resident-registri"]
    assert run("search", "--site", str(site), *asked) == 0
    told = capsys.readouterr().err
    assert "no entry has the flow M1x" in told
    assert "no entry has the sender resident-registri; did you mean resident-registry?" in told
    assert run("search", "--site", str(site), "--sender", "resident-registry") == 0
    assert "no entry has" not in capsys.readouterr().err


def test_the_number_may_come_on_stdin(
    site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(ADDRESSEE))
    assert run("search", "--site", str(site), "--addressee-file", "-", "--json") == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_days_are_those_of_japan_and_the_last_is_included(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for day, found in (("2026-04-01", 3), ("2026-04-02", 0)):
        assert run("search", "--site", str(site), "--json", "--from", day, "--to", day) == 0
        assert len(capsys.readouterr().out.splitlines()) == found


WRONG = {
    "name": ["--addressee", "髙﨑𠮷之助"],
    "too long": ["--addressee", "1234567890123456"],
    "個人番号": ["--addressee", MY_NUMBER],
    "both": ["--addressee", "1", "--addressee-file", "x"],
    "no file": ["--addressee-file", "no-such-file"],
    "day": ["--from", "1940-13-01"],
    "backwards": ["--from", "2026-04-02", "--to", "2026-04-01"],
}


@pytest.mark.parametrize("command", ["search", "disclose"])
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_bad_input_is_a_clear_error_that_quotes_nothing(
    site: Path, command: str, wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command, "--site", str(site), *wrong) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert not any(value in told.err for value in wrong if len(value) > 9 and value[0] != "-")
    assert len(entries(site)) == 3


@pytest.mark.parametrize("command", ["search", "disclose", "hold add"])
def test_a_resident_s_number_that_looks_like_a_my_number_is_used_with_a_warning(
    site: Path,
    tmp_path: Path,
    command: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = [
        *command.split(),
        "--site",
        str(site),
        "--addressee-file",
        number_file(site, MY_NUMBER),
    ]
    assert run(*asked, "--reason", "開示請求") == 2
    told = capsys.readouterr().err
    assert "looks like a 個人番号" in told
    assert len(entries(site)) == 3
    with _ledger(site) as ledger:
        ledger.append([entry(9, resident=Pseudonyms(KEY.encode()).resident(MY_NUMBER))])
    assert run(*asked, "--reason", "開示請求") == 0
    told += capsys.readouterr().err
    assert "see that this is whom you mean" in told
    assert MY_NUMBER not in told + str(entries(site))
    assert len(entries(site)) > 4
    assert run("search", "--site", str(site), "--addressee-file", number_file(site)) == 0
    assert "looks like" not in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "12345 67890", f"{ADDRESSEE}\n{ADDRESSEE}", "氏名"])
def test_a_file_that_holds_no_number_is_refused(
    site: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("disclose", "--site", str(site), "--addressee-file", number_file(site, text)) == 2
    told = capsys.readouterr().err
    assert "宛名番号" in told
    assert ADDRESSEE not in told


def test_disclose_writes_the_files_and_names_them(
    site: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["--site", str(site), "--addressee-file", number_file(site)]
    assert run("disclose", *asked, "--department", "保険年金課") == 0
    told = capsys.readouterr()
    (folder,) = tmp_path.glob("disclosure-*")
    assert sorted(path.name for path in folder.iterdir()) == [
        "disclosure.html",
        "disclosure.json",
        "disclosure.pdf",
    ]
    assert told.out.startswith("1 transfers")
    assert ADDRESSEE not in told.out + told.err + caplog.text + folder.name + str(entries(site))
    report = json.loads((folder / "disclosure.json").read_bytes())
    assert report["addressee_number"] == ADDRESSEE
    assert report["made_by"]["department"] == "保険年金課"


def test_only_the_formats_asked_for_are_written(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    asked = ["--site", str(site), "--addressee-file", number_file(site), "--out", str(out)]
    assert run("disclose", *asked, "--format", "docx") == 2
    assert run("disclose", "--site", str(site)) == 2
    assert run("disclose", *asked, "--format", "json") == 0
    assert [path.name for path in out.iterdir()] == ["disclosure.json"]
    assert run("disclose", *asked, "--format", "json") == 1
    assert "is there already" in capsys.readouterr().err
