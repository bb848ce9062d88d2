"""What stands in a broker's vhost, as plain records, and how two states of it differ.

::

    in.<system>  (topic)  ──#──▶  hub.buckets  (headers)  ──<bucket>──▶  hub.in.<bucket mod n>
    hub (released messages) ─────────▶  hub.buckets  ──else──▶  hub.strays  ──▶  hub.in.0
    hub.out      (direct) ──<system>──▶  out.<system>
    hub.out      (direct) ──hub.probe──▶  hub.probe
    hub.dead     (fanout) ──▶  hub.dead-letters

``hub.broker.plan`` says what should be there, ``hub.broker.read`` what is there, and
``hub.broker.apply`` brings one to the other.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import ClassVar, Literal, TypeVar

Scalar = str | int | bool
Arguments = tuple[tuple[str, Scalar], ...]

NOTHING = "^$"
"""The pattern of a user's permission that covers no exchange and no queue: all have names."""
NEVER = "(?!)"
"""The pattern that matches no text at all. ``^$`` would let an empty routing key pass."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """An exchange; ``durable`` also means that it does not go with its last binding.

    Nobody can publish to one that is ``internal``; other exchanges lead there.
    """

    KIND: ClassVar[str] = "exchange"
    name: str
    kind: str
    arguments: Arguments = ()
    durable: bool = True
    internal: bool = False


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue; its kind (quorum) stands among its arguments."""

    KIND: ClassVar[str] = "queue"
    name: str
    arguments: Arguments
    durable: bool = True


@dataclass(frozen=True, slots=True)
class Binding:
    """From an exchange to a queue or to another exchange."""

    KIND: ClassVar[str] = "binding"
    source: str
    destination: str
    kind: Literal["queue", "exchange"]
    key: str
    arguments: Arguments = ()

    @property
    def name(self) -> str:
        """Say what is bound to what."""
        return f"{self.source} --{self.key}--> {self.destination}"


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for all queues or exchanges whose names match a pattern.

    ``operator`` marks the kind that overrules the others.
    """

    KIND: ClassVar[str] = "policy"
    pattern: str
    applies_to: str
    definition: Arguments
    label: str
    priority: int = 0
    operator: bool = False

    @property
    def name(self) -> str:
        """Give its name; an operator policy may have the name of another policy."""
        return f"{self.label} (operator)" if self.operator else self.label


@dataclass(frozen=True, slots=True)
class Parameter:
    """A runtime parameter, such as a shovel; none is ever planned, and one can move messages."""

    KIND: ClassVar[str] = "parameter"
    component: str
    label: str

    @property
    def name(self) -> str:
        """Say what it is and what it is called."""
        return f"{self.component} {self.label}"


@dataclass(frozen=True, slots=True)
class TopicRule:
    """The routing keys, as patterns, that a user may write to and read from a topic exchange."""

    KIND: ClassVar[str] = "topic rule"
    user: str
    exchange: str
    write: str
    read: str

    @property
    def name(self) -> str:
        """Say whose it is, and where."""
        return f"{self.user} on {self.exchange}"

    @property
    def denies_all(self) -> bool:
        """Say whether it lets nothing pass, so that it does no harm anywhere."""
        return self.write == self.read == NEVER


@dataclass(frozen=True, slots=True)
class Account:
    """A user and the names that it may configure, write to and read from, as patterns.

    ``tags`` are what it may do to the broker as a whole, sorted: nothing.
    """

    KIND: ClassVar[str] = "account"
    name: str
    configure: str
    write: str
    read: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UserLimit:
    """How many connections a user may have at a time, in the whole broker."""

    KIND: ClassVar[str] = "connection limit"
    user: str
    connections: int

    @property
    def name(self) -> str:
        """Say whose it is."""
        return self.user


Part = Exchange | Queue | Binding | Policy | Parameter | TopicRule | Account | UserLimit


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything in one vhost, the broker's own exchanges left out."""

    exchanges: frozenset[Exchange] = frozenset()
    queues: frozenset[Queue] = frozenset()
    bindings: frozenset[Binding] = frozenset()
    policies: frozenset[Policy] = frozenset()
    parameters: frozenset[Parameter] = frozenset()
    topics: frozenset[TopicRule] = frozenset()
    accounts: frozenset[Account] = frozenset()
    limits: frozenset[UserLimit] = frozenset()


class Change(StrEnum):
    """How what is there differs from what is planned."""

    MISSING = "missing"
    DIFFERENT = "different"
    UNPLANNED = "unplanned"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference; ``part`` is the planned one, or the unplanned one that is there.

    ``there`` is what stands in the place of a part that is different.
    """

    change: Change
    part: Part
    there: Part | None = None

    def __str__(self) -> str:
        said = f"{self.change}: {self.part.KIND} {self.part.name}"
        details = "; ".join(
            f"{name} is {_shown(found)} and should be {_shown(wanted)}"
            for name, wanted, found in self.attributes()
        )
        return f"{said} ({details})" if details else said

    def attributes(self) -> Iterator[tuple[str, object, object]]:
        """Give what differs of a part that is different: name, wanted, found."""
        if self.there is None:
            return
        for field in fields(self.part):
            wanted, found = getattr(self.part, field.name), getattr(self.there, field.name, None)
            if wanted != found:
                yield field.name, wanted, found

    def as_json(self) -> dict[str, object]:
        """Give it as an object for a program."""
        return {
            "change": str(self.change),
            "kind": self.part.KIND,
            "name": self.part.name,
            "differs": {
                name: {"wanted": _plain(wanted), "found": _plain(found)}
                for name, wanted, found in self.attributes()
            },
        }


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        if all(isinstance(item, tuple) for item in value):
            return dict(value)
        return list(value)
    return value


def _shown(value: object) -> str:
    plain = _plain(value)
    if isinstance(plain, dict):
        return ", ".join(f"{key}={one}" for key, one in plain.items()) or "none"
    if isinstance(plain, list):
        return ", ".join(map(str, plain)) or "none"
    return str(plain)


PartT = TypeVar("PartT", Exchange, Queue, Binding, Policy, Parameter, TopicRule, Account, UserLimit)


def diff(planned: Topology, actual: Topology) -> tuple[Difference, ...]:
    """List what differs, in the order in which it can be put right.

    Topic rules come before accounts: without a rule for it, a user's topic is free.
    """
    return (
        *_differences(planned.exchanges, actual.exchanges),
        *_differences(planned.policies, actual.policies),
        *_differences(planned.queues, actual.queues),
        *_differences(planned.bindings, actual.bindings),
        *_differences(planned.topics, _harmful(planned.topics, actual.topics)),
        *_differences(planned.accounts, actual.accounts),
        *_differences(planned.limits, _of_planned_users(planned, actual)),
        *_differences(planned.parameters, actual.parameters),
    )


def _harmful(planned: frozenset[TopicRule], actual: frozenset[TopicRule]) -> frozenset[TopicRule]:
    """Leave out unplanned rules that let nothing pass; the API cannot delete a single one."""
    names = {rule.name for rule in planned}
    return frozenset(rule for rule in actual if rule.name in names or not rule.denies_all)


def _of_planned_users(planned: Topology, actual: Topology) -> frozenset[UserLimit]:
    """Leave out limits of users that nobody planned; such a user is named already."""
    users = {account.name for account in planned.accounts}
    return frozenset(limit for limit in actual.limits if limit.user in users)


def _differences(planned: frozenset[PartT], actual: frozenset[PartT]) -> Iterator[Difference]:
    """Compare parts by their names; a second one of a name that is as planned is unplanned."""
    there = {part.name: part for part in actual - planned}
    missing = {part.name for part in planned - actual}
    for part in sorted(planned - actual, key=lambda part: part.name):
        other = there.get(part.name)
        change = Change.MISSING if other is None else Change.DIFFERENT
        yield Difference(change, part, other)
    for part in sorted(actual - planned, key=lambda part: part.name):
        if part.name not in missing:
            yield Difference(Change.UNPLANNED, part)
