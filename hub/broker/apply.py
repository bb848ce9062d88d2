"""Brings a vhost to what is planned, and reads it back to be sure."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from pydantic import SecretStr

from hub.broker.management import Management
from hub.broker.read import read
from hub.broker.topology import (
    NEVER,
    Account,
    Binding,
    Change,
    Difference,
    Exchange,
    Parameter,
    Part,
    Policy,
    Queue,
    TopicRule,
    Topology,
    diff,
)
from hub.errors import BrokerError

SETTLE_SECONDS = 2.0
"""How long a new quorum queue must be left alone before it may be relied upon.

Before RabbitMQ 4 (Ra's pull request 443), the name of a new quorum queue reaches the disk only
half a second after nothing more changes, with no way to see it. A node killed before that
comes back with an empty queue that has no leader, whatever was confirmed.
"""

Depth = Callable[[str], tuple[int, int]]
"""Tells how many messages and consumers a queue has (``hub.broker.depth``)."""


def apply(
    management: Management,
    vhost: str,
    topology: Topology,
    passwords: Mapping[str, SecretStr],
    *,
    settle: Callable[[float], None] = time.sleep,
) -> tuple[Difference, ...]:
    """Make what is missing, set the passwords, verify; return what was put right.

    Nothing is ever deleted. It may be called again at any time. Where queues were made, it
    waits ``SETTLE_SECONDS`` (by ``settle``) so that they survive a crash of the broker. A user
    whose rights changed is disconnected, since an open channel keeps the rights it had.

    Raises:
        BrokerError: a password is missing, the broker refused, an exchange or queue is there
            with other properties (which cannot be changed in place), or what was read back
            afterwards is not what was planned.
    """
    users = sorted(account.name for account in topology.accounts)
    without = [user for user in users if user not in passwords]
    if without:
        raise BrokerError(f"no password for {', '.join(without)}")
    management.put("vhosts", vhost)
    differences = diff(topology, read(management, vhost))
    fixed = [item.part for item in differences if item.change is Change.DIFFERENT]
    unchangeable = [part.name for part in fixed if isinstance(part, Exchange | Queue)]
    if unchangeable:
        raise BrokerError(
            f"there with other properties: {', '.join(unchangeable)}; drain and delete them first"
        )
    for user in users:
        secret = passwords[user].get_secret_value()
        management.put("users", user, body={"password": secret, "tags": ""})
    changes = tuple(item for item in differences if item.change is not Change.UNPLANNED)
    for change in changes:
        _make(management, vhost, change.part)
    _disconnect(management, _users_of(change.part for change in changes))
    if any(isinstance(change.part, Queue) for change in changes):
        settle(SETTLE_SECONDS)
    verify(management, vhost, topology)
    return changes


def verify(management: Management, vhost: str, topology: Topology) -> None:
    """Read the vhost back and compare; the broker takes misspelt arguments in silence.

    Raises:
        BrokerError: something is missing, different, or there though nobody planned it.
    """
    differences = diff(topology, read(management, vhost))
    if differences:
        listed = "\n".join(f"  {item}" for item in differences)
        raise BrokerError(f"the vhost {vhost} is not as planned:\n{listed}")


def prune(
    management: Management, vhost: str, topology: Topology, depth: Depth
) -> tuple[tuple[Difference, ...], tuple[str, ...]]:
    """Remove what nobody planned; say what went, and why queues were kept.

    A queue that holds messages, or that somebody reads, is kept with everything in it. Its
    bindings go first, so that nothing can come in between the question and the deletion.

    Raises:
        BrokerError: the broker refused.
    """
    differences = diff(topology, read(management, vhost))
    unplanned = [item for item in differences if item.change is Change.UNPLANNED]
    removed: list[Difference] = []
    kept: list[str] = []
    for item in reversed(unplanned):
        reason = _why_kept(item.part, depth)
        if reason:
            kept.append(reason)
            continue
        _remove(management, vhost, item.part, topology)
        removed.append(item)
    _disconnect(management, _users_of(item.part for item in removed))
    return tuple(removed), tuple(kept)


def _why_kept(part: Part, depth: Depth) -> str:
    if not isinstance(part, Queue):
        return ""
    messages, consumers = depth(part.name)
    if messages:
        return f"the queue {part.name} holds {messages} messages and is kept"
    if consumers:
        return f"the queue {part.name} is being read and is kept"
    return ""


# -- one part --------------------------------------------------------------------------------


def _make(management: Management, vhost: str, part: Part) -> None:
    match part:
        case Exchange():
            body = {"type": part.kind, "durable": True, "arguments": dict(part.arguments)}
            management.put("exchanges", vhost, part.name, body=body)
        case Queue():
            body = {"durable": True, "arguments": dict(part.arguments)}
            management.put("queues", vhost, part.name, body=body)
        case Binding():
            body = {"routing_key": part.key, "arguments": dict(part.arguments)}
            management.post("bindings", vhost, *_ends(part), body=body)
        case Policy():
            body = {
                "pattern": part.pattern,
                "definition": dict(part.definition),
                "apply-to": part.applies_to,
                "priority": part.priority,
            }
            management.put(_policies(part), vhost, part.label, body=body)
        case TopicRule():
            body = {"exchange": part.exchange, "write": part.write, "read": part.read}
            management.put("topic-permissions", vhost, part.user, body=body)
        case Account():
            body = {"configure": part.configure, "write": part.write, "read": part.read}
            management.put("permissions", vhost, part.name, body=body)
        case Parameter():
            raise ValueError(f"a parameter cannot be planned: {part.name}")


def _remove(management: Management, vhost: str, part: Part, topology: Topology) -> None:
    match part:
        case Exchange():
            management.delete("exchanges", vhost, part.name)
        case Queue():
            management.delete("queues", vhost, part.name)
        case Binding():
            for key in _property_keys(management, vhost, part):
                management.delete("bindings", vhost, *_ends(part), key)
        case Policy():
            management.delete(_policies(part), vhost, part.label)
        case Parameter():
            management.delete("parameters", part.component, vhost, part.label)
        case TopicRule():
            _remove_rule(management, vhost, part, topology)
        case Account():
            _remove_account(management, vhost, part)


def _ends(binding: Binding) -> tuple[str, str, str, str]:
    kind = "q" if binding.kind == "queue" else "e"
    return "e", binding.source, kind, binding.destination


def _policies(policy: Policy) -> str:
    return "operator-policies" if policy.operator else "policies"


def _property_keys(management: Management, vhost: str, binding: Binding) -> Iterator[str]:
    """Give what the API calls this binding among those between its ends."""
    arguments = dict(binding.arguments)
    for row in management.get("bindings", vhost, *_ends(binding)):
        if row["routing_key"] == binding.key and row["arguments"] == arguments:
            yield row["properties_key"]


def _remove_rule(management: Management, vhost: str, rule: TopicRule, topology: Topology) -> None:
    # The API deletes all rules of a user or none, and without a rule everything may pass.
    if any(account.name == rule.user for account in topology.accounts):
        body = {"exchange": rule.exchange, "write": NEVER, "read": NEVER}
        management.put("topic-permissions", vhost, rule.user, body=body)
    else:
        management.delete("topic-permissions", vhost, rule.user)


def _remove_account(management: Management, vhost: str, account: Account) -> None:
    """Take a user's rights in this vhost; one that has no other use is deleted."""
    management.delete("permissions", vhost, account.name)
    management.delete("topic-permissions", vhost, account.name)
    elsewhere = management.get("users", account.name, "permissions")
    if not elsewhere and not account.tags:
        management.delete("users", account.name)


def _users_of(parts: Iterable[Part]) -> set[str]:
    """Name the users whose rights these parts are."""
    users: set[str] = set()
    for part in parts:
        if isinstance(part, TopicRule):
            users.add(part.user)
        elif isinstance(part, Account):
            users.add(part.name)
    return users


def _disconnect(management: Management, users: set[str]) -> None:
    """Close the connections of users whose rights changed; their clients open new ones.

    RabbitMQ looks a right up once for each channel and keeps the answer, so an open channel
    would go on with what it had. All of a user's connections are closed, in other vhosts too:
    the list of those in one vhost is some seconds late.
    """
    for user in sorted(users):
        management.delete("connections", "username", user)
