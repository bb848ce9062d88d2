"""Brings a vhost to what is planned, and reads it back to be sure."""

import time
from collections.abc import Iterable, Mapping

from pydantic import SecretStr

from hub.broker.management import Management
from hub.broker.parts import disconnect, make, remove
from hub.broker.read import read
from hub.broker.switch import RETIRED_EXCHANGE, SETTLE_SECONDS, Depth, Settle, switch
from hub.broker.topology import (
    Account,
    Change,
    Difference,
    Exchange,
    Part,
    Queue,
    TopicRule,
    Topology,
    diff,
)
from hub.errors import BrokerError


def apply(  # noqa: PLR0913 - one command, called in three places
    management: Management,
    vhost: str,
    topology: Topology,
    passwords: Mapping[str, SecretStr],
    *,
    depth: Depth | None = None,
    settle: Settle = time.sleep,
) -> tuple[Difference, ...]:
    """Make what is missing, set the passwords, verify; return what was put right.

    Nothing is deleted but the ways to the partitions that others have taken the place of
    (``hub.broker.switch``). It may be called again at any time. Where queues were made, it
    waits ``SETTLE_SECONDS`` (by ``settle``) so that they survive a crash of the broker. A user
    whose rights changed is disconnected, since an open channel keeps the rights it had.

    Raises:
        BrokerError: a password is missing, the broker refused, an exchange or queue is there
            with other properties (which cannot be changed in place), residents would move out
            of a partition that is not known to be drained (by ``depth``), or what was read back
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
    for account in topology.accounts:
        secret = passwords[account.name].get_secret_value()
        body = {"password": secret, "tags": ",".join(account.tags)}
        management.put("users", account.name, body=body)
    switch(management, vhost, topology, depth, settle)
    left = diff(topology, read(management, vhost))
    for change in left:
        if change.change is not Change.UNPLANNED:
            make(management, vhost, change.part)
    changes = tuple(item for item in differences if _is_put_right(item))
    disconnect(management, _users_of(change.part for change in (*changes, *left)))
    if any(isinstance(change.part, Queue) for change in changes):
        settle(SETTLE_SECONDS)
    verify(management, vhost, topology)
    return changes


def _is_put_right(item: Difference) -> bool:
    return item.change is not Change.UNPLANNED or item.part.name == RETIRED_EXCHANGE


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
    bindings go first, so that nothing can come in between the question and the deletion. Where
    residents move to another partition by it, ``apply`` has to follow: nobody may write before.

    Raises:
        BrokerError: the broker refused, or residents would move out of a partition that is not
            drained.
    """
    switch(management, vhost, topology, depth)
    differences = diff(topology, read(management, vhost))
    unplanned = [item for item in differences if item.change is Change.UNPLANNED]
    removed: list[Difference] = []
    kept: list[str] = []
    for item in reversed(unplanned):
        reason = _why_kept(item.part, depth)
        if reason:
            kept.append(reason)
            continue
        remove(management, vhost, item.part, topology)
        removed.append(item)
    disconnect(management, _users_of(item.part for item in removed))
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


def _users_of(parts: Iterable[Part]) -> set[str]:
    """Name the users whose rights these parts are."""
    users: set[str] = set()
    for part in parts:
        if isinstance(part, TopicRule):
            users.add(part.user)
        elif isinstance(part, Account):
            users.add(part.name)
    return users
