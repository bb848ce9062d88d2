"""Brings a vhost to what is planned, and reads it back to be sure."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hub.broker.fence import Fence
from hub.broker.management import Management
from hub.broker.parts import make, remove
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
from hub.broker.users import Passwords, disconnect, set_users
from hub.errors import BrokerError
from hub.site import HUB_USER


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done: parts that were put right, parts that nobody planned and that went.

    ``passwords`` names the users that had another password before, ``closed`` says how many
    connections of which user were closed.
    """

    changes: tuple[Difference, ...] = ()
    removed: tuple[Difference, ...] = ()
    passwords: tuple[str, ...] = ()
    closed: Mapping[str, int] = field(default_factory=dict)


def apply(  # noqa: PLR0913 - one command, called in three places
    management: Management,
    vhost: str,
    topology: Topology,
    passwords: Passwords,
    *,
    depth: Depth | None = None,
    settle: Settle = time.sleep,
    prune: bool = False,
) -> Applied:
    """Make what is missing, set the passwords, verify; tell what was put right.

    Nothing is deleted but the ways to the partitions that others have taken the place of
    (``hub.broker.switch``), and with ``prune`` what nobody planned. It may be called again at any
    time. Where queues were made, it waits ``SETTLE_SECONDS`` (by ``settle``) so that they survive
    a crash of the broker. A user whose rights or password changed is disconnected, since an open
    connection keeps what it had. Everything that can be refused is refused before anybody is kept
    from writing, and the hub has its rights before that: it may have to drain its partitions first.

    Raises:
        BrokerError: a password is missing, the broker refused, an exchange or queue is there
            with other properties (which cannot be changed in place), residents would move out
            of a partition that is not known to be drained (by ``depth``), or what was read back
            afterwards is not what was planned. Where nobody may write now, the text says so.
    """
    users = sorted(account.name for account in topology.accounts)
    without = [user for user in users if user not in passwords]
    if without:
        raise BrokerError(f"no password for {', '.join(without)}")
    management.put("vhosts", vhost)
    differences = diff(topology, read(management, vhost))
    _must_be_changeable(differences)
    closed: Counter[str] = Counter()
    renewed = set_users(management, topology.accounts, passwords)
    closed.update(
        disconnect(management, renewed | _let_the_hub_work(management, vhost, differences))
    )
    removed: list[Difference] = []
    kept: list[str] = []
    with Fence(management, vhost, read(management, vhost), topology) as fence:
        switch(management, vhost, topology, fence, depth=depth, settle=settle)
        if prune:
            removed, kept = _prune(management, vhost, topology, depth)
        left = diff(topology, read(management, vhost))
        for change in left:
            if change.change is not Change.UNPLANNED:
                make(management, vhost, change.part)
        fence.opened()
    closed.update(fence.closed)
    changes = tuple(item for item in differences if _is_put_right(item))
    touched = (*changes, *left, *removed)
    closed.update(disconnect(management, _users_of(change.part for change in touched)))
    if any(isinstance(change.part, Queue) for change in changes):
        settle(SETTLE_SECONDS)
    try:
        verify(management, vhost, topology)
    except BrokerError as error:
        raise BrokerError("\n  ".join((str(error), *kept))) from error
    changes = tuple(item for item in changes if item not in removed)
    return Applied(changes, tuple(removed), tuple(sorted(renewed)), dict(sorted(closed.items())))


def _must_be_changeable(differences: Iterable[Difference]) -> None:
    fixed = [item.part for item in differences if item.change is Change.DIFFERENT]
    unchangeable = [part.name for part in fixed if isinstance(part, Exchange | Queue)]
    if unchangeable:
        raise BrokerError(
            f"there with other properties: {', '.join(unchangeable)}; drain and delete them first"
        )


def _let_the_hub_work(
    management: Management, vhost: str, differences: Iterable[Difference]
) -> set[str]:
    """Give the hub the rights that this version's needs; name it where it had others."""
    given: set[str] = set()
    for item in differences:
        if isinstance(item.part, Account) and item.part.name == HUB_USER and item.there is not None:
            make(management, vhost, item.part)
            given.add(HUB_USER)
    return given


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


def _prune(
    management: Management, vhost: str, topology: Topology, depth: Depth | None
) -> tuple[list[Difference], list[str]]:
    """Remove what nobody planned; say what went, and why queues were kept.

    A queue that holds messages, or that somebody reads, is kept with everything in it. Its
    bindings go first, so that nothing can come in between the question and the deletion.

    Raises:
        BrokerError: the broker refused.
    """
    differences = diff(topology, read(management, vhost))
    removed: list[Difference] = []
    kept: list[str] = []
    for item in reversed(differences):
        if item.change is not Change.UNPLANNED:
            continue
        reason = _why_kept(item.part, depth)
        if reason:
            kept.append(reason)
            continue
        remove(management, vhost, item.part, topology)
        removed.append(item)
    return removed, kept


def _why_kept(part: Part, depth: Depth | None) -> str:
    if not isinstance(part, Queue):
        return ""
    if depth is None:
        return f"the queue {part.name} may hold messages and is kept"
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
