"""Accounts: who may do what; added, changed, locked and removed by an administrator alone."""

import datetime as dt
from collections.abc import Callable

from starlette.responses import Response

from hub.errors import QuestionError
from monitoring.console.accounts import Account, Accounts, Damaged, OwnRightsError, Person
from monitoring.console.page import Handler, Page
from monitoring.console.rights import Right, Role
from monitoring.console.sessions import Why
from monitoring.console.tables import Cell
from monitoring.console.views import when
from monitoring.console.visit import Visit
from monitoring.console.words import Words
from monitoring.visits import Denial

_LIST = "/people"


def _list(visit: Visit) -> Response:
    t, now = visit.words, visit.now
    rows = [(one.id, _row(t, one, now)) for one in visit.office.accounts.all()]
    return visit.show(
        "people.html", rows=rows, roles=tuple(Role), may_manage=visit.may(Right.MANAGE)
    )


def _row(t: Words, one: Account | Damaged, now: dt.datetime) -> tuple[Cell, ...]:
    if isinstance(one, Damaged):
        return ("", "", "", "", t("people.damaged"), "")
    roles = t("people.and").join(t(f"role.{role}") for role in one.roles)
    last = "" if one.last_login is None else when(one.last_login, t.language)
    personal = t("yes" if one.personal else "no")
    return (one.name, one.department, roles, personal, t(f"people.{state_of(one, now)}"), last)


def state_of(account: Account, now: dt.datetime) -> str:
    """Say how an account is: open, locked by people, locked for a time or unused, not set up."""
    if account.locked:
        return "locked"
    if account.is_locked(now):
        return "locked-out"
    # Who comes by the office's login has no password of ours.
    return "open" if account.is_enrolled or account.last_login else "new"


def _show(visit: Visit) -> Response:
    name = visit.params["id"]
    account = visit.office.accounts.find(name)
    if account is None and Damaged(name) not in visit.office.accounts.all():
        return visit.trouble(404)
    return visit.show(
        "person.html",
        id=name,
        account=account,
        state="damaged" if account is None else state_of(account, visit.now),
        roles=tuple(Role),
        may_manage=visit.may(Right.MANAGE),
        is_own=name == visit.who.id,
    )


def _add(visit: Visit) -> Response:
    reason = _reason(visit)
    if not reason:
        return visit.trouble(400, key="reason-missing")
    try:
        person = _typed(visit, visit.form.get("id", "").strip())
        code = visit.office.accounts.add(person, visit.access(reason), visit.now)
    except QuestionError as error:
        return visit.trouble(400, str(error), key="people.wrong")
    return visit.show("person_code.html", id=person.id, code=code)


def _change(visit: Visit) -> Response:
    def change(accounts: Accounts, name: str, reason: str) -> None:
        accounts.change(_typed(visit, name), visit.access(reason))

    return _do(visit, change)


def _lock(visit: Visit) -> Response:
    return _do(visit, lambda all_, name, why: all_.lock(name, visit.access(why)))


def _unlock(visit: Visit) -> Response:
    return _do(
        visit, lambda all_, name, why: all_.unlock(name, visit.access(why), visit.now), ends=False
    )


def _remove(visit: Visit) -> Response:
    return _do(visit, lambda all_, name, why: all_.remove(name, visit.access(why)), goes_to=_LIST)


def _reset(visit: Visit) -> Response:
    reason, name = _reason(visit), visit.params["id"]
    if not reason:
        return visit.trouble(400, key="reason-missing")
    try:
        code = visit.office.accounts.reset(name, visit.access(reason), visit.now)
    except QuestionError as error:
        return visit.trouble(400, str(error), key="people.wrong")
    visit.gate.end_all(name, Why.REVOKED, visit.access(reason))
    return visit.show("person_code.html", id=name, code=code)


Deed = Callable[[Accounts, str, str], object]


def _do(visit: Visit, deed: Deed, *, ends: bool = True, goes_to: str = "") -> Response:
    """Do something with the account of the address, for a reason; its sessions end by that."""
    reason, name = _reason(visit), visit.params["id"]
    if not reason:
        return visit.trouble(400, key="reason-missing")
    try:
        deed(visit.office.accounts, name, reason)
    except OwnRightsError as error:
        said, key = "other rights for oneself", "people.wrong"
        return visit.denied(Denial.SELF, said, status=400, text=str(error), key=key)
    except QuestionError as error:
        return visit.trouble(400, str(error), key="people.wrong")
    if ends:
        visit.gate.end_all(name, Why.REVOKED, visit.access(reason))
    return visit.go(goes_to or f"{_LIST}/{name}")


def _reason(visit: Visit) -> str:
    return visit.form.get("reason", "").strip()


def _typed(visit: Visit, name: str) -> Person:
    """Read who somebody is to be.

    Raises:
        QuestionError: a role is none.
    """
    roles = [value for field, value in visit.fields if field == "role"]
    if not {*roles} <= {*Role}:
        raise QuestionError("there is no such role")
    return Person(
        id=name,
        name=visit.form.get("name", "").strip(),
        department=visit.form.get("department", "").strip(),
        roles=tuple(role for role in Role if role in roles),
        personal=visit.form.get("personal", "") == "yes",
    )


def _step(name: str, handle: Handler) -> Page:
    path = f"{_LIST}/{{id}}/{name}"
    return Page(f"person-{name}", path, Right.MANAGE, handle, "POST", recorded=False, step_up=True)


PAGES = (
    Page("people", _LIST, Right.PEOPLE, _list, menu=80),
    Page("person-add", _LIST, Right.MANAGE, _add, "POST", recorded=False, step_up=True),
    Page("person", f"{_LIST}/{{id}}", Right.PEOPLE, _show),
    _step("change", _change),
    _step("lock", _lock),
    _step("unlock", _unlock),
    _step("reset", _reset),
    _step("remove", _remove),
)
