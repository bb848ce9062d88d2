"""What recorded messages would become under another catalogue."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from hub.catalogue.replay import BY_CATALOGUE, Becomes, as_json, other_persons, replay
from hub.ledger.decisions import Decided
from hub.ledger.model import Kind
from hub.message import MessageKey
from hub.statute.catalogue import load_catalogue
from hub.statute.model import Catalogue, Flow, State
from hub.statute.reasons import Code

pytestmark = pytest.mark.unit

CATALOGUE = load_catalogue()
NOON = dt.datetime(2026, 4, 1, 3, tzinfo=dt.UTC)


def decided(number: int = 1, **changes: object) -> Decided:
    parts: dict[str, Any] = {
        "number": number,
        "at": NOON,
        "kind": Kind.ACCEPTANCE,
        "message": MessageKey("tax", f"t-{number}"),
        "message_type": "income.assessed",
        "flow": "I2",
        "receiver": "premium-collection",
    }
    return Decided(**{**parts, **changes})


def both(number: int, **changes: object) -> list[Decided]:
    """Give what the hub records of a message that I2 and M1d carry."""
    return [
        decided(number, **changes),
        decided(number, **{"flow": "M1d", "receiver": "union", **changes}),
    ]


def without(*refs: str) -> Catalogue:
    return replace(CATALOGUE, flows=tuple(f for f in CATALOGUE.flows if f.ref not in refs))


def changed(ref: str, **update: object) -> Catalogue:
    flows = tuple(f.model_copy(update=update) if f.ref == ref else f for f in CATALOGUE.flows)
    return replace(CATALOGUE, flows=flows)


def flow(ref: str) -> Flow:
    found = CATALOGUE.flow(ref)
    assert found is not None
    return found


def found(decisions: Iterable[Decided], other: Catalogue) -> list[tuple[str, ...]]:
    return [
        (kin.becomes, kin.sender, kin.flow, kin.receiver, kin.reason)
        for kin in replay(decisions, other)
    ]


def test_under_the_same_catalogue_nothing_changes() -> None:
    refused = decided(3, kind=Kind.REFUSAL, flow="", receiver="", code=Code.TYPE_NOT_PERMITTED)
    refused = replace(refused, message_type="resident.changed")
    assert found([*both(1), *both(2), refused], CATALOGUE) == []


def test_what_was_accepted_and_has_no_flow_any_more_is_refused() -> None:
    expected = [("refused", "tax", "M1d", "union", "no such flow")]
    assert found(both(1), without("M1d")) == expected


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (changed("M1d", state=State.DENIED), "denied"),
        (changed("M1d", state=State.HELD), "held"),
        (changed("M1d", basis=(flow("I11a").basis[0],)), "not-in-force"),
        (changed("M1d", receivers=flow("I2").receivers), "union is no receiver of it"),
        (changed("M1d", message_type="x.y"), "sender or message type differs"),
    ],
)
def test_why_it_is_refused_is_said(other: Catalogue, reason: str) -> None:
    assert ("refused", "tax", "M1d", "union", reason) in found(both(1), other)


def test_a_new_receiver_of_what_was_accepted_is_permitted() -> None:
    assert found([decided(1)], CATALOGUE) == [("permitted", "tax", "M1d", "union", "")]


def test_a_person_out_of_scope_is_no_change() -> None:
    outside = [replace(one, kind=Kind.OUT_OF_SCOPE) for one in both(1)]
    assert found(outside, CATALOGUE) == []
    assert found(outside, without("M1d")) == []
    assert found(outside[:1], CATALOGUE) == [("permitted", "tax", "M1d", "union", "")]


@pytest.mark.parametrize("code", list(Code))
def test_only_refusals_by_the_catalogue_may_become_permitted(code: Code) -> None:
    refused = decided(kind=Kind.REFUSAL, flow="", receiver="", code=code)
    receivers = {row[3] for row in found([refused], CATALOGUE)}
    assert receivers == ({"premium-collection", "union"} if code in BY_CATALOGUE else set())


def test_a_system_that_the_other_catalogue_does_not_know_may_send_nothing() -> None:
    systems = {name: one for name, one in CATALOGUE.systems.items() if name != "tax"}
    other = replace(CATALOGUE, systems=systems)
    assert {row[0] for row in found(both(1), other)} == {"refused"}


def test_groups_count_messages_and_give_days_and_examples() -> None:
    decisions = [
        one
        for number in range(1, 11)
        for one in both(number, at=NOON + dt.timedelta(days=number // 4))
    ]
    (group,) = replay(decisions, without("M1d")).values()
    assert group.count == 10
    assert (group.first, group.last) == (dt.date(2026, 4, 1), dt.date(2026, 4, 3))
    assert group.examples == ["t-1", "t-2", "t-3"]


def test_the_day_is_that_in_japan() -> None:
    late = dt.datetime(2021, 6, 27, 15, tzinfo=dt.UTC)  # 2021-06-28 in Japan
    (group,) = replay(both(1, at=late), without("M1d")).values()
    assert group.first == dt.date(2021, 6, 28)
    other = changed("M1d", basis=(flow("I2").basis[1],))
    assert found(both(1, at=late), other) == []
    assert len(found(both(1, at=late - dt.timedelta(seconds=1)), other)) == 1


def test_flows_with_another_rule_about_persons_are_named() -> None:
    whose = flow("M6").whose
    assert other_persons(CATALOGUE, CATALOGUE) == []
    assert other_persons(CATALOGUE, changed("M1d", whose=whose)) == ["M1d"]
    assert other_persons(CATALOGUE, without("M1d")) == []


def test_the_object_for_programs_says_all_of_it() -> None:
    (one,) = as_json(replay(both(1), without("M1d")))
    assert one == {
        "becomes": Becomes.REFUSED,
        "sender": "tax",
        "message_type": "income.assessed",
        "flow": "M1d",
        "receiver": "union",
        "reason": "no such flow",
        "count": 1,
        "first_day": "2026-04-01",
        "last_day": "2026-04-01",
        "examples": ["t-1"],
    }
