"""``renkei ledger reconcile`` on a made-up site: journals and a ledger, and no broker."""

import datetime as dt
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from hub.broker.provide import ProvidedBroker
from hub.cli.main import app
from hub.clock import JST
from hub.compose.ledger import ledger_signer, ledger_url, open_ledger
from hub.demo.site_file import write_site
from hub.demo.state import DemoState, Parameters
from hub.edge.journal import InboundFile, InboundState, Journal, Taken, TakenKey, runs
from hub.edge.recorded import JournalRecord
from hub.ledger.evidence.certificate import read_certificate
from hub.ledger.model import Kind
from hub.ledger.schema import migrate
from hub.message import MessageKey
from hub.site import load_site
from tests.samples import ASSESSED, TAX, entry

pytestmark = [pytest.mark.unit, pytest.mark.slow]

NOON = dt.datetime(2026, 4, 1, 12, tzinfo=JST)
NEXT_DAY = NOON + dt.timedelta(days=1)
DIGEST = "0123456789abcdef" * 4
UNION = "union"
NOBODY = ProvidedBroker("127.0.0.1", 1, "http://127.0.0.1:1", "x", SecretStr("x"), "configured")


def key(number: int) -> MessageKey:
    return MessageKey(TAX, f"{DIGEST[:32]}-{number}")


@dataclass
class Made:
    """A site with files of the tax system of which records 1 to 3 were sent, and 4 was not."""

    root: Path
    state: DemoState = field(init=False)

    def __post_init__(self) -> None:
        self.state = DemoState(self.root, Parameters(50, 1, 1))
        write_site(self.state, NOBODY, "made-up", [TAX, UNION])
        self.state.ledger.parent.mkdir()
        migrate(ledger_url(load_site(self.state.site_file)))
        with Journal(self.state.journal(TAX)) as journal:
            name = "ZEI_20260401_1_full.csv"
            journal.begin(
                InboundFile(
                    DIGEST, name, name, InboundState.READING, 4, read_at=int(NOON.timestamp())
                )
            )
            journal.confirm(DIGEST, [1, 2, 3])
            journal.finish(DIGEST, 1)
        self.take([1, 2])

    def take(self, numbers: Sequence[int]) -> None:
        with Journal(self.state.journal(UNION)) as journal:
            keys = [TakenKey(*key(number), "M1d") for number in numbers]
            journal.deliver([], [Taken(one, "f", "") for one in keys], int(NOON.timestamp()))
            journal.receipted(keys)

    def record(self, number: int, *kinds: Kind, at: dt.datetime = NEXT_DAY, **said: object) -> None:
        parts: dict[str, Any] = {"message": key(number), "message_type": ASSESSED, "at": at}
        parts |= {"flow": "M1d", "receiver": UNION, **said}
        ledger = open_ledger(load_site(self.state.site_file))
        for kind in kinds:
            ledger.append([entry(kind=kind, **parts)])
        ledger.close()

    def asked(self, *options: str, day: str = "2026-04-01") -> tuple[int, dict[str, Any]]:
        out = self.root / "certificate.txt"
        words = ["ledger", "reconcile", "--state", str(self.root), "--day", day, "--json"]
        result = CliRunner().invoke(app, [*words, "--out", str(out), *options])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result.exit_code, json.loads(result.stdout.splitlines()[-1])


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    monkeypatch.setattr("hub.compose.reconcile.LOOK_AGAIN_SECONDS", 0.0)
    made = Made(tmp_path)
    for number in (1, 2):
        made.record(number, Kind.ACCEPTANCE, Kind.DELIVERY, Kind.RECEIPT)
    made.record(3, Kind.OUT_OF_SCOPE)
    return made


def test_what_was_judged_on_the_next_day_belongs_to_the_day_of_its_file(made: Made) -> None:
    status, answer = made.asked("--without-broker")
    assert status == 0
    assert answer["gaps"] == []
    (line,) = answer["messages"]
    assert (line["records"], line["set_aside"], line["sent"]) == (4, 1, 3)
    assert (line["accepted"], line["out_of_scope"], line["by_ledger"]) == (2, 1, 0)
    union = next(flow for flow in answer["flows"] if flow["receiver"] == UNION)
    assert (union["accepted"], union["delivered"], union["receipted"]) == (2, 2, 2)
    assert made.asked("--without-broker", day="2026-04-02")[1]["messages"] == []


def test_the_certificate_is_signed_and_the_act_recorded(made: Made) -> None:
    status, answer = made.asked("--without-broker", "--staff", "監査一")
    site = load_site(made.state.site_file)
    kind, facts = read_certificate(
        Path(answer["certificate"]).read_bytes(), [ledger_signer(site).verifier]
    )
    assert (status, kind) == (0, "renkei.reconciliation/v1")
    said = dict(facts)
    assert (said["day"], said["size"]) == ("2026-04-01", "7")
    assert said["broker"] == "not asked: --without-broker was given"
    assert said["total"].startswith("sent 3, by-ledger 0, accepted 2, out-of-scope 1")
    ledger = open_ledger(site)
    *_, act = ledger.entries()
    ledger.close()
    assert (act.kind, act.code, act.access.staff) == (Kind.OPERATOR_ACTION, "reconciled", "監査一")
    assert len(act.digest) == 64


def test_without_an_answer_of_the_broker_there_is_no_certificate(made: Made) -> None:
    status, answer = made.asked()
    assert status == 1
    assert answer["certificate"] is None
    assert answer["gaps"] == []
    assert answer["broker"]["asked"] is False
    assert "cannot be told" in answer["broker"]["why"]
    assert not (made.root / "certificate.txt").exists()


def test_a_day_without_anything_is_certified_as_such(made: Made) -> None:
    status, answer = made.asked("--without-broker", day="2026-03-01")
    assert status == 0
    assert answer["messages"] == answer["flows"] == []
    assert "total sent 0," in Path(answer["certificate"]).read_text(encoding="utf-8")


def named(answer: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(gap["id"].rpartition("-")[2], gap["receiver"], gap["lack"]) for gap in answer["gaps"]]


def test_a_message_that_the_files_do_not_have_is_named(made: Made) -> None:
    made.record(9, Kind.OUT_OF_SCOPE, at=NOON)
    status, answer = made.asked("--without-broker")
    assert status == 1
    assert named(answer) == [("9", "", "not-sent")]
    listed = (made.root / "certificate.gap.jsonl").read_text(encoding="utf-8")
    assert [json.loads(line) for line in listed.splitlines()] == answer["gaps"]


def test_a_refused_attempt_past_the_files_is_counted_and_no_gap(made: Made) -> None:
    made.record(9, Kind.REFUSAL, at=NOON, flow="", receiver="", code="invalid")
    status, answer = made.asked("--without-broker")
    assert status == 0
    (line,) = answer["messages"]
    assert (line["sent"], line["by_ledger"], line["refused"]) == (3, 1, 1)
    assert line["refused_by_code"] == {"invalid": 1}


def test_what_the_receiver_lost_or_invented_is_named(made: Made) -> None:
    with closing(sqlite3.connect(made.state.journal(UNION))) as journal:
        journal.execute("DELETE FROM taken WHERE id = ?", (key(1).id,))
        journal.commit()
    made.take([3])
    status, answer = made.asked("--without-broker")
    assert status == 1
    assert named(answer) == [("1", UNION, "not-taken"), ("3", UNION, "taken-only")]


def test_a_sender_without_a_journal_is_unknown_and_not_guessed(made: Made) -> None:
    made.state.journal(TAX).unlink()
    status, answer = made.asked("--without-broker", day="2026-04-02")
    assert status == 0
    (line,) = answer["messages"]
    assert (line["sent"], line["by_ledger"]) == (None, 3)


def test_a_file_read_before_journals_noted_times_is_unknown_too(made: Made) -> None:
    with closing(sqlite3.connect(made.state.journal(TAX))) as journal:
        journal.execute("UPDATE inbound SET read_at = 0")
        journal.commit()
    status, answer = made.asked("--without-broker", day="all")
    assert status == 0
    (line,) = answer["messages"]
    assert (line["sent"], line["by_ledger"], line["records"]) == (None, 3, 0)


def test_what_is_just_being_sent_is_neither_missing_nor_counted(made: Made) -> None:
    with closing(sqlite3.connect(made.state.journal(TAX))) as journal:
        journal.execute("UPDATE inbound SET state = 'reading', records = 9")
        journal.commit()
    made.record(5, Kind.OUT_OF_SCOPE)
    status, answer = made.asked("--without-broker")
    assert (status, answer["messages"][0]["sent"]) == (0, 3)


def test_when_the_demo_is_over_nothing_can_wait_any_more(made: Made) -> None:
    made.state.finish()
    assert made.asked()[0] == 0
    made.record(2, Kind.REPLAY)
    status, answer = made.asked()
    assert status == 1
    assert named(answer) == [("2", UNION, "not-recorded")]


@pytest.mark.parametrize("day", ["2999-01-01", "someday"])
def test_a_day_that_is_none_is_refused(made: Made, day: str) -> None:
    words = ["ledger", "reconcile", "--state", str(made.root), "--day", day]
    assert CliRunner().invoke(app, words).exit_code == 2


def test_runs_join_what_follows_one_another() -> None:
    assert list(runs([1, 2, 3, 7, 9, 10])) == [(1, 3), (7, 7), (9, 10)]
    assert list(runs([])) == []


def test_an_older_journal_is_brought_up_to_date_and_can_be_read_before(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite3"
    with closing(sqlite3.connect(path)) as old:
        from hub.edge import journal as module  # noqa: PLC0415 - its first schema

        old.executescript(f"{module._MIGRATIONS[0]};PRAGMA user_version = 1;")
        old.execute("INSERT INTO inbound VALUES ('ab', 'n', 'n', 'done', 3, 3, 3, 0)")
        old.execute("INSERT INTO taken VALUES ('s', 'i', 'f', 'file', '', 1)")
        old.commit()
    taken = TakenKey("s", "i", "f")
    for _ in range(2):
        with JournalRecord(path) as record:
            assert record.files() == []
            assert list(record.taken_between()) == []
            assert record.taken([taken]) == {taken: True}
            file = record.file_of("a")
            assert file is not None
            assert (file.digest, file.read_at) == ("ab", 0)
        Journal(path).close()
