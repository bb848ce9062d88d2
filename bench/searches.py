"""The slowest of the questions that people ask of a ledger, also those that find nothing."""

import time
from collections.abc import Iterator

from sqlalchemy import Engine

from bench.traffic import BEGIN
from hub.ledger.leaf import Recorded
from hub.ledger.model import Kind
from hub.ledger.schema import ledger_errors
from hub.ledger.search.ask import Question, search

TIMES = 3


def slowest(engine: Engine) -> tuple[float, str]:
    """Ask every question some times; give the slowest best time in seconds, and the question."""
    with ledger_errors("be searched"), engine.connect() as connection:
        some = search(connection, Question(kind=Kind.DELIVERY, limit=100)).entries[-1]
        taken = {}
        for what, question in _questions(some):
            seconds = []
            for _ in range(TIMES):
                begun = time.perf_counter()
                search(connection, question)
                seconds.append(time.perf_counter() - begun)
            taken[what] = min(seconds)
    what = max(taken, key=taken.__getitem__)
    return taken[what], f"by {what}; {len(taken)} kinds of question"


def _questions(one: Recorded) -> Iterator[tuple[str, Question]]:
    yield "resident", Question(resident=one.resident)
    yield "a resident who is not there", Question(resident="0" * 32)
    yield "message", Question(message=one.message.id)
    yield "flow", Question(flow="I1")
    yield "system", Question(system="union")
    yield "staff who is not there", Question(staff="nobody")
    yield "outcome", Question(outcome="delivered")
    yield "flow and outcome that never met", Question(flow="I1", outcome="held")
    yield "time", Question(begin=BEGIN, end=one.at)
    yield "flow and an early time", Question(flow="M1b", begin=BEGIN, end=BEGIN.replace(minute=1))
    yield "resident and flow", Question(resident=one.resident, flow="I1", kind=Kind.RECEIPT)
