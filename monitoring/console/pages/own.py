"""The way in and out, setting up the own account, and the language."""

import io

import segno
from starlette.responses import Response

from monitoring.console import passwords
from monitoring.console.accounts import Account
from monitoring.console.gate import Credentials
from monitoring.console.guard import LANGUAGE
from monitoring.console.page import Page
from monitoring.console.rights import Right
from monitoring.console.sessions import COOKIE, Why
from monitoring.console.visit import Visit, with_cookie
from monitoring.console.words import language_of

ISSUER = "Renkei Hub"
_SAID = frozenset({*Why, "logout", "enrolled"})


def _login_form(visit: Visit) -> Response:
    if visit.person is not None:
        return visit.go("/")
    ended = visit.query.get("ended", "")
    return _login(visit, 200, f"ended.{ended}" if ended in _SAID else "")


def _login(visit: Visit, status: int, said: str) -> Response:
    return visit.show("login.html", status, said=said, is_refused=status != 200)  # noqa: PLR2004


def _log_in(visit: Visit) -> Response:
    if not visit.gate.permits(visit.asked.address):
        return _login(visit, 429, "login.limited")
    form = visit.form
    tried = Credentials(
        form.get("account", "").strip().lower(), form.get("password", ""), form.get("code", "")
    )
    secret = visit.gate.login(tried, visit.access(), visit.asked.address, visit.now)
    if not secret:
        return _login(visit, 403, "login.refused")
    return with_cookie(visit.go("/"), COOKIE, secret)


def _log_out(visit: Visit) -> Response:
    if visit.opened is not None:
        visit.gate.logout(visit.opened, visit.access())
    return with_cookie(visit.go("/login?ended=logout"), COOKIE, "", ends=True)


def _enrol_form(visit: Visit) -> Response:
    return visit.show("enrol.html", said="", account="", least=passwords.LEAST)


def _enrol(visit: Visit) -> Response:
    form = visit.form
    account, code = form.get("account", "").strip().lower(), form.get("code", "")
    password = form.get("password", "")

    def again(status: int, said: str) -> Response:
        least = passwords.LEAST
        return visit.show("enrol.html", status, said=said, account=account, least=least)

    if not visit.gate.permits(visit.asked.address):
        return again(429, "login.limited")
    if password != form.get("again", ""):
        return again(400, "enrol.differ")
    if fault := passwords.fault_of(password, account):
        return again(400, f"enrol.{fault}")
    found = visit.gate.begin_setup(account, code, password, visit.access(), visit.now)
    if found is None:
        return again(403, "enrol.refused")
    return _factor(visit, found, code, 200, "")


def _factor(visit: Visit, account: Account, one_time: str, status: int, said: str) -> Response:
    secret = account.new_secret
    address = passwords.secret_address(secret, account.id, ISSUER)
    return visit.show(
        "factor.html",
        status,
        said=said,
        account=account.id,
        one_time=one_time,
        picture=picture_of(address),
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
    )


def _confirm(visit: Visit) -> Response:
    form = visit.form
    account, one_time = form.get("account", ""), form.get("one_time", "")
    if not visit.gate.permits(visit.asked.address):
        return _login(visit, 429, "login.limited")
    if visit.gate.end_setup(account, one_time, form.get("code", ""), visit.access(), visit.now):
        return visit.go("/login?ended=enrolled")
    found = visit.gate.shown_secret(account, one_time, visit.now)
    if found is None:
        return visit.show(
            "enrol.html", 403, said="enrol.refused", account="", least=passwords.LEAST
        )
    return _factor(visit, found, one_time, 403, "factor.wrong")


def picture_of(text: str) -> str:
    """Give a QR code as SVG without style attributes; nothing of the text stands in it."""
    written = io.BytesIO()
    segno.make(text, error="m").save(
        written, kind="svg", scale=5, xmldecl=False, svgns=True, nl=False, omitsize=False
    )
    return written.getvalue().decode()


def _me(visit: Visit) -> Response:
    opened = visit.opened
    if opened is None:
        return visit.go("/login")
    began = opened.session.began
    return visit.show("me.html", began=began, terminal=visit.office.terminal(visit.asked.address))


def _language(visit: Visit) -> Response:
    language = language_of(visit.form.get("language", ""))
    back = visit.form.get("back", "/")
    is_ours = back.startswith("/") and not back.startswith(("//", "/\\")) and back.isascii()
    if visit.person is not None:
        visit.gate.speak(visit.person.id, language)
    return with_cookie(visit.go(back if is_ours else "/"), LANGUAGE, language)


PAGES = (
    Page("login", "/login", Right.ANYBODY, _login_form, recorded=False, alone=False),
    Page("login-send", "/login", Right.ANYBODY, _log_in, "POST", alone=False),
    Page("enrol", "/enrol", Right.ANYBODY, _enrol_form, recorded=False, alone=False),
    Page("enrol-send", "/enrol", Right.ANYBODY, _enrol, "POST", alone=False),
    Page("enrol-factor", "/enrol/factor", Right.ANYBODY, _confirm, "POST", alone=False),
    Page("language", "/language", Right.ANYBODY, _language, "POST", alone=False),
    Page("logout", "/logout", Right.OWN, _log_out, "POST"),
    Page("me", "/me", Right.OWN, _me, menu=90),
)
