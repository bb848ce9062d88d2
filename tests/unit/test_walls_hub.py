"""The hub's wall: what it refuses is told whole, to the ledger, the sender and the metrics."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from hub.ledger.model import Kind
from hub.message import RECEIPT_TYPE
from hub.pipeline.verdict import Permitted, Refused
from hub.statute.catalogue import Catalogue, load_catalogue
from hub.statute.reasons import Code, sentence
from monitoring.hub import HubMetrics
from schemas import MESSAGE_TYPES
from tests.samples import (
    ADDRESSEE,
    CHANGED,
    MY_NUMBER,
    NAME,
    NOW,
    REGISTRY,
    delivery,
    event,
    judge,
    resident,
    tax_event,
)
from tests.worker_rig import Rig, shipped_four

pytestmark = pytest.mark.unit

PREMIUM, UNION = "premium-collection", "union"
SHIPPED = load_catalogue()


def purpose(ref: str) -> str:
    flow = SHIPPED.flow(ref)
    assert flow is not None
    return flow.purpose


# -- purpose ---------------------------------------------------------------------------------


def test_a_message_that_states_no_purpose_is_carried_by_each_of_its_flows() -> None:
    verdict = shipped_four().judge(delivery(event()), NOW)
    assert isinstance(verdict, Permitted)
    assert {release.terms.flow for release in verdict.releases} == {"I1", "M1b"}


@pytest.mark.parametrize("ref", ["I1", "M1b"])
def test_a_stated_purpose_keeps_the_message_to_the_flows_of_that_purpose(ref: str) -> None:
    verdict = shipped_four().judge(delivery(event(purpose=purpose(ref))), NOW)
    assert isinstance(verdict, Permitted)
    assert {release.terms.flow for release in verdict.releases} == {ref}


@pytest.mark.parametrize(
    "stated", ["統計", purpose("I2"), purpose("I1") + "。", " " + purpose("I1"), "*", "—"]
)
def test_another_purpose_carries_it_nowhere(stated: str) -> None:
    verdict = shipped_four().judge(delivery(event(purpose=stated)), NOW)
    assert isinstance(verdict, Refused)
    assert (verdict.code, verdict.detail) == (Code.PURPOSE_NOT_PERMITTED, "(I1, M1b)")


@pytest.mark.parametrize("stated", ["", 7, [], "a\nb", "長" * 401])
def test_a_purpose_that_is_none_is_invalid(stated: object) -> None:
    verdict = shipped_four().judge(delivery(event(purpose=stated)), NOW)
    assert isinstance(verdict, Refused)
    assert (verdict.code, verdict.detail) == (Code.INVALID, "purpose")


def test_a_purpose_never_widens_what_the_sender_may_send() -> None:
    verdict = shipped_four().judge(
        delivery(event(purpose=purpose("I2"), type="income.assessed")), NOW
    )
    assert isinstance(verdict, Refused)
    assert verdict.code is Code.TYPE_NOT_PERMITTED


# -- every refusal ---------------------------------------------------------------------------

REFUSED = {
    Code.SENDER_UNPROVEN: delivery(event(id="1"), user_id=""),
    Code.SENDER_UNKNOWN: delivery(event(id="1"), user_id="stranger"),
    Code.SENDER_MISMATCH: delivery(event(id="1"), user_id="tax"),
    Code.COPIES_ASKED: delivery(event(id="1"), copied=True),
    Code.TYPE_MISMATCH: delivery(event(id="1"), routing_key="income.assessed"),
    Code.NEIGHBOUR: delivery(event(id="1", source="/systems/tax-arrears")),
    Code.NO_FLOW: delivery(event(id="1", type="pension.suspended")),
    Code.TYPE_NOT_PERMITTED: delivery(event(id="1", source="/systems/union")),
    Code.HELD: delivery(event(id="1", source=f"/systems/{PREMIUM}", type="deposit.requested")),
    Code.DENIED: delivery(
        event(id="1", source="/systems/number-linkage", type="information.provided")
    ),
    Code.PURPOSE_NOT_PERMITTED: delivery(event(id="1", purpose="統計")),
    Code.FIELD_NOT_PERMITTED: delivery(event(resident(bank_account="1"), id="1")),
    Code.INVALID: delivery(event(resident(name=None), id="1")),
    Code.UNREADABLE: delivery(b"{"),
    Code.TOO_LARGE: delivery(b" " * 300_000),
    Code.RECEIPT_UNKNOWN: delivery(
        event(
            {"receipts": [{"sender": "tax", "id": "9", "flow": "M1d"}]},
            id="1",
            source=f"/systems/{UNION}",
            type=RECEIPT_TYPE,
        )
    ),
}
NOBODY_TO_TELL = {Code.SENDER_UNPROVEN, Code.SENDER_UNKNOWN, Code.NEIGHBOUR}


@pytest.mark.parametrize("code", REFUSED)
def test_every_refusal_is_recorded_counted_and_told(code: Code, tmp_path: Path) -> None:
    rig = Rig(tmp_path, judge=judge(SHIPPED))
    rig.notified = frozenset(SHIPPED.connected())
    registry = CollectorRegistry()
    rig.observed = HubMetrics(registry, SHIPPED.systems, MESSAGE_TYPES, set())
    one = REFUSED[code]
    rig.put(one)
    rig.drain()
    (row,) = rig.rows()
    assert (row["kind"], row["code"], row["resident"]) == (Kind.REFUSAL, code, "")
    assert row["digest"]
    for value in (ADDRESSEE, MY_NUMBER, NAME):
        assert value not in str(row)
    counted = [
        sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "renkei_ledger_entries_total"
        and sample.labels["code"] == code
        and sample.value  # what alerts are told by begins at 0
    ]
    assert counted == [1]
    notices = rig.notices(one.user_id)
    assert len(notices) == (0 if code in NOBODY_TO_TELL else 1)
    for notice in notices:
        said = sentence(code, row["detail"])
        assert notice["data"]["code"] == code
        assert notice["data"]["reason_en"] == said.en
        assert notice["data"]["reason_ja"] == said.ja


@pytest.mark.parametrize(
    ("code", "named"),
    [
        (Code.HELD, "legal basis（法令上の根拠）"),
        (Code.FIELD_NOT_PERMITTED, "data.bank_account"),
        (Code.INVALID, "data.name"),
        (Code.PURPOSE_NOT_PERMITTED, "I1"),
        (Code.DENIED, "X1"),
    ],
)
def test_what_is_missing_is_named_in_the_ledger_too(code: Code, named: str, tmp_path: Path) -> None:
    rig = Rig(tmp_path, judge=judge(SHIPPED))
    rig.put(REFUSED[code])
    rig.drain()
    (row,) = rig.rows()
    assert named in row["detail"]


def test_a_person_out_of_scope_is_counted_and_recorded_without_its_data(tmp_path: Path) -> None:
    rig = Rig(tmp_path, judge=shipped_four())
    rig.send(event(resident(scope={"insurance": "none"})))
    rig.drain()
    rows = rig.rows()
    assert [(row["kind"], row["flow"], row["receiver"]) for row in rows] == [
        ("out-of-scope", "I1", PREMIUM),
        ("out-of-scope", "M1b", UNION),
    ]
    for row in rows:
        assert (row["resident"], row["released"], row["withheld"]) == ("", (), ())
        assert not any(value in str(row) for value in (ADDRESSEE, MY_NUMBER, NAME))
    assert rig.copies(PREMIUM) == rig.copies(UNION) == rig.notices(REGISTRY) == []


def test_a_withdrawal_is_told_to_the_sender_once(tmp_path: Path) -> None:
    rig = Rig(tmp_path, judge=shipped_four())
    rig.send(event(), tax_event(id="t"))
    with rig.process() as process:
        process.ledger.never = Kind.DELIVERY
        with pytest.raises(Exception, match="disk"):
            process.move()
    only = tuple(flow for flow in SHIPPED.flows if flow.ref in {"I1", "M1d"})
    rig.judge = judge(Catalogue(SHIPPED.systems, only, "other"))
    rig.broker.queue("out").clear()
    rig.drain()
    (notice,) = rig.notices(REGISTRY)
    assert (notice["data"]["code"], notice["data"]["id"]) == ("withdrawn", "file-1.7")
    assert notice["data"]["message_type"] == CHANGED
    assert "(M1b)" in notice["data"]["reason_en"]
    again = rig.rows()
    rig.put(delivery(event()))
    rig.drain()
    assert rig.rows() == again
    assert len(rig.notices(REGISTRY)) == 1
