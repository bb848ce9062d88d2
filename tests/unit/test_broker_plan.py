"""The plan of the topology: who may do what, and what differs."""

import re

import pytest

from hub.broker.topology import (
    Account,
    Change,
    Queue,
    Topology,
    diff,
    exactly,
    plan,
)

pytestmark = pytest.mark.unit


def account(topology: Topology, name: str) -> Account:
    return next(account for account in topology.accounts if account.name == name)


def test_patterns_match_one_name_only() -> None:
    pattern = exactly("in.tax")
    assert re.search(pattern, "in.tax")
    for other in ("in.tax-police", "inxtax", "xin.tax", "in.tax.x", ""):
        assert not re.search(pattern, other)
    assert exactly("in.resident-registry") == r"^in\.resident-registry$"


def test_a_system_writes_to_its_own_exchange_and_reads_its_own_queue_only() -> None:
    topology = plan(["tax", "tax-2", "union"], 3)
    names = [exchange.name for exchange in topology.exchanges]
    names += [queue.name for queue in topology.queues]
    names += ["", "amq.topic", "amq.default"]
    tax = account(topology, "tax")
    assert [name for name in names if re.search(tax.write, name)] == ["in.tax"]
    assert [name for name in names if re.search(tax.read, name)] == ["out.tax"]
    hub = account(topology, "hub")
    assert [name for name in names if re.search(hub.write, name)] == ["hub.out"]
    assert sorted(name for name in names if re.search(hub.read, name)) == [
        "hub.in.0",
        "hub.in.1",
        "hub.in.2",
    ]
    assert {account.configure for account in topology.accounts} == {"^$"}


def test_an_inbound_exchange_leads_to_the_hub_only() -> None:
    topology = plan(["tax", "union"], 2)
    from_tax = {b.destination for b in topology.bindings if b.source == "in.tax"}
    onward = {b.destination for b in topology.bindings if b.source == "hub.partitions"}
    to_union = {(b.source, b.key) for b in topology.bindings if b.destination == "out.union"}
    assert from_tax == {"hub.partitions"}
    assert onward == {"hub.in.0", "hub.in.1"}
    assert to_union == {("hub.out", "union")}


def test_work_queues_have_a_limit_and_never_lose_a_dead_letter() -> None:
    for queue in plan(["tax"], 1).queues:
        arguments = dict(queue.arguments)
        assert arguments["x-queue-type"] == "quorum"
        if queue.name != "hub.dead-letters":
            assert arguments["x-overflow"] == "reject-publish"
            assert arguments["x-dead-letter-strategy"] == "at-least-once"
            assert arguments["x-delivery-limit"] == 100
            assert arguments["x-single-active-consumer"] is True


def test_differences_are_listed_in_the_order_of_making() -> None:
    planned = plan(["tax"], 1)
    assert diff(planned, planned) == ()
    kinds = [type(difference.part).__name__ for difference in diff(planned, Topology())]
    assert kinds == sorted(kinds, key=["Exchange", "Queue", "Binding", "Account"].index)
    other = Queue("out.tax", (("x-queue-type", "classic"),))
    extra = Queue("extra", ())
    queues = {queue for queue in planned.queues if queue.name != "out.tax"} | {other, extra}
    actual = Topology(planned.exchanges, frozenset(queues), planned.bindings, planned.accounts)
    found = [(difference.change, difference.part.name) for difference in diff(planned, actual)]
    assert found == [(Change.DIFFERENT, "out.tax"), (Change.UNPLANNED, "extra")]
