"""For how long a copy is tried and kept: then it is a dead letter, or void, and never lost."""

import datetime as dt
from collections.abc import Collection, Mapping

import pytest

from hub.ledger.model import Kind, Known
from hub.message import MessageKey
from hub.pipeline.again import Case
from hub.pipeline.book import Plan
from hub.pipeline.judge import Judge
from hub.pipeline.judging import judged
from hub.pipeline.plan import keys_of, plan_batch
from hub.site import CatalogueSite
from hub.statute.overrides import decided
from hub.statute.reasons import Code
from tests.samples import NOW, PSEUDONYMS, delivery, judge, shipped

pytestmark = pytest.mark.unit

BY = {"decided_by": "t", "decided_on": dt.date(2026, 4, 1)}
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
FLOWS = {"I1", "M1b"}
RECEIVERS = frozenset({"premium-collection", "union"})


def timed(**times: int) -> Judge:
    """Give a judge of the shipped catalogue in which the site timed the flows of the message."""
    site = CatalogueSite(flows={ref: {**times, **BY} for ref in sorted(FLOWS)})
    effective = decided(shipped(), site)
    assert effective.faults == ()
    return judge(effective.catalogue)


class Office:
    """Plans one message again and again; what was accepted is remembered, nothing is delivered."""

    def __init__(self, rules: Judge) -> None:
        self.rules = rules
        self.known: dict[MessageKey, Known] = {}

    def plan(self, age: dt.timedelta, *, tried: Collection[str] = RECEIVERS) -> Plan:
        now = NOW + age
        case = Case(delivery(redelivered=True), tried=frozenset(tried))
        verdict = judged(self.rules, case, NOW)
        known: Mapping[MessageKey, Known] = {
            key: self.known.get(key, Known()) for key in keys_of([verdict])
        }
        plan = plan_batch(
            [verdict], dict(known), now=now, pseudonyms=PSEUDONYMS, notified=frozenset()
        )
        for key, one in known.items():
            if one.accepted_as is not None:
                one.settled.clear()  # no copy was confirmed
                one.delivered.clear()
                self.known[key] = one
        return plan


def accepted(rules: Judge) -> tuple[Office, Plan]:
    office = Office(rules)
    first = office.plan(dt.timedelta(0), tried=())
    assert {one.kind for one in first.before} == {Kind.ACCEPTANCE}
    assert {one.confirmed.flow for one in first.sends if one.confirmed is not None} == FLOWS
    return office, first


@pytest.mark.parametrize("minutes", [1, 1440, 43_200])
def test_a_copy_tried_in_vain_until_the_limit_of_its_flow_is_a_dead_letter(minutes: int) -> None:
    office, first = accepted(timed(retry_minutes=minutes))
    limit = minutes * MINUTE
    before = office.plan(limit - MINUTE / 60)
    assert (before.before, before.buried) == ([], [])
    assert [one.outgoing for one in before.sends] == [one.outgoing for one in first.sends]
    after = office.plan(limit)
    assert after.sends == []
    assert {(one.kind, one.code) for one in after.before} == {(Kind.DEAD_LETTER, Code.NOT_TAKEN)}
    assert {one.flow for one in after.before} == FLOWS
    # The original is kept, as its receiver would have got it.
    copies = {one.outgoing.body for one in first.sends}
    assert {one.body for one in after.buried} == copies


def test_one_that_nobody_tried_yet_goes_however_old_it_is() -> None:
    office, first = accepted(judge())
    late = office.plan(30 * DAY, tried=())
    assert len(late.sends) == len(first.sends)
    assert late.buried == []


def test_of_two_copies_only_the_one_that_was_tried_is_given_up() -> None:
    office, _ = accepted(timed(retry_minutes=5))
    late = office.plan(DAY, tried={"union"})
    assert [one.pair for one in late.buried] == [("M1b", "union")]
    assert [one.outgoing.routing_key for one in late.sends] == ["premium-collection"]


def test_a_copy_has_no_end_unless_its_flow_says_so() -> None:
    _, first = accepted(judge())
    assert {one.outgoing.expires_ms for one in first.sends} == {None}


def test_a_copy_that_is_sent_again_has_the_time_that_is_left() -> None:
    office, first = accepted(timed(expires_hours=6))
    assert {one.outgoing.expires_ms for one in first.sends} == {6 * 3_600_000}
    later = office.plan(2 * HOUR)
    assert {one.outgoing.expires_ms for one in later.sends} == {4 * 3_600_000}
    last = office.plan(6 * HOUR - dt.timedelta(microseconds=1))
    assert {one.outgoing.expires_ms for one in last.sends} == {1}


@pytest.mark.parametrize("tried", [RECEIVERS, frozenset()], ids=["tried", "not tried"])
def test_a_copy_whose_hour_is_over_is_recorded_as_expired_and_not_sent(
    tried: frozenset[str],
) -> None:
    office, _ = accepted(timed(expires_hours=6, retry_minutes=43_200))
    over = office.plan(6 * HOUR, tried=tried)
    assert over.sends == []
    assert {(one.kind, one.code) for one in over.before} == {(Kind.EXPIRY, Code.EXPIRED)}
    assert len(over.buried) == len(FLOWS)


def test_one_flow_may_be_over_and_the_other_go_on() -> None:
    site = CatalogueSite(flows={"I1": {"retry_minutes": 5, **BY}})
    office, _ = accepted(judge(decided(shipped(), site).catalogue))
    plan = office.plan(HOUR)
    assert [one.flow for one in plan.before] == ["I1"]
    assert [one.confirmed.flow for one in plan.sends if one.confirmed is not None] == ["M1b"]
