"""Whatever the catalogue and the message: nothing moves that the catalogue does not permit."""

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.pipeline.plan import plan_batch
from hub.pipeline.verdict import Permitted
from hub.statute.catalogue import Catalogue, Flow, System
from schemas import MESSAGE_TYPES
from schemas.canonical import field_names, my_number_fields
from tests.samples import ASSESSED, CHANGED, PSEUDONYMS, delivery, event, income, judge, resident

pytestmark = pytest.mark.unit

SYSTEMS = ("alpha", "beta", "gamma", "delta")
JST = dt.timezone(dt.timedelta(hours=9))
DAYS = st.dates(min_value=dt.date(2015, 1, 1), max_value=dt.date(2030, 12, 31))
KNOWN = {
    name: System(id=name, name=name, name_ja=name, section="1") for name in (*SYSTEMS, "neighbour")
}


@st.composite
def bases(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Give articles one after the other, with or without gaps, the last one open or not."""
    days = sorted(draw(st.lists(DAYS, unique=True, min_size=2, max_size=6)))
    pairs = list(zip(days[::2], days[1::2], strict=False))
    made: list[dict[str, Any]] = [
        {"law": "試験法", "article": f"{n}条", "valid_from": start, "valid_to": end}
        for n, (start, end) in enumerate(pairs, 1)
    ]
    if draw(st.booleans()):
        del made[-1]["valid_to"]
    return made


@st.composite
def flows(draw: st.DrawFn, ref: str) -> Flow:
    message_type = draw(st.sampled_from([CHANGED, ASSESSED]))
    names = sorted(field_names(MESSAGE_TYPES[message_type]))
    sender = draw(st.sampled_from(SYSTEMS))
    others = [system for system in SYSTEMS if system != sender]
    receivers = draw(st.lists(st.sampled_from(others), unique=True, min_size=1))
    grants = {}
    for receiver in receivers:
        fields = draw(st.lists(st.sampled_from(names), unique=True, min_size=1))
        number = bool(set(fields) & my_number_fields(MESSAGE_TYPES[message_type]))
        grants[receiver] = {"fields": fields, "my_number": number}
    return Flow.model_validate(
        {
            "ref": ref,
            "title": "t",
            "title_ja": "t",
            "state": draw(st.sampled_from(["permitted", "permitted", "held", "denied"])),
            "missing": ["a cell"],
            "sender": sender,
            "message_type": message_type,
            "receivers": grants,
            "purpose": "p",
            "whose": {"rule": "insured-household", "text": "w"},
            "basis": draw(bases()),
            "frequency": "f",
            "transport": "t",
            "section": "s",
        }
    )


@st.composite
def catalogues(draw: st.DrawFn) -> Catalogue:
    count = draw(st.integers(min_value=0, max_value=6))
    return Catalogue(KNOWN, tuple(draw(flows(f"T{n}")) for n in range(count)), "digest")


@st.composite
def evidence(draw: st.DrawFn) -> dict[str, Any]:
    made: dict[str, Any] = {"insurance": draw(st.sampled_from(["none", "none", "past", "current"]))}
    if draw(st.booleans()):
        born = draw(st.dates(min_value=dt.date(1935, 1, 1), max_value=dt.date(1965, 12, 31)))
        precision = draw(st.sampled_from(["day", "month", "year"]))
        made["eldest_birth_date"] = {"raw": "x", "precision": precision, "date": born.isoformat()}
    return made


def may_be_sent(scope: dict[str, Any], day: dt.date) -> bool:
    """Say it once more in other words: insured ever, or surely 75 within ninety days."""
    if scope["insurance"] != "none":
        return True
    born = scope.get("eldest_birth_date")
    if born is None:
        return False
    date = dt.date.fromisoformat(born["date"])
    year = date.year + 75
    last = {
        "day": (year, date.month, date.day),
        "month": (year, date.month, 99),
        "year": (year, 12, 99),
    }[born["precision"]]
    horizon = day + dt.timedelta(days=90)
    next_day = horizon + dt.timedelta(days=1)
    month_ends = next_day.day == 1
    seen = (horizon.year, horizon.month, 99 if month_ends else horizon.day)
    return last <= seen


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(
    catalogue=catalogues(),
    sender=st.sampled_from([*SYSTEMS, "neighbour"]),
    message_type=st.sampled_from([CHANGED, ASSESSED]),
    scope=evidence(),
    day=DAYS,
)
def test_only_what_is_permitted_moves_and_all_of_it(
    catalogue: Catalogue, sender: str, message_type: str, scope: dict[str, Any], day: dt.date
) -> None:
    data = resident(scope=scope) if message_type == CHANGED else income(scope=scope)
    made = event(data, source=f"/systems/{sender}", type=message_type)
    now = dt.datetime.combine(day, dt.time(12), tzinfo=JST)
    verdict = judge(catalogue).judge(delivery(made), now)
    plan = plan_batch([verdict], {}, now=now, pseudonyms=PSEUDONYMS, notified=frozenset(SYSTEMS))

    in_force = {
        flow.ref: flow
        for flow in catalogue.flows
        if flow.state == "permitted"
        and flow.sender == sender
        and flow.message_type == message_type
        and any(b.valid_from <= day <= (b.valid_to or dt.date.max) for b in flow.basis)
    }
    expected = {
        (flow.ref, receiver)
        for flow in in_force.values()
        for receiver in flow.receivers
        if may_be_sent(scope, day)
    }
    moved = set()
    for send in plan.sends:
        if send.confirmed is None:
            continue
        copy = json.loads(send.outgoing.body)
        receiver = send.outgoing.routing_key
        assert set(copy["data"]) <= set(in_force[copy["flow"]].receivers[receiver].fields)
        assert set(copy["data"]) == set(send.confirmed.released)
        assert set(send.confirmed.released) | set(send.confirmed.withheld) >= set(data) - {"scope"}
        assert not set(send.confirmed.released) & set(send.confirmed.withheld)
        assert "scope" not in copy["data"]
        moved.add((copy["flow"], receiver))
    assert moved == expected
    assert isinstance(verdict, Permitted) == bool(in_force)
