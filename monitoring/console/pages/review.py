"""The review report (III.5): what a month had, and the administrator's word that it was read."""

import datetime as dt
from collections.abc import Iterable

from starlette.responses import Response

from hub.desks.evidence import Differs, accounts_said, differing, with_lock
from hub.desks.review import Changed, Counted, Review, is_over, read_review, said_of, signed
from hub.ledger.acts import Act
from hub.ledger.leaf import Recorded
from hub.ledger.model import Kind
from hub.ledger.months import all_months
from hub.ledger.schema import ledger_errors
from monitoring.console.accounts import Account, said
from monitoring.console.page import Page
from monitoring.console.rights import Right
from monitoring.console.shown import Say
from monitoring.console.tables import Cell, Table
from monitoring.console.views import day, when
from monitoring.console.visit import Visit
from monitoring.console.words import Words, every_word

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
        rows = [(month, _signature(t, signed(connection, month))) for month in months]
    return visit.show("reviews.html", rows=rows)


def _signature(t: Words, entry: Recorded | None) -> str:
    if entry is None:
        return t("review.unsigned")
    return t("review.signed", who=entry.access.staff, at=when(entry.at, t.language))


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
        signature=_signature(t, by),
        tables=[*_tables(report, Say(t, visit.office.catalogue())), _differ(t, differ)],
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


def _tables(report: Review, say: Say) -> list[Table]:
    t = say.words
    system_heads = (t("table.sender"), t("table.why"), t("review.times"))
    staff_heads = (t("table.who"), t("table.what"), t("review.times"))
    return [
        Table(t("review.attempts"), system_heads, _refused(report.attempts, say)),
        Table(
            t("review.unusual"),
            (t("table.sender"), t("table.flow"), t("review.night"), t("review.rest")),
            [(say.system(one.sender), one.flow, one.night, one.rest) for one in report.unusual],
        ),
        Table(t("review.decisions"), staff_heads, _named(t, "decision", report.decisions)),
        Table(
            t("review.views"),
            (t("table.who"), t("review.times"), t("review.residents")),
            [(_who(t, one.who), one.views, one.residents) for one in report.views],
        ),
        Table(t("review.exports"), staff_heads, _named(t, "act", report.exports)),
        Table(t("review.logins"), staff_heads, _named(t, "act", report.logins)),
        Table(t("review.operations"), staff_heads, _named(t, "act", report.operations)),
        Table(
            t("review.days"),
            (t("table.day"), t("table.status")),
            [
                (day(dt.date.fromisoformat(one.day), t.language), t(f"day.{one.state}"))
                for one in report.unreconciled
            ],
        ),
        Table(t("review.accounts"), _change_heads(t), _changed(t, "act", report.accounts)),
        Table(t("review.catalogue"), _change_heads(t), _changed(t, "change", report.catalogue)),
        Table(t("review.refusals"), system_heads, _refused(report.refusals, say)),
    ]


def _differ(t: Words, differ: Iterable[Differs]) -> Table:
    heads = (t("me.id"), t("review.in-ledger"), t("review.in-console"))
    return Table(t("review.differ"), heads, [tuple(one) for one in differ])


def _refused(found: Iterable[Counted], say: Say) -> list[tuple[Cell, ...]]:
    none = say.words("unknown")
    return [(say.system(one.who) or none, say.why(one.what), one.times) for one in found]


def _named(t: Words, kind: str, found: Iterable[Counted]) -> list[tuple[Cell, ...]]:
    return [(_who(t, one.who), _name(t, kind, one.what), one.times) for one in found]


def _change_heads(t: Words) -> tuple[str, ...]:
    return tuple(t(f"table.{name}") for name in ("entry", "at", "who", "what", "detail"))


def _changed(t: Words, kind: str, found: Iterable[Changed]) -> list[tuple[Cell, ...]]:
    return [
        (one.entry, _when(t, one.at), _who(t, one.who), _name(t, kind, one.what), one.detail)
        for one in found
    ]


def _when(t: Words, at: str) -> str:
    return when(dt.datetime.fromisoformat(at), t.language)


def _who(t: Words, staff: str) -> str:
    return staff or t("unknown")


def _name(t: Words, kind: str, code: str) -> str:
    """Name an act or a decision; what has no name is told by its code."""
    key = f"{kind}.{code}"
    return t(key) if key in every_word() else code


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
