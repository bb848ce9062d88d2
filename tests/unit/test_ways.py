"""A message's way is put together from the ledger and from the journals beside the adapters."""

import datetime as dt
from contextlib import closing
from pathlib import Path

import pytest

from hub.desks.journals import JournalsHere
from hub.desks.ways import Pair, Side, Step, Way, look_at
from hub.edge.journal import InboundFile, InboundState, Journal, OutboundFile, Taken, TakenKey
from hub.errors import QuestionError
from hub.ledger.acts import Act
from hub.ledger.beside import State
from hub.ledger.model import Kind
from hub.ledger.rotated import open_keyed
from hub.message import AccessItems, MessageKey
from tests.confirmations_rig import CLERK, OTHER, changed, desk, drain, open_ones
from tests.dead_letters_rig import died, letters
from tests.samples import MY_NUMBER, NAME, NOW, REGISTRY, SIGNER, event, receipts_event
from tests.worker_rig import Rig, shipped_four

pytestmark = [pytest.mark.unit, pytest.mark.slow]

ACCESS = AccessItems("S0099", "保険年金課", "T-9", "問合せ", "/messages")
UNION_LANE = Pair("M1b", "union")
READ = "ab" * 16
FILE = f"{READ}{'0' * 32}"


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path, judge=shipped_four())


def way(rig: Rig, message_id: str, journals: dict[str, Path] | None = None) -> Way:
    with closing(open_keyed(rig.url, SIGNER, rig.judge.pseudonyms)) as ledger:
        key = MessageKey(REGISTRY, message_id)
        return look_at(ledger, key, ACCESS, NOW, JournalsHere(journals or {}))


def steps(of: Way, pair: Pair = UNION_LANE) -> list[Step]:
    (lane,) = [one for one in of.lanes if one.pair == pair]
    return [one.step for one in lane.points]


def receipt(rig: Rig, message_id: str, **said: str) -> None:
    told = {"sender": REGISTRY, "id": message_id, "flow": "M1b", **said}
    drain(rig, receipts_event("union", [told]))


def test_a_lane_goes_from_acceptance_to_receipt_with_its_law_and_fields(rig: Rig) -> None:
    drain(rig, event(id="a1"))
    receipt(rig, "a1")
    of = way(rig, "a1")
    assert steps(of) == [Step.ACCEPTED, Step.DELIVERED, Step.RECEIVED]
    lane = next(one for one in of.lanes if one.pair == UNION_LANE)
    assert [one.side for one in lane.points] == [Side.HUB, Side.HUB, Side.RECEIVER]
    assert lane.step is Step.RECEIVED
    assert lane.basis
    assert "addressee_number" in lane.released
    assert not set(lane.released) & set(lane.withheld)
    assert all(one.after is not None and one.after >= 0 for one in lane.points[1:])
    assert {one.pair.flow for one in of.lanes} == {"M1b", "I1"}


def test_a_message_refused_as_a_whole_has_no_lane_and_says_why(rig: Rig) -> None:
    drain(rig, event(id="a1", type="income.assessed"))
    of = way(rig, "a1")
    assert [(one.step, one.code) for one in of.begin] == [
        (Step.REFUSED, "message-type-not-permitted")
    ]
    assert of.begin[0].why is not None
    assert of.lanes == ()


def test_what_a_person_decided_stands_in_its_lane(rig: Rig) -> None:
    drain(rig, changed("a1"), changed("a2", my_number=OTHER))
    assert steps(way(rig, "a2")) == [Step.HELD]
    with desk(rig) as at:
        at.release(open_ones(rig)[0], CLERK)
    rig.drain()
    assert steps(way(rig, "a2")) == [Step.HELD, Step.RELEASED, Step.ACCEPTED, Step.DELIVERED]
    drain(rig, changed("a3", my_number=OTHER))
    with desk(rig) as at:
        at.reject(open_ones(rig)[0], CLERK)
    of = way(rig, "a3")
    assert steps(of) == [Step.HELD, Step.STOPPED]
    assert of.lanes[0].points[-1].staff == CLERK.staff


def test_a_copy_that_died_is_replayed_in_its_lane(rig: Rig) -> None:
    drain(rig, event(id="a1"))
    (number,) = died(rig, "union")
    of = way(rig, "a1")
    assert steps(of)[-1] is Step.DEAD
    with letters(rig) as at:
        asked = at.request([at.row(number)[0]], CLERK, State.RELEASED)
    of = way(rig, "a1")
    assert steps(of)[-1] is Step.ASKED
    assert next(one for one in of.lanes if one.pair == UNION_LANE).step is Step.DEAD
    with letters(rig) as at:
        at.decline(asked, CLERK)
        at.replay(number, CLERK)
    rig.drain()
    assert steps(way(rig, "a1"))[-4:] == [
        *(Step.ASKED, Step.DECLINED),
        *(Step.REPLAYED, Step.DELIVERED),
    ]


def test_what_the_receiver_set_aside_is_not_received(rig: Rig) -> None:
    drain(rig, event(id="a1"))
    receipt(rig, "a1", result="set-aside", code="unknown-household")
    assert steps(way(rig, "a1"))[-1] is Step.SET_ASIDE


def test_the_look_is_recorded_first_with_the_person_and_no_more(rig: Rig) -> None:
    drain(rig, event(id="a1"))
    of = way(rig, "a1")
    with closing(open_keyed(rig.url, SIGNER, rig.judge.pseudonyms)) as ledger:
        last = list(ledger.entries())[-1]
    assert (last.kind, last.code, last.access) == (Kind.LOG_VIEW, Act.MESSAGE, ACCESS)
    assert last.detail == f"message {REGISTRY}/a1"
    assert last.resident == of.resident != ""
    said = repr(of)
    assert MY_NUMBER not in said
    assert NAME not in said
    assert of.resident not in said


def test_an_id_that_is_unknown_is_not_written_down(rig: Rig) -> None:
    drain(rig, event(id="a1"))
    with pytest.raises(QuestionError, match="no entry"):
        way(rig, MY_NUMBER)
    with closing(open_keyed(rig.url, SIGNER, rig.judge.pseudonyms)) as ledger:
        last = list(ledger.entries())[-1]
    assert last.code == Act.MESSAGE
    assert MY_NUMBER not in last.detail


def test_the_journals_of_both_sides_are_part_of_it(rig: Rig, tmp_path: Path) -> None:
    message_id = f"{READ}-7"
    drain(rig, event(id=message_id))
    receipt(rig, message_id)
    places = {name: tmp_path / name / "journal.sqlite3" for name in (REGISTRY, "union", "tax")}
    before = int(NOW.timestamp()) - 60
    with closing(Journal(places[REGISTRY])) as journal:
        file = InboundFile(FILE, "JUKI_01.csv", "JUKI_01.csv", InboundState.READING, 9)
        journal.begin(_read_at(file, before))
        journal.confirm(FILE, [7])
    key = TakenKey(REGISTRY, message_id, "M1b")
    with closing(Journal(places["union"])) as journal:
        written = OutboundFile("M1b", 1, "OUT_01.csv", 1)
        journal.deliver([written], [Taken(key, "OUT_01.csv", "")], int(NOW.timestamp()) + 5)
    of = way(rig, message_id, places)
    (read,) = of.begin
    assert (read.step, read.side, read.file, read.record) == (
        *(Step.READ, Side.SENDER),
        *("JUKI_01.csv", 7),
    )
    assert read.at == dt.datetime.fromtimestamp(before, dt.UTC)
    assert steps(of)[-2:] == [Step.TAKEN, Step.RECEIVED]
    lane = next(one for one in of.lanes if one.pair == UNION_LANE)
    assert lane.points[-2].file == "OUT_01.csv"
    assert lane.points[0].after == pytest.approx(60, abs=2)
    assert steps(of, Pair("I1", "premium-collection")) == [Step.ACCEPTED, Step.DELIVERED]


def test_a_record_that_was_not_sent_is_not_said_to_be_read(rig: Rig, tmp_path: Path) -> None:
    message_id = f"{READ}-8"
    drain(rig, event(id=message_id))
    place = tmp_path / "journal.sqlite3"
    with closing(Journal(place)) as journal:
        journal.begin(InboundFile(FILE, "JUKI_01.csv", "JUKI_01.csv", InboundState.READING, 9))
        journal.confirm(FILE, [7])
    assert way(rig, message_id, {REGISTRY: place}).begin == ()


def _read_at(file: InboundFile, at: int) -> InboundFile:
    return InboundFile(file.digest, file.name, file.placed_as, file.state, file.records, read_at=at)
