"""Maintenance: the hub at rest for a while, begun and ended by an administrator."""

import datetime as dt

from starlette.responses import Response

from hub.desks.maintenance import go_on, rest
from hub.ledger.maintenance import read_maintenance
from monitoring.console.page import Handler, Page
from monitoring.console.rights import Right
from monitoring.console.visit import Visit

MINUTES = (30, 60, 120, 240, 480, 1440)


def _show(visit: Visit) -> Response:
    with visit.office.books.alone() as ledger:
        standing = read_maintenance(ledger.engine, visit.now)
    return visit.show(
        "maintenance.html",
        standing=standing,
        choices=MINUTES,
        may_manage=visit.may(Right.MANAGE),
    )


def _begin(visit: Visit) -> Response:
    reason = visit.form.get("reason", "").strip()
    if not reason:
        return visit.trouble(400, key="reason-missing")
    minutes = visit.form.get("minutes", "")
    if minutes not in {str(one) for one in MINUTES}:
        return visit.trouble(400)
    until = visit.now + dt.timedelta(minutes=int(minutes))
    with visit.office.books.alone() as ledger:
        rest(ledger, until, visit.access(reason), visit.now)
    return visit.go("/maintenance")


def _end(visit: Visit) -> Response:
    with visit.office.books.alone() as ledger:
        go_on(ledger, visit.access(visit.form.get("reason", "")), visit.now)
    return visit.go("/maintenance")


def _step(name: str, path: str, handle: Handler) -> Page:
    return Page(name, path, Right.MANAGE, handle, "POST", recorded=False, step_up=True)


PAGES = (
    Page("maintenance", "/maintenance", Right.PEOPLE, _show, menu=85),
    _step("maintenance-begin", "/maintenance", _begin),
    _step("maintenance-end", "/maintenance/end", _end),
)
