"""``renkei flows|explain|check|docs|replay-rules``: what they print and how they end."""

import datetime as dt
import json
import shutil
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from hub.cli.main import app, guarded
from hub.clock import today
from hub.ledger.model import Kind
from hub.ledger.schema import migrate
from hub.ledger.store import DatabaseLedger
from hub.message import MessageKey
from hub.statute.catalogue import load_catalogue, shipped_routes
from hub.statute.explain import explain
from hub.statute.model import Standing
from tests.plain_site import PLAIN
from tests.samples import SIGNER, entry

pytestmark = [pytest.mark.unit, pytest.mark.slow]

CATALOGUE = load_catalogue()
CLOSING = """
[catalogue.flows.B1]
close = true
reason = "試験"
decided_by = "甲課 乙"
decided_on = 2026-04-01
"""


def run(*arguments: str) -> int:
    """Run ``renkei`` as its script does; give the exit status."""
    try:
        return guarded(lambda: app(list(arguments), prog_name="renkei"))
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1


@pytest.fixture
def out(capsys: pytest.CaptureFixture[str]) -> "Out":
    return Out(capsys)


class Out:
    """What the last command printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys
        self.text = ""
        self.errors = ""

    def of(self, *arguments: str, status: int = 0) -> str:
        assert run(*arguments) == status
        self.text, self.errors = self.capsys.readouterr()
        return self.text

    def json(self, *arguments: str, status: int = 0) -> Any:  # noqa: ANN401 - any JSON
        return json.loads(self.of(*arguments, status=status))


def site_file(folder: Path, more: str = "") -> Path:
    """Write a site file; its secrets are not there, and nobody here needs them."""
    path = folder / "site.toml"
    path.write_text(
        f'{PLAIN}[hub]\npassword_file = "secrets/hub"\npseudonym_key_file = "secrets/key"\n{more}',
        encoding="utf-8",
    )
    return path


def copied_routes(folder: Path) -> Path:
    return Path(shutil.copytree(str(shipped_routes()), folder / "routes"))


# -- flows ------------------------------------------------------------------------------------


def test_flows_as_json_are_the_answers_of_explain(out: Out) -> None:
    day = dt.date(2024, 2, 29)
    found = out.json("flows", "--format", "json", "--on", str(day))
    assert found == [one.as_json() for one in explain(CATALOGUE, day)]
    assert [one["ref"] for one in found] == [flow.ref for flow in CATALOGUE.flows]
    assert set(found[0]) == {"permitted", "state", "ref", "basis", "fields", "reason", "source"}


@pytest.mark.parametrize("form", ["table", "json", "markdown", "mermaid", "svg"])
def test_every_format_names_every_flow_of_the_system(form: str, out: Out) -> None:
    text = out.of("flows", "--format", form, "--system", "tax", "--on", "2025-01-14")
    for ref in ("I2", "M1d"):
        assert ref in text
    assert "U8a" not in text
    assert out.errors == ""


def test_the_picture_is_in_either_language(out: Out) -> None:
    english = out.of("flows", "--format", "svg", "--lang", "en", "--on", "2025-01-14")
    ET.fromstring(english)  # noqa: S314 - it is our own
    assert "Income and taxation" in english
    assert "所得・課税情報" in out.of("flows", "--format", "svg", "--on", "2025-01-14")


def test_the_table_sums_up_the_states(out: Out) -> None:
    assert "38 flows: 32 permitted, 5 held, 1 denied" in out.of("flows", "--on", "2025-01-14")


def test_without_a_day_it_is_today(out: Out) -> None:
    before = today()
    text = out.of("flows", "--system", "family-registry")
    assert any(f"flows on {day}" in text for day in (before, today()))
    assert "no flow" in text


def test_the_decisions_of_a_site_count(tmp_path: Path, out: Out) -> None:
    path = str(site_file(tmp_path, CLOSING))
    for day, state in (("2026-03-31", "permitted"), ("2026-04-01", "denied")):
        found = out.json("flows", "--format", "json", "--site", path, "--on", day)
        assert {one["ref"]: one["state"] for one in found}["B1"] == state
    assert out.json("explain", "B1", "--json", "--site", path, status=1)["state"] == "denied"


# -- explain ----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("day", ["2016-01-01", "2026-04-01"])
def test_the_exit_status_is_the_answer_for_every_flow(day: str, out: Out) -> None:
    for flow in CATALOGUE.flows:
        state = flow.standing(dt.date.fromisoformat(day))
        status = 0 if state is Standing.PERMITTED else 1
        found = out.json("explain", flow.ref, "--on", day, "--json", status=status)
        assert found["state"] == state
        assert found["permitted"] is (status == 0)
        assert found["ref"] == flow.ref
        assert found["reason"]["en"]
        assert found["reason"]["ja"]


def test_ends_and_type_are_answered_by_one_object(out: Out) -> None:
    ask = ("explain", "--from", "tax", "--to", "union", "--json", "--on", "2026-04-01")
    found = out.json(*ask)
    assert (found["ref"], found["permitted"]) == ("M1d", True)
    assert out.json(*ask, "--message", "income.assessed") == found
    assert out.json(*ask, "--message", "resident.changed", status=1)["state"] == "unknown"
    several = out.json(
        "explain", "--from", "premium-collection", "--to", "union", "--json", "--on", "2026-04-01"
    )
    assert several["ref"] == "M1a, M1c, M1e, M1f, M1g, M1h"
    none = out.json("explain", "--from", "tax", "--to", "bank", "--json", status=1)
    assert (none["state"], none["ref"], none["fields"]) == ("unknown", None, [])


def test_a_message_type_that_nothing_carries_is_unknown_with_a_suggestion(out: Out) -> None:
    ask = ("explain", "--from", "tax", "--to", "union", "--message", "incom.assessed")
    found = out.json(*ask, "--json", status=1)
    assert found["state"] == "unknown"
    assert "did you mean income.assessed?" in found["reason"]["en"]


def test_a_neighbour_is_unknown_by_name(out: Out) -> None:
    found = out.json("explain", "--from", "family-registry", "--to", "tax", "--json", status=1)
    assert found["state"] == "unknown"
    assert "neighbour" in found["reason"]["en"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "ask by a reference"),
        (("--from", "tax"), "ask by a reference"),
        (("--to", "tax"), "ask by a reference"),
        (("--message", "income.assessed"), "ask by a reference"),
        (("I1", "--from", "tax", "--to", "union"), "not by both"),
        (("I1", "--message", "income.assessed"), "not by both"),
        (("I99",), "did you mean I9?"),
        (("--from", "taxx", "--to", "union"), "did you mean tax?"),
        (("--from", "tax", "--to", "onion"), "did you mean union?"),
        (("--from", "tax", "--to", "union", "--message", "Q!"), "no name of a message type"),
        (("I1", "--on", "2026-02-30"), "2026-02-30 is no day"),
        (("I1", "--on", "soon"), "soon is no day"),
        (("I1", "--site", "nowhere.toml"), "nowhere.toml"),
    ],
)
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_bad_question_ends_with_2_and_no_answer(
    arguments: tuple[str, ...], said: str, form: tuple[str, ...], out: Out
) -> None:
    assert out.of("explain", *arguments, *form, status=2) == ""
    assert said in out.errors


def test_a_site_that_cannot_be_used_is_no_answer_either(tmp_path: Path, out: Out) -> None:
    path = site_file(tmp_path, CLOSING.replace("B1", "B9"))
    assert out.of("explain", "I1", "--site", str(path), status=2) == ""
    assert "B9" in out.errors
    assert "site.toml:" in out.errors


def test_a_person_reads_each_of_several_answers(out: Out) -> None:
    text = out.of("explain", "--from", "union", "--to", "premium-collection", "--on", "2026-04-01")
    for ref in ("I4a", "I4b", "I4c"):
        assert f"{ref}: permitted on 2026-04-01 (認められる)" in text


# -- check ------------------------------------------------------------------------------------


def test_what_is_shipped_has_no_error(out: Out) -> None:
    found = out.json("check", "--json")
    assert found["errors"] == 0
    assert found["warnings"] == len(found["findings"])
    out.of("check")
    assert "errors: 0" in out.text or "nothing is wrong" in out.text


def test_errors_are_listed_with_file_line_and_suggestion(tmp_path: Path, out: Out) -> None:
    folder = copied_routes(tmp_path)
    route = folder / "M1d.toml"
    text = route.read_text(encoding="utf-8")
    route.write_text(text.replace('sender = "tax"', 'sender = "taxx"'), encoding="utf-8")
    line = text[: text.index('sender = "tax"')].count("\n") + 1
    assert f"error: M1d.toml:{line}: " in out.of("check", "--routes", str(folder), status=1)
    assert "did you mean tax?" in out.text
    found = out.json("check", "--routes", str(folder), "--json", status=1)
    (one,) = [one for one in found["findings"] if one["severity"] == "error"]
    assert (one["file"], one["line"], one["suggestion"]) == ("M1d.toml", line, "tax")
    path = site_file(tmp_path, CLOSING.replace("B1", "B9"))
    assert "site.toml" in out.of("check", "--site", str(path), status=1)


def test_the_check_takes_well_under_a_second_of_work() -> None:
    begun = time.process_time()
    assert run("check") == 0
    assert time.process_time() - begun < 1.0


# -- docs -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_documents_are_written_once_and_checked(tmp_path: Path, out: Out) -> None:
    folder = tmp_path / "docs"
    assert "missing" in out.of("docs", "--out", str(folder), "--check", status=1)
    assert not folder.exists()
    out.of("docs", "--out", str(folder))
    assert out.of("docs", "--out", str(folder), "--check") == ""
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.*")}
    assert out.of("docs", "--out", str(folder)).startswith("0 of ")
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.*")} == before


def test_each_file_that_is_out_of_date_is_named(tmp_path: Path, out: Out) -> None:
    folder = tmp_path / "docs"
    out.of("docs", "--out", str(folder))
    (folder / "flows.ja.md").write_text("別物", encoding="utf-8")
    (folder / "asyncapi.json").unlink()
    (folder / "schemas" / "old.json").write_text("{}", encoding="utf-8")
    assert out.of("docs", "--out", str(folder), "--check", status=1).splitlines() == [
        f"differs: {folder / 'flows.ja.md'}",
        f"missing: {folder / 'asyncapi.json'}",
        f"not of this catalogue: {folder / 'schemas' / 'old.json'}",
    ]
    out.of("docs", "--out", str(folder))
    assert "old.json" in out.errors
    assert (folder / "schemas" / "old.json").exists()


def test_the_documents_of_a_site_show_its_decisions(tmp_path: Path, out: Out) -> None:
    path = site_file(tmp_path, CLOSING)
    out.of("docs", "--out", str(tmp_path / "docs"), "--site", str(path))
    document = json.loads((tmp_path / "docs" / "asyncapi.json").read_text(encoding="utf-8"))
    assert "copy.B1.bank" not in document["components"]["messages"]
    assert "copy.B2.premium-collection" in document["components"]["messages"]


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, out: Out) -> None:
    (tmp_path / "file").write_text("")
    assert out.of("docs", "--out", str(tmp_path / "file"), status=1) == ""
    assert "cannot be written" in out.errors


# -- replay-rules -----------------------------------------------------------------------------


def ledger_at(folder: Path) -> Path:
    """Write a site with a ledger of five messages of the tax system, and one refusal."""
    path = site_file(folder)
    url = f"sqlite:///{folder / 'ledger.sqlite3'}"
    migrate(url)
    ledger = DatabaseLedger(url, SIGNER)
    begin = dt.datetime(2026, 4, 1, 3, tzinfo=dt.UTC)
    for number in range(5):
        parts = {
            "at": begin + dt.timedelta(days=number),
            "message": MessageKey("tax", f"t-{number}"),
            "message_type": "income.assessed",
        }
        ledger.append(
            [
                entry(**parts, flow="I2", receiver="premium-collection"),
                entry(**parts, flow="M1d", receiver="union"),
                entry(**parts, flow="M1d", receiver="union", kind=Kind.DELIVERY),
            ]
        )
    refusal = {"kind": Kind.REFUSAL, "flow": "", "receiver": "", "code": "held", "at": begin}
    sent = MessageKey("premium-collection", "d-1")
    ledger.append([entry(**refusal, message=sent, message_type="deposit.requested")])
    ledger.close()
    return path


def test_a_replay_says_what_another_catalogue_changes(tmp_path: Path, out: Out) -> None:
    path = ledger_at(tmp_path)
    before = (tmp_path / "ledger.sqlite3").read_bytes()
    folder = copied_routes(tmp_path)
    (folder / "M1d.toml").unlink()
    ask = ("replay-rules", "--catalogue", str(folder), "--site", str(path), "--json")
    found = out.json(*ask, "--since", "2026-04-03")
    (one,) = found["changes"]
    assert (one["becomes"], one["flow"], one["count"]) == ("refused", "M1d", 3)
    assert (one["first_day"], one["last_day"]) == ("2026-04-03", "2026-04-05")
    assert one["examples"] == ["t-2", "t-3", "t-4"]
    assert out.json(*ask, "--since", "2026-04-06")["changes"] == []
    by_state = ("replay-rules", "--catalogue", str(folder), "--state", str(tmp_path))
    text = out.of(*by_state, "--since", "2026-04-01")
    assert "no such flow" in text
    assert "2026-04-01 – 2026-04-05" in text
    assert (tmp_path / "ledger.sqlite3").read_bytes() == before


def test_a_completed_flow_would_permit_what_was_refused(tmp_path: Path, out: Out) -> None:
    path = ledger_at(tmp_path)
    folder = copied_routes(tmp_path)
    route = folder / "I12a.toml"
    text = route.read_text(encoding="utf-8")
    text = text.replace('state = "held"\n', "").replace('missing = ["basis"]\n', "")
    basis = '[[basis]]\nlaw = "試験法"\narticle = "1条"\nvalid_from = 2020-01-01\n\n[receivers'
    route.write_text(text.replace("[receivers", basis, 1), encoding="utf-8")
    ask = ("replay-rules", "--catalogue", str(folder), "--site", str(path), "--json")
    (one,) = out.json(*ask, "--since", "2026-04-01")["changes"]
    assert (one["becomes"], one["flow"], one["receiver"]) == (
        "permitted",
        "I12a",
        "deposit-inquiry",
    )


def test_under_the_same_catalogue_nothing_changes(tmp_path: Path, out: Out) -> None:
    path = str(ledger_at(tmp_path))
    ask = ("replay-rules", "--catalogue", str(shipped_routes()), "--since", "2026-01-01")
    assert "nothing since 2026-01-01" in out.of(*ask, "--site", path)


def test_a_replay_makes_no_ledger_and_needs_one_place(tmp_path: Path, out: Out) -> None:
    path = site_file(tmp_path)
    ask = ("replay-rules", "--catalogue", str(shipped_routes()), "--since", "2026-01-01")
    out.of(*ask, "--site", str(path), status=1)
    assert "there is no ledger" in out.errors
    assert not (tmp_path / "ledger.sqlite3").exists()
    out.of(*ask, status=2)
    out.of(*ask, "--site", str(path), "--state", str(tmp_path), status=2)
    (tmp_path / "empty").mkdir()
    out.of(*ask, "--state", str(tmp_path / "empty"), status=1)
    assert "no demo's folder" in out.errors


def test_decisions_that_do_not_fit_the_other_catalogue_are_said(tmp_path: Path, out: Out) -> None:
    ledger_at(tmp_path)
    path = site_file(tmp_path, CLOSING)
    folder = copied_routes(tmp_path)
    (folder / "B1.toml").unlink()
    ask = ("replay-rules", "--catalogue", str(folder), "--since", "2026-01-01")
    out.of(*ask, "--site", str(path), status=1)
    assert "do not fit" in out.errors
    assert "B1" in out.errors
