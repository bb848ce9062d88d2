"""The confirmation list (確認リスト): look, release, reject; by two where the site wants it."""

from starlette.responses import Response

from hub.desks.confirmations import listed
from hub.desks.shelf import requests
from hub.disclosure.worded import worded
from hub.ledger.beside import Shelf, State
from monitoring.console.page import Page
from monitoring.console.requested import Requests, decision
from monitoring.console.rights import Right
from monitoring.console.shown import Say, number_of
from monitoring.console.visit import Visit

MOST = 200
STATES = ("open", "requested", "released", "moved", "rejected", "refused", "all")
_LIST = "/confirmations"
_REQUESTS = Requests(
    "confirmation",
    _LIST,
    lambda office: office.confirmations(),
    {State.RELEASED: "confirmation.release", State.REJECTED: "confirmation.reject"},
)


def _list(visit: Visit) -> Response:
    wanted = {name: visit.query.get(name, "") for name in ("state", "system", "code")}
    chosen = wanted["state"] or State.OPEN.value
    if chosen not in STATES:
        return visit.trouble(404)
    state = None if chosen == "all" else State(chosen)
    with visit.office.books.alone() as ledger:
        rows = listed(ledger, state, wanted["system"], wanted["code"], MOST + 1)
        waiting = requests(ledger, Shelf.CONFIRMATION)
    say = Say(visit.words, visit.office.catalogue())
    return visit.show(
        "confirmations.html",
        say=say,
        rows=rows[:MOST],
        more=len(rows) > MOST,
        requests=waiting.items(),
        wanted=wanted | {"state": chosen},
        state_options=say.states(Shelf.CONFIRMATION, STATES),
    )


def _show(visit: Visit) -> Response:
    number = number_of(visit.params["number"])
    is_shown = visit.may(Right.FACTS, personal=True)
    with visit.office.confirmations() as desk:
        shown = desk.show(number, visit.access(), with_fields=is_shown)
        is_for_two = desk.is_for_two
    return visit.show(
        "confirmation.html",
        say=Say(visit.words, visit.office.catalogue()),
        number=number,
        row=shown.row,
        is_overtaken=shown.is_overtaken,
        is_shown=is_shown,
        fields=worded(shown.fields, shown.row.key.sender),
        may_decide=visit.may(Right.DECIDE) and shown.row.state is State.OPEN,
        is_for_two=is_for_two,
    )


def _release(visit: Visit) -> Response:
    return _decide(visit, is_released=True)


def _reject(visit: Visit) -> Response:
    return _decide(visit, is_released=False)


def _decide(visit: Visit, *, is_released: bool) -> Response:
    number = number_of(visit.params["number"])
    reason = visit.form.get("reason", "").strip()
    if not reason:
        return visit.trouble(400, key="reason-missing")
    access = visit.access(reason)
    with visit.office.confirmations() as desk:
        request = desk.release(number, access) if is_released else desk.reject(number, access)
    return visit.go(_REQUESTS.address(request) if request else f"{_LIST}/{number}")


PAGES = (
    Page("confirmations", _LIST, Right.FACTS, _list, menu=40),
    Page("confirmation", f"{_LIST}/{{number:int}}", Right.FACTS, _show, recorded=False),
    decision("confirmation-release", f"{_LIST}/{{number:int}}/release", Right.DECIDE, _release),
    decision("confirmation-reject", f"{_LIST}/{{number:int}}/reject", Right.DECIDE, _reject),
    *_REQUESTS.pages(),
)
