"""One part of a vhost: made, and removed."""

from collections.abc import Iterator

from hub.broker.management import Management
from hub.broker.topology import (
    NEVER,
    Account,
    Binding,
    Exchange,
    Parameter,
    Part,
    Policy,
    Queue,
    TopicRule,
    Topology,
    UserLimit,
)

CONNECTIONS = "max-connections"
"""What RabbitMQ calls the limit of a user's connections."""


def make(management: Management, vhost: str, part: Part) -> None:
    """Make a part, or change it to this where that can be.

    Raises:
        BrokerError: the broker refused.
    """
    match part:
        case Exchange():
            body = {
                "type": part.kind,
                "durable": True,
                "internal": part.internal,
                "arguments": dict(part.arguments),
            }
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
        case UserLimit():
            body = {"value": part.connections}
            management.put("user-limits", part.user, CONNECTIONS, body=body)
        case Parameter():
            raise ValueError(f"a parameter cannot be planned: {part.name}")


def remove(management: Management, vhost: str, part: Part, topology: Topology) -> None:
    """Remove a part; ``topology`` is what is planned, and none of it goes.

    Raises:
        BrokerError: the broker refused.
    """
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
        case UserLimit():
            management.delete("user-limits", part.user, CONNECTIONS)
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
