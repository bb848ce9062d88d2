"""What the hub refused: the newest, and how many of them for which reason."""

from collections import Counter

from starlette.responses import Response

from hub.ledger.model import Kind
from hub.ledger.schema import ledger_errors
from hub.ledger.search.ask import MOST, Question, search
from hub.statute.reasons import Code
from monitoring.console.page import Page
from monitoring.console.rights import Right
from monitoring.console.shown import Say
from monitoring.console.visit import Visit

SHOWN = 100


def _refusals(visit: Visit) -> Response:
    catalogue = visit.office.catalogue()
    sender, code = visit.query.get("sender", ""), visit.query.get("code", "")
    if code not in {"", *(one.value for one in Code)} or sender not in {"", *catalogue.systems}:
        return visit.trouble(404)
    question = Question(kind=Kind.REFUSAL, sender=sender, outcome=code, limit=MOST)
    with visit.office.books.alone() as ledger:
        engine = ledger.engine
    with ledger_errors("be searched"), engine.connect() as connection:
        found = search(connection, question)
    codes = Counter(one.outcome for one in found.entries)
    say = Say(visit.words, catalogue)
    return visit.show(
        "refusals.html",
        say=say,
        some=found.entries[:SHOWN],
        codes=codes.most_common(),
        code_options=[(one, say.why(one)) for one in sorted({*codes, code} - {""})],
        count=len(found.entries),
        more=found.more,
        wanted={"sender": sender, "code": code},
    )


PAGES = (Page("refusals", "/refusals", Right.FACTS, _refusals, menu=60),)
