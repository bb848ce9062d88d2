"""A small client of RabbitMQ's management API: get, put, post and delete of its resources."""

import json
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import urllib3
from pydantic import SecretStr
from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_exponential_jitter,
)
from urllib3.exceptions import HTTPError, NameResolutionError, SSLError

from hub.errors import BrokerError, BrokerUnavailable
from hub.tls import MakeContext

ANSWER_SECONDS = 20.0
QUICK_SECONDS = 3.0
"""How long one of several nodes may take to answer whether it is there."""
CONNECT_SECONDS = 3.0
ATTEMPTS = 5
ATTEMPT_SECONDS = 15.0
UNKNOWN_NAME = "nobody knows such a machine: check [broker] in the site file, and DNS"
_UNAUTHORISED = 401
_MISSING = 404
_FIRST_FAULT = 400


class Management:
    """Speaks to the management API as one user. Every call may be repeated without harm.

    Connection faults are tried again a few times. Errors name the resource and what the
    broker said; never a password.
    """

    def __init__(  # noqa: PLR0913 - what a client is given
        self,
        url: str,
        user: str,
        password: SecretStr,
        *,
        answer_seconds: float = ANSWER_SECONDS,
        attempts: int = ATTEMPTS,
        tls: MakeContext | None = None,
    ) -> None:
        """Make it; nothing is connected yet.

        ``tls`` makes the context with the client's certificate. It is asked for beside the
        password, which this API takes from everybody.

        Raises:
            RenkeiError: the files of the certificate cannot be used.
        """
        self.user = user
        self._url = url.rstrip("/")
        self._headers = {
            **urllib3.make_headers(basic_auth=f"{user}:{password.get_secret_value()}"),
            "Content-Type": "application/json",
        }
        self._attempts = attempts
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=answer_seconds)
        context = tls() if tls is not None and url.startswith("https:") else None
        self._pool = urllib3.PoolManager(
            maxsize=2, retries=False, timeout=timeout, ssl_context=context
        )

    def get(self, *path: str) -> Any:  # noqa: ANN401 - JSON of any shape
        """Read a resource; ``path`` are its segments below ``/api``, not escaped.

        Raises:
            BrokerUnavailable: nobody answers.
            BrokerError: the broker refused; so for every call.
        """
        return json.loads(self._call("GET", path))

    def put(self, *path: str, body: Mapping[str, object] | None = None) -> None:
        """Make or change a resource."""
        self._call("PUT", path, body or {})

    def post(self, *path: str, body: Mapping[str, object]) -> None:
        """Add to a collection (bindings)."""
        self._call("POST", path, body)

    def delete(self, *path: str) -> None:
        """Remove a resource; one that is not there is no fault."""
        self._call("DELETE", path, missing_is_fine=True)

    def close(self) -> None:
        """Close its connections."""
        self._pool.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _call(
        self,
        method: str,
        path: tuple[str, ...],
        body: Mapping[str, object] | None = None,
        *,
        missing_is_fine: bool = False,
    ) -> bytes:
        what = "/api/" + "/".join(quote(part, safe="") for part in path)
        payload = None if body is None else json.dumps(body).encode()
        try:
            answer = self._retrying()(
                self._pool.request, method, self._url + what, body=payload, headers=self._headers
            )
        except HTTPError as error:
            raise _away([(self._url, error)]) from error
        if answer.status == _UNAUTHORISED:
            raise BrokerError(
                f"the management API does not accept user {self.user!r}: {what}; is it there, "
                "with this password and the tag administrator?"
            )
        if answer.status >= _FIRST_FAULT and not (missing_is_fine and answer.status == _MISSING):
            raise BrokerError(f"{method} {what}: {answer.status} {_reason(answer.data)}")
        return answer.data

    def _retrying(self) -> Retrying:
        return Retrying(
            stop=stop_after_attempt(self._attempts) | stop_after_delay(ATTEMPT_SECONDS),
            wait=wait_exponential_jitter(multiplier=0.1, max=2.0, jitter=0.1),
            retry=retry_if_exception_type(HTTPError),
            reraise=True,
        )


def first_answering(
    urls: Sequence[str], user: str, password: SecretStr, tls: MakeContext | None = None
) -> str:
    """Give the address of the first management API that answers; a single one is not asked.

    Raises:
        BrokerUnavailable: none does.
        BrokerError: one answers, and does not accept the user.
    """
    if len(urls) == 1:
        return urls[0]
    faults: list[tuple[str, BaseException | None]] = []
    for url in urls:
        try:
            with Management(
                url, user, password, answer_seconds=QUICK_SECONDS, attempts=1, tls=tls
            ) as management:
                management.get("whoami")
        except BrokerUnavailable as error:
            faults.append((url, error.__cause__))
        else:
            return url
    raise _away(faults) if faults else BrokerUnavailable("no management API is named")


def _away(faults: Sequence[tuple[str, BaseException | None]]) -> BrokerUnavailable:
    """Say, once for all of them, that management APIs do not answer, and where to look."""
    if all(isinstance(one, NameResolutionError) for _, one in faults):
        hint = UNKNOWN_NAME
    else:
        hint = "does the broker run, with rabbitmq-plugins enable rabbitmq_management?"
    (first, why), *others = faults
    named = f"the management API at {first} does not answer ({_fault(why)})"
    more = "".join(f", nor does {url} ({_fault(one)})" for url, one in others)
    return BrokerUnavailable(f"{named}{more}; {hint}")


def _fault(error: BaseException | None) -> str:
    """Name what went wrong; what TLS says, which is about certificates and no content."""
    kind = type(error).__name__
    return f"{kind}: {str(error)[:200]}" if isinstance(error, SSLError) else kind


def _reason(data: bytes) -> str:
    try:
        answer = json.loads(data)
    except ValueError:
        return data.decode(errors="replace")[:200]
    if not isinstance(answer, dict):
        return str(answer)[:200]
    return str(answer.get("reason") or answer.get("error") or "")[:300]
