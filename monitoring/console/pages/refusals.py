"""What the hub refused in a time: how often for which reason, and each of them."""

from urllib.parse import urlencode

from starlette.responses import Response

from hub.clock import JST
from hub.ledger.model import Kind
from hub.ledger.schema import ledger_errors
from hub.ledger.search.ask import Question, search
from hub.ledger.search.counts import counted_by_outcome
from hub.statute.reasons import Code
from monitoring.console.page import Page
from monitoring.console.periods import CHOICES, LONGEST, USUAL, TooLongError, period_of
from monitoring.console.rights import Right
from monitoring.console.shown import Say, number_of
from monitoring.console.visit import Visit

SHOWN = 100
_FILTERS = ("sender", "code", "period", "begin", "end")


def _refusals(visit: Visit) -> Response:
    say = Say(visit.words, visit.office.catalogue())
    given = {name: visit.query.get(name, "").strip() for name in _FILTERS}
    if not _is_known(given, say):
        return visit.trouble(404)
    today = visit.now.astimezone(JST).date()
    wrong = ""
    try:
        period = period_of(given["period"], given["begin"], given["end"], today)
    except ValueError as error:
        wrong = "refusals.too-long" if isinstance(error, TooLongError) else "refusals.no-period"
        period = period_of(USUAL, "", "", today)
        given |= {"period": USUAL, "begin": "", "end": ""}
    before = number_of(visit.query.get("before", "")) or None
    asked = Question(
        kind=Kind.REFUSAL,
        sender=given["sender"],
        outcome=given["code"],
        begin=period.first,
        end=period.after,
        before=before,
        limit=SHOWN,
    )
    every = Question(
        kind=Kind.REFUSAL, sender=given["sender"], begin=period.first, end=period.after
    )
    with visit.office.books.alone() as ledger:
        engine = ledger.engine
    with ledger_errors("be searched"), engine.connect() as connection:
        found = search(connection, asked)
        codes = counted_by_outcome(connection, every)
    kept = {name: value for name, value in given.items() if value}
    return visit.show(
        "refusals.html",
        400 if wrong else 200,
        say=say,
        wrong=wrong,
        longest=LONGEST,
        some=found.entries,
        codes=[
            (code, number, _with(kept, code=code))
            for code, number in sorted(codes.items(), key=lambda one: (-one[1], one[0]))
        ],
        code_options=[(one, say.why(one)) for one in sorted({*codes, given["code"]} - {""})],
        period=period,
        choices=[(one, visit.words(f"period.{one}")) for one in CHOICES],
        count=sum(codes.values()),
        newest=_with(kept) if before else "",
        older=_with(kept, before=found.entries[-1].number) if found.more else "",
        wanted=given | {"period": given["period"] or USUAL},
    )


def _is_known(given: dict[str, str], say: Say) -> bool:
    """Say whether a choice is one of those that the page has, or none."""
    known = (
        ("code", {one.value for one in Code}),
        ("sender", say.catalogue.systems.keys()),
        ("period", CHOICES.keys()),
    )
    return all(given[name] in {"", *names} for name, names in known)


def _with(kept: dict[str, str], **more: object) -> str:
    return f"/refusals?{urlencode(kept | more)}"


PAGES = (Page("refusals", "/refusals", Right.FACTS, _refusals, alone=False, menu=60),)
