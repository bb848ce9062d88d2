"""The newest entries whose case is one of those asked for.

A case (what, between whom, by which article, and who did it where and why) stands once, so what
is asked of it is asked of small tables. Each case that matches is then looked up in the index on
case and number; where many match, the newest entries are looked through first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import Connection

from hub.ledger.chunks import chunks
from hub.ledger.leaf import kinds_of_outcome
from hub.ledger.model import Kind
from hub.ledger.reading import driver_rows
from hub.ledger.search.times import TOGETHER, Stretch, Times

FEW = 300
"""Where more cases match than this, the newest entries are looked through first."""
NEWEST = 8192
"""How many of the newest entries that is."""
_CASES_A_QUERY = 400
"""SQLite takes no more than 500 queries as one."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What is asked of a case; see ``search.Question``."""

    sender: str = ""
    flow: str = ""
    system: str = ""
    staff: str = ""
    kind: Kind | None = None
    outcome: str = ""

    @property
    def given(self) -> bool:
        """Whether any case is excluded."""
        return bool(self._asked())

    @property
    def values(self) -> tuple[str, ...]:
        """The values for the marks in ``wanted`` or ``holds``."""
        return tuple(value for _, values in self._asked() for value in values)

    def wanted(self) -> str:
        """Give the common table expression ``wanted(c)`` of all matching cases."""
        return f"wanted(c) AS MATERIALIZED ({self._cases('c.id')})"

    def holds(self, case: str) -> str:
        """Give the condition on the case of each of a few entries, without ``wanted``."""
        # A value and no join, so that no database begins with all the cases there are.
        return f"({self._cases('1')} AND c.id = {case}) = 1" if self.given else "1 = 1"

    def of(self, case: str) -> str:
        """Give the condition on an entry's case, beside ``wanted``."""
        return f"{case} IN (SELECT c FROM wanted)" if self.given else "1 = 1"  # noqa: S608 - ours

    def _cases(self, what: str) -> str:
        said = " AND ".join(condition for condition, _ in self._asked()) or "1 = 1"
        return (
            f"SELECT {what} FROM ledger_cases c JOIN ledger_terms t ON t.id = c.terms_id "  # noqa: S608 - ours
            f"JOIN ledger_access a ON a.id = c.access_id WHERE {said}"
        )

    def _asked(self) -> list[tuple[str, tuple[str, ...]]]:
        asked: list[tuple[str, tuple[str, ...]]] = []
        for column, value in (("t.sender", self.sender), ("t.flow", self.flow)):
            if value:
                asked.append((f"{column} = ?", (value,)))
        if self.system:
            asked.append(("(t.sender = ? OR t.receiver = ?)", (self.system, self.system)))
        if self.staff:
            asked.append(("a.staff = ?", (self.staff,)))
        if self.kind is not None:
            asked.append(("t.kind = ?", (self.kind.value,)))
        if self.outcome:
            asked.append(_with_outcome(self.outcome))
        return asked


def _with_outcome(outcome: str) -> tuple[str, tuple[str, ...]]:
    kinds = [kind.value for kind in kinds_of_outcome(outcome)]
    if not kinds:
        return "t.code = ?", (outcome,)
    marks = ", ".join("?" for _ in kinds)
    return f"(t.code = ? OR (t.code = '' AND t.kind IN ({marks})))", (outcome, *kinds)


class _Top(NamedTuple):
    """The newest entry of a case in the stretch that has this place."""

    number: int
    place: int
    case: int


def newest_of_cases(
    connection: Connection,
    stretches: Sequence[Stretch],
    condition: Condition,
    times: Times,
    most: int,
) -> list[int]:
    """Give the numbers of the newest entries of these stretches, the newest first."""
    if not condition.given:
        return _looked_through(connection, stretches, condition, times, most)
    search = _Search(connection, condition, times)
    count = search.cases()
    if count > FEW and (found := search.newest(stretches, most)):
        return found
    found = []
    for partial, group in groupby(stretches if count else (), key=lambda one: one.partial):
        if partial:
            found += _looked_through(connection, list(group), condition, times, most - len(found))
        else:
            for some in _growing(list(group)):
                if len(found) < most:
                    found += search.in_whole(some, most - len(found))
        if len(found) >= most:
            break
    return found


def _growing(stretches: Sequence[Stretch]) -> Iterator[Sequence[Stretch]]:
    """Cut stretches into ever longer parts: the newest often suffice."""
    start, size = 0, 1
    while start < len(stretches):
        yield stretches[start : start + size]
        start, size = start + size, min(size * 2, TOGETHER)


def _looked_through(
    connection: Connection,
    stretches: Sequence[Stretch],
    condition: Condition,
    times: Times,
    most: int,
) -> list[int]:
    """Look at one entry after the other: where nearly all match, or there are not many."""
    found: list[int] = []
    for one in stretches:
        if len(found) >= most:
            break
        time = times.sql() if one.partial else ""
        limit = "" if condition.given else f" LIMIT {most - len(found)}"
        query = (
            f"WITH {condition.wanted()}, among AS MATERIALIZED (SELECT seq, case_id "  # noqa: S608 - ours
            f"FROM {one.table} WHERE seq BETWEEN {one.first} AND {one.last}{time} "
            f"ORDER BY seq DESC{limit}) SELECT x.seq FROM among x "
            f"WHERE {condition.of('x.case_id')} ORDER BY x.seq DESC LIMIT {most - len(found)}"
        )
        found += (number for (number,) in driver_rows(connection, query, *condition.values))
    return found


@dataclass(frozen=True, slots=True)
class _Search:
    connection: Connection
    condition: Condition
    times: Times

    def cases(self) -> int:
        """Count the matching cases."""
        query = f"WITH {self.condition.wanted()} SELECT count(*) FROM wanted"  # noqa: S608 - ours
        return int(driver_rows(self.connection, query, *self.condition.values)[0][0])

    def newest(self, stretches: Sequence[Stretch], most: int) -> list[int]:
        """Fill a page from the newest entries alone; none where that does not fill it."""
        left = NEWEST
        newest: list[Stretch] = []
        for one in stretches:
            newest.append(one._replace(first=max(one.first, one.last - left + 1)))
            left -= newest[-1].last - newest[-1].first + 1
            if left <= 0:
                break
        found = _looked_through(self.connection, newest, self.condition, self.times, most)
        return found if len(found) >= most else []

    def in_whole(self, stretches: Sequence[Stretch], most: int) -> list[int]:
        """Merge the cases' newest entries.

        In the order of their newest entries, no more than ``most`` cases have a part in it.
        """
        found: list[int] = []
        tops = self._tops(stretches, most)
        least = tops[-1].number if len(tops) == most else 0
        for place, group in groupby(tops, key=lambda top: top.place):
            one = stretches[place]
            one = one._replace(first=max(one.first, least))
            page: list[int] = []
            for some in chunks([top.case for top in group], _CASES_A_QUERY):
                query = self._merged(one, some, most - len(found))
                page += (number for (number,) in driver_rows(self.connection, query))
            found += sorted(page, reverse=True)[: most - len(found)]
            if len(found) >= most:
                break
        return found

    def _tops(self, stretches: Sequence[Stretch], most: int) -> list[_Top]:
        """Give the newest entry of each case, of the cases with the newest ones."""
        # Cases are numbered as they come: a month has none with a higher number than its last.
        parts = " UNION ALL ".join(
            f"SELECT {place} AS place, w.c AS c, ({self._newest_of(one, 'w.c', 1)}) AS seq "  # noqa: S608 - ours
            f"FROM wanted w WHERE w.c <= (SELECT max(case_id) FROM {one.table})"
            for place, one in enumerate(stretches)
        )
        query = (
            f"WITH {self.condition.wanted()} SELECT seq, place, c FROM ({parts}) tops "  # noqa: S608 - ours
            f"WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT {most}"
        )
        return [_Top(*row) for row in driver_rows(self.connection, query, *self.condition.values)]

    def _merged(self, one: Stretch, cases: Sequence[int], most: int) -> str:
        if self._is_sqlite:
            return " UNION ALL ".join(
                f"SELECT seq FROM ({self._newest_of(one, case, most)})"  # noqa: S608 - ours
                for case in cases
            )
        listed = ", ".join(map(str, cases))
        return (
            f"SELECT x.seq FROM unnest(ARRAY[{listed}]::bigint[]) AS w(c) "  # noqa: S608 - ours
            f"CROSS JOIN LATERAL ({self._newest_of(one, 'w.c', most)}) x"
        )

    def _newest_of(self, one: Stretch, case: int | str, most: int) -> str:
        """Ask for the newest entries of a case, such that only the index on cases can serve."""
        if self._is_sqlite:
            return (
                f"SELECT seq FROM {one.table} INDEXED BY {one.table}_case WHERE case_id = {case} "  # noqa: S608 - ours
                f"AND seq BETWEEN {one.first} AND {one.last} ORDER BY seq DESC LIMIT {most}"
            )
        return (
            f"SELECT seq FROM {one.table} WHERE (case_id, seq) >= ({case}, {one.first}) "  # noqa: S608 - ours
            f"AND (case_id, seq) <= ({case}, {one.last}) "
            f"ORDER BY case_id DESC, seq DESC LIMIT {most}"
        )

    @property
    def _is_sqlite(self) -> bool:
        return self.connection.dialect.name == "sqlite"
