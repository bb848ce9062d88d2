"""Counts the entries that a search would find, by outcome: all of them, not those of a page."""

from collections import Counter
from collections.abc import Mapping

from sqlalchemy import Connection

from hub.ledger.head import read
from hub.ledger.leaf import outcome_of
from hub.ledger.model import Kind
from hub.ledger.reading import driver_rows
from hub.ledger.search.ask import Question, condition_of, stretches_of
from hub.ledger.search.cases import Condition
from hub.ledger.search.times import Stretch, Times, in_time


def counted_by_outcome(connection: Connection, question: Question) -> Mapping[str, int]:
    """Count the kept entries of a kind for which all holds that is asked, by outcome.

    Each matching case is counted in the index on case and number, so what is rare is counted
    without a look at the rest. The page that a question asks for does not matter here.

    Raises:
        ValueError: it asks for no kind, or for a resident or message: those are found otherwise.
    """
    if question.kind is None or question.resident or question.message:
        raise ValueError("entries of a kind are counted, of nobody and no message")
    condition, times = condition_of(question), question.times
    size = read(connection)[0].size
    found = Counter[str]()
    for one in in_time(connection, list(stretches_of(connection, size)), times):
        query = _query(one, condition, times, is_sqlite=connection.dialect.name == "sqlite")
        for kind, code, count in driver_rows(connection, query, *condition.values):
            if count:
                found[outcome_of(Kind(kind), code)] += int(count)
    return found


def _query(one: Stretch, condition: Condition, times: Times, *, is_sqlite: bool) -> str:
    by_case = f" INDEXED BY {one.table}_case" if is_sqlite else ""
    time = times.sql() if one.partial else ""
    counted = (
        f"SELECT count(*) FROM {one.table}{by_case} WHERE case_id = w.c "  # noqa: S608 - ours
        f"AND seq BETWEEN {one.first} AND {one.last}{time}"
    )
    return (
        f"WITH {condition.wanted()}, counted AS (SELECT w.c AS c, ({counted}) AS n FROM wanted w) "  # noqa: S608 - ours
        "SELECT t.kind, t.code, sum(x.n) FROM counted x JOIN ledger_cases c ON c.id = x.c "
        "JOIN ledger_terms t ON t.id = c.terms_id GROUP BY t.kind, t.code"
    )
