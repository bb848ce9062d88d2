"""The dead letters (配信不能電文): look, replay, discard, and ask for several."""

from starlette.responses import Response

from hub.desks.dead_letters import DeadLetters
from hub.desks.shelf import counted, listed, requests
from hub.errors import LedgerError
from hub.ledger.asides import Wanted
from hub.ledger.beside import Shelf, Shelved, State
from monitoring.console.page import Page
from monitoring.console.requested import Requests, decision
from monitoring.console.rights import Right
from monitoring.console.shown import Say, number_of
from monitoring.console.visit import Visit

MOST = 40
"""So many are shown: each has a field in the form, and a form has no more than fifty."""
_LIST = "/dead-letters"
_FILTERS = ("state", "system", "code", "flow", "receiver")
_REQUESTS = Requests(
    "dead-letter",
    _LIST,
    lambda office: office.dead_letters(),
    {State.RELEASED: "dead-letters.replay", State.DISCARDED: "dead-letters.discard"},
)
STATES = ("open", "requested", "released", "sending", "moved", "discarded", "refused", "all")


def _wanted(given: dict[str, str]) -> Wanted | None:
    chosen = given.get("state") or State.OPEN.value
    if chosen not in STATES:
        return None
    return Wanted(
        Shelf.DEAD_LETTER,
        None if chosen == "all" else State(chosen),
        sender=given.get("system", ""),
        code=given.get("code", ""),
        flow=given.get("flow", ""),
        receiver=given.get("receiver", ""),
    )


def _list(visit: Visit) -> Response:
    given = {name: visit.query.get(name, "") for name in _FILTERS}
    wanted = _wanted(given)
    if wanted is None:
        return visit.trouble(404)
    with visit.office.books.alone() as ledger:
        rows = listed(ledger, wanted, MOST)
        count = counted(ledger, wanted)
        waiting = requests(ledger, Shelf.DEAD_LETTER)
    say = Say(visit.words, visit.office.catalogue())
    return visit.show(
        "dead_letters.html",
        say=say,
        rows=rows,
        count=count,
        wanted=given | {"state": given["state"] or State.OPEN.value},
        state_options=say.states(Shelf.DEAD_LETTER, STATES),
        requests=waiting.items(),
        may_ask=visit.may(Right.DECIDE) and wanted.state is State.OPEN,
    )


def _show(visit: Visit) -> Response:
    number = number_of(visit.params["number"])
    with visit.office.dead_letters() as desk:
        dossier = desk.show(number, visit.access())
        is_for_two = desk.is_for_two
    return visit.show(
        "dead_letter.html",
        say=Say(visit.words, visit.office.catalogue()),
        dossier=dossier,
        number=number,
        may_decide=visit.may(Right.DECIDE) and dossier.row.state is State.OPEN,
        is_for_two=is_for_two,
    )


def _replay(visit: Visit) -> Response:
    return _decide(visit, discard=False)


def _discard(visit: Visit) -> Response:
    return _decide(visit, discard=True)


def _decide(visit: Visit, *, discard: bool) -> Response:
    number = number_of(visit.params["number"])
    reason = visit.form.get("reason", "").strip()
    if not reason:
        return visit.trouble(400, key="reason-missing")
    access = visit.access(reason)
    with visit.office.dead_letters() as desk:
        request = desk.discard(number, access) if discard else desk.replay(number, access)
    return visit.go(_REQUESTS.address(request) if request else f"{_LIST}/{number}")


def _request(visit: Visit) -> Response:
    """Ask for all that were chosen one by one, or for all that are like what was shown."""
    form = visit.form
    reason = form.get("reason", "").strip()
    if not reason:
        return visit.trouble(400, key="reason-missing")
    with visit.office.dead_letters() as desk:
        rows = _chosen(visit, desk)
        if not rows:
            return visit.trouble(400, key="dead-letters.none-chosen")
        now = State.DISCARDED if form.get("end") == "discard" else State.RELEASED
        number = desk.request(rows, visit.access(reason), now)
    return visit.go(_REQUESTS.address(number))


def _chosen(visit: Visit, desk: DeadLetters) -> list[Shelved]:
    if visit.form.get("which") == "all":
        wanted = _wanted(dict(visit.form) | {"state": State.OPEN.value})
        rows = desk.chosen(wanted) if wanted else []
        if len(rows) != number_of(visit.form.get("count", "")):
            raise LedgerError(visit.words("dead-letters.others"))
        return rows
    numbers = {text for name, text in visit.fields if name == "number"}
    return [desk.open_row(number)[0] for number in sorted(map(number_of, numbers))]


PAGES = (
    Page("dead-letters", _LIST, Right.FACTS, _list, menu=50),
    Page("dead-letter", f"{_LIST}/{{number:int}}", Right.FACTS, _show, recorded=False),
    decision("dead-letter-replay", f"{_LIST}/{{number:int}}/replay", Right.DECIDE, _replay),
    decision("dead-letter-discard", f"{_LIST}/{{number:int}}/discard", Right.DECIDE, _discard),
    decision("dead-letter-ask", f"{_LIST}/request", Right.DECIDE, _request),
    *_REQUESTS.pages(),
)
