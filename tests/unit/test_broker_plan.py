"""The plan of the topology: who may do what, and what differs."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.broker.plan import exactly, one_of, plan
from hub.broker.topology import (
    NEVER,
    Account,
    Binding,
    Change,
    Difference,
    Exchange,
    Parameter,
    Policy,
    Queue,
    TopicRule,
    Topology,
    diff,
)
from hub.message import RECEIPT_TYPE

pytestmark = pytest.mark.unit

SENDS = {"tax": ["income.assessed"], "tax-2": [], "union": ["benefit.decided", RECEIPT_TYPE]}
SYSTEMS = [*SENDS, "bank"]


def planned(partitions: int = 3) -> Topology:
    return plan(SYSTEMS, SENDS, partitions)


def account(topology: Topology, name: str) -> Account:
    return next(account for account in topology.accounts if account.name == name)


def policy(topology: Topology, label: str) -> Policy:
    return next(one for one in topology.policies if one.label == label)


def writable(topology: Topology, user: str, exchange: str, key: str) -> bool:
    """Say whether the broker would take it: permission on the exchange, then on the topic.

    Where there is no rule for a user and an exchange, RabbitMQ lets every topic pass.
    """
    if not re.search(account(topology, user).write, exchange):
        return False
    rules = [one for one in topology.topics if (one.user, one.exchange) == (user, exchange)]
    return all(re.search(rule.write, key) for rule in rules)


def test_patterns_match_one_name_only() -> None:
    pattern = exactly("in.tax")
    assert re.search(pattern, "in.tax")
    for other in ("in.tax-police", "inxtax", "xin.tax", "in.tax.x", ""):
        assert not re.search(pattern, other)
    assert exactly("in.resident-registry") == r"^in\.resident-registry$"


@pytest.mark.slow
@given(st.sets(st.from_regex(r"[a-z][a-z0-9-]*(\.[a-z0-9-]+)+", fullmatch=True)), st.text())
def test_a_pattern_of_types_matches_these_and_no_other_text(types: set[str], text: str) -> None:
    pattern = one_of(types)
    assert all(re.search(pattern, one) for one in types)
    for one in (text, *(one + text for one in types), *(text + one for one in types)):
        assert bool(re.search(pattern, one)) == (one in types)


@pytest.mark.parametrize(
    "lookalike",
    [
        "xresident.changed",
        "resident.changed.x",
        "resident.changedx",
        "residentxchanged",
        "resident.changed\n",
        "\nresident.changed",
        "RESIDENT.CHANGED",
        "resident.changed ",
        "resident.#",
        "#",
        "",
        "\n",
    ],
)
def test_lookalikes_do_not_pass(lookalike: str) -> None:
    assert not re.search(one_of(["resident.changed", RECEIPT_TYPE]), lookalike)
    assert not re.search(one_of([]), lookalike)


def test_a_system_writes_to_its_own_exchange_and_reads_its_own_queue_only() -> None:
    topology = planned()
    names = [exchange.name for exchange in topology.exchanges]
    names += [queue.name for queue in topology.queues]
    names += ["", "amq.topic", "amq.default"]
    tax = account(topology, "tax")
    assert [name for name in names if re.search(tax.write, name)] == ["in.tax"]
    assert [name for name in names if re.search(tax.read, name)] == ["out.tax"]
    hub = account(topology, "hub")
    assert sorted(name for name in names if re.search(hub.write, name)) == [
        "hub.buckets",
        "hub.out",
    ]
    assert sorted(name for name in names if re.search(hub.read, name)) == [
        "hub.dead-letters",
        "hub.in.0",
        "hub.in.1",
        "hub.in.2",
        "hub.probe",
    ]
    assert {account.configure for account in topology.accounts} == {"^$"}
    assert {account.tags for account in topology.accounts} == {()}


def test_a_system_publishes_its_own_types_only() -> None:
    topology = planned()
    keys = [*(key for keys in SENDS.values() for key in keys), "resident.changed", ""]
    for user, own in SENDS.items():
        passing = {key for key in keys if writable(topology, user, f"in.{user}", key)}
        assert passing == set(own)


def test_no_user_lacks_a_rule_on_a_topic_exchange() -> None:
    topology = planned()
    topics = {exchange.name for exchange in topology.exchanges if exchange.kind == "topic"}
    topics |= {"amq.topic", "amq.rabbitmq.trace", "amq.rabbitmq.event"}
    found = {(rule.user, rule.exchange): rule for rule in topology.topics}
    assert set(found) == {(user, name) for user in ("hub", *SENDS) for name in topics}
    assert {rule.read for rule in found.values()} == {NEVER}
    open_ones = {place for place, rule in found.items() if rule.write != NEVER}
    assert open_ones == {("tax", "in.tax"), ("union", "in.union")}


def test_only_systems_that_the_site_names_have_a_user() -> None:
    topology = planned()
    assert {account.name for account in topology.accounts} == {"hub", *SENDS}
    assert "in.bank" in {exchange.name for exchange in topology.exchanges}
    assert "out.bank" in {queue.name for queue in topology.queues}
    with pytest.raises(ValueError, match="no queue: stranger"):
        plan(SYSTEMS, {"stranger": []}, 1)


def test_an_inbound_exchange_leads_to_the_hub_only() -> None:
    topology = planned(2)
    from_tax = {b.destination for b in topology.bindings if b.source == "in.tax"}
    onward = {b.destination for b in topology.bindings if b.source == "hub.buckets"}
    strays = {b.destination for b in topology.bindings if b.source == "hub.strays"}
    to_union = {(b.source, b.key) for b in topology.bindings if b.destination == "out.union"}
    assert from_tax == {"hub.buckets"}
    assert onward == {"hub.in.0", "hub.in.1"}
    assert strays == {"hub.in.0"}
    assert to_union == {("hub.out", "union")}


def test_work_queues_have_limits_and_never_lose_a_dead_letter() -> None:
    topology = planned(1)
    limits = policy(topology, "hub.limits")
    assert dict(limits.definition)["max-length-bytes"] > 0
    assert dict(limits.definition)["delivery-limit"] == 100
    for queue in topology.queues:
        arguments = dict(queue.arguments)
        is_for_work = queue.name not in {"hub.dead-letters", "hub.probe"}
        assert arguments["x-queue-type"] == "quorum"
        assert bool(re.search(limits.pattern, queue.name)) == is_for_work
        if is_for_work:
            assert arguments["x-overflow"] == "reject-publish"
            assert arguments["x-dead-letter-strategy"] == "at-least-once"
            assert arguments["x-delivery-limit"] == 100
            assert arguments["x-single-active-consumer"] is True


def test_a_probe_can_neither_pile_up_nor_stay() -> None:
    topology = planned(1)
    (probe,) = (queue for queue in topology.queues if queue.name == "hub.probe")
    arguments = dict(probe.arguments)
    assert (arguments["x-max-length"], arguments["x-message-ttl"]) == (1, 10_000)
    assert Binding("hub.out", "hub.probe", "queue", "hub.probe") in topology.bindings


def test_a_dead_letter_is_dropped_by_no_delivery_limit() -> None:
    """RabbitMQ 4 gives a queue that says nothing a limit of 20, and 3.x takes no -1."""
    topology = planned()
    (dead,) = (queue for queue in topology.queues if queue.name == "hub.dead-letters")
    (limits,) = (one for one in topology.policies if re.search(one.pattern, dead.name))
    assert not dict(dead.arguments).keys() & {"x-delivery-limit", "x-max-length", "x-message-ttl"}
    assert dict(limits.definition) == {"delivery-limit": 1_000_000_000}
    assert limits.applies_to == "queues"
    for queue in topology.queues - {dead}:
        assert not re.search(limits.pattern, queue.name)


def test_differences_are_listed_in_the_order_of_making() -> None:
    topology = planned(1)
    assert diff(topology, topology) == ()
    kinds = [difference.part.KIND for difference in diff(topology, Topology())]
    order = ["exchange", "policy", "queue", "binding", "topic rule", "account", "connection limit"]
    assert kinds == sorted(kinds, key=order.index)
    assert set(kinds) == set(order)


def test_no_user_can_take_all_the_connections_and_one_who_looks_has_none() -> None:
    topology = plan([*SENDS], SENDS, 4, "watcher")
    limits = {one.name: one.connections for one in topology.limits}
    assert limits.pop("watcher") == 0
    assert set(limits) == {"hub", *SENDS}
    assert all(0 < most <= 100 for most in limits.values())
    assert limits["hub"] > 2 * 4  # a worker each, and those that were not seen to end


def test_what_is_different_and_what_is_unplanned_is_told_apart() -> None:
    topology = planned(1)
    other = Queue("out.tax", (("x-queue-type", "classic"),))
    extra = Queue("extra", ())
    queues = {queue for queue in topology.queues if queue.name != "out.tax"} | {other, extra}
    shovel = Parameter("shovel", "away")
    actual = Topology(
        topology.exchanges,
        frozenset(queues),
        topology.bindings,
        topology.policies,
        frozenset({shovel}),
        topology.topics,
        topology.accounts,
        topology.limits,
    )
    found = [(difference.change, difference.part.name) for difference in diff(topology, actual)]
    assert found == [
        (Change.DIFFERENT, "out.tax"),
        (Change.UNPLANNED, "extra"),
        (Change.UNPLANNED, "shovel away"),
    ]


def test_a_second_binding_between_the_same_ends_is_unplanned() -> None:
    one = Binding("in.tax", "hub.buckets", "exchange", "#")
    two = Binding("in.tax", "hub.buckets", "exchange", "#", (("x", "y"),))
    (found,) = diff(Topology(bindings=frozenset({one})), Topology(bindings=frozenset({one, two})))
    assert (found.change, found.part) == (Change.UNPLANNED, two)
    (found,) = diff(Topology(bindings=frozenset({one})), Topology(bindings=frozenset({two})))
    assert (found.change, found.there) == (Change.DIFFERENT, two)


def test_a_rule_that_denies_all_is_no_harm_wherever_it_is() -> None:
    gone = TopicRule("tax", "in.gone", NEVER, NEVER)
    wide = TopicRule("tax", "in.other", ".*", NEVER)
    (found,) = diff(Topology(), Topology(topics=frozenset({gone, wide})))
    assert (found.change, found.part) == (Change.UNPLANNED, wide)


def test_differences_read_well() -> None:
    missing = Difference(Change.MISSING, Exchange("in.tax", "topic"))
    assert str(missing) == "missing: exchange in.tax"
    bound = Difference(Change.UNPLANNED, Binding("in.tax", "leak", "queue", "#"))
    assert str(bound) == "unplanned: binding in.tax --#--> leak"
    wide = Account("tax", ".*", ".*", ".*", ("administrator",))
    changed = Difference(Change.DIFFERENT, account(planned(), "tax"), wide)
    assert str(changed) == (
        r"different: account tax (configure is .* and should be ^$; write is .* and should be "
        r"^in\.tax$; read is .* and should be ^out\.tax$; tags is administrator and should be "
        "none)"
    )
    policy = Policy("^x", "queues", (("max-length", 1),), "limits", operator=True)
    other = Policy("^x", "queues", (), "limits", operator=True)
    assert Difference(Change.DIFFERENT, policy, other).as_json() == {
        "change": "different",
        "kind": "policy",
        "name": "limits (operator)",
        "differs": {"definition": {"wanted": {"max-length": 1}, "found": {}}},
    }
