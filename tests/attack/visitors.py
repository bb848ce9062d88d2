"""The console of the installation that is attacked, and who stands in front of it."""

import hashlib
import itertools
import json
import re
import socket
import sqlite3
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from hub.compose.console import origin_of
from hub.sections import ConsoleSite
from hub.site import Site, load_site, read_secret
from hub.tls import Identity
from monitoring.console import accounts
from monitoring.console.csrf import Tokens
from monitoring.console.rights import Role
from monitoring.console.sessions import COOKIE, KIND, Session
from monitoring.console.store import NAME, Store
from tests.attack.victim import Victim
from tests.console_rig import PASSWORD, AtPages
from tests.known import Known

DENIED = "renkei_console_denied_total"
PEOPLE, FORGED = "/people", "forged"
WANTED = {"id": FORGED, "name": "偽", "department": "偽", "role": "administrator", "reason": "偽"}
"""What a forged form would do: another administrator."""
TOO_MANY = 429
_ADDRESSES = 250
_SECRET = re.compile(r'class="secret"><code>([A-Z2-7 ]+)<')
_PAUSE_SECONDS = 0.5


@dataclass
class Visitor(AtPages):
    """Somebody who speaks to the console over TLS, from an address of their own.

    They wait where the console says that it was too much at once, unless they are impatient.
    """

    client: httpx.Client
    address: str
    origin: str = ""
    known: Known | None = None
    patient: bool = True

    def ask(self, method: str, path: str, **given: Any) -> httpx.Response:  # noqa: ANN401 - httpx's
        for _ in range(30):
            answer = self.client.request(method, path, **given)
            if answer.status_code != TOO_MANY or not self.patient:
                break
            time.sleep(_PAUSE_SECONDS)  # as a person does: the limit has no event to wait for
        return answer

    @property
    def account(self) -> str:
        assert self.known is not None
        return self.known.account

    @property
    def cookie(self) -> str:
        """What stands in the session's cookie; empty without one."""
        return str(self.client.cookies.get(COOKIE, ""))

    @cookie.setter
    def cookie(self, secret: str) -> None:
        self.client.cookies.clear()
        self.client.cookies.set(COOKIE, secret)

    def logged_in(self, code: str = "", password: str = PASSWORD, account: str = "") -> int:
        """Log in as a person does; give the status."""
        if self.known is not None:
            account, code = account or self.known.account, code or self.known.code()
        given = {"account": account, "password": password, "code": code}
        return self.send("/login", "/login", **given).status_code

    def is_in(self) -> bool:
        """Say whether somebody is logged in."""
        return self.get("/me").status_code == httpx.codes.OK


@dataclass
class Console:
    """The console of a victim."""

    victim: Victim
    _roles: dict[tuple[tuple[Role, ...], bool], Visitor] = field(default_factory=dict)
    _opened: list[httpx.Client] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @cached_property
    def site(self) -> Site:
        return load_site(self.victim.ground.state.site_file)

    @property
    def settings(self) -> ConsoleSite:
        assert self.site.console is not None
        return self.site.console

    @cached_property
    def origin(self) -> str:
        return origin_of(self.site)

    @cached_property
    def trusting(self) -> ssl.SSLContext:
        """What a browser of the office trusts: the site's own authority."""
        return ssl.create_default_context(cafile=str(Identity(self.victim.pki, "").ca))

    def answers(self) -> bool:
        """Say whether somebody is there.

        Raises:
            OSError: nobody is.
        """
        socket.create_connection((self.settings.listen, self.settings.port), 1.0).close()
        return True

    def browser(self, address: str = "", known: Known | None = None) -> Visitor:
        """Give a browser that nobody has used yet, at an address of its own or at another."""
        address = address or f"127.0.9.{next(self._numbers) % _ADDRESSES + 1}"
        kept = httpx.Limits(keepalive_expiry=2.0)  # a while before the console lets go of it
        transport = httpx.HTTPTransport(verify=self.trusting, local_address=address, limits=kept)
        client = httpx.Client(transport=transport, base_url=self.origin, timeout=30)
        self._opened.append(client)
        return Visitor(client, address, self.origin, known)

    def person(self, *roles: Role, personal: bool = False, **facts: str) -> Visitor:
        """Make an account on the machine, set it up and log in, as its person would."""
        account = f"{roles[0]}{next(self._numbers)}"
        words = {"name": "職員", "of": "後期高齢"} | facts
        given = [f"--{name}={word}" for name, word in words.items()]
        given += [f"--role={role}" for role in roles] + (["--personal"] if personal else [])
        code = json.loads(self.renkei("add", account, *given, "--json"))["code"]
        person = self.browser(known=Known(account, PASSWORD, ""))
        page = person.send(
            "/enrol", "/enrol", account=account, code=code, password=PASSWORD, again=PASSWORD
        )
        found = _SECRET.search(page.text)
        assert found, page.status_code
        person.known = Known(account, PASSWORD, found[1].replace(" ", ""))
        done = person.fill(page, "/enrol/factor", code=person.known.code())
        assert done.headers.get("location") == "/login?ended=enrolled"
        assert person.logged_in() == httpx.codes.SEE_OTHER
        return person

    def be(self, *roles: Role, personal: bool = False) -> Visitor:
        """Give somebody with these roles, whom no attack has harmed; the same each time."""
        key = (roles, personal)
        found = self._roles.get(key)
        if found is None or not found.is_in():
            found = self._roles[key] = self.person(*roles, personal=personal)
        return found

    def renkei(self, *arguments: str) -> str:
        """Do something with an account, on the machine itself; give what is printed."""
        command = ("console", "account", *arguments, "--reason", "attack")
        status, printed = self.victim.ground.renkei(*command)
        assert status == 0, printed
        return printed

    # -- what its keepers see ------------------------------------------------------------

    def said(self, account: str, **asked: str) -> list[dict[str, Any]]:
        """Give what the ledger has of an account, the newest first."""
        filters = [f"--{name}={word}" for name, word in asked.items()]
        return self.victim.found("--staff-member", account, *filters)

    def recorded(self, account: str, outcome: str, words: str = "") -> str:
        """Wait until the ledger says this of an account; say where it stands."""

        def entries() -> list[dict[str, Any]]:
            found = self.said(account, outcome=outcome)
            return [one for one in found if words in one["detail"]]

        (entry, *_) = self.victim.until(entries, f"entry {outcome} of {account}: {words}")
        return f"ledger: {entry['kind']} {outcome}" + (f" ({words})" if words else "")

    # -- what needs its key, or a shell ---------------------------------------------------

    @property
    def database(self) -> Path:
        return self.settings.folder / NAME

    def rows(self, kind: str = accounts.KIND) -> dict[str, bytes]:
        """Give the rows of all accounts, or of another kind, by id: sealed."""
        with closing(sqlite3.connect(self.database, timeout=10)) as database:
            found = database.execute("SELECT id, sealed FROM rows WHERE kind = ?", (kind,))
            return dict(found.fetchall())

    def edited(self, statement: str, *values: object) -> int:
        """Change its database as somebody with a shell would; say how many rows that were."""
        with closing(sqlite3.connect(self.database, timeout=10)) as database, database:
            return database.execute(statement, values).rowcount

    def token(self, visitor: Visitor, path: str) -> str:
        """Make a token as only the console's key can: what a form without a page would need."""
        return Tokens(self._store().token_key).token(visitor.cookie, path)

    def aged(self, visitor: Visitor, **earlier: Any) -> None:  # noqa: ANN401 - parts of a session
        """Let a session be one of before: so many ``seconds`` in each of its times."""
        store = self._store()
        row = hashlib.sha256(visitor.cookie.encode()).hexdigest()
        content = store.get(KIND, row)
        assert content is not None
        session = Session.model_validate_json(content)
        then = {name: getattr(session, name) - delta for name, delta in earlier.items()}
        store.put(KIND, row, session.model_copy(update=then).model_dump_json().encode())
        store.close()

    def _store(self) -> Store:
        return Store(self.settings.folder, read_secret(self.settings.key_file))

    def close(self) -> None:
        for client in self._opened:
            client.close()
