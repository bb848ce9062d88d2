"""Requests that wait for a second person, of either list: look, approve, decline, take back."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from starlette.responses import Response

from hub.desks.persons import same_person
from hub.desks.requests import RequestDesk
from hub.ledger.beside import State
from monitoring.console.desks import Office
from monitoring.console.page import Handler, Page
from monitoring.console.rights import Right
from monitoring.console.shown import Say, number_of
from monitoring.console.visit import Visit
from monitoring.visits import Denial

_SECOND = "this was asked for by the same person: a second one approves it"
MOST = 40
"""So many of a request's messages are shown."""


@dataclass(frozen=True, slots=True)
class Requests:
    """The pages about a list's requests.

    ``name`` begins theirs, ``path`` is the list's. ``ends`` has the words for what can be asked.
    """

    name: str
    path: str
    at: Callable[[Office], AbstractContextManager[RequestDesk]]
    ends: Mapping[State, str]

    def address(self, number: int) -> str:
        """Give the address of a request."""
        return f"{self.path}/requests/{number}"

    def pages(self) -> tuple[Page, ...]:
        """Give the pages."""
        one = f"{self.path}/requests/{{number:int}}"
        return (
            Page(f"{self.name}-request", one, Right.FACTS, self._show),
            decision(f"{self.name}-approve", f"{one}/approve", Right.APPROVE, self._approve),
            decision(f"{self.name}-decline", f"{one}/decline", Right.APPROVE, self._decline),
            decision(f"{self.name}-take-back", f"{one}/take-back", Right.DECIDE, self._take_back),
        )

    def _show(self, visit: Visit) -> Response:
        number = number_of(visit.params["number"])
        with self.at(visit.office) as desk:
            rows, asked = desk.requested(number, MOST)
            count = desk.count(number)
            end = desk.asked_for(asked)
        is_own = same_person(asked.access.staff, visit.who.id)
        return visit.show(
            "request.html",
            say=Say(visit.words, visit.office.catalogue()),
            number=number,
            path=self.path,
            rows=rows,
            count=count,
            asked=asked,
            end=self.ends[end],
            may_approve=visit.may(Right.APPROVE) and not is_own,
            may_take_back=visit.may(Right.DECIDE) and is_own,
        )

    def _approve(self, visit: Visit) -> Response:
        number = number_of(visit.params["number"])
        with self.at(visit.office) as desk:
            if same_person(desk.requested(number, 1)[1].access.staff, visit.who.id):
                said = f"approving one's own request {number}"
                return visit.denied(Denial.SELF, said, status=409, text=_SECOND)
            desk.approve(number, visit.access(visit.form.get("reason", "")))
        return visit.go(self.path)

    def _decline(self, visit: Visit) -> Response:
        return self._let_be(visit, is_own=False)

    def _take_back(self, visit: Visit) -> Response:
        return self._let_be(visit, is_own=True)

    def _let_be(self, visit: Visit, *, is_own: bool) -> Response:
        """Open the messages of a request again: of another's by declining, of the own one."""
        number = number_of(visit.params["number"])
        reason = visit.form.get("reason", "").strip()
        if not reason:
            return visit.trouble(400, key="reason-missing")
        with self.at(visit.office) as desk:
            _, asked = desk.requested(number, 1)
            if same_person(asked.access.staff, visit.who.id) is not is_own:
                said = "taking back another's" if is_own else "declining one's own"
                return visit.denied(Denial.SELF, f"{said} request {number}")
            desk.decline(number, visit.access(reason))
        return visit.go(self.path)


def decision(name: str, path: str, may: Right, handle: Handler) -> Page:
    """Give what a form about a list is sent to: its own entry is the record of it."""
    return Page(name, path, may, handle, method="POST", recorded=False, step_up=True)
