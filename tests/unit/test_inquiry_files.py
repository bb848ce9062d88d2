"""Inquiries and deposit inquiries on their way through an adapter's loop, both ways."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from adapters import deposit_inquiry, juki_net, number_linkage, simulator
from adapters.number_linkage import simulator as linkage_simulator
from hub.edge.journal import Journal
from hub.edge.kit import Adapter
from hub.statute.catalogue import load_catalogue
from hub.statute.model import Basis, Catalogue, Flow, State
from tests import messages
from tests.edge_rig import Rig, Standing
from tests.fakes import FakeBroker

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def _no_code_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linkage_simulator, "CODE_SECONDS", 0.0)


LINKAGE, JUKI, DEPOSIT = (one.ADAPTER for one in (number_linkage, juki_net, deposit_inquiry))
SETTLE = 5.0
DAY = 86_400.0


def completed(flow: Flow) -> Flow:
    """Give a held flow the basis that its entry lacks, as a site file does."""
    if flow.ref not in {"I12a", "I12b"}:
        return flow
    basis = (Basis(law="law", article="1", valid_from=dt.date(2000, 1, 1)),)
    return flow.model_copy(update={"state": State.PERMITTED, "missing": (), "basis": basis})


LOADED = load_catalogue()
CATALOGUE = Catalogue(LOADED.systems, tuple(map(completed, LOADED.flows)), "with I12")


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    systems = (LINKAGE.system, JUKI.system, DEPOSIT.system)
    return Rig(tmp_path, FakeBroker(routes={f"in.{system}": "hub" for system in systems}))


def run(rig: Rig, adapter: Adapter, seconds: float = 3.0, **changes: Any) -> None:  # noqa: ANN401
    rig.run(adapter, seconds=seconds, walls=Standing(adapter.system, CATALOGUE), **changes)


def deliver(rig: Rig, adapter: Adapter, leg: tuple[str, str], kind: str, **changes: object) -> None:
    """Put a copy into a system's queue; ``leg`` is the flow and the sender."""
    flow, sender = leg
    grant = next(
        one.receivers[adapter.system]
        for found, one in CATALOGUE.legs()
        if found.ref == flow and one.sender == sender and adapter.system in one.receivers
    )
    data = messages.sample(kind).model_dump(mode="json", exclude_none=True, exclude={"scope"})
    whole = {key: value for key, value in (data | changes).items() if key in grant.fields}
    copy = {
        "specversion": "1.0",
        "id": f"m-{flow}",
        "source": f"/systems/{sender}",
        "type": kind,
        "time": "2026-04-01T09:00:00+09:00",
        "datacontenttype": "application/json",
        "flow": flow,
        "acceptedtime": "2026-04-01T09:00:00+09:00",
        "data": whole,
    }
    rig.broker.put(f"out.{adapter.system}", json.dumps(copy).encode())


def react(rig: Rig, adapter: Adapter) -> list[Path]:
    return [one.path for one in simulator(adapter.system).react(rig.at(adapter.system, "."))]


def sent(rig: Rig, kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [json.loads(one.body) for one in rig.broker.queue("hub")]
    return [event for event in found if event["type"] == kind]


def rejects(rig: Rig, adapter: Adapter) -> str:
    folder = rig.at(adapter.system, "rejects")
    return "".join(path.read_text() for path in sorted(folder.iterdir()))


def test_an_inquiry_and_its_result_pass_through_number_linkage(rig: Rig) -> None:
    deliver(rig, LINKAGE, ("I11a", "premium-collection"), "inquiry.requested")
    run(rig, LINKAGE)
    (path,) = react(rig, LINKAGE)
    run(rig, LINKAGE, seconds=SETTLE / 2)
    assert sent(rig, "inquiry.requested") == [], "it may still be written"
    run(rig, LINKAGE, seconds=2 * SETTLE)
    (passed,) = sent(rig, "inquiry.requested")
    assert passed["follows"] == "premium-collection/m-I11a"
    assert passed["time"].startswith(path.name[9:13])
    asked = passed["data"]
    same = {key: asked[key] for key in ("requested_at", "information_code", "unified_number")}
    deliver(
        rig, LINKAGE, ("I11b", "intermediate-server"), "inquiry.answered", request_id=None, **same
    )
    run(rig, LINKAGE)
    react(rig, LINKAGE)
    run(rig, LINKAGE, seconds=2 * SETTLE)
    (returned,) = sent(rig, "inquiry.answered")
    assert returned["follows"] == "intermediate-server/m-I11b"
    assert returned["data"]["request_id"] == messages.sample_data("inquiry.requested")["request_id"]
    assert rejects(rig, LINKAGE) == ""


def test_a_record_that_is_cut_off_is_set_aside(rig: Rig) -> None:
    deliver(rig, LINKAGE, ("I11a", "premium-collection"), "inquiry.requested")
    run(rig, LINKAGE)
    (path,) = react(rig, LINKAGE)
    path.write_bytes(path.read_bytes()[:-1])
    run(rig, LINKAGE, seconds=3 * SETTLE)
    assert rig.recorder.all("file_set_aside") == [("truncated",)]
    assert sent(rig, "inquiry.requested") == []


def test_a_processing_number_reaches_the_gateway(rig: Rig) -> None:
    deliver(rig, JUKI, ("I10b", "number-linkage"), "processing-number.issued")
    run(rig, JUKI)
    (record,) = simulator(JUKI.system).read_back(rig.at(JUKI.system, "."))
    issued = messages.sample_data("processing-number.issued")
    assert record.values["processing_number"] == issued["processing_number"]
    assert record.addressee_number == ""


def test_a_deposit_inquiry_is_answered_by_a_workbook_once(rig: Rig) -> None:
    deliver(
        rig, DEPOSIT, ("I12a", "premium-collection"), "deposit.requested", request_id="D00000001"
    )
    run(rig, DEPOSIT)
    (path,) = react(rig, DEPOSIT)
    content = path.read_bytes()
    run(rig, DEPOSIT)
    (found,) = sent(rig, "deposit.found")
    assert found["follows"] == "premium-collection/m-I12a"
    assert (found["data"]["outcome"], len(found["data"]["accounts"])) == ("found", 3)
    assert "doubt" not in found
    path.with_name("KAITOU_again.xlsx").write_bytes(content)
    run(rig, DEPOSIT)
    assert rig.recorder.all("file_repeated") == [()]
    assert len(sent(rig, "deposit.found")) == 1


def test_killed_before_its_file_is_done_an_answer_of_several_records_stays_whole(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(
        rig, DEPOSIT, ("I12a", "premium-collection"), "deposit.requested", request_id="D00000001"
    )
    run(rig, DEPOSIT)
    react(rig, DEPOSIT)
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "finish", _killed)
        with pytest.raises(_KilledError):
            run(rig, DEPOSIT)
    assert len(sent(rig, "deposit.found")) == 1
    run(rig, DEPOSIT)
    assert len(sent(rig, "deposit.found")) == 1
    assert rejects(rig, DEPOSIT) == ""


class _KilledError(BaseException):
    """The process ends here."""


def _killed(*_: object) -> None:
    raise _KilledError


def test_an_ambiguous_answer_asks_for_a_person(rig: Rig) -> None:
    deliver(rig, DEPOSIT, ("I12a", "premium-collection"), "deposit.requested", request_id="D5")
    run(rig, DEPOSIT)
    react(rig, DEPOSIT)
    run(rig, DEPOSIT)
    (found,) = sent(rig, "deposit.found")
    assert found["doubt"] == "ambiguous-match"


def test_a_deposit_inquiry_without_an_answer_says_so_and_a_late_one_is_refused(rig: Rig) -> None:
    deliver(rig, DEPOSIT, ("I12a", "premium-collection"), "deposit.requested", request_id="D9")
    run(rig, DEPOSIT)
    (path,) = react(rig, DEPOSIT)
    late = path.rename(path.with_suffix(".tmp"))
    rig.broker.clock.advance(15 * DAY)
    run(rig, DEPOSIT)
    (told,) = sent(rig, "deposit.found")
    assert told["data"]["outcome"] == "no-reply"
    late.rename(path)
    run(rig, DEPOSIT)
    assert len(sent(rig, "deposit.found")) == 1
    assert "answered before" in rejects(rig, DEPOSIT)


def test_a_held_flow_lets_no_workbook_through(rig: Rig) -> None:
    deliver(rig, DEPOSIT, ("I12a", "premium-collection"), "deposit.requested", request_id="D9")
    run(rig, DEPOSIT)
    react(rig, DEPOSIT)
    rig.run(DEPOSIT, seconds=3.0, walls=Standing(DEPOSIT.system, LOADED))
    assert rig.recorder.all("file_set_aside") == [("not-permitted",)]
