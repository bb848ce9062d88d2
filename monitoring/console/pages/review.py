"""The review report (III.5): what a month had, and the administrator's word that it was read."""

from starlette.responses import Response

from hub.desks.evidence import accounts_said, differing, with_lock
from hub.desks.review import Review, is_over, read_review, said_of, signed
from hub.ledger.acts import Act
from hub.ledger.leaf import Recorded
from hub.ledger.model import Kind
from hub.ledger.months import all_months
from hub.ledger.schema import ledger_errors
from monitoring.console.accounts import Account, said
from monitoring.console.page import Page
from monitoring.console.reviewed import differ_table, signature, tables
from monitoring.console.rights import Right
from monitoring.console.shown import Say
from monitoring.console.visit import Visit

_LIST = "/evidence/review"
_MOST = 84
"""Seven years of months."""


def _list(visit: Visit) -> Response:
    t = visit.words
    with visit.office.books.alone() as ledger:
        engine = ledger.engine
    with ledger_errors("be read"), engine.connect() as connection:
        kept = [one.month for one in all_months(connection) if not one.destroyed]
        months = [f"{one // 100:04d}-{one % 100:02d}" for one in reversed(kept)][:_MOST]
        rows = [(month, signature(t, signed(connection, month))) for month in months]
    return visit.show("reviews.html", rows=rows)


def _show(visit: Visit, status: int = 200, wrong: str = "") -> Response:
    month, t = visit.params["month"], visit.words
    report, by = _read(visit, month)
    with visit.office.books.alone() as ledger:
        engine = ledger.engine
    with ledger_errors("be read"), engine.connect() as connection:
        differ = differing(accounts_said(connection), _accounts(visit))
    return visit.show(
        "review.html",
        status,
        wrong=wrong,
        month=month,
        report=report,
        digest=report.digest(),
        signature=signature(t, by),
        tables=[*tables(report, Say(t, visit.office.catalogue())), differ_table(t, differ)],
        may_sign=visit.may(Right.REVIEW) and is_over(month, visit.now),
    )


def _read(visit: Visit, month: str) -> tuple[Review, Recorded | None]:
    """Read a report; it takes long, and others use the ledger meanwhile."""
    with visit.office.books.alone() as ledger:
        opened = ledger
    report = read_review(opened, month, visit.office.site.watch, visit.now)
    with ledger_errors("be read"), opened.engine.connect() as connection:
        return report, signed(connection, month)


def _sign(visit: Visit) -> Response:
    """Record that somebody looked at a report, if it is the one that they were shown."""
    month = visit.params["month"]
    if not is_over(month, visit.now):
        return visit.trouble(400, key="review.not-over")
    report, _ = _read(visit, month)
    if visit.form.get("digest", "") != report.digest():
        visit.looked(f"review {_LIST}/{month}")
        return _show(visit, 409, "review.other")
    access = visit.access(visit.form.get("reason", ""))
    visit.office.books.record(
        Kind.OPERATOR_ACTION, Act.REVIEWED, access, said_of(month), content=report.document()
    )
    return visit.go(f"{_LIST}/{month}")


def _accounts(visit: Visit) -> dict[str, str]:
    """Say what the console's accounts may, as the ledger says it."""
    found = {}
    for one in visit.office.accounts.all():
        if isinstance(one, Account):
            text = said(one).partition(": ")[2]
            found[one.id] = with_lock(text, is_locked=one.locked)
        else:
            found[one.id] = "–"
    return found


PAGES = (
    Page("reviews", _LIST, Right.EVIDENCE, _list, menu=74),
    Page("review", f"{_LIST}/{{month}}", Right.EVIDENCE, _show, alone=False),
    Page(
        "review-sign",
        f"{_LIST}/{{month}}/signed",
        Right.REVIEW,
        _sign,
        "POST",
        recorded=False,
        step_up=True,
        alone=False,
    ),
)
