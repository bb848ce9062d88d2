"""What is decided around every page, once for all: session, form, right, record, second factor.

In this order: is it a session that holds; is the form ours; may the person; was the second factor
given lately; is it recorded. Only then the page's handler is asked. What cannot be recorded is
not answered.
"""

import datetime as dt
import logging
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

from starlette.responses import Response

from hub.errors import LedgerError, QuestionError, RenkeiError, placed
from hub.ledger.acts import Act
from hub.ledger.model import Kind
from hub.message import AccessItems
from monitoring.console import csrf
from monitoring.console.asked import Asked
from monitoring.console.csrf import Tokens, is_same_origin
from monitoring.console.desks import Office, Unrecorded
from monitoring.console.gate import Gate
from monitoring.console.limiter import Limiter
from monitoring.console.page import Page
from monitoring.console.rights import Right, may
from monitoring.console.sessions import COOKIE, Ended, Open, Sessions, Why
from monitoring.console.store import StoreError
from monitoring.console.views import Views
from monitoring.console.visit import Visit, with_cookie
from monitoring.console.words import Words, language_of
from monitoring.visits import Denial, VisitMetrics

log = logging.getLogger(__name__)

LANGUAGE = "__Host-renkei-language"
CODE = "step-up-code"
"""The field in which the second factor comes when it is asked for once more."""


@dataclass(slots=True)
class Guard:
    """Answers every request; ``origin`` is the address that people open."""

    office: Office
    gate: Gate
    sessions: Sessions
    tokens: Tokens
    views: Views
    metrics: VisitMetrics
    origin: str
    pages: Sequence[Page] = ()
    rate: Limiter = field(default_factory=lambda: Limiter(25, 5.0))

    def answer(self, page: Page, asked: Asked) -> Response:
        """Answer a request for a page."""
        words = Words(language_of(asked.cookies.get(LANGUAGE, "")))
        visit = Visit(
            page,
            asked,
            self.office,
            self.views,
            words,
            self.gate,
            lambda _: "",
            count=self.metrics.denied,
        )
        response = self._safely(visit)
        opened = visit.opened
        if opened is not None and opened.secret != asked.cookies.get(COOKIE):
            # The second factor was given meanwhile: whatever came of the rest, it is another one.
            with_cookie(response, COOKIE, opened.secret)
        return response

    def _safely(self, visit: Visit) -> Response:
        page, asked = visit.page, visit.asked
        try:
            return self._answer(page, asked, visit)
        except (Unrecorded, StoreError) as error:
            log.warning("%s is not answered: %s", page.name, error)
            visit.person = None  # nothing of a person is shown either
            return visit.trouble(503, str(error))
        except QuestionError as error:
            return visit.trouble(404, str(error), key="trouble.409")
        except LedgerError as error:
            return visit.trouble(409 if page.changes else 503, str(error))
        except RenkeiError as error:
            return visit.trouble(409, str(error))
        except Exception as error:  # noqa: BLE001 - one page must not end the console
            log.error("%s failed: %s", page.name, placed(error))  # noqa: TRY400 - its text
            return visit.trouble(500, type(error).__name__)

    def _answer(self, page: Page, asked: Asked, visit: Visit) -> Response:
        now = self.office.clock()
        secret = asked.cookies.get(COOKIE, "")
        found = self.sessions.find(secret, asked.address, now, is_seen=not page.by_script)
        if isinstance(found, Ended):
            if found.why is Why.FOREIGN:
                self.metrics.denied(Denial.FOREIGN)
            self.gate.ended(found, visit.access())
        elif found is not None:
            self._enter(visit, found)
        if page.changes and not is_same_origin(asked, self.origin):
            return self._from_elsewhere(visit)
        if page.may is Right.ANYBODY:
            return page.handle(visit)
        if isinstance(found, Open):
            return self._refusal(page, visit, found) or self._asked_for(page, visit, found, now)
        return _left(visit, f"/login?ended={found.why}" if found is not None else "/login")

    def _refusal(self, page: Page, visit: Visit, opened: Open) -> Response | None:
        """Say why a person does not get an answer; nothing where they do."""
        if busy := self._busy(visit, opened):
            return busy
        token = visit.form.get(csrf.FIELD, "")
        if page.changes and not self.tokens.takes(token, opened.secret, visit.asked.path):
            return visit.denied(Denial.FORM, "form not ours, or sent twice", key="trouble.form")
        person = visit.who
        if may(person.roles, page.may) and (person.personal or not page.personal):
            return None
        return visit.denied(Denial.RIGHT, "not permitted")

    def _busy(self, visit: Visit, opened: Open) -> Response | None:
        if self.rate.permits(opened.secret):
            return None
        self.metrics.denied(Denial.BUSY)
        return visit.trouble(429)

    def _from_elsewhere(self, visit: Visit) -> Response:
        """Refuse a form that a page of others sent; whose session came with it is recorded."""
        opened = visit.opened
        if opened is None:
            self.metrics.denied(Denial.ORIGIN)
            return visit.trouble(403, key="trouble.form")
        return self._busy(visit, opened) or visit.denied(
            Denial.ORIGIN, "form sent from elsewhere", key="trouble.form"
        )

    def _asked_for(self, page: Page, visit: Visit, opened: Open, now: dt.datetime) -> Response:
        if not page.step_up or not opened.session.wants_step_up(now):
            return self._handled(page, visit)
        code = visit.form.get(CODE, "")
        stepped = self.gate.step_up(opened, code, visit.access(), now) if code else None
        if stepped is None:
            return self._ask_again(visit, is_wrong=bool(code))
        self._enter(visit, stepped)
        return self._handled(page, visit)

    def _handled(self, page: Page, visit: Visit) -> Response:
        books = self.office.books
        with books.alone() if page.alone else nullcontext():
            if page.recorded and not page.changes:
                said = page.name if not visit.params else f"{page.name} {visit.asked.path}"
                books.record(Kind.LOG_VIEW, Act.PAGE, visit.access(), said)
                self.metrics.viewed(page.name)
            return page.handle(visit)

    def _enter(self, visit: Visit, opened: Open) -> None:
        """Let a visit be a person's."""
        person = opened.account
        visit.person, visit.opened = person, opened
        visit.words = Words(language_of(visit.asked.cookies.get(LANGUAGE, person.language)))
        visit.token = lambda path: self.tokens.token(opened.secret, path)
        visit.menu = sorted(
            (one for one in self.pages if one.menu and visit.may(one.may, personal=one.personal)),
            key=lambda one: one.menu,
        )

    def _ask_again(self, visit: Visit, *, is_wrong: bool) -> Response:
        """Ask for the second factor; the form comes back with what it had."""
        kept = [pair for pair in visit.fields if pair[0] not in {csrf.FIELD, CODE}]
        # Who came by the office's login, with its second factor, may have none of ours.
        can = visit.opened is not None and bool(visit.opened.account.secret)
        return visit.show("step_up.html", kept=kept, is_wrong=is_wrong, field=CODE, can=can)


def _left(visit: Visit, path: str) -> Response:
    response = visit.go(path)
    return (
        with_cookie(response, COOKIE, "", ends=True) if COOKIE in visit.asked.cookies else response
    )


def swept(sessions: Sessions, gate: Gate, now: dt.datetime) -> None:
    """Record the sessions that ended while nobody asked, and tries that were too many.

    Raises:
        Unrecorded: one cannot be recorded; it has ended nevertheless.
    """
    gate.tell_overdue()
    for one in sessions.swept(now):
        gate.ended(one, AccessItems("", "", one.address, "", "console"))
