"""The interface of the simulated system: strict about tokens, and bad on request.

It replies what ``adapters.e_application.interface`` asks, and believes nothing: a wrong token, an
unknown number or a state out of order is refused as the real system would.
"""

import io
import json
import re
import secrets
import zipfile
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from adapters.e_application.store import STATES, Report, Store
from adapters.simulation.misbehaviour import Misbehaviour
from adapters.simulation.serving import Asked, Reply
from hub.edge.archives.packing import APPLICATION
from hub.edge.archives.zipping import zipped

PAGE = 50
"""The applications on one page of the list."""
_PACKAGE = re.compile(r"applications/([^/]+)/package")
_STATE = re.compile(r"applications/([^/]+)/states/([^/]+)")
_AGAIN = "-2"


@dataclass
class Server:
    """The interface over one store.

    A token is good for ``token_calls`` calls, where there is a number; ``expire`` ends them all.
    ``misbehaves`` may be changed while it runs.
    """

    store: Store
    secret: str = field(repr=False)
    misbehaves: AbstractSet[Misbehaviour] = frozenset()
    token_calls: int | None = None
    logins: int = 0
    _tokens: dict[str, int] = field(default_factory=dict, repr=False)

    def handle(self, asked: Asked) -> Reply:
        """Reply to a request."""
        if (asked.method, asked.path) == ("POST", "login"):
            return self._login(asked)
        if not self._is_logged_in(asked.headers.get("authorization", "")):
            return Reply(401)
        if (asked.method, asked.path) == ("GET", "applications"):
            return self._page(asked.query.get("after", ""))
        if asked.method == "GET" and (match := _PACKAGE.fullmatch(asked.path)):
            return self._package(match[1])
        if asked.method == "PUT" and (match := _STATE.fullmatch(asked.path)):
            return self._report(match[1], match[2], _object(asked))
        return self._looked_up(asked) if asked.method == "POST" else Reply(404)

    def _login(self, asked: Asked) -> Reply:
        self.logins += 1
        given = str(_object(asked).get("secret", ""))
        if not secrets.compare_digest(given.encode(), self.secret.encode()):
            return Reply(401)
        token = secrets.token_urlsafe()
        self._tokens[token] = 0
        return _said({"token": token})

    def _is_logged_in(self, authorization: str) -> bool:
        token = authorization.removeprefix("Bearer ")
        if token not in self._tokens:
            return False
        self._tokens[token] += 1
        if self.token_calls is not None and self._tokens[token] > self.token_calls:
            del self._tokens[token]
            return False
        return True

    def _page(self, after: str) -> Reply:
        numbers = [number for number in self._listed() if number > after]
        page = numbers[:PAGE]
        following = page[-1] if len(numbers) > PAGE else None
        if Misbehaviour.OUT_OF_ORDER in self.misbehaves:
            page.reverse()
        if Misbehaviour.DUPLICATE in self.misbehaves:
            page += page
        listed = [{"receipt_number": number} for number in page]
        return _said({"applications": listed, "next": following})

    def _listed(self) -> Iterable[str]:
        waiting = self.store.waiting()
        if Misbehaviour.DUPLICATE not in self.misbehaves:
            return waiting
        done = {report.number for report in self.store.reports()}
        again = {f"{number}{_AGAIN}" for number in waiting} - done
        return sorted({*waiting, *again})

    def _package(self, number: str) -> Reply:
        content = self._content(number)
        if content is None:
            return Reply(404)
        if Misbehaviour.TRUNCATED in self.misbehaves:
            content = content[: len(content) // 2]
        if Misbehaviour.WRONG_ENCODING in self.misbehaves:
            content = _in_cp932(content)
        return Reply(200, content, "application/zip")

    def _content(self, number: str) -> bytes | None:
        found = self.store.package(number)
        if found is None and Misbehaviour.DUPLICATE in self.misbehaves:
            return self.store.package(number.removesuffix(_AGAIN))
        return found

    def _report(self, number: str, state: str, said: Mapping[str, Any]) -> Reply:
        if state not in STATES or self._content(number) is None:
            return Reply(404)
        code, item = str(said.get("code", "")), str(said.get("item", ""))
        return Reply(204 if self.store.report(Report(number, state, code, item)) else 409)

    def _looked_up(self, asked: Asked) -> Reply:
        said = _object(asked)
        if asked.path == "certificates/lookup":
            return _found("resident_code", self.store.resident_code(str(said.get("serial"))))
        if asked.path == "residents/lookup":
            number = self.store.addressee_number(str(said.get("resident_code")))
            return _found("addressee_number", number)
        return Reply(404)


def _object(asked: Asked) -> Mapping[str, Any]:
    try:
        said = json.loads(asked.content)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _said(document: Mapping[str, Any]) -> Reply:
    return Reply(200, json.dumps(document).encode(), "application/json")


def _found(name: str, value: str | None) -> Reply:
    return Reply(404) if value is None else _said({name: value})


def _in_cp932(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        parts = [(name, package.read(name)) for name in package.namelist()]
    spoiled = (
        (name, [part.decode().encode("cp932", "replace") if name == APPLICATION else part])
        for name, part in parts
    )
    return b"".join(zipped(spoiled, zipfile.ZIP_DEFLATED))
