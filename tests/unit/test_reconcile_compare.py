"""Any message that is lost, doubled or invented on any side is named; none where all agree."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.ledger.model import Kind
from hub.ledger.tally import Fact
from hub.message import MessageKey
from hub.reconcile.compare import Fate, Step, taken_only
from hub.reconcile.model import HUB, Gap, Lack, Message, Origin, Pair, Waiting
from hub.reconcile.report import flow_lines, source_lines
from hub.reconcile.sheet import Reading, Sheet, Source

pytestmark = pytest.mark.unit

PAIRS = (Pair("F1", "beta"), Pair("F2", "beta"), Pair("F2", "gamma"))
RECORDED = frozenset({"beta"})
"""``beta`` has a journal here, and ``gamma`` has none."""
KIND = "a.kind"
FEW = settings(max_examples=40)
RECEIPTED = (Kind.ACCEPTANCE, Kind.DELIVERY, Kind.RECEIPT)
WAYS: dict[str, tuple[Kind, ...]] = {
    "pending": (),
    "queued": (Kind.DELIVERY,),
    "taken": (Kind.DELIVERY,),
    "receipted": (Kind.DELIVERY, Kind.RECEIPT),
    "withdrawn": (Kind.REFUSAL,),
    "expired": (Kind.DELIVERY, Kind.EXPIRY),
    "dead": (Kind.DELIVERY, Kind.DEAD_LETTER),
    "replayed": (Kind.DELIVERY, Kind.DEAD_LETTER, Kind.REPLAY, Kind.DELIVERY, Kind.RECEIPT),
}


@dataclass
class Hub:
    """A small hub: its messages, and what its broker holds."""

    messages: list[Message]
    in_hub: int
    in_queues: Counter[str] = field(default_factory=Counter)

    def waiting(self) -> Waiting:
        return Waiting(self.in_hub, self.in_queues)

    def gaps(self) -> list[Gap]:
        with Sheet(RECORDED) as sheet:
            sheet.add(self.messages)
            sheet.finish(self.waiting())
            check_sums(sheet, self.messages)
            return list(sheet.gaps)


def check_sums(sheet: Sheet, messages: Sequence[Message]) -> None:
    for line in source_lines(sheet):
        parts = (line.accepted, line.out_of_scope, line.refused, line.held, line.waiting)
        assert (line.sent or 0) + line.by_ledger == sum(parts) == len(messages)
    for flow in flow_lines(sheet):
        parts = (flow.delivered, flow.withdrawn, flow.expired, flow.dead_lettered, flow.pending)
        assert flow.accepted == sum(parts)
        assert flow.elsewhere >= 0


def facts_of(kinds: Iterable[tuple[Kind, Pair]], code: str = "") -> list[Fact]:
    return [
        Fact(number, number, kind, *pair, code, KIND)
        for number, (kind, pair) in enumerate(kinds, start=1)
    ]


@st.composite
def hubs(draw: st.DrawFn) -> Hub:
    hub = Hub([], 0)
    for number in range(draw(st.integers(1, 5))):
        fate = draw(st.sampled_from(["waiting", "refused", "outside", "held", *["accepted"] * 4]))
        kinds: list[tuple[Kind, Pair]] = []
        taken: dict[Pair, bool] = {}
        in_hub = fate == "waiting"
        if fate == "refused":
            kinds = [(Kind.REFUSAL, Pair("", ""))]
        elif fate == "outside":
            kinds = [(Kind.OUT_OF_SCOPE, PAIRS[0])]
        elif fate == "held":
            kinds = [(Kind.HOLD, PAIRS[0])]
        elif fate == "accepted":
            for pair in draw(st.lists(st.sampled_from(PAIRS), min_size=1, unique=True)):
                way = draw(st.sampled_from(sorted(WAYS)))
                kinds += [(Kind.ACCEPTANCE, pair), *((kind, pair) for kind in WAYS[way])]
                in_hub = in_hub or way == "pending"
                hub.in_queues[pair.receiver] += way in {"queued", "taken"}
                if pair.receiver in RECORDED and way in {"taken", "receipted", "replayed"}:
                    taken[pair] = way != "taken"
        hub.in_hub += in_hub
        key = MessageKey("alpha", f"m-{number}")
        hub.messages.append(Message(key, Origin.FILE, KIND, facts_of(kinds), taken))
    return hub


@FEW
@given(hubs())
def test_where_all_agree_nothing_is_named(hub: Hub) -> None:
    assert hub.gaps() == []


def with_receipted(hub: Hub, pair: Pair) -> int:
    """Add a message that one receiver has receipted; give its place."""
    kinds = [(kind, pair) for kind in RECEIPTED]
    taken = {pair: True} if pair.receiver in RECORDED else {}
    hub.messages.append(
        Message(MessageKey("alpha", "added"), Origin.FILE, KIND, facts_of(kinds), taken)
    )
    return len(hub.messages) - 1


def without(message: Message, kind: Kind, pair: Pair) -> Message:
    left = [
        fact
        for fact in message.facts
        if fact.kind is not kind or (fact.flow, fact.receiver) != pair
    ]
    return replace(message, facts=left)


@pytest.mark.parametrize(
    ("kind", "lack"),
    [
        (Kind.ACCEPTANCE, Lack.NOT_ACCEPTED),
        (Kind.DELIVERY, Lack.NOT_RECORDED),
    ],
)
@FEW
@given(hubs(), st.sampled_from(PAIRS))
def test_an_entry_that_is_gone_is_named(kind: Kind, lack: Lack, hub: Hub, pair: Pair) -> None:
    place = with_receipted(hub, pair)
    hub.messages[place] = without(hub.messages[place], kind, pair)
    assert [Gap(*hub.messages[place].key, *pair, lack)] == hub.gaps()


@FEW
@given(hubs(), st.sampled_from(PAIRS))
def test_a_receipt_that_is_gone_is_named(hub: Hub, pair: Pair) -> None:
    place = with_receipted(hub, pair)
    hub.messages[place] = without(hub.messages[place], Kind.RECEIPT, pair)
    recorded = pair.receiver in RECORDED
    lack = Lack.RECEIPT_LOST if recorded else Lack.NOT_RECEIVED
    named = Gap(*hub.messages[place].key, *pair, lack) in hub.gaps()
    assert named is (not recorded or hub.in_hub == 0)  # any message of the hub's may bring it


@FEW
@given(hubs(), st.sampled_from(PAIRS))
def test_a_message_that_is_gone_from_the_ledger_is_named(hub: Hub, pair: Pair) -> None:
    place = with_receipted(hub, pair)
    hub.messages[place] = replace(hub.messages[place], facts=[])
    assert Gap(*hub.messages[place].key, "", "", Lack.NOT_JUDGED) in hub.gaps()


@FEW
@given(hubs(), st.sampled_from(PAIRS), st.sampled_from(RECEIPTED))
def test_an_entry_that_is_doubled_is_named(hub: Hub, pair: Pair, kind: Kind) -> None:
    place = with_receipted(hub, pair)
    message = hub.messages[place]
    hub.messages[place] = replace(message, facts=[*message.facts, *facts_of([(kind, pair)])])
    assert hub.gaps() == [Gap(*message.key, *pair, Lack.TWICE)]


@FEW
@given(hubs())
def test_a_message_that_left_the_hubs_queues_is_named(hub: Hub) -> None:
    hub.messages.append(Message(MessageKey("alpha", "added"), Origin.FILE, KIND, [], {}))
    gaps = hub.gaps()
    assert gaps
    assert {gap.lack for gap in gaps} <= {Lack.NOT_JUDGED, Lack.NOT_DELIVERED}


@FEW
@given(hubs(), st.sampled_from(["beta", "gamma"]))
def test_a_copy_that_left_its_receivers_queue_is_named(hub: Hub, receiver: str) -> None:
    pair = Pair("F9", receiver)
    kinds = [(Kind.ACCEPTANCE, pair), (Kind.DELIVERY, pair)]
    added = Message(MessageKey("alpha", "added"), Origin.FILE, KIND, facts_of(kinds), {})
    hub.messages.append(added)
    gaps = hub.gaps()
    assert gaps
    assert {(gap.receiver, gap.lack) for gap in gaps} == {(receiver, Lack.NOT_RECEIVED)}


@FEW
@given(hubs())
def test_a_receipt_without_the_receivers_own_record_is_named(hub: Hub) -> None:
    pair = PAIRS[0]
    place = with_receipted(hub, pair)
    hub.messages[place] = replace(hub.messages[place], taken={})
    assert Gap(*hub.messages[place].key, *pair, Lack.NOT_TAKEN) in hub.gaps()


@FEW
@given(hubs(), st.data())
def test_what_no_file_has_is_named_unless_it_was_refused(hub: Hub, data: st.DataObject) -> None:
    with_receipted(hub, PAIRS[0])
    decided = [place for place, message in enumerate(hub.messages) if message.facts]
    place = data.draw(st.sampled_from(decided))
    message = hub.messages[place] = replace(hub.messages[place], origin=Origin.NOWHERE)
    refused = message.facts[0].kind is Kind.REFUSAL
    named = [] if refused else [Gap(*message.key, "", "", Lack.NOT_SENT)]
    assert hub.gaps() == named


@FEW
@given(hubs())
def test_where_the_senders_files_are_not_known_nothing_is_guessed(hub: Hub) -> None:
    hub.messages = [
        replace(message, origin=Origin.UNKNOWN, message_type="")
        for message in hub.messages
        if message.facts
    ]
    if not hub.messages:
        return
    with Sheet(RECORDED) as sheet:
        sheet.add(hub.messages)
        assert [line.sent for line in source_lines(sheet)] == [None]
        assert not sheet.gaps


def test_what_only_the_receiver_has_is_named() -> None:
    taken = [("alpha", "m-1", "F1"), ("alpha", "m-2", "F1")]
    accepted = {("alpha", "m-1", "F1", "beta"), ("alpha", "m-2", "F1", "gamma")}
    named = [Gap("alpha", "m-2", "F1", "beta", Lack.TAKEN_ONLY)]
    assert list(taken_only("beta", taken, accepted)) == named


def one(*kinds: tuple[Kind, Pair], **changes: object) -> Message:
    message = Message(MessageKey("alpha", "m"), Origin.FILE, KIND, facts_of(kinds), {})
    return replace(message, **changes)  # type: ignore[arg-type] # any of its parts


def sheet_of(*messages: Message, waiting: Waiting | None = None) -> Sheet:
    sheet = Sheet(RECORDED)
    sheet.add(messages)
    sheet.finish(waiting)
    return sheet


def test_without_the_broker_what_is_open_stays_open() -> None:
    with sheet_of(one(), one((Kind.ACCEPTANCE, PAIRS[0]))) as sheet:
        assert not sheet.gaps
        assert not sheet.is_settled
        assert sheet.open == {HUB: 2}


def test_one_message_in_the_hubs_queues_may_bring_the_receipt() -> None:
    accepted = [(kind, PAIRS[0]) for kind in (Kind.ACCEPTANCE, Kind.DELIVERY)]
    message = one(*accepted, taken={PAIRS[0]: True})
    with sheet_of(message, waiting=Waiting(1, {})) as sheet:
        assert not sheet.gaps
        assert not sheet.is_settled
    with sheet_of(message, waiting=Waiting(0, {})) as sheet:
        assert [gap.lack for gap in sheet.gaps] == [Lack.RECEIPT_LOST]


def test_a_refusal_is_counted_by_its_last_code_and_an_acceptance_outweighs_it() -> None:
    refusal = facts_of([(Kind.REFUSAL, Pair("", ""))], "held")
    accepted = facts_of([(kind, PAIRS[0]) for kind in RECEIPTED])
    anew = one(facts=refusal + accepted, taken={PAIRS[0]: True})
    with sheet_of(one(facts=refusal), anew) as sheet:
        line = sheet.sources[Source("alpha", KIND)]
        assert line.fates == {Fate.REFUSED: 1, Fate.ACCEPTED: 1}
        assert line.refused == {"held": 1}


def test_a_held_message_that_staff_reject_is_refused() -> None:
    hold, release = facts_of([(Kind.HOLD, PAIRS[0]), (Kind.RELEASE, PAIRS[0])])
    with sheet_of(one(facts=[hold, release._replace(code="rejected")])) as sheet:
        assert sheet.sources[Source("alpha", KIND)].refused == {"rejected": 1}
    with sheet_of(one(facts=[hold])) as sheet:
        assert sheet.sources[Source("alpha", KIND)].fates == {Fate.HELD: 1}


def test_a_held_message_is_held_until_its_release_has_moved_it() -> None:
    kinds = [(kind, PAIRS[0]) for kind in (Kind.HOLD, Kind.RELEASE, *RECEIPTED)]
    facts = facts_of(kinds)
    source = Source("alpha", KIND)
    with sheet_of(one(facts=facts[:2])) as sheet:
        assert sheet.sources[source].fates == {Fate.HELD: 1}
        assert not sheet.gaps
    with sheet_of(one(facts=facts, taken={PAIRS[0]: True})) as sheet:
        assert sheet.sources[source].fates == {Fate.ACCEPTED: 1}
        assert not sheet.gaps
    with sheet_of(one(facts=facts[:3]), waiting=Waiting(0, {})) as sheet:
        assert [gap.lack for gap in sheet.gaps] == [Lack.NOT_DELIVERED]


@pytest.mark.parametrize("code", ["overtaken", "withdrawn", "no-flow"])
def test_what_was_released_and_could_not_move_is_refused(code: str) -> None:
    facts = facts_of([(kind, PAIRS[0]) for kind in (Kind.HOLD, Kind.RELEASE, Kind.RELEASE)])
    facts[2] = facts[2]._replace(code=code)
    with sheet_of(one(facts=facts)) as sheet:
        assert sheet.sources[Source("alpha", KIND)].refused == {code: 1}
        assert not sheet.gaps


def test_of_a_release_one_flow_may_move_and_another_not() -> None:
    both = (PAIRS[0], PAIRS[1])
    facts = facts_of(
        [
            *((kind, pair) for kind in (Kind.HOLD, Kind.RELEASE) for pair in both),
            (Kind.RELEASE, PAIRS[1]),
            *((kind, PAIRS[0]) for kind in RECEIPTED),
        ]
    )
    facts[4] = facts[4]._replace(code="withdrawn")
    with sheet_of(one(facts=facts, taken={PAIRS[0]: True})) as sheet:
        assert sheet.sources[Source("alpha", KIND)].fates == {Fate.ACCEPTED: 1}
        assert not sheet.gaps


def test_a_message_that_another_flow_carries_is_counted_elsewhere() -> None:
    with Sheet(RECORDED) as sheet:
        sheet.expect(Source("alpha", KIND), PAIRS[0])
        sheet.read(Source("alpha", KIND), Reading(1, 3, 1))
        sheet.add([one((Kind.OUT_OF_SCOPE, PAIRS[1]))])
        lines = {line.flow: line for line in flow_lines(sheet)}
        assert (lines["F1"].elsewhere, lines["F2"].elsewhere) == (1, 0)
        assert (lines["F1"].sent, lines["F1"].records) == (1, 3)
        assert source_lines(sheet)[0].no_message == 1


def test_the_last_step_counts() -> None:
    for way, step in (("withdrawn", Step.WITHDRAWN), ("expired", Step.EXPIRED)):
        kinds = [(kind, PAIRS[2]) for kind in (Kind.ACCEPTANCE, *WAYS[way])]
        with sheet_of(one(*kinds), waiting=Waiting(0, {})) as sheet:
            assert [flow.steps for flow in sheet.flows.values()] == [{step: 1}]
            assert not sheet.gaps


def said(*steps: tuple[Kind, Pair, str]) -> list[Fact]:
    """Give facts with a code each."""
    return [
        Fact(number, number, kind, *pair, code, KIND)
        for number, (kind, pair, code) in enumerate(steps, start=1)
    ]


DIED = [
    (Kind.ACCEPTANCE, PAIRS[2], ""),
    (Kind.DELIVERY, PAIRS[2], ""),
    (Kind.DEAD_LETTER, PAIRS[2], "not-accepted"),
]
NOBODY = Pair("", "")


@pytest.mark.parametrize(
    "codes",
    [["requested"], ["requested", "declined"], ["discarded"], ["", "overtaken"], ["", "withdrawn"]],
)
def test_what_is_said_of_a_dead_letter_moves_nothing(codes: list[str]) -> None:
    facts = said(*DIED, *((Kind.REPLAY, PAIRS[2], code) for code in codes))
    with sheet_of(one(facts=facts), waiting=Waiting(0, {})) as sheet:
        step = Step.PENDING if "" in codes else Step.DEAD_LETTERED
        assert [flow.steps for flow in sheet.flows.values()] == [{step: 1}]


@pytest.mark.parametrize(
    ("codes", "fate"),
    [
        (["release-requested"], Fate.HELD),
        (["reject-requested", "declined"], Fate.HELD),
        (["reject-requested", "rejected"], Fate.REFUSED),
    ],
)
def test_what_is_asked_of_a_held_message_decides_nothing(codes: list[str], fate: Fate) -> None:
    steps = [(Kind.HOLD, PAIRS[2], ""), *((Kind.RELEASE, PAIRS[2], code) for code in codes)]
    with sheet_of(one(facts=said(*steps)), waiting=Waiting(0, {})) as sheet:
        assert [source.fates for source in sheet.sources.values()] == [{fate: 1}]
        assert not sheet.gaps


def test_only_a_release_lets_a_receiver_acknowledge_twice() -> None:
    moved = [(kind, PAIRS[2], "") for kind in (Kind.ACCEPTANCE, Kind.DELIVERY)]
    receipt = (Kind.RECEIPT, PAIRS[2], "")
    asked = (Kind.RELEASE, PAIRS[2], "release-requested")
    for between, lacks in (([asked], [Lack.TWICE]), ([asked, (*asked[:2], "")], [])):
        facts = said(*moved, receipt, *between, receipt)
        with sheet_of(one(facts=facts), waiting=Waiting(0, {})) as sheet:
            assert [gap.lack for gap in sheet.gaps] == lacks


def test_a_replay_lets_it_be_delivered_once_more_and_no_request_does() -> None:
    again = (Kind.DELIVERY, PAIRS[2], "")
    replayed = said(*DIED, (Kind.REPLAY, PAIRS[2], "requested"), (Kind.REPLAY, PAIRS[2], ""), again)
    with sheet_of(one(facts=replayed), waiting=Waiting(0, {"gamma": 1})) as sheet:
        assert not sheet.gaps
    doubled = said(*DIED, (Kind.REPLAY, PAIRS[2], "requested"), again)
    with sheet_of(one(facts=doubled), waiting=Waiting(0, {"gamma": 1})) as sheet:
        assert [gap.lack for gap in sheet.gaps] == [Lack.TWICE]


def test_a_message_that_died_as_it_was_sent_waits_until_somebody_decides() -> None:
    source = Source("alpha", KIND)
    death = (Kind.DEAD_LETTER, NOBODY, "delivery-limit")
    with sheet_of(one(facts=said(death)), waiting=Waiting(0, {})) as sheet:
        assert sheet.sources[source].fates == {Fate.WAITING: 1}
        assert not sheet.gaps
    discarded = said(death, (Kind.REPLAY, NOBODY, "discarded"))
    with sheet_of(one(facts=discarded)) as sheet:
        assert sheet.sources[source].refused == {"discarded": 1}
    accepted = said((Kind.ACCEPTANCE, PAIRS[2], ""), death)
    with sheet_of(one(facts=accepted), waiting=Waiting(0, {})) as sheet:
        assert [flow.steps for flow in sheet.flows.values()] == [{Step.DEAD_LETTERED: 1}]
        assert not sheet.gaps
