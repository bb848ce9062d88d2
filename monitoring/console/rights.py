"""Who may what: roles and rights, as the table in ``docs/operations/console.md`` has them. Pure."""

from collections.abc import Iterable, Iterator
from enum import StrEnum


class Role(StrEnum):
    """What a person is to the office; an account may have several."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class Right(StrEnum):
    """What a page asks for."""

    ANYBODY = "anybody"
    """No session: the login itself."""
    OWN = "own"
    """Any session: the person's own account."""
    OVERVIEW = "overview"
    FACTS = "facts"
    DECIDE = "decide"
    APPROVE = "approve"
    DAYS = "days"
    RECONCILE = "reconcile"
    EVIDENCE = "evidence"
    EXPORT = "export"
    EXPORTS = "exports"
    DISCLOSE = "disclose"
    REVIEW = "review"
    PEOPLE = "people"
    MANAGE = "manage"


_ALL = frozenset(Role)
_MAY: dict[Right, frozenset[Role]] = {
    Right.ANYBODY: _ALL,
    Right.OWN: _ALL,
    Right.OVERVIEW: _ALL,
    Right.FACTS: _ALL - {Role.ADMINISTRATOR},
    Right.DECIDE: frozenset({Role.OPERATOR}),
    Right.APPROVE: frozenset({Role.APPROVER}),
    Right.DAYS: frozenset({Role.OPERATOR, Role.AUDITOR, Role.ADMINISTRATOR}),
    Right.RECONCILE: frozenset({Role.OPERATOR, Role.AUDITOR}),
    Right.EVIDENCE: frozenset({Role.AUDITOR, Role.ADMINISTRATOR}),
    Right.EXPORT: frozenset({Role.AUDITOR}),
    Right.EXPORTS: frozenset({Role.OPERATOR, Role.APPROVER, Role.AUDITOR}),
    Right.DISCLOSE: frozenset({Role.OPERATOR, Role.AUDITOR}),
    Right.REVIEW: frozenset({Role.ADMINISTRATOR}),
    Right.PEOPLE: frozenset({Role.AUDITOR, Role.ADMINISTRATOR}),
    Right.MANAGE: frozenset({Role.ADMINISTRATOR}),
}
_APART = frozenset({Role.OPERATOR, Role.APPROVER})


def may(roles: Iterable[Role], right: Right) -> bool:
    """Say whether one of these roles has a right.

    >>> may([Role.VIEWER, Role.OPERATOR], Right.DECIDE)
    True
    >>> may([Role.ADMINISTRATOR], Right.FACTS)
    False
    """
    return not _MAY[right].isdisjoint(roles)


def faults_of(roles: Iterable[Role]) -> Iterator[str]:
    """Say why an account cannot have these roles together."""
    given = frozenset(roles)
    if not given:
        yield "an account needs a role: " + ", ".join(Role)
    if Role.ADMINISTRATOR in given and given & _APART:
        yield "who makes accounts neither decides nor approves: administrator stands alone"
