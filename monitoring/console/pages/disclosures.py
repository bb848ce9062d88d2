"""Disclosure reports: asked for with a reason, permitted by another person, had once."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_args

from starlette.responses import Response

from hub.desks.exports import Asked, Exports, Format, Wish
from hub.errors import QuestionError
from hub.ledger.search.whom import MyNumberGiven
from monitoring.console.page import Handler, Page
from monitoring.console.rights import Right
from monitoring.console.visit import Visit
from monitoring.visits import Denial
from schemas.hidden import holds_my_number

_LIST = "/evidence/disclosures"
_SECOND = "this was asked for by the same person: a second one permits it"
_MEDIA = {"pdf": "application/pdf", "html": "text/html", "json": "application/json"}


@contextmanager
def _desk(visit: Visit) -> Iterator[Exports]:
    office = visit.office
    with office.books.alone() as ledger:
        yield Exports(ledger, office.catalogue(), office.pseudonyms, office.store, office.clock)


def _list(visit: Visit) -> Response:
    return _shown(visit)


def _shown(visit: Visit, status: int = 200, wrong: str = "") -> Response:
    with _desk(visit) as desk:
        waiting = desk.waiting()
    return visit.show(
        "disclosures.html",
        status,
        wrong=wrong,
        waiting=[_row(visit, one) for one in waiting],
        formats=get_args(Format),
        may_ask=visit.may(Right.DISCLOSE, personal=True),
    )


def _row(visit: Visit, one: Asked) -> dict[str, object]:
    """Say what waits, and what this person may do with it; the number only to who may see it."""
    is_own, is_permitted = one.is_of(visit.who.id), one.permitted_at is not None
    return {
        "asked": one,
        "number": one.number if visit.who.personal else visit.words("disclosures.hidden"),
        "is_doubtful": holds_my_number(one.number),
        "may_approve": visit.may(Right.APPROVE) and not is_own and not is_permitted,
        "may_take": is_own and is_permitted and visit.may(Right.DISCLOSE, personal=True),
        "may_take_back": is_own and visit.may(Right.DISCLOSE),
    }


def _ask(visit: Visit) -> Response:
    form = visit.form
    reason = form.get("reason", "").strip()
    if not reason:
        return visit.trouble(400, key="reason-missing")
    try:
        wish = Wish.model_validate(
            {
                "number": form.get("addressee", "").strip(),
                "begin": _day(form.get("begin", "")),
                "end": _day(form.get("end", "")),
                "format": form.get("format", ""),
            }
        )
        with _desk(visit) as desk:
            desk.ask(wish, visit.access(reason))
    except (QuestionError, ValueError) as error:
        visit.looked("disclosures")
        is_my_number = isinstance(error, MyNumberGiven)
        return _shown(visit, 400, "addressee.my-number" if is_my_number else "disclosures.wrong")
    return visit.go(_LIST)


def _day(text: str) -> dt.date | None:
    return dt.date.fromisoformat(text.strip()) if text.strip() else None


def _approve(visit: Visit) -> Response:
    with _desk(visit) as desk:
        if desk.find(visit.params["id"]).is_of(visit.who.id):
            return visit.denied(Denial.SELF, "approving one's own", status=409, text=_SECOND)
        desk.approve(visit.params["id"], visit.access(visit.form.get("reason", "")))
    return visit.go(_LIST)


def _decline(visit: Visit) -> Response:
    return _let_be(visit, is_own=False)


def _take_back(visit: Visit) -> Response:
    return _let_be(visit, is_own=True)


def _let_be(visit: Visit, *, is_own: bool) -> Response:
    """Delete what another asked for by declining it, or what one asked for oneself."""
    reason = visit.form.get("reason", "").strip()
    if not reason:
        return visit.trouble(400, key="reason-missing")
    with _desk(visit) as desk:
        if desk.find(visit.params["id"]).is_of(visit.who.id) is not is_own:
            said = "taking back another's" if is_own else "declining one's own"
            return visit.denied(Denial.SELF, said)
        desk.decline(visit.params["id"], visit.access(reason))
    return visit.go(_LIST)


def _take(visit: Visit) -> Response:
    with _desk(visit) as desk:
        asked = desk.find(visit.params["id"])
        if not asked.is_of(visit.who.id) or asked.permitted_at is None:
            said = f"{asked.id} is another's, or nobody has permitted it"
            return visit.denied(Denial.SELF, said, status=409, text=said)
        name, content = desk.take(visit.params["id"], visit.access())
    return visit.file(name, content, _MEDIA[name.rpartition(".")[2]])


def _step(name: str, may: Right, handle: Handler, *, personal: bool = False) -> Page:
    path = f"{_LIST}/{{id}}/{name}"
    return Page(
        f"disclosure-{name}",
        path,
        may,
        handle,
        "POST",
        recorded=False,
        personal=personal,
        step_up=True,
    )


PAGES = (
    Page("disclosures", _LIST, Right.EXPORTS, _list, menu=73),
    Page(
        "disclosure-ask",
        _LIST,
        Right.DISCLOSE,
        _ask,
        "POST",
        recorded=False,
        personal=True,
        step_up=True,
    ),
    _step("approve", Right.APPROVE, _approve),
    _step("decline", Right.APPROVE, _decline),
    _step("take-back", Right.DISCLOSE, _take_back),
    _step("take", Right.DISCLOSE, _take, personal=True),
)
