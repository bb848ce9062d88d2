"""The dead letters (配信不能電文): look, replay, discard, and ask for several."""

from starlette.responses import Response

from hub.desks.dead_letters import DeadLetters, same_person
from hub.desks.shelf import counted, listed, requests
from hub.errors import LedgerError
from hub.ledger.asides import Wanted
from hub.ledger.beside import Shelf, Shelved, State
from hub.statute.reasons import Code
from monitoring.console.page import Handler, Page
from monitoring.console.rights import Right
from monitoring.console.shown import Say, number_of
from monitoring.console.visit import Visit

MOST = 40
"""So many are shown: each has a field in the form, and a form has no more than fifty."""
_LIST = "/dead-letters"
_FILTERS = ("state", "system", "code", "flow", "receiver")
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
    return visit.show(
        "dead_letter.html",
        say=Say(visit.words, visit.office.catalogue()),
        dossier=dossier,
        number=number,
        may_decide=visit.may(Right.DECIDE) and dossier.row.state is State.OPEN,
        is_for_two=_is_for_two(visit),
    )


def _is_for_two(visit: Visit) -> bool:
    """Say whether a single one, too, is decided about by two."""
    return "dead-letters" in visit.office.settings.second_person


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
        if _is_for_two(visit):
            row, _ = desk.open_row(number)
            return visit.go(_request_path(desk.request([row], access, discard=discard)))
        if discard:
            desk.discard(number, access)
        else:
            desk.replay(number, access)
    return visit.go(f"{_LIST}/{number}")


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
        number = desk.request(rows, visit.access(reason), discard=form.get("end") == "discard")
    return visit.go(_request_path(number))


def _chosen(visit: Visit, desk: DeadLetters) -> list[Shelved]:
    if visit.form.get("which") == "all":
        wanted = _wanted(dict(visit.form) | {"state": State.OPEN.value})
        rows = desk.chosen(wanted) if wanted else []
        if len(rows) != number_of(visit.form.get("count", "")):
            raise LedgerError(visit.words("dead-letters.others"))
        return rows
    numbers = {text for name, text in visit.fields if name == "number"}
    return [desk.open_row(number)[0] for number in sorted(map(number_of, numbers))]


def _request_path(number: int) -> str:
    return f"{_LIST}/requests/{number}"


def _show_request(visit: Visit) -> Response:
    number = number_of(visit.params["number"])
    with visit.office.dead_letters() as desk:
        rows, asked = desk.requested(number)
    is_own = same_person(asked.access.staff, visit.who.id)
    return visit.show(
        "dead_letters_request.html",
        say=Say(visit.words, visit.office.catalogue()),
        number=number,
        rows=rows[:MOST],
        count=len(rows),
        asked=asked,
        may_approve=visit.may(Right.APPROVE) and not is_own,
        may_take_back=visit.may(Right.DECIDE) and is_own,
        is_discard=asked.code == Code.DISCARD_REQUESTED,
    )


def _approve(visit: Visit) -> Response:
    number = number_of(visit.params["number"])
    with visit.office.dead_letters() as desk:
        desk.approve(number, visit.access(visit.form.get("reason", "")))
    return visit.go(_LIST)


def _decline(visit: Visit) -> Response:
    return _let_be(visit, is_own=False)


def _take_back(visit: Visit) -> Response:
    return _let_be(visit, is_own=True)


def _let_be(visit: Visit, *, is_own: bool) -> Response:
    """Open the dead letters of a request again: of another's by declining, of the own one."""
    number = number_of(visit.params["number"])
    reason = visit.form.get("reason", "").strip()
    if not reason:
        return visit.trouble(400, key="reason-missing")
    with visit.office.dead_letters() as desk:
        _, asked = desk.requested(number)
        if same_person(asked.access.staff, visit.who.id) is not is_own:
            return visit.trouble(403)
        desk.decline(number, visit.access(reason))
    return visit.go(_LIST)


def _decision(name: str, path: str, may: Right, handle: Handler) -> Page:
    where = f"{_LIST}/{path}"
    page = f"dead-letter-{name}"
    return Page(page, where, may, handle, method="POST", recorded=False, step_up=True)


PAGES = (
    Page("dead-letters", _LIST, Right.FACTS, _list, menu=50),
    Page("dead-letter", f"{_LIST}/{{number:int}}", Right.FACTS, _show, recorded=False),
    Page("dead-letter-request", f"{_LIST}/requests/{{number:int}}", Right.FACTS, _show_request),
    _decision("replay", "{number:int}/replay", Right.DECIDE, _replay),
    _decision("discard", "{number:int}/discard", Right.DECIDE, _discard),
    _decision("ask", "request", Right.DECIDE, _request),
    _decision("take-back", "requests/{number:int}/take-back", Right.DECIDE, _take_back),
    _decision("approve", "requests/{number:int}/approve", Right.APPROVE, _approve),
    _decision("decline", "requests/{number:int}/decline", Right.APPROVE, _decline),
)
