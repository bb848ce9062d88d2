"""The console over a ledger on disk, asked as a browser asks, without a browser or a port.

``Person`` is somebody at a browser: they keep cookies, send the forms that a page has, and nothing
else. What needs a person of a role begins with ``console.person(Role.OPERATOR)``.
"""

import asyncio
import datetime as dt
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from hub.clock import JST
from hub.errors import LedgerError
from hub.ledger.leaf import Recorded
from hub.ledger.rotated import open_keyed
from hub.ledger.search.ask import Question, search
from hub.ledger.store import DatabaseLedger
from hub.message import AccessItems
from hub.sections import OidcSite
from hub.site import Site
from monitoring.console import passwords, sessions
from monitoring.console.accounts import Account
from monitoring.console.build import Console, Hub, build
from monitoring.console.desks import Reconciled
from monitoring.console.oidc import Provider
from monitoring.console.page import Page
from monitoring.console.passwords import Hasher
from monitoring.console.rights import Role
from monitoring.figures.look import Figures
from tests.samples import NOW, SIGNER
from tests.worker_rig import Rig

ORIGIN = "https://console.test:8443"
ADDRESS = "10.0.0.21"
PASSWORD = "seven cranes cross the river"  # noqa: S105 - of nobody
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105 - of nobody
OIDC = {
    "issuer": "https://login.test",
    "client_id": "renkei-console",
    "client_secret_file": "secrets/oidc",
    "emergency": ["sato"],
}
CHEAP = Hasher(memory=64, rounds=1)
_HASHED = CHEAP.hashed(PASSWORD)


@dataclass
class Form:
    """A form of a page, as a browser would send it."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(given.get("action", ""), given.get("method", "get")))
        elif tag == "input" and self.found and "name" in given:
            if given.get("type") in {"checkbox", "radio"} and "checked" not in given:
                return
            self.found[-1].fields.append((given["name"], given.get("value", "")))


def forms_of(page: str) -> list[Form]:
    """Give the forms of a page, in order."""
    parser = _Forms()
    parser.feed(page)
    return parser.found


class NoOutside:
    """The whole program, for a console that has none around it."""

    def reconcile(self, ledger: DatabaseLedger, day: dt.date, access: AccessItems) -> Reconciled:
        raise LedgerError(f"{day} cannot be reconciled here for {access.staff}: {ledger.size()}")


class AtPages:
    """Somebody who asks for pages and sends their forms, however it is that they ask."""

    origin = ORIGIN

    def ask(self, method: str, path: str, **given: Any) -> httpx.Response:  # noqa: ANN401 - httpx's
        """Send a request, and give the answer."""
        raise NotImplementedError

    def get(self, path: str, **query: str) -> httpx.Response:
        return self.ask("GET", path, params=query or None)

    def post(
        self,
        path: str,
        fields: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        **headers: str,
    ) -> httpx.Response:
        """Send a form as it is given: from our own origin, unless ``headers`` say otherwise."""
        heads = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"}
        heads |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = urlencode(fields or {})
        heads["Content-Type"] = "application/x-www-form-urlencoded"
        return self.ask("POST", path, content=content, headers=heads)

    def send(self, page: str, action: str, **fields: str) -> httpx.Response:
        """Open a page, fill in its form with this action, and send it."""
        return self.fill(self.get(page), action, **fields)

    def fill(self, page: httpx.Response, action: str, **fields: str) -> httpx.Response:
        """Fill in the form with this action of a page that is there, and send it."""
        form = next(one for one in forms_of(page.text) if one.action == action)
        kept = [(name, value) for name, value in form.fields if name not in fields]
        return self.post(action, [*kept, *fields.items()])


@dataclass
class Person(AtPages):
    """Somebody at a browser."""

    rig: "ConsoleRig"
    client: httpx.AsyncClient
    account: str = ""

    def ask(self, method: str, path: str, **given: Any) -> httpx.Response:  # noqa: ANN401 - httpx's
        return self.rig.run(self.client.request(method, path, **given))

    def logged_in(self, code: str = "", password: str = PASSWORD) -> httpx.Response:
        """Log in as a person does."""
        code = code or self.rig.code()
        return self.send("/login", "/login", account=self.account, password=password, code=code)


@dataclass
class ConsoleRig:
    """A console, and the hub of ``worker_rig`` whose ledger it has."""

    hub: Rig
    console: Console
    runner: asyncio.Runner
    registry: CollectorRegistry
    _now: list[dt.datetime]
    _opened: list[httpx.AsyncClient] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def now(self) -> dt.datetime:
        return self._now[0]

    def later(self, **delta: float) -> None:
        """Let time pass."""
        self._now[0] += dt.timedelta(**delta)

    def code(self) -> str:
        """Give what every authenticator shows now."""
        return passwords.code_at(SECRET, self.now.timestamp())

    def run(self, answer: Any) -> httpx.Response:  # noqa: ANN401 - a coroutine
        found: httpx.Response = self.runner.run(answer)
        return found

    def browser(self, address: str = ADDRESS, account: str = "") -> Person:
        """Give a browser that nobody has used yet, at an address."""
        transport = httpx.ASGITransport(self.console.app, client=(address, 40_000))
        client = httpx.AsyncClient(transport=transport, base_url=ORIGIN)
        self._opened.append(client)
        return Person(self, client, account)

    def account(self, *roles: Role, personal: bool = False, **facts: object) -> Account:
        """Make an account that is set up, without a word in the ledger."""
        number = next(self._numbers)
        account = Account(
            id=f"{roles[0]}{number}",
            name=f"職員{number}",
            department="後期高齢",
            roles=roles,
            personal=personal,
            password=_HASHED,
            secret=SECRET,
            added=self.now,
        ).model_copy(update=facts)
        self.console.office.accounts.keep(account)
        return account

    def person(self, *roles: Role, personal: bool = False, address: str = ADDRESS) -> Person:
        """Give somebody with these roles who is logged in, without a word in the ledger."""
        account = self.account(*roles, personal=personal)
        secret = self.console.sessions.begin(account, address, self.now)
        person = self.browser(address, account.id)
        person.client.cookies.set(sessions.COOKIE, secret)
        return person

    def entries(self, **asked: Any) -> list[Recorded]:  # noqa: ANN401 - as Question has it
        """Give what the ledger has, the oldest first."""
        with self.console.office.books.alone() as ledger, ledger.engine.connect() as connection:
            return list(search(connection, Question(**{"limit": 1000} | asked)).entries)[::-1]

    def codes(self, account: str = "") -> list[str]:
        """Give the outcomes of what the ledger has, or has of one person, the oldest first."""
        found = self.entries()
        return [one.outcome for one in found if not account or one.access.staff == account]

    def close(self) -> None:
        for client in self._opened:
            self.runner.run(client.aclose())
        self.console.close()
        self.runner.close()


@contextmanager
def console_rig(
    folder: Path,
    pages: Sequence[Page] | None = None,
    *,
    hub: Rig | None = None,
    oidc: Callable[[OidcSite], Provider] | None = None,
) -> Iterator[ConsoleRig]:
    """Give a console over the ledger of a hub, with all pages unless others are given."""
    hub = hub or Rig(folder)
    now = [NOW.astimezone(JST)]
    site = Site.model_validate(
        {
            "hub": {"pseudonym_key_file": "key", "password_file": "password"},
            "tls": {"plain_loopback": True},
            "console": {"folder": "console", "origin": ORIGIN} | ({"oidc": OIDC} if oidc else {}),
        },
        context={"folder": folder, "plain": True},
    )
    assert site.console is not None
    catalogue = hub.judge.catalogue
    registry = CollectorRegistry()
    figures = Figures((), lambda _: [], None, lambda: catalogue, clock=lambda: now[0])
    made = build(
        Hub(
            site,
            site.console,
            lambda: open_keyed(hub.url, SIGNER, hub.judge.pseudonyms),
            lambda: hub.judge,
            lambda: catalogue,
            lambda: now[0],
            figures,
            NoOutside(),
            oidc(site.console.oidc) if oidc and site.console.oidc else None,
        ),
        SecretStr("a key that only the tests have, for a console"),
        ORIGIN,
        registry,
        hasher=CHEAP,
        pages=pages,
    )
    rig = ConsoleRig(hub, made, asyncio.Runner(), registry, now)
    try:
        yield rig
    finally:
        rig.close()
