"""Whatever bytes arrive, the judge answers and the plan can be made."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.message import RECEIPT_TYPE
from hub.pipeline.plan import plan_batch
from hub.pipeline.verdict import Refused, Verdict
from hub.ports import Delivery
from tests.samples import (
    CHANGED,
    NOW,
    PSEUDONYMS,
    REGISTRY,
    delivery,
    event,
    judge,
    receipts_event,
    resident,
    wire,
)

pytestmark = [pytest.mark.unit, pytest.mark.slow]

JUDGE = judge()
ALL = frozenset(JUDGE.catalogue.systems)


def answer(sent: Delivery) -> Verdict:
    verdict = JUDGE.judge(sent, NOW)
    plan_batch([verdict], {}, now=NOW, pseudonyms=PSEUDONYMS, notified=ALL)
    return verdict


@given(body=st.binary(max_size=2000), key=st.text(max_size=20), user=st.sampled_from(sorted(ALL)))
def test_any_bytes_get_an_answer(body: bytes, key: str, user: str) -> None:
    assert isinstance(answer(delivery(body, routing_key=key, user_id=user)), Refused)


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
PLACES = [("event", name) for name in (*event(), "dataschema", "traceparent", "operation")] + [
    ("data", name) for name in (*resident(), "eligibility", "event_date", "extra", "scope")
]
DATES = st.fixed_dictionaries(
    {
        "raw": st.text(max_size=5),
        "precision": st.sampled_from(["day", "month", "year", "unknown"]),
    },
    optional={"date": st.dates().map(str)},
)


@settings(max_examples=400)
@given(
    changes=st.lists(
        st.tuples(st.sampled_from(PLACES), JSON_VALUES | DATES), min_size=1, max_size=3
    ),
    born=DATES,
)
def test_any_change_of_a_valid_event_gets_an_answer(
    changes: list[tuple[tuple[str, str], Any]], born: dict[str, str]
) -> None:
    made = event(resident(scope={"eldest_birth_date": born}, birth_date=born))
    for (where, name), value in changes:
        if where == "data" and isinstance(made.get("data"), dict):
            made["data"][name] = value
        elif where == "event":
            made[name] = value
    body = json.dumps(made, ensure_ascii=False).encode()
    verdict = answer(delivery(body, user_id=REGISTRY, routing_key=CHANGED))
    if isinstance(verdict, Refused):
        assert len(verdict.detail) < 500
        assert not any(character.isdigit() for character in verdict.detail.split(" (+")[0])


@settings(max_examples=200)
@given(data=st.data())
def test_any_damage_to_the_bytes_gets_an_answer(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from([CHANGED, RECEIPT_TYPE]))
    made = (
        event()
        if kind == CHANGED
        else receipts_event(REGISTRY, [{"sender": "tax", "id": "x", "flow": "I1"}])
    )
    body = bytearray(wire(made))
    for _ in range(data.draw(st.integers(min_value=1, max_value=5))):
        at = data.draw(st.integers(min_value=0, max_value=len(body) - 1))
        body[at : at + data.draw(st.integers(min_value=0, max_value=3))] = data.draw(
            st.binary(max_size=3)
        )
    answer(delivery(bytes(body), user_id=REGISTRY, routing_key=kind))
