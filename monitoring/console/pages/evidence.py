"""Evidence: how the ledger stands, which days were reconciled, how the catalogue changed."""

import datetime as dt

from starlette.responses import Response

from hub.clock import JST
from hub.desks.evidence import changes, days, standing
from hub.ledger.leaf import Recorded
from hub.ledger.schema import ledger_errors
from monitoring.console.page import Page
from monitoring.console.rights import Right
from monitoring.console.tables import Table
from monitoring.console.views import day as shown_day
from monitoring.console.views import when
from monitoring.console.visit import Visit

DAYS = 31
"""So many days are shown; the review report has those of each month."""
_LINES = 50
_CHANGES = 100


def _evidence(visit: Visit) -> Response:
    with visit.office.books.alone() as ledger:
        found = standing(ledger)
    t = visit.words
    last = {"backup": found.backup, "drill": found.drill, "cosigned": found.cosigned}
    return visit.show(
        "evidence.html",
        checkpoint=found.checkpoint,
        root=found.checkpoint.root.hex(),
        signatures=found.signatures,
        live=visit.office.figures.look().live.ledger,
        last={name: _said(visit, entry) for name, entry in last.items()},
        never=t("evidence.never"),
    )


def _said(visit: Visit, entry: Recorded | None) -> str:
    """Say when something was last done, and by whom."""
    if entry is None:
        return ""
    return f"{when(entry.at, visit.words.language)} {entry.access.staff}".rstrip()


def _changes(visit: Visit) -> Response:
    t = visit.words
    with visit.office.books.alone() as ledger:
        found = changes(ledger, _CHANGES)
    table = Table(
        t("menu.catalogue-changes"),
        tuple(t(f"table.{name}") for name in ("entry", "at", "what", "detail")),
        [
            (one.number, when(one.at, t.language), t(f"change.{one.outcome}"), one.detail)
            for one in found
        ],
    )
    return visit.show("catalogue_changes.html", table=table)


def _days(visit: Visit, wrong: str = "") -> Response:
    t = visit.words
    yesterday = visit.now.astimezone(JST).date() - dt.timedelta(days=1)
    first = yesterday - dt.timedelta(days=DAYS - 1)
    with visit.office.books.alone() as ledger:
        engine = ledger.engine
    with ledger_errors("be read"), engine.connect() as connection:
        found = days(connection, first, yesterday)
    rows = [
        (
            shown_day(one.day, t.language),
            t(f"day.{one.state}"),
            "" if one.entry is None else one.entry.number,
            _said(visit, one.entry),
            "" if one.entry is None else one.entry.detail,
        )
        for one in reversed(found)
    ]
    heads = ("day", "status", "entry", "at", "detail")
    return visit.show(
        "days.html",
        400 if wrong else 200,
        wrong=wrong,
        table=Table(t("menu.days"), tuple(t(f"table.{name}") for name in heads), rows),
        yesterday=yesterday.isoformat(),
        may_reconcile=visit.may(Right.RECONCILE),
    )


def _reconcile(visit: Visit) -> Response:
    """Reconcile a day; what it came to is shown, and stands in the ledger."""
    reason = visit.form.get("reason", "").strip()
    if not reason:
        return visit.trouble(400, key="reason-missing")
    try:
        day = dt.date.fromisoformat(visit.form.get("day", "").strip())
    except ValueError:
        return _no_day(visit)
    if not dt.date(2000, 1, 1) <= day <= visit.now.astimezone(JST).date():
        return _no_day(visit)
    with visit.office.books.alone() as ledger:
        found = visit.office.outside.reconcile(ledger, day, visit.access(reason))
    lines = found.document.decode("utf-8", "replace").splitlines()
    return visit.show(
        "reconciled.html", of=day, found=found, lines=lines[:_LINES], more=len(lines) > _LINES
    )


def _no_day(visit: Visit) -> Response:
    visit.looked("days")
    return _days(visit, "days.no-day")


PAGES = (
    Page("evidence", "/evidence", Right.EVIDENCE, _evidence, menu=71),
    Page("days", "/evidence/days", Right.DAYS, _days, menu=72),
    Page("days-reconcile", "/evidence/days", Right.RECONCILE, _reconcile, "POST"),
    Page("catalogue-changes", "/evidence/catalogue", Right.EVIDENCE, _changes, menu=75),
)
