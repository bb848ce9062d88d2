"""A disclosure tells what the entries of a ledger say, and is itself recorded first."""

import datetime as dt
import hashlib
import json
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.desks import disclose
from hub.desks.disclose import Request, read_disclosure, write_disclosure
from hub.disclosure import as_html, as_json, words
from hub.disclosure.model import Disclosure, Outcome, ReceiptResult
from hub.disclosure.transfers import Period, rows_and_views
from hub.errors import LedgerError
from hub.ledger.leaf import Recorded
from hub.ledger.model import Kind
from hub.ledger.store import DatabaseLedger
from hub.message import AccessItems, MessageKey
from tests.samples import (
    ADDRESSEE,
    NOW,
    PSEUDONYMS,
    SIGNER,
    event,
    receipts_event,
    resident,
    shipped,
)
from tests.worker_rig import Rig, shipped_four

pytestmark = pytest.mark.unit

ACCESS = AccessItems("S0099", "保険年金課", "T-9", "開示請求", "ledger disclose")
OTHER = "000000000099999"
LATER = NOW + dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[DatabaseLedger]:
    """Give the ledger of a hub that moved two messages about the resident and one about another."""
    rig = Rig(tmp_path, judge=shipped_four())
    rig.send(
        event(id="a-1"),
        event(resident(addressee_number=OTHER), id="a-2"),
        event(id="a-3", reason="転出"),
    )
    rig.drain()
    receipts = [
        {"sender": "resident-registry", "id": "a-1", "flow": "M1b"},
        {
            "sender": "resident-registry",
            "id": "a-3",
            "flow": "M1b",
            "result": "set-aside",
            "code": "unknown-household",
        },
    ]
    rig.send(receipts_event("union", receipts))
    rig.drain()
    opened = DatabaseLedger(rig.url, SIGNER)
    yield opened
    opened.close()


def disclosed(ledger: DatabaseLedger, **said: Any) -> Disclosure:  # noqa: ANN401 - of a request
    request = Request(ADDRESSEE, **said)
    return read_disclosure(ledger, shipped(), PSEUDONYMS, request, access=ACCESS, now=LATER)


def test_the_rows_are_those_of_the_entries(ledger: DatabaseLedger) -> None:
    entries = [one for one in ledger.entries() if one.resident == PSEUDONYMS.resident(ADDRESSEE)]
    of = disclosed(ledger)
    accepted = {one.number: one for one in entries if one.kind is Kind.ACCEPTANCE}
    assert {row.entry for row in of.rows} == accepted.keys()
    assert len(of.rows) == 4
    for row in of.rows:
        said = accepted[row.entry]
        same = [
            one
            for one in entries
            if (one.message, one.flow, one.receiver) == (said.message, said.flow, said.receiver)
        ]
        at = {one.kind: one.at for one in same}
        assert row.outcome is Outcome.DELIVERED
        assert (row.accepted_at, row.delivered_at) == (said.at, at[Kind.DELIVERY])
        assert (row.receipt.at if row.receipt else None) == at.get(Kind.RECEIPT)
        assert row.flow is not None
        assert row.receiver is not None
        assert (row.flow.id, row.receiver.id) == (said.flow, said.receiver)
        assert (row.basis, row.purpose) == (said.basis, said.purpose)
        assert [one.id for one in row.released] == list(said.released)
        assert row.access.reason == said.access.reason
    results = {row.receipt.result for row in of.rows if row.receipt}
    assert results == {ReceiptResult.DELIVERED, ReceiptResult.SET_ASIDE}
    assert of.ledger_size == ledger.size()
    assert of.checkpoint == ledger.checkpoint()


def test_the_disclosure_is_recorded_and_tells_of_itself(
    ledger: DatabaseLedger, tmp_path: Path
) -> None:
    before = ledger.size()
    of = disclosed(ledger)
    assert [(view.what, view.access.department) for view in of.views] == [
        ("disclosure", "保険年金課")
    ]
    folder = tmp_path / "out"
    files = write_disclosure(
        ledger, PSEUDONYMS, of, folder, formats=("html", "pdf", "json"), access=ACCESS
    )
    view, *exports = list(ledger.entries())[before:]
    assert (view.kind, view.code) == (Kind.LOG_VIEW, "disclosure")
    written = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    assert {one.detail: one.digest for one in exports} == written
    assert {one.kind for one in exports} == {Kind.EXPORT}
    assert {one.resident for one in (view, *exports)} == {PSEUDONYMS.resident(ADDRESSEE)}
    assert set(written) == {"disclosure.html", "disclosure.pdf", "disclosure.json"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert all(ADDRESSEE not in str(one) for one in ledger.entries())
    assert ADDRESSEE not in repr(Request(ADDRESSEE))


def test_the_three_files_tell_of_every_row(ledger: DatabaseLedger, tmp_path: Path) -> None:
    of = disclosed(ledger)
    files = write_disclosure(
        ledger, PSEUDONYMS, of, tmp_path / "out", formats=("html", "pdf", "json"), access=ACCESS
    )
    html, made, pdf = (path.read_bytes() for path in files)
    said = json.loads(made)
    rows = [row for receiver in said["receivers"] for row in receiver["rows"]]
    assert {row["entry"] for row in rows} == {row.entry for row in of.rows}
    assert said["row_count"] == 4
    assert said["views"][0]["what_ja"] == words.VIEWS["disclosure"]
    assert "staff" not in said["views"][0]["access"]
    assert html == as_html.render(of)
    assert pdf.startswith(b"%PDF")
    for row in of.rows:
        assert f'<th scope="row">{row.entry}</th>' in html.decode()
    assert "unknown-household" in html.decode()


def test_nothing_is_written_where_it_cannot_be_recorded(
    ledger: DatabaseLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = disclosed(ledger)
    folder = tmp_path / "out"

    def full(_entries: object) -> None:
        raise LedgerError("the disk is full")

    monkeypatch.setattr(ledger, "append", full)
    with pytest.raises(LedgerError, match="full"):
        write_disclosure(ledger, PSEUDONYMS, of, folder, formats=("json",), access=ACCESS)
    assert list(folder.iterdir()) == []
    with pytest.raises(LedgerError, match="full"):
        disclosed(ledger)


def test_a_report_that_is_there_is_not_overwritten(ledger: DatabaseLedger, tmp_path: Path) -> None:
    of = disclosed(ledger)
    (tmp_path / "disclosure.json").write_text("kept")
    with pytest.raises(LedgerError, match="is there already"):
        write_disclosure(ledger, PSEUDONYMS, of, tmp_path, formats=("json",), access=ACCESS)
    assert (tmp_path / "disclosure.json").read_text() == "kept"


def test_only_what_lies_in_the_period_is_told(ledger: DatabaseLedger) -> None:
    day = NOW.date()
    assert len(disclosed(ledger, period=Period(day, day)).rows) == 4
    assert disclosed(ledger, period=Period(day + DAY)).rows == ()
    assert disclosed(ledger, period=Period(None, day - DAY)).views == ()


def test_flows_that_the_catalogue_no_longer_has_keep_their_ids(ledger: DatabaseLedger) -> None:
    bare = replace(shipped(), systems={}, flows=())
    of = read_disclosure(ledger, bare, PSEUDONYMS, Request(ADDRESSEE), access=ACCESS, now=LATER)
    assert {(row.flow.name, row.flow.id) for row in of.rows if row.flow} == {
        ("", "I1"),
        ("", "M1b"),
    }


def _said(number: int, kind: Kind, outcome: str = "", **changes: Any) -> Recorded:  # noqa: ANN401
    one = Recorded(
        number=number,
        at=NOW + number * DAY,
        kind=kind,
        outcome=outcome,
        message=MessageKey("tax", "m-1"),
        message_type="income.assessed",
        flow="I2",
        receiver="premium-collection",
        basis="試験法 1条" if kind is Kind.ACCEPTANCE else "",
        purpose="試験",
        released=(),
        withheld=(),
        access=AccessItems(),
        resident="r",
        digest="",
        detail="",
    )
    return replace(one, **changes)


@pytest.mark.parametrize(
    ("kinds", "outcome"),
    [
        ("acceptance", Outcome.PENDING),
        ("acceptance hold", Outcome.HELD),
        ("acceptance hold release", Outcome.PENDING),
        ("acceptance delivery", Outcome.DELIVERED),
        ("acceptance delivery expiry", Outcome.EXPIRED),
        ("acceptance delivery dead-letter", Outcome.DEAD_LETTER),
        ("acceptance delivery dead-letter replay delivery", Outcome.DELIVERED),
        ("acceptance refusal", Outcome.REFUSED),
        ("acceptance refusal receipt", Outcome.DELIVERED),
        ("receipt", Outcome.DELIVERED),
    ],
)
def test_the_outcome_is_that_of_the_last_entry_or_of_the_receipt(
    kinds: str, outcome: Outcome
) -> None:
    entries = [
        _said(number, Kind(kind), "withdrawn" if kind == "refusal" else "")
        for number, kind in enumerate(kinds.split(), 1)
    ]
    (row,), views = rows_and_views(entries, shipped(), Period())
    assert views == ()
    assert row.outcome is outcome
    assert row.entry == 1
    assert row.code == ("withdrawn" if "refusal" in kinds else "")


@pytest.mark.parametrize("code", ["requested", "declined", "discarded", "overtaken"])
def test_what_is_said_of_a_dead_letter_leaves_it_one(code: str) -> None:
    entries = [_said(1, Kind.ACCEPTANCE), _said(2, Kind.DEAD_LETTER), _said(3, Kind.REPLAY, code)]
    (row,), _ = rows_and_views(entries, shipped(), Period())
    assert row.outcome is Outcome.DEAD_LETTER


@pytest.mark.parametrize("code", ["release-requested", "reject-requested", "declined"])
def test_what_is_asked_of_a_held_message_leaves_it_held(code: str) -> None:
    entries = [_said(1, Kind.HOLD, "binding-differs"), _said(2, Kind.RELEASE, code)]
    (row,), _ = rows_and_views(entries, shipped(), Period())
    assert (row.outcome, row.code) == (Outcome.HELD, "binding-differs")


def test_a_message_that_died_as_it_was_sent_has_a_row_until_it_is_carried() -> None:
    died = _said(1, Kind.DEAD_LETTER, "delivery-limit", flow="", receiver="")
    (row,), _ = rows_and_views([died], shipped(), Period())
    assert (row.outcome, row.code, row.receiver) == (Outcome.DEAD_LETTER, "delivery-limit", None)
    replayed = _said(2, Kind.REPLAY, flow="", receiver="")
    carried = [died, replayed, _said(3, Kind.ACCEPTANCE), _said(4, Kind.DELIVERY)]
    (row,), _ = rows_and_views(carried, shipped(), Period())
    assert row.outcome is Outcome.DELIVERED


def test_destroyed_months_of_the_period_are_said(ledger: DatabaseLedger) -> None:
    of = replace(disclosed(ledger), destroyed=(201911, 201912, 202001, 202003))
    told = "2019年11月から2020年1月まで、2020年3月"
    assert told in as_html.render(of).decode()
    assert json.loads(as_json.render(of))["destroyed_months"][0] == "2019-11"
    assert Period(dt.date(2019, 12, 31), dt.date(2020, 1, 1)).meets(201912)
    assert not Period(dt.date(2020, 1, 1)).meets(201912)
    assert disclose.CODE in words.VIEWS
