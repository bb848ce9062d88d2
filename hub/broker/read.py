"""What stands in a broker's vhost, read through its management API."""

from collections.abc import Mapping
from typing import Any

from hub.broker.management import Management
from hub.broker.parts import CONNECTIONS
from hub.broker.topology import (
    Account,
    Arguments,
    Binding,
    Exchange,
    Parameter,
    Policy,
    Queue,
    TopicRule,
    Topology,
    UserLimit,
)

_POLICIES = {"policy", "operator_policy"}
"""The components of parameters that are read as policies."""


def read(management: Management, vhost: str) -> Topology:
    """Read what is in a vhost, nothing where it is missing; the reading user is left out.

    Raises:
        BrokerError: the broker refuses.
    """
    if all(row["name"] != vhost for row in management.get("vhosts")):
        return Topology()
    tags = {row["name"]: tuple(sorted(row["tags"])) for row in management.get("users")}
    return Topology(
        exchanges=frozenset(
            Exchange(
                row["name"],
                row["type"],
                _arguments(row["arguments"]),
                _is_durable(row),
                row["internal"],
            )
            for row in management.get("exchanges", vhost)
            if row["name"] and not row["name"].startswith("amq.")
        ),
        queues=frozenset(
            Queue(row["name"], _arguments(row["arguments"]), _is_durable(row))
            for row in management.get("queues", vhost)
        ),
        bindings=frozenset(
            Binding(
                row["source"],
                row["destination"],
                row["destination_type"],
                row["routing_key"],
                _arguments(row["arguments"]),
            )
            for row in management.get("bindings", vhost)
            if row["source"]
        ),
        policies=frozenset(
            _policy(row, operator=operator)
            for operator in (False, True)
            for row in management.get("operator-policies" if operator else "policies", vhost)
        ),
        parameters=frozenset(
            Parameter(row["component"], row["name"])
            for row in management.get("parameters")
            if row["vhost"] == vhost and row["component"] not in _POLICIES
        ),
        topics=frozenset(
            TopicRule(row["user"], row["exchange"], row["write"], row["read"])
            for row in management.get("vhosts", vhost, "topic-permissions")
            if row["user"] != management.user
        ),
        accounts=frozenset(
            Account(
                row["user"],
                row["configure"],
                row["write"],
                row["read"],
                tags.get(row["user"], ()),
            )
            for row in management.get("vhosts", vhost, "permissions")
            if row["user"] != management.user
        ),
        limits=frozenset(
            UserLimit(row["user"], row["value"][CONNECTIONS])
            for row in management.get("user-limits")
            if CONNECTIONS in row["value"] and row["user"] != management.user
        ),
    )


def _policy(row: Mapping[str, Any], *, operator: bool) -> Policy:
    return Policy(
        label=row["name"],
        pattern=row["pattern"],
        applies_to=row["apply-to"],
        definition=_arguments(row["definition"]),
        priority=row["priority"],
        operator=operator,
    )


def _arguments(values: Mapping[str, Any]) -> Arguments:
    return tuple(sorted((key, _hashable(value)) for key, value in values.items()))


def _hashable(value: object) -> str | int | bool:
    """Keep a plain value; a list or object, which is never planned, becomes a text."""
    return value if isinstance(value, str | int) else str(value)


def _is_durable(row: Mapping[str, Any]) -> bool:
    return bool(row["durable"]) and not row["auto_delete"]
