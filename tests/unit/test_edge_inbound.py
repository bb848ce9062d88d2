"""Files in: what is picked up, what is sent, what is set aside."""

import json
from pathlib import Path

import pytest

from hub.edge import inbound
from hub.limits import limited, limits
from hub.message import Envelope, partition_of
from hub.ports import Outgoing, Sent
from tests.edge_rig import ALPHA, CREATED, Noted, Rig, use_test_layouts

pytestmark = pytest.mark.unit

ROWS = [("1", "11", "a"), ("1", "12", "b"), ("2", "21", "c")]
HEAD = "H,alpha.notes,2026-04-01T09:00:00+09:00,D,T,S\r\n"


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    use_test_layouts(monkeypatch)
    monkeypatch.setattr(inbound, "BATCH", 3)
    return Rig(tmp_path)


def test_a_file_becomes_messages(rig: Rig) -> None:
    rig.give("notes_1.csv", ROWS)
    rig.run(ALPHA)
    assert rig.sent() == [("11", "a"), ("12", "b"), ("21", "c")]
    assert rig.names("alpha", "to-hub") == []
    assert rig.names("alpha", "processed") == ["notes_1.csv"]
    assert rig.names("alpha", "rejects") == []
    assert rig.recorder.all("file_read") == [("test.noted", 3, 0)]


def test_an_event_says_what_the_file_and_the_site_say(rig: Rig) -> None:
    rig.give("notes_1.csv", ROWS)
    rig.run(ALPHA)
    stored = rig.broker.queue("hub")[0]
    event = Envelope[Noted].model_validate_json(stored.body)
    assert event.id == stored.message_id
    assert len(event.id) == 34
    assert event.id.endswith("-1")
    assert event.time == CREATED
    assert (event.source, event.type) == ("/systems/alpha", "test.noted")
    assert event.dataschema == "urn:renkei:test.noted:1"
    assert (event.staff, event.department, event.terminal) == ("職員一", "市民課", "T-9")
    assert event.reason == "異動"
    assert event.data.household == 2


def test_a_message_is_ordered_and_placed_by_its_resident(rig: Rig) -> None:
    seen: list[Outgoing] = []

    def judge(message: Outgoing) -> Sent:
        seen.append(message)
        return Sent.CONFIRMED

    rig.broker.judge = judge
    rig.give("notes_1.csv", ROWS)
    rig.run(ALPHA)
    assert [message.order_key for message in seen] == ["11", "12", "21"]
    assert seen[0].partition == partition_of("11")
    assert (seen[0].exchange, seen[0].routing_key) == ("in.alpha", "test.noted")


def test_refused_records_are_listed_without_what_they_say(rig: Rig) -> None:
    lines = (
        "D,1,11,a\r\nD,1,1x,b\r\nD,1,13,REFUSE\r\nD,5,51,c\r\nD,2,21,d\r\nD,6,61,FAIL\r\n"
        'D,6,62,e\r\nD,7,"7"1,f\r\nD,8,81,g\r\nT,9\r\n'
    )
    rig.give_bytes("notes_1.csv", (HEAD + lines).encode())
    rig.run(ALPHA)
    assert rig.sent() == [("11", "a"), ("51", "c"), ("81", "g")]
    listed = (rig.at("alpha", "rejects") / "notes_1.csv.rejects.csv").read_text(encoding="utf-8")
    assert listed.splitlines() == [
        "line,record,field,reason",
        "3,2,person,is not all ASCII digits",
        "4,3,note,is not wanted",
        "6,5,house,is lower than one before it: the file is out of order",
        "7,6,,the mapping failed (LookupError)",
        "8,7,,the mapping failed (LookupError)",
        "9,8,,the quotes of the record are wrong",
    ]
    assert rig.recorder.all("file_read") == [("test.noted", 9, 6)]


def test_a_record_that_no_broker_would_take_holds_up_no_other(rig: Rig) -> None:
    rig.give("notes_1.csv", ROWS)
    rig.run(ALPHA)
    (size,) = {len(stored.body) for stored in rig.broker.queue("hub")}
    rig.broker.queue("hub").clear()
    rig.give("notes_2.csv", [("1", "11", "d"), ("1", "12", "e" * 20), ("2", "21", "f")])
    with limited(event_bytes=size + 10):
        rig.run(ALPHA)
    assert rig.sent() == [("11", "d"), ("21", "f")]
    listed = (rig.at("alpha", "rejects") / "notes_2.csv.rejects.csv").read_text(encoding="utf-8")
    assert listed.splitlines()[1:] == ["3,2,,makes a message that is larger than the hub reads"]


def test_a_refused_record_still_counts_for_its_household(rig: Rig) -> None:
    lines = "D,1,11,a\r\nD,1,1x,b\r\nD,,99,lost\r\nD,2,21,c\r\nT,4\r\n"
    rig.give_bytes("notes_1.csv", (HEAD + lines).encode())
    rig.run(ALPHA)
    events = [json.loads(stored.body)["data"] for stored in rig.broker.queue("hub")]
    assert [(event["note"], event["household"]) for event in events] == [("a", 3), ("c", 2)]


def test_a_content_is_read_once(rig: Rig) -> None:
    content = rig.give("notes_1.csv", ROWS).read_bytes()
    rig.run(ALPHA)
    rig.give_bytes("notes_1.csv", content)
    rig.give_bytes("notes_2.csv", content)
    rig.run(ALPHA)
    assert len(rig.broker.queue("hub")) == 3
    assert rig.names("alpha", "processed") == [
        "notes_1-2.csv",
        "notes_1-2.csv.repeated.json",
        "notes_1.csv",
        "notes_2.csv",
        "notes_2.csv.repeated.json",
    ]
    assert rig.recorder.all("file_repeated") == [(), ()]


def test_the_same_name_with_other_content_overwrites_nothing(rig: Rig) -> None:
    rig.give("notes_1.csv", [("1", "11", "REFUSE")])
    rig.run(ALPHA)
    rig.give("notes_1.csv", [("1", "11", "REFUSE"), ("1", "12", "b")])
    rig.run(ALPHA)
    assert rig.names("alpha", "processed") == ["notes_1-2.csv", "notes_1.csv"]
    assert rig.names("alpha", "rejects") == [
        "notes_1-2.csv.rejects.csv",
        "notes_1.csv.rejects.csv",
    ]


def test_a_bad_file_is_set_aside_whole_and_the_next_one_is_read(rig: Rig) -> None:
    rig.give_bytes("notes_1.csv", (HEAD + "D,1,11,a\r\nT,2\r\n").encode())
    rig.give("notes_2.csv", ROWS)
    rig.run(ALPHA)
    rig.give_bytes("notes_1.csv", (HEAD + "D,1,11,b\r\nT,2\r\n").encode())
    rig.run(ALPHA)
    assert len(rig.sent()) == 3
    assert rig.names("alpha", "set-aside") == [
        "notes_1-2.csv",
        "notes_1-2.csv.reason.json",
        "notes_1.csv",
        "notes_1.csv.reason.json",
    ]
    reason = json.loads((rig.at("alpha", "set-aside") / "notes_1.csv.reason.json").read_text())
    assert (reason["code"], reason["line"]) == ("trailer", 3)
    assert rig.recorder.all("file_set_aside") == [("trailer",), ("trailer",)]


def test_a_group_that_is_too_large_makes_a_bad_file(rig: Rig) -> None:
    rows = [("1", str(number + 1), "a") for number in range(limits().group_records)]
    rig.give("notes_1.csv", [*rows, ("1", "1", "b")])
    rig.run(ALPHA)
    assert rig.recorder.all("file_set_aside") == [("group-too-large",)]
    assert rig.sent() == []


def test_what_is_still_written_and_what_is_no_file_is_left_alone(rig: Rig) -> None:
    whole = rig.give("elsewhere.csv", ROWS).read_bytes()
    left = [".notes_1.csv", "notes_2.csv.tmp", "notes_3.csv.part", "elsewhere.csv"]
    for name in left:
        rig.give_bytes(name, whole)
    folder = rig.at("alpha", "to-hub")
    (folder / "notes_link.csv").symlink_to(folder / "elsewhere.csv")
    (folder / "notes_folder.csv").mkdir()
    rig.run(ALPHA)
    assert rig.sent() == []
    assert len(rig.names("alpha", "to-hub")) == 6


def test_a_growing_file_is_waited_for_and_holds_back_later_ones(rig: Rig) -> None:
    whole = rig.give("notes_1.csv", ROWS).read_bytes()
    rig.give_bytes("notes_1.csv", whole[:-20])
    rig.give("notes_2.csv", [("1", "11", "newer")])
    rig.run(ALPHA, seconds=3)
    assert rig.sent() == []
    rig.give_bytes("notes_1.csv", whole)
    rig.run(ALPHA)
    assert rig.sent() == [("11", "a"), ("12", "b"), ("21", "c"), ("11", "newer")]
    assert rig.names("alpha", "set-aside") == []


def test_an_unfinished_file_that_stands_still_is_set_aside(rig: Rig) -> None:
    path = rig.give("notes_1.csv", ROWS)
    rig.give_bytes("notes_1.csv", path.read_bytes()[:-20])
    rig.give("notes_2.csv", [("1", "11", "newer")])
    rig.run(ALPHA, seconds=4)
    assert rig.names("alpha", "to-hub") == ["notes_1.csv", "notes_2.csv"]
    rig.run(ALPHA, seconds=9)
    assert rig.recorder.all("file_set_aside") == [("truncated",)]
    assert rig.sent() == [("11", "newer")]


def test_what_the_broker_does_not_take_is_sent_again_in_order(rig: Rig) -> None:
    refusals = {"11": 2, "21": 1}

    def judge(message: Outgoing) -> Sent:
        left = refusals.get(message.order_key, 0)
        refusals[message.order_key] = left - 1
        return Sent.REFUSED if left > 0 else Sent.CONFIRMED

    rig.broker.judge = judge
    rig.give("notes_1.csv", [("1", "11", "a"), ("1", "11", "b"), ("1", "12", "c")])
    rig.give("notes_2.csv", [("2", "21", "d"), ("2", "11", "e")])
    rig.run(ALPHA)
    arrived = rig.sent()
    assert [note for person, note in arrived if person == "11"] == ["a", "b", "e"]
    assert sorted(note for _, note in arrived) == ["a", "b", "c", "d", "e"]
    assert rig.recorder.all("held_back") == [(2,), (2,), (1,)]


def test_a_lost_link_is_gone_on_from_where_it_was(rig: Rig) -> None:
    count = 0

    def judge(_message: Outgoing) -> Sent:
        nonlocal count
        count += 1
        rig.broker.lost = count == 5
        return Sent.CONFIRMED

    rig.broker.judge = judge
    rows = [(str(number), str(number), "a") for number in range(1, 11)]
    rig.give("notes_1.csv", rows)
    rig.run(ALPHA)
    assert rig.sent() == [(person, note) for _, person, note in rows]
    assert rig.recorder.all("trouble") == [("link", "the fake broker is gone")]
    assert len(rig.broker.queue("hub")) == 12  # the two of the broken batch came again


def test_a_file_that_changes_while_it_is_read_is_set_aside(rig: Rig) -> None:
    rows = [(str(number), str(number), "a") for number in range(1, 8)]
    path = rig.give("notes_1.csv", rows)

    def judge(message: Outgoing) -> Sent:
        if message.order_key == "3":
            path.write_bytes(path.read_bytes().replace(b",a", b",b"))
        return Sent.CONFIRMED

    rig.broker.judge = judge
    rig.run(ALPHA)
    assert rig.recorder.all("file_set_aside") == [("changed",)]
    assert rig.names("alpha", "rejects") == []
    assert [note for _, note in rig.sent()] == ["a", "a", "a"]
