"""What a page's handler gets: who asks what, and how to answer."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response

from hub.ledger.acts import Act
from hub.ledger.model import Kind
from hub.message import AccessItems
from monitoring.console.accounts import Person
from monitoring.console.asked import Asked
from monitoring.console.desks import Office
from monitoring.console.gate import Gate
from monitoring.console.page import Page
from monitoring.console.rights import Right, may
from monitoring.console.sessions import Open
from monitoring.console.views import Views
from monitoring.console.words import Words
from monitoring.visits import Denial
from schemas.hidden import mask_my_numbers

ITEM_CHARACTERS = 80
"""An item of the access log is no longer."""


@dataclass(slots=True)
class Visit:
    """One request of a person, on its way through a handler.

    ``form`` has the last value of each field, ``fields`` all of them in order; nothing of either is
    checked yet, and they are no longer than the body may be (64 KiB).
    """

    page: Page
    asked: Asked
    office: Office
    views: Views
    words: Words
    gate: Gate
    token: Callable[[str], str]
    """Gives the token of a form, by the address that it is sent to."""
    person: Person | None = None
    opened: Open | None = None
    menu: Sequence[Page] = ()
    count: Callable[[Denial], None] = lambda _: None
    """Is told what is not done, and why."""

    @property
    def params(self) -> Mapping[str, str]:
        """What stood in the address, by the names in the page's path."""
        return self.asked.params

    @property
    def query(self) -> Mapping[str, str]:
        """What stood behind the question mark: never a number or a name of a person."""
        return self.asked.query

    @property
    def form(self) -> Mapping[str, str]:
        """The fields of the form, by name."""
        return dict(self.asked.fields)

    @property
    def fields(self) -> Sequence[tuple[str, str]]:
        """The fields of the form, also those that stand in it several times."""
        return self.asked.fields

    @property
    def who(self) -> Person:
        """The person; a page that needs no session has none.

        Raises:
            RuntimeError: nobody is logged in.
        """
        if self.person is None:
            raise RuntimeError("this page is for anybody")
        return self.person

    @property
    def now(self) -> dt.datetime:
        """The time, in Japan."""
        return self.office.clock()

    def may(self, right: Right, *, personal: bool = False) -> bool:
        """Say whether the person has a right, to show a button or leave it out."""
        who = self.person
        return who is not None and may(who.roles, right) and (who.personal or not personal)

    def access(self, reason: str = "") -> AccessItems:
        """Give the items for the ledger: the person, department, terminal, reason, page."""
        person = self.person
        terminal = self.office.terminal(self.asked.address)
        words = (
            person.id if person else "",
            person.department if person else "",
            terminal,
            reason.strip(),
            f"console {self.page.name}",
        )
        # A 個人番号 that somebody typed by mistake would stand in the ledger for years.
        return AccessItems(*(mask_my_numbers(one)[:ITEM_CHARACTERS] for one in words))

    def looked(self, said: str) -> None:
        """Record a look at another page, which a form that cannot be taken is answered with.

        Raises:
            Unrecorded: it cannot be, so that page may not be shown.
        """
        self.office.books.record(Kind.LOG_VIEW, Act.PAGE, self.access(), said)

    def denied(
        self, why: Denial, said: str, *, status: int = 403, text: str = "", key: str = ""
    ) -> Response:
        """Answer that the person may not do this; count it, and record who tried.

        ``said`` is for the ledger; ``text`` and ``key`` are for the person, as of ``trouble``.

        Raises:
            Unrecorded: it cannot be recorded.
        """
        self.count(why)
        said = f"{self.page.name}: {said}"
        self.office.books.record(Kind.LOG_VIEW, Act.PAGE, self.access(), said)
        return self.trouble(status, text, key)

    def show(self, template: str, status: int = 200, **values: object) -> Response:
        """Answer with a page, made of ``templates/<template>``."""
        text = self.views.render(
            template,
            self.words,
            visit=self,
            token=self.token,
            menu=self.menu,
            person=self.person,
            page=self.page,
            **values,
        )
        return Response(text, status, media_type="text/html")

    def go(self, path: str) -> Response:
        """Answer that the browser goes on to another page: what was done is not done again."""
        return RedirectResponse(path, 303)

    def file(self, name: str, content: bytes, media_type: str = "text/plain") -> Response:
        """Answer with a file that is kept, not shown; its handler records the export."""
        heads = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=media_type, headers=heads)

    def trouble(self, status: int, text: str = "", key: str = "") -> Response:
        """Answer that it cannot be done; ``text`` says why, in the words of who found it."""
        return self.show("trouble.html", status, key=key or f"trouble.{status}", text=text)


def with_cookie(
    response: Response, name: str, value: str, *, ends: bool = False, lax: bool = False
) -> Response:
    """Let an answer set a cookie that only our own pages send, and no script reads.

    With ``lax`` a browser sends it also when a page of others leads to us.
    """
    site = "Lax" if lax else "Strict"
    more = "; Max-Age=0" if ends else ""
    value = f"{name}={value}; Path=/; Secure; HttpOnly; SameSite={site}{more}"
    response.headers.append("Set-Cookie", value)
    return response
