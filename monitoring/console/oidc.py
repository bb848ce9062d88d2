"""The office's own login by OpenID Connect: authorization code, PKCE, state and nonce.

The ID token alone is used, and it is checked here: signature, issuer, audience, time, nonce.
"""

import base64
import hashlib
import json
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import SecretStr

from hub.addresses import is_loopback
from hub.errors import RenkeiError
from hub.sections import OidcSite

log = logging.getLogger(__name__)

CALLBACK = "/oidc/callback"
SECONDS = 5.0
MOST_BYTES = 262_144
FRESH_SECONDS = 3600.0
"""So long what the other side says of itself is not asked again."""
LEEWAY_SECONDS = 60
LOGIN_SECONDS = 60
"""So long ago, at the most, somebody typed something there."""
_ALGORITHMS = ("RS256", "PS256", "ES256", "RS384", "ES384", "RS512", "ES512")
_BYTES = 32


class OidcError(RenkeiError):
    """The other login is away, or says what cannot be believed; nobody is in."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A login that was begun: where the browser goes, and what has to come back."""

    address: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Known:
    """Who logged in there, by the claim that names accounts, and whether with two factors."""

    account: str
    has_factor: bool


@dataclass(frozen=True, slots=True)
class _Other:
    """What the other side says of itself."""

    authorize: str
    token: str
    keys: KeySet


class Provider:
    """The other login; may be used from several threads."""

    def __init__(  # noqa: PLR0913 - what it is made of
        self,
        settings: OidcSite,
        secret: SecretStr,
        origin: str,
        client: httpx.Client,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._secret = secret
        self._callback = origin + CALLBACK
        self._client = client
        self._monotonic = monotonic
        self._clock = clock
        self._lock = Lock()
        self._known: tuple[float, _Other] | None = None

    def begin(self) -> Begun:
        """Begin a login.

        Raises:
            OidcError: the other side does not answer.
        """
        state, nonce, verifier = (secrets.token_urlsafe(_BYTES) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
        asked = {
            "response_type": "code",
            "scope": "openid profile",
            "client_id": self._settings.client_id,
            "redirect_uri": self._callback,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge.rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            # A login of this morning, which the other side still knows, is none of now: the
            # console takes it for the second factor given just now (OpenID Connect Core, 3.1.2.1).
            "max_age": str(LOGIN_SECONDS),
        }
        authorize = self._other().authorize
        joint = "&" if urlsplit(authorize).query else "?"
        return Begun(f"{authorize}{joint}{urlencode(asked)}", state, nonce, verifier)

    def finish(self, code: str, nonce: str, verifier: str) -> Known:
        """Take the code that came back; say who it was.

        Raises:
            OidcError: the other side does not give a token, or one that cannot be believed.
        """
        answer = self._ask(
            "POST",
            self._other().token,
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self._callback,
                "code_verifier": verifier,
            },
        )
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise OidcError("the login gave no ID token")
        claims = self._checked(token, nonce)
        account = claims.get(self._settings.claim)
        if not isinstance(account, str) or not account:
            raise OidcError(f"the ID token has no {self._settings.claim}")
        factors = claims.get("amr")
        given = (
            {one for one in factors if isinstance(one, str)} if isinstance(factors, list) else ()
        )
        return Known(account.lower(), not set(self._settings.second_factor).isdisjoint(given))

    def _checked(self, token: str, nonce: str) -> Mapping[str, Any]:
        try:
            try:
                claims = jwt.decode(token, self._other().keys, algorithms=_ALGORITHMS).claims
            except (JoseError, ValueError):
                # Its keys may have been exchanged since; whoever forged one makes us ask once more.
                claims = jwt.decode(token, self._anew().keys, algorithms=_ALGORITHMS).claims
            jwt.JWTClaimsRegistry(
                now=lambda: int(self._clock()),
                leeway=LEEWAY_SECONDS,
                iss={"essential": True, "value": self._settings.issuer},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True, "value": nonce},
            ).validate(claims)
        except (JoseError, ValueError) as error:
            raise OidcError(f"the ID token cannot be believed: {type(error).__name__}") from error
        at = claims.get("auth_time")  # which max_age obliges the other side to say
        if type(at) is not int or at < self._clock() - LOGIN_SECONDS - LEEWAY_SECONDS:
            raise OidcError("the ID token does not say that somebody logged in just now")
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if self._settings.client_id not in audiences:
            raise OidcError("the ID token is for somebody else")
        if claims.get("azp", self._settings.client_id) != self._settings.client_id:
            raise OidcError("the ID token was given to somebody else")
        return claims

    def _other(self) -> _Other:
        with self._lock:
            if self._known is not None and self._monotonic() - self._known[0] < FRESH_SECONDS:
                return self._known[1]
        return self._anew()

    def _anew(self) -> _Other:
        issuer = self._settings.issuer
        said = self._ask("GET", issuer.rstrip("/") + "/.well-known/openid-configuration")
        if said.get("issuer") != issuer:
            raise OidcError("the login says that it is another issuer")
        authorize, token, keys = (
            _address(said, name)
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
        )
        try:
            found = _Other(authorize, token, KeySet.import_key_set(_keys(self._ask("GET", keys))))
        except (JoseError, ValueError) as error:
            raise OidcError("the login's keys cannot be read") from error
        with self._lock:
            self._known = (self._monotonic(), found)
        return found

    def _ask(self, method: str, url: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
        login = (self._settings.client_id, self._secret.get_secret_value())
        try:
            with self._client.stream(
                method, url, data=form, auth=login if form is not None else None
            ) as answer:
                content = b""
                for piece in answer.iter_bytes():
                    content += piece
                    if len(content) > MOST_BYTES:
                        raise OidcError("the login answers too much")
                if answer.status_code != httpx.codes.OK:
                    raise OidcError(f"the login answers {answer.status_code}")
            found = json.loads(content)
        except (httpx.HTTPError, ValueError, RecursionError) as error:
            raise OidcError(f"the login does not answer: {type(error).__name__}") from error
        if not isinstance(found, dict):
            raise OidcError("the login's answer is no object")
        return found


def _address(said: Mapping[str, Any], name: str) -> str:
    url = said.get(name)
    parts = urlsplit(url) if isinstance(url, str) else urlsplit("")
    is_safe = parts.scheme == "https" or (
        parts.scheme == "http" and is_loopback(parts.hostname or "")
    )
    if not isinstance(url, str) or not is_safe:
        raise OidcError(f"the login's {name} is no address over https")
    return url


def _keys(answer: Mapping[str, Any]) -> Any:  # noqa: ANN401 - what joserfc takes
    """Leave out keys that are not for signatures, or of a kind that we do not know."""
    keys = answer.get("keys")
    usable = [
        one
        for one in (keys if isinstance(keys, list) else [])
        if isinstance(one, dict)
        and one.get("use", "sig") == "sig"
        and one.get("kty") in {"RSA", "EC"}
    ]
    return {"keys": usable}
