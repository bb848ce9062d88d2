"""Whatever catalogue, site and message: nothing moves that the catalogue does not permit."""

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.pipeline.plan import plan_batch
from hub.pipeline.verdict import Permitted
from hub.site import CatalogueSite
from hub.statute.catalogue import Catalogue, Flow, System
from hub.statute.explain import explain
from hub.statute.overrides import decided
from schemas import MESSAGE_TYPES
from schemas.canonical import field_names, my_number_fields
from tests.messages import sample_data
from tests.samples import ASSESSED, CHANGED, PSEUDONYMS, delivery, event, judge

pytestmark = pytest.mark.unit

SYSTEMS = ("alpha", "beta", "gamma", "delta")
HISTORY, PAID = "eligibility.recorded", "premium.paid-yearly"
TYPES = (CHANGED, ASSESSED, HISTORY, PAID)
RULES = ("insured-household", "eligibility-history", "facility-payer")
JST = dt.timezone(dt.timedelta(hours=9))
DAYS = st.dates(min_value=dt.date(2015, 1, 1), max_value=dt.date(2030, 12, 31))
KNOWN = {
    name: System(
        id=name, name=name, name_ja=name, section="1", neighbour=name not in {*SYSTEMS, "apart"}
    )
    for name in (*SYSTEMS, "apart", "neighbour")
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
def legs(draw: st.DrawFn, message_type: str) -> list[dict[str, Any]]:
    """Give one to three legs, each from a receiver of the one before."""
    names = sorted(field_names(MESSAGE_TYPES[message_type]))
    numbers = my_number_fields(MESSAGE_TYPES[message_type])
    made: list[dict[str, Any]] = []
    sender = draw(st.sampled_from(SYSTEMS))
    for _ in range(draw(st.integers(min_value=1, max_value=3))):
        others = [system for system in SYSTEMS if system != sender]
        grants = {}
        for receiver in draw(st.lists(st.sampled_from(others), unique=True, min_size=1)):
            fields = draw(st.lists(st.sampled_from(names), unique=True, min_size=1))
            later = draw(st.lists(st.sampled_from(fields), unique=True, max_size=2))
            grants[receiver] = {
                "fields": fields,
                "my_number": bool(set(fields) & numbers),
                "since": {name: draw(DAYS) for name in later},
            }
        made.append({"sender": sender, "receivers": grants})
        onward = sorted(grants.keys() - {leg["sender"] for leg in made})
        if not onward:
            break
        sender = draw(st.sampled_from(onward))
    return made


@st.composite
def flows(draw: st.DrawFn, ref: str) -> Flow:
    message_type = draw(st.sampled_from(TYPES))
    state = draw(st.sampled_from(["permitted", "permitted", "held", "denied"]))
    first, *onward = draw(legs(message_type))
    return Flow.model_validate(
        {
            "ref": ref,
            "title": "t",
            "title_ja": "t",
            "state": state,
            "missing": ["basis"] if state == "held" else [],
            "message_type": message_type,
            **first,
            "onward": onward,
            "purpose": "p",
            "whose": {"rule": draw(st.sampled_from(RULES)), "text": "w"},
            "basis": [] if state == "held" else draw(bases()),
            "frequency": "f",
            "transport": "t",
            "section": "s",
        }
    )


@st.composite
def sites(draw: st.DrawFn, catalogue: Catalogue) -> dict[str, Any]:
    """Decide about some flows whatever comes to mind, permitted or not."""
    tables: dict[str, Any] = {"flows": {}, "own": {}}
    for flow in catalogue.flows:
        person = {"decided_by": "x", "decided_on": draw(DAYS)}
        match draw(st.sampled_from(["nothing", "nothing", "close", "basis", "widen", "own"])):
            case "close":
                tables["flows"][flow.ref] = {"close": True, "reason": "r", **person}
            case "basis":
                basis = draw(bases())[-1:]
                tables["flows"][flow.ref] = {"basis": basis, **person}
            case "widen":
                everything = sorted(field_names(MESSAGE_TYPES[str(flow.message_type)]))
                grants = {name: {"fields": everything, "my_number": True} for name in SYSTEMS}
                tables["flows"][flow.ref] = {"receivers": grants, "state": "permitted", **person}
            case "own":
                own = flow.model_dump(exclude={"ref", "closed", "completed", "own", "state"})
                tables["own"][f"K{flow.ref[1:]}"] = {**own, "basis": draw(bases())[-1:], **person}
    return tables


@st.composite
def catalogues(draw: st.DrawFn) -> Catalogue:
    count = draw(st.integers(min_value=0, max_value=4))
    return Catalogue(KNOWN, tuple(draw(flows(f"T{n}")) for n in range(count)), "digest")


@st.composite
def questions(
    draw: st.DrawFn, catalogue: Catalogue, site: dict[str, Any]
) -> tuple[str, str, dt.date]:
    """Ask about anything, but mostly about a flow that is there, near a day that counts."""
    if not catalogue.flows or draw(st.integers(min_value=0, max_value=9)) == 0:
        anybody = st.sampled_from([*SYSTEMS, "apart", "neighbour"])
        return draw(anybody), draw(st.sampled_from(TYPES)), draw(DAYS)
    flow = draw(st.sampled_from(catalogue.flows))
    said = site["flows"].get(flow.ref, {})
    articles = [basis.model_dump() for basis in flow.basis] + said.get("basis", [])
    days = [article.get(key) for article in articles for key in ("valid_from", "valid_to")]
    near = [day for day in [*days, said.get("decided_on")] if day] or [draw(DAYS)]
    day = draw(st.sampled_from(near)) + dt.timedelta(draw(st.integers(-1, 1)))
    if draw(st.booleans()):
        day = draw(DAYS)
    return draw(st.sampled_from(flow.legs)).sender, str(flow.message_type), day


@st.composite
def evidence(draw: st.DrawFn) -> dict[str, Any]:
    insurance = st.sampled_from(["none", "none", "past", "current"])
    made: dict[str, Any] = {"insurance": draw(insurance)}
    if draw(st.booleans()):
        born = draw(st.dates(min_value=dt.date(1935, 1, 1), max_value=dt.date(1965, 12, 31)))
        precision = draw(st.sampled_from(["day", "month", "year"]))
        made["eldest_birth_date"] = {"raw": "x", "precision": precision, "date": born.isoformat()}
    made["own_insurance"] = draw(insurance)
    made["facility_resident"] = draw(st.booleans())
    return made


PARTS = {
    CHANGED: ("insurance", "eldest_birth_date"),
    ASSESSED: ("insurance", "eldest_birth_date"),
    HISTORY: ("insurance", "eldest_birth_date", "own_insurance"),
    PAID: ("insurance", "eldest_birth_date", "facility_resident"),
}


def may_be_sent(rule: str, message_type: str, data: dict[str, Any], day: dt.date) -> bool:
    """Say the rules once more in other words."""
    scope = data["scope"]
    if rule == "eligibility-history":
        return message_type == HISTORY and scope["own_insurance"] != "none"
    if rule == "facility-payer":
        paid = message_type == PAID and data["paid_year"] == day.year - 1 and data["paid_amount"]
        return bool(paid and scope["facility_resident"])
    return in_insured_household(scope, day)


def in_insured_household(scope: dict[str, Any], day: dt.date) -> bool:
    """Insured ever, or surely 75 within ninety days."""
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


def ways(flow: Flow) -> set[tuple[str, str, str]]:
    return {
        (str(flow.message_type), leg.sender, receiver)
        for leg in flow.legs
        for receiver in leg.receivers
    }


def permitting(
    flow: Flow, catalogue: Catalogue, site: dict[str, Any], day: dt.date
) -> list[dict[str, Any]]:
    """Give the articles that permit a flow of the document on a day, from its site's words.

    A held flow is not completed where another one moves the same message the same way.
    """
    said = site["flows"].get(flow.ref, {})
    if "close" in said and said["decided_on"] <= day:
        return []
    articles = [basis.model_dump() for basis in flow.basis]
    doubled = any(ways(flow) & ways(other) for other in catalogue.flows if other.ref != flow.ref)
    if flow.state == "held" and "basis" in said and said["decided_on"] <= day and not doubled:
        articles = said["basis"]
    elif flow.state != "permitted":
        return []
    return [a for a in articles if a["valid_from"] <= day <= (a.get("valid_to") or dt.date.max)]


@pytest.mark.slow
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(
    catalogue=catalogues(),
    scope=evidence(),
    more=st.data(),
)
def test_only_what_is_permitted_moves_and_all_of_it(
    catalogue: Catalogue, scope: dict[str, Any], more: st.DataObject
) -> None:
    site = more.draw(sites(catalogue))
    sender, message_type, day = more.draw(questions(catalogue, site))
    effective = decided(catalogue, CatalogueSite.model_validate(site)).catalogue
    scope = {name: scope[name] for name in PARTS[message_type] if name in scope}
    data = sample_data(message_type, scope=scope)
    if message_type == PAID:
        years = st.sampled_from([day.year - 2, day.year - 1, day.year])
        data |= {"paid_year": more.draw(years), "paid_amount": more.draw(st.sampled_from([0, 1]))}
    made = event(data, source=f"/systems/{sender}", type=message_type)
    now = dt.datetime.combine(day, dt.time(12), tzinfo=JST)
    verdict = judge(effective).judge(delivery(made), now)
    plan = plan_batch([verdict], {}, now=now, pseudonyms=PSEUDONYMS, notified=frozenset(SYSTEMS))

    # A flow of the city's own could only repeat one of the document here: none is taken.
    assert {flow.ref for flow in effective.flows} == {flow.ref for flow in catalogue.flows}
    in_force = {
        flow.ref: flow
        for flow in catalogue.flows
        if flow.message_type == message_type
        and sender in {leg.sender for leg in flow.legs}
        and permitting(flow, catalogue, site, day)
    }
    allowed = {
        (flow.ref, receiver): {
            name for name in grant.fields if grant.since.get(name, dt.date.min) <= day
        }
        for flow in in_force.values()
        for leg in flow.legs
        for receiver, grant in leg.receivers.items()
        if leg.sender == sender and may_be_sent(flow.whose.rule, message_type, data, day)
    }
    moved = set()
    for send in plan.sends:
        if send.confirmed is None:
            continue
        copy = json.loads(send.outgoing.body)
        pair = (copy["flow"], send.outgoing.routing_key)
        assert allowed[pair] & set(data) <= set(copy["data"]) <= allowed[pair]
        assert set(copy["data"]) == set(send.confirmed.released)
        assert set(send.confirmed.released) | set(send.confirmed.withheld) >= set(data) - {"scope"}
        assert not set(send.confirmed.released) & set(send.confirmed.withheld)
        assert "scope" not in copy["data"]
        basis = permitting(in_force[copy["flow"]], catalogue, site, day)
        articles = [str(article["article"]) for article in basis]
        assert any(send.confirmed.basis.endswith(article) for article in articles)
        moved.add(pair)
    assert moved == allowed.keys()
    assert isinstance(verdict, Permitted) == bool(in_force)

    answers = explain(effective, day, sender=sender, message_type=message_type)
    assert {answer.ref for answer in answers if answer.permitted} == in_force.keys()
