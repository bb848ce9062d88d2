"""Messages out: files, receipts, notices, and what is set aside."""

import json
import stat
from pathlib import Path

import pytest

from hub.edge import receipting
from hub.edge.delimited import check_file
from hub.errors import SiteError
from hub.message import NOTICE_TYPE
from hub.ports import Outgoing, Sent
from hub.site import AccessSite
from tests.edge_rig import BETA, NOTES_OUT, Rig, copy_of, use_test_layouts

pytestmark = pytest.mark.unit

QUEUE = "out.beta"


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    use_test_layouts(monkeypatch)
    monkeypatch.setattr(receipting, "RECEIPTS_AT_ONCE", 3)
    return Rig(tmp_path)


def give(rig: Rig, *numbers: int) -> None:
    for number in numbers:
        rig.broker.put(QUEUE, copy_of(number, f"n{number}"))


def notice(number: int) -> bytes:
    event = {"specversion": "1.0", "id": f"notice-{number}", "type": NOTICE_TYPE}
    return json.dumps(event | {"data": {"code": "x"}}).encode()


def test_messages_become_files_in_order_with_receipts(rig: Rig) -> None:
    give(rig, *range(6))
    rig.run(BETA)
    assert rig.names("beta", "from-hub") == ["notes_00000001.csv", "notes_00000002.csv"]
    assert rig.written() == [("1", f"n{number}") for number in range(6)]
    assert rig.receipts() == [(f"m-{number}", "delivered") for number in range(6)]
    assert not rig.broker.queue(QUEUE)
    assert rig.recorder.all("file_written") == [("test.noted", 4), ("test.noted", 2)]


def test_how_long_messages_took_is_told_by_flow_once_they_are_in_files(rig: Rig) -> None:
    give(rig, *range(6))
    rig.run(BETA)
    told = rig.recorder.arrivals
    # The clock of these tests begins 1000 s after the files were made, and the messages accepted.
    assert told == [("F1", {1000: 4}, {1000: 4}), ("F1", {1001: 2}, {1001: 2})]
    assert [direction for direction, _ in rig.recorder.took] == ["out", "out"]
    give(rig, 1)
    rig.run(BETA)
    assert len(rig.recorder.arrivals) == 2


def test_a_file_out_is_whole_and_names_its_writer(rig: Rig) -> None:
    give(rig, 1)
    rig.run(BETA)
    path = rig.at("beta", "from-hub") / "notes_00000001.csv"
    facts = check_file(path, NOTES_OUT)
    assert (facts.header.staff, facts.header.department) == ("代行", "係")
    assert facts.header.created_at.utcoffset() is not None
    assert facts.records == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_batch_waits_for_more_but_not_for_long(rig: Rig) -> None:
    give(rig, 1, 2)
    rig.run(BETA, seconds=2.0, file_seconds=3.0)
    assert rig.names("beta", "from-hub") == []
    assert len(rig.broker.queue(QUEUE)) == 2
    rig.run(BETA, seconds=5.0, file_seconds=3.0)
    assert rig.names("beta", "from-hub") == ["notes_00000001.csv"]


def test_a_message_that_comes_again_gets_its_receipt_again_and_no_file(rig: Rig) -> None:
    give(rig, 1, 2)
    rig.run(BETA)
    give(rig, 2, 3, 3)
    rig.run(BETA)
    assert rig.written() == [("1", "n1"), ("1", "n2"), ("1", "n3")]
    assert sorted(rig.receipts()) == [
        ("m-1", "delivered"),
        ("m-2", "delivered"),
        ("m-2", "delivered"),
        ("m-3", "delivered"),
    ]


def test_a_message_without_a_place_is_set_aside(rig: Rig) -> None:
    give(rig, 1)
    rig.broker.put(QUEUE, copy_of(2, "UNWRITABLE"))
    rig.broker.put(QUEUE, copy_of(3, "FAIL"))
    rig.broker.put(QUEUE, copy_of(4, "n", kind="test.unknown"))
    rig.broker.put(QUEUE, copy_of(5, "𠮷"))
    rig.broker.put(QUEUE, copy_of(6, "n"), copied=True)
    give(rig, 7)
    rig.run(BETA, encoding="cp932")
    assert sorted(rig.receipts()) == [
        ("m-1", "delivered"),
        ("m-2", "unwritable"),
        ("m-3", "mapping-failed"),
        ("m-4", "unknown-type"),
        ("m-5", "unencodable"),
        ("m-6", "copied"),
        ("m-7", "delivered"),
    ]
    aside = sorted(rig.at("beta", "set-aside").iterdir())
    assert len(aside) == 5
    assert {stat.S_IMODE(path.stat().st_mode) for path in aside} == {0o600}
    assert {json.loads(path.read_text(encoding="utf-8"))["code"] for path in aside} == {
        "unwritable",
        "unencodable",
        "mapping-failed",
        "unknown-type",
        "copied",
    }


@pytest.mark.parametrize(
    ("body", "user", "code"),
    [
        (copy_of(1, "forged"), "alpha", "not-from-hub"),
        (copy_of(1, "forged"), "", "not-from-hub"),
        (b"\xff\xfe", "hub", "unreadable"),
        (b"[]", "hub", "unreadable"),
        (copy_of(1, "n").replace(b'"F1"', b'"' + b"F" * 21 + b'"'), "hub", "unreadable"),
        (notice(1), "alpha", "not-from-hub"),
    ],
)
def test_what_the_hub_did_not_send_gets_no_receipt(
    rig: Rig, body: bytes, user: str, code: str
) -> None:
    rig.broker.put(QUEUE, body, user_id=user)
    rig.run(BETA)
    assert rig.receipts() == []
    assert rig.recorder.all("message_set_aside") == [(code,)]
    assert not rig.broker.queue(QUEUE)
    assert rig.written() == []


def test_notices_are_written_down_once(rig: Rig) -> None:
    for number in (1, 2, 1):
        rig.broker.put(QUEUE, notice(number))
    rig.run(BETA)
    rig.broker.put(QUEUE, notice(2))
    rig.run(BETA)
    (name,) = rig.names("beta", "notices")
    assert name.startswith("notices-2026")
    lines = (rig.at("beta", "notices") / name).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["notice-1", "notice-2"]
    assert rig.receipts() == []
    assert not rig.broker.queue(QUEUE)


def test_a_half_line_of_a_crash_does_not_spoil_the_next_notice(rig: Rig) -> None:
    rig.broker.put(QUEUE, notice(1))
    rig.run(BETA)
    (path,) = rig.at("beta", "notices").iterdir()
    path.write_bytes(path.read_bytes() + b'{"id"')
    rig.broker.put(QUEUE, notice(2))
    rig.run(BETA)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in (lines[0], lines[2])] == ["notice-1", "notice-2"]


def test_nothing_is_acknowledged_before_its_receipt(rig: Rig) -> None:
    refusals = 3

    def judge(_message: Outgoing) -> Sent:
        nonlocal refusals
        refusals -= 1
        return Sent.REFUSED if refusals >= 0 else Sent.CONFIRMED

    rig.broker.judge = judge
    give(rig, 1, 2, 3, 4)
    rig.run(BETA)
    assert rig.written() == [("1", f"n{number}") for number in range(1, 5)]
    assert {name for name, _ in rig.receipts()} == {"m-1", "m-2", "m-3", "m-4"}
    assert rig.recorder.all("held_back")
    assert not rig.broker.queue(QUEUE)


def test_without_its_journal_an_adapter_overwrites_no_file(rig: Rig) -> None:
    give(rig, 1)
    rig.run(BETA)
    for path in (rig.folder / "journals").iterdir():
        path.unlink()
    give(rig, 2)
    rig.run(BETA)
    assert rig.written() == [("1", "n1"), ("1", "n2")]


def test_site_items_that_no_file_can_hold_are_named_at_the_start(rig: Rig) -> None:
    with pytest.raises(SiteError, match="staff"):
        rig.run(BETA, encoding="cp932", access=AccessSite(staff="𠮷田"))


def test_a_half_written_file_of_a_crash_is_removed(rig: Rig) -> None:
    folder = rig.at("beta", "from-hub")
    folder.mkdir(parents=True)
    (folder / ".notes_00000009.csv.tmp").write_bytes(b"H,")
    (folder / ".theirs.tmp").write_bytes(b"x")
    rig.run(BETA, seconds=1)
    assert rig.names("beta", "from-hub") == [".theirs.tmp"]
