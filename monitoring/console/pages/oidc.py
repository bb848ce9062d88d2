"""The way in by the office's own login, and the console's second factor where it gave none.

Between our page and the other login a cookie says which browser began it. It is sent along when the
browser comes back (``SameSite=Lax``), unlike the session's, which is why the way ends on a page of
ours that leads on.
"""

import datetime as dt
import hashlib
import logging
import secrets
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ValidationError
from starlette.responses import Response

from monitoring.console.oidc import CALLBACK, OidcError
from monitoring.console.page import Page
from monitoring.console.rights import Right
from monitoring.console.sessions import COOKIE
from monitoring.console.visit import Visit, with_cookie

log = logging.getLogger(__name__)

KIND = "oidc"
BROWSER = "__Host-renkei-oidc"
MINUTES = 10
_BYTES = 32


class _Under(BaseModel):
    """A login under way; ``account`` is known once the other side has said who it is."""

    step: Literal["begun", "known"]
    until: AwareDatetime
    state: str = ""
    nonce: str = ""
    verifier: str = ""
    account: str = ""


def _begin(visit: Visit) -> Response:
    provider = visit.office.oidc
    if provider is None:
        return visit.trouble(404)
    if not visit.gate.permits(visit.asked.address):
        return _refused(visit, "login.limited", 429)
    try:
        begun = provider.begin()
    except OidcError as error:
        log.warning("%s", error)
        return _refused(visit, "oidc.away", 503)
    under = _Under(
        step="begun",
        until=visit.now + dt.timedelta(minutes=MINUTES),
        state=begun.state,
        nonce=begun.nonce,
        verifier=begun.verifier,
    )
    return _kept(visit, under, visit.go(begun.address))


def _back(visit: Visit) -> Response:
    provider, under = visit.office.oidc, _taken(visit)
    if provider is None:
        return visit.trouble(404)
    state, code = visit.query.get("state", ""), visit.query.get("code", "")
    is_ours = under is not None and secrets.compare_digest(state.encode(), under.state.encode())
    if under is None or under.step != "begun" or not is_ours or not code:
        return _refused(visit, "oidc.refused", 403)
    try:
        known = provider.finish(code, under.nonce, under.verifier)
    except OidcError as error:
        log.warning("%s", error)
        return _refused(visit, "oidc.refused", 403)
    if not known.has_factor:
        until = visit.now + dt.timedelta(minutes=MINUTES)
        asked = _Under(step="known", until=until, account=known.account)
        return _kept(visit, asked, visit.show("oidc_factor.html", said=""))
    secret = visit.gate.enter(known.account, visit.access(), visit.asked.address, visit.now)
    return _in(visit, secret)


def _factor(visit: Visit) -> Response:
    under = _taken(visit)
    if not visit.gate.permits(visit.asked.address):
        return _refused(visit, "login.limited", 429)
    if under is None or under.step != "known":
        return _refused(visit, "oidc.refused", 403)
    code = visit.form.get("code", "")
    access, address = visit.access(), visit.asked.address
    secret = visit.gate.enter(under.account, access, address, visit.now, code=code)
    if not secret:
        return _kept(visit, under, visit.show("oidc_factor.html", 403, said="login.refused"))
    return _in(visit, secret)


def _in(visit: Visit, secret: str) -> Response:
    if not secret:
        return _refused(visit, "login.refused", 403)
    response = with_cookie(visit.show("oidc_done.html"), BROWSER, "", ends=True)
    return with_cookie(response, COOKIE, secret)


def _refused(visit: Visit, said: str, status: int) -> Response:
    return visit.show("login.html", status, said=said, is_refused=True)


def _kept(visit: Visit, under: _Under, response: Response) -> Response:
    """Remember a login under way, for this browser alone."""
    secret = secrets.token_urlsafe(_BYTES)
    visit.office.store.put(KIND, _digest(secret), under.model_dump_json().encode())
    return with_cookie(response, BROWSER, secret, lax=True)


def _taken(visit: Visit) -> _Under | None:
    """Give what this browser has under way, once; forget what nobody came back for."""
    store, now = visit.office.store, visit.now
    for row, content in store.all(KIND):
        if (under := _read(content)) is None or under.until < now:
            store.drop(KIND, row)
    row = _digest(visit.asked.cookies.get(BROWSER, ""))
    with store.changing():
        under = _read(store.get(KIND, row))
        store.drop(KIND, row)
    return under


def _read(content: bytes | None) -> _Under | None:
    if content is None:
        return None
    try:
        return _Under.model_validate_json(content)
    except ValidationError:
        return None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


PAGES = (
    Page("oidc", "/oidc", Right.ANYBODY, _begin, recorded=False, alone=False),
    Page("oidc-back", CALLBACK, Right.ANYBODY, _back, recorded=False, alone=False),
    Page("oidc-factor", "/oidc/factor", Right.ANYBODY, _factor, "POST", alone=False),
)
