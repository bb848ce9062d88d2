"""The adapter's wall: nothing comes in or goes out that no flow of its catalogue carries."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.clock import JST
from hub.edge.wall import Wall, WallCode
from hub.message import Copy
from hub.statute.catalogue import Catalogue, load_catalogue
from hub.statute.model import Decision, Flow, State
from tests.edge_rig import (
    ALPHA,
    BETA,
    CATALOGUE,
    CREATED,
    Rig,
    Standing,
    copy_of,
    use_test_layouts,
)

pytestmark = pytest.mark.unit

SHIPPED = load_catalogue()
BEFORE = dt.datetime(1999, 12, 31, 23, tzinfo=JST)


def copy(**changes: Any) -> Copy:  # noqa: ANN401
    return Copy.model_validate(json.loads(copy_of(1, "n")) | changes)


def replaced(**changes: Any) -> Catalogue:  # noqa: ANN401
    """Give the catalogue with its first flow changed."""
    first, *rest = CATALOGUE.flows
    changed = first.model_copy(update=changes)
    return Catalogue(CATALOGUE.systems, (changed, *rest), "other")


def code(one: Copy, system: str = "beta", catalogue: Catalogue = CATALOGUE) -> WallCode | None:
    fault = Wall(system, catalogue).fault(one)
    return fault.code if fault is not None else None


def test_what_a_flow_carries_passes() -> None:
    assert code(copy()) is None
    assert code(copy(data={})) is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"flow": "F9"}, WallCode.FLOW_UNKNOWN),
        ({"flow": "f1"}, WallCode.FLOW_UNKNOWN),
        ({"source": "/systems/gamma"}, WallCode.FLOW_OF_ANOTHER),
        ({"source": "/systems/beta"}, WallCode.FLOW_OF_ANOTHER),
        ({"source": "alpha"}, WallCode.FLOW_OF_ANOTHER),
        ({"type": "test.unknown"}, WallCode.TYPE_OF_ANOTHER),
        ({"flow": "F2"}, WallCode.TYPE_OF_ANOTHER),
        ({"acceptedtime": BEFORE}, WallCode.FLOW_NOT_IN_FORCE),
        ({"acceptedtime": "9999-12-31T23:59:59Z"}, WallCode.FLOW_NOT_IN_FORCE),
        ({"data": {"note": "n", "my_number": "1"}}, WallCode.FIELD_OUTSIDE),
        ({"data": {"scope": {}}}, WallCode.FIELD_OUTSIDE),
    ],
)
def test_anything_else_does_not(changes: dict[str, Any], expected: WallCode) -> None:
    assert code(copy(**changes)) is expected


def test_a_copy_for_another_system_does_not_pass() -> None:
    assert code(copy(), "gamma") is WallCode.FLOW_OF_ANOTHER


def test_the_day_of_acceptance_counts_in_japan_and_not_that_of_delivery() -> None:
    ended = {"closed": Decision(by="a", on=dt.date(2026, 4, 2), reason="b")}
    last = dt.datetime(2026, 4, 1, 14, 59, 59, tzinfo=dt.UTC)
    assert code(copy(acceptedtime=last), catalogue=replaced(**ended)) is None
    after = last + dt.timedelta(seconds=1)
    found = code(copy(acceptedtime=after), catalogue=replaced(**ended))
    assert found is WallCode.FLOW_NOT_IN_FORCE


@pytest.mark.parametrize("state", [State.HELD, State.DENIED])
def test_a_held_or_denied_flow_lets_nothing_pass(state: State) -> None:
    assert code(copy(), catalogue=replaced(state=state)) is WallCode.FLOW_NOT_IN_FORCE


def test_a_field_counts_from_its_first_day() -> None:
    grant = CATALOGUE.flows[0].receivers["beta"]
    later = grant.model_copy(update={"since": {"note": CREATED.date() + dt.timedelta(days=1)}})
    catalogue = replaced(receivers={"beta": later})
    assert code(copy(), catalogue=catalogue) is WallCode.FIELD_OUTSIDE
    tomorrow = copy(acceptedtime=CREATED + dt.timedelta(days=1))
    assert code(tomorrow, catalogue=catalogue) is None


def test_a_later_leg_has_its_own_sender() -> None:
    data = {"addressee_number": "1"}
    at = dt.datetime(2026, 4, 1, tzinfo=JST)
    made = copy(flow="I11a", type="inquiry.requested", data=data, acceptedtime=at)
    legs = {("premium-collection", "number-linkage"), ("number-linkage", "intermediate-server")}
    for sender in SHIPPED.systems:
        for system in SHIPPED.systems:
            one = made.model_copy(update={"source": f"/systems/{sender}"})
            assert (code(one, system, SHIPPED) is None) == ((sender, system) in legs)


@pytest.mark.slow
@given(
    st.sampled_from(SHIPPED.flows),
    st.sampled_from(sorted(SHIPPED.systems)),
    st.sampled_from(sorted(SHIPPED.systems)),
    st.dates(dt.date(2014, 1, 1), dt.date(2030, 1, 1)),
    st.data(),
)
def test_what_passes_is_a_field_of_a_leg_in_force(
    flow: Flow, sender: str, system: str, day: dt.date, data: st.DataObject
) -> None:
    types = [flow.message_type or "none.such", "resident.changed"]
    names = [name for leg in flow.legs for one in leg.receivers.values() for name in one.fields]
    fields = data.draw(st.lists(st.sampled_from([*names, "my_number", "scope"]), unique=True))
    made = copy(
        flow=flow.ref,
        source=f"/systems/{sender}",
        type=data.draw(st.sampled_from(types)),
        data=dict.fromkeys(fields, "x"),
        acceptedtime=dt.datetime.combine(day, dt.time(12), JST),
    )
    grants = [leg.receivers.get(system) for leg in flow.legs if leg.sender == sender]
    allowed = [set(grant.fields_on(day)) for grant in grants if grant is not None]
    may = (
        flow.standing(day) == "permitted"
        and made.type == flow.message_type
        and any(set(fields) <= names for names in allowed)
    )
    assert (code(made, system, SHIPPED) is None) == may


# -- in the adapter --------------------------------------------------------------------------


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    use_test_layouts(monkeypatch)
    return Rig(tmp_path)


def wire(number: int, **changes: object) -> bytes:
    return json.dumps(json.loads(copy_of(number, "n")) | changes).encode()


def test_what_the_wall_stops_is_set_aside_and_reported(rig: Rig) -> None:
    rig.broker.put("out.beta", copy_of(1, "n"))
    rig.broker.put("out.beta", wire(2, flow="F9"))
    rig.broker.put("out.beta", wire(3, data={"addressee_number": "1", "secret": "s"}))
    rig.broker.put("out.beta", wire(4, acceptedtime="1999-01-01T00:00:00Z"))
    rig.broker.put("out.beta", wire(2, flow="F9"))
    rig.run(BETA)
    assert set(rig.receipts()) == {
        ("m-1", "delivered"),
        ("m-2", "flow-unknown"),
        ("m-3", "field-outside"),
        ("m-4", "flow-not-in-force"),
    }
    assert rig.written() == [("1", "n")]
    codes = {code for (code,) in rig.recorder.all("message_set_aside")}
    assert codes == {"flow-unknown", "field-outside", "flow-not-in-force"}
    for path in rig.at("beta", "set-aside").iterdir():
        document = json.loads(path.read_text(encoding="utf-8"))
        assert document["code"] in codes
        assert "secret" not in document["reason"]
        assert document["published_by"] == "hub"
    assert not rig.broker.queue("out.beta")


def test_a_system_that_no_flow_leads_to_gives_no_receipt(rig: Rig) -> None:
    nothing = Standing("beta", Catalogue(CATALOGUE.systems, (), "none"))
    rig.broker.put("out.beta", copy_of(1, "n"))
    rig.run(BETA, walls=nothing)
    assert rig.receipts() == []
    assert rig.recorder.all("message_set_aside") == [("flow-unknown",)]
    assert len(rig.names("beta", "set-aside")) == 1
    assert not rig.broker.queue("out.beta")


def test_what_a_new_catalogue_may_permit_waits_for_it(rig: Rig) -> None:
    walls = Standing("beta", Catalogue(CATALOGUE.systems, (), "none"), unsure=True)
    rig.broker.put("out.beta", copy_of(1, "n"))
    rig.run(BETA, walls=walls)
    assert rig.names("beta", "set-aside") == []
    assert len(rig.broker.queue("out.beta")) == 1
    walls.catalogue = CATALOGUE
    rig.run(BETA, walls=walls)
    assert rig.written() == [("1", "n")]
    assert rig.receipts() == [("m-1", "delivered")]


def test_what_was_delivered_before_its_flow_ended_is_receipted_again(rig: Rig) -> None:
    rig.broker.put("out.beta", copy_of(1, "n"))
    rig.run(BETA)
    rig.broker.put("out.beta", copy_of(1, "n"))
    rig.run(BETA, walls=Standing("beta", replaced(state=State.DENIED)))
    assert rig.receipts() == [("m-1", "delivered"), ("m-1", "delivered")]
    assert rig.written() == [("1", "n")]


def test_a_file_that_no_flow_lets_out_is_set_aside_whole(rig: Rig) -> None:
    closed = Standing("alpha", replaced(state=State.DENIED))
    rig.give("notes_1.csv", [("1", "11", "a")])
    rig.run(ALPHA, walls=closed)
    assert rig.sent() == []
    assert rig.names("alpha", "set-aside") == ["notes_1.csv", "notes_1.csv.reason.json"]
    reason = json.loads((rig.at("alpha", "set-aside") / "notes_1.csv.reason.json").read_text())
    assert reason["code"] == "not-permitted"
    assert rig.recorder.all("file_set_aside") == [("not-permitted",)]
    # Put back once the flow is open again, it goes.
    (rig.at("alpha", "set-aside") / "notes_1.csv").rename(rig.at("alpha", "to-hub") / "notes_1.csv")
    rig.run(ALPHA)
    assert rig.sent() == [("11", "a")]


def test_a_file_waits_while_the_catalogue_changes(rig: Rig) -> None:
    walls = Standing("alpha", replaced(state=State.DENIED), unsure=True)
    rig.give("notes_1.csv", [("1", "11", "a")])
    rig.run(ALPHA, walls=walls)
    assert rig.names("alpha", "to-hub") == ["notes_1.csv"]
    walls.catalogue = CATALOGUE
    rig.run(ALPHA, walls=walls)
    assert rig.sent() == [("11", "a")]


def test_a_file_for_a_flow_of_a_later_day_goes_to_the_hub_which_says_so(rig: Rig) -> None:
    basis = CATALOGUE.flows[0].basis[0].model_copy(update={"valid_from": dt.date(2030, 1, 1)})
    rig.give("notes_1.csv", [("1", "11", "a")])
    rig.run(ALPHA, walls=Standing("alpha", replaced(basis=(basis,))))
    assert rig.sent() == [("11", "a")]
