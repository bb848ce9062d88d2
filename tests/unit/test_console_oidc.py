"""The way into the console by the office's own login (OpenID Connect)."""

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from pydantic import SecretStr

from hub.sections import OidcSite
from monitoring.console.accounts import Account
from monitoring.console.oidc import Provider
from monitoring.console.pages import oidc, own
from monitoring.console.rights import Role
from monitoring.console.sessions import COOKIE
from tests.console_rig import OIDC, ORIGIN, ConsoleRig, Person, console_rig
from tests.samples import NOW

pytestmark = pytest.mark.unit

ISSUER = "https://login.test"


@dataclass
class Login:
    """The office's login, which gives each code a token with these claims."""

    key: Any = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "1"}))
    algorithm: str = "ES256"
    claims: dict[str, Any] = field(default_factory=dict)
    says: dict[str, Any] = field(default_factory=dict)
    away: bool = False
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    nonce: str = ""
    challenge: str = ""
    published: list[dict[str, Any]] | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("away", request=request)
        match request.url.path:
            case "/.well-known/openid-configuration":
                said = {
                    "issuer": ISSUER,
                    "authorization_endpoint": f"{ISSUER}/authorize",
                    "token_endpoint": f"{ISSUER}/token",
                    "jwks_uri": f"{ISSUER}/keys",
                }
                return httpx.Response(200, json=said | self.says)
            case "/keys":
                published = self.published or [self.key.as_dict(private=False)]
                return httpx.Response(200, json={"keys": published})
            case "/token":
                return self._token(parse_qs(request.content.decode()))
        return httpx.Response(404)

    def _token(self, form: dict[str, list[str]]) -> httpx.Response:
        self.asked.append(form)
        digest = hashlib.sha256(form["code_verifier"][0].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != self.challenge:
            return httpx.Response(400)
        usual = {
            "iss": ISSUER,
            "aud": "renkei-console",
            "exp": int(NOW.timestamp()) + 300,
            "iat": int(NOW.timestamp()),
            "auth_time": int(NOW.timestamp()),
            "nonce": self.nonce,
            "preferred_username": "tanaka",
            "amr": ["pwd", "mfa"],
        }
        claims = {name: one for name, one in (usual | self.claims).items() if one is not None}
        header = {"alg": self.algorithm, "kid": "1"}
        token = jwt.encode(header, claims, self.key, algorithms=[self.algorithm])
        return httpx.Response(200, json={"id_token": token, "access_token": "x"})


@pytest.fixture
def login() -> Login:
    return Login()


@pytest.fixture
def console(tmp_path: Path, login: Login) -> Iterator[ConsoleRig]:
    with httpx.Client(transport=httpx.MockTransport(login)) as client:

        def provider(settings: OidcSite) -> Provider:
            return Provider(settings, SecretStr("secret"), ORIGIN, client, clock=NOW.timestamp)

        with console_rig(tmp_path, (*own.PAGES, *oidc.PAGES), oidc=provider) as rig:
            yield rig


@pytest.fixture
def tanaka(console: ConsoleRig) -> Account:
    return console.account(Role.OPERATOR, id="tanaka", password="")


def begun(console: ConsoleRig, login: Login) -> tuple[Person, str]:
    """Let a browser go to the other login; give it with the state that has to come back."""
    person = console.browser(account="tanaka")
    there = person.get("/oidc").headers["location"]
    assert there.startswith(f"{ISSUER}/authorize?")
    asked = parse_qs(urlsplit(there).query)
    assert asked["redirect_uri"] == [f"{ORIGIN}/oidc/callback"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["max_age"] == ["60"]
    login.nonce, login.challenge = asked["nonce"][0], asked["code_challenge"][0]
    return person, asked["state"][0]


@pytest.mark.usefixtures("tanaka")
def test_who_logged_in_there_with_two_factors_is_in(console: ConsoleRig, login: Login) -> None:
    person, state = begun(console, login)
    done = person.get("/oidc/callback", state=state, code="abc")
    assert 'url=/"' in done.text
    assert person.get("/me").status_code == 200
    assert console.codes("tanaka") == ["login", "page"]
    assert person.get("/oidc/callback", state=state, code="abc").status_code == 403
    assert len(login.asked) == 1


@pytest.mark.usefixtures("tanaka")
def test_without_a_second_factor_there_ours_is_asked_for(console: ConsoleRig, login: Login) -> None:
    login.claims = {"amr": ["pwd"]}
    person, state = begun(console, login)
    page = person.get("/oidc/callback", state=state, code="abc")
    assert COOKIE not in person.client.cookies
    wrong = person.fill(page, "/oidc/factor", code="000000")
    assert wrong.status_code == 403
    person.fill(wrong, "/oidc/factor", code=console.code())
    assert person.get("/me").status_code == 200


@pytest.mark.usefixtures("tanaka")
@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://elsewhere.test"},
        {"aud": "another"},
        {"aud": ["another"]},
        {"azp": "another"},
        {"exp": int(NOW.timestamp()) - 120},
        {"exp": None},
        {"preferred_username": None},
        {"preferred_username": ["tanaka"]},
        {"preferred_username": "nobody"},
        {"auth_time": None},
        {"auth_time": str(int(NOW.timestamp()))},
        {"auth_time": int(NOW.timestamp()) - 3600},
    ],
    ids=json.dumps,
)
def test_a_token_that_is_not_for_this_login_opens_nothing(
    console: ConsoleRig, login: Login, claims: dict[str, Any]
) -> None:
    login.claims = claims
    person, state = begun(console, login)
    assert person.get("/oidc/callback", state=state, code="abc").status_code == 403
    assert person.get("/me").status_code == 303


@pytest.mark.usefixtures("tanaka")
def test_a_token_signed_by_others_or_by_no_key_opens_nothing(
    console: ConsoleRig, login: Login
) -> None:
    right = login.key.as_dict(private=False)
    login.published = [right]
    for key, algorithm in (
        (ECKey.generate_key("P-256", {"kid": "1"}), "ES256"),
        (RSAKey.generate_key(2048, {"kid": "1"}), "RS256"),
        (OctKey.import_key("renkei-console-secret-of-32-bytes"), "HS256"),
    ):
        login.key, login.algorithm = key, algorithm
        person, state = begun(console, login)
        assert person.get("/oidc/callback", state=state, code="abc").status_code == 403
        assert person.get("/me").status_code == 303


@pytest.mark.usefixtures("tanaka")
def test_a_key_exchanged_there_counts_at_once(console: ConsoleRig, login: Login) -> None:
    begun(console, login)
    login.key = ECKey.generate_key("P-256", {"kid": "1"})
    person, state = begun(console, login)
    person.get("/oidc/callback", state=state, code="abc")
    assert person.get("/me").status_code == 200


@pytest.mark.usefixtures("tanaka")
def test_what_another_browser_began_leads_nobody_in(console: ConsoleRig, login: Login) -> None:
    _, state = begun(console, login)
    victim = console.browser()
    assert victim.get("/oidc/callback", state=state, code="abc").status_code == 403
    other, _ = begun(console, login)
    assert other.get("/oidc/callback", state=state, code="abc").status_code == 403
    assert other.get("/oidc/callback", state="", code="abc").status_code == 403
    assert login.asked == []


@pytest.mark.usefixtures("tanaka")
def test_a_login_has_ten_minutes(console: ConsoleRig, login: Login) -> None:
    person, state = begun(console, login)
    console.later(minutes=11)
    assert person.get("/oidc/callback", state=state, code="abc").status_code == 403


def test_a_locked_account_stays_out(console: ConsoleRig, login: Login, tanaka: Account) -> None:
    console.console.office.accounts.keep(tanaka.model_copy(update={"locked": True}))
    person, state = begun(console, login)
    assert person.get("/oidc/callback", state=state, code="abc").status_code == 403
    assert console.codes("tanaka") == ["login-refused"]


@pytest.mark.parametrize(
    "says", [{"issuer": "https://elsewhere.test"}, {"token_endpoint": "http://login.test/token"}]
)
def test_another_login_is_not_ours(console: ConsoleRig, login: Login, says: dict[str, Any]) -> None:
    login.says = says
    assert console.browser().get("/oidc").status_code == 503


def test_when_it_is_away_only_emergency_accounts_get_in(console: ConsoleRig, login: Login) -> None:
    login.away = True
    clerk = console.browser(account=console.account(Role.OPERATOR).id)
    assert clerk.get("/oidc").status_code == 503
    assert clerk.logged_in().status_code == 403
    (emergency,) = OIDC["emergency"]
    assert console.browser(account=console.account(Role.VIEWER, id=emergency).id).logged_in()
    assert console.codes(emergency) == ["login"]
