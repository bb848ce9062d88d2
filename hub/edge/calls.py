"""Calls over HTTP to a system's interface: bounded in time and size, tried again, never for ever.

Only what may pass by itself is tried again: no connection, no answer in time, a broken answer,
429 and 5xx. So a call may reach the server twice, and has to be one that may. Redirects are not
followed, the environment's proxies not used, compressed answers not taken.
"""

import asyncio
import hashlib
import logging
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, TypeVar
from urllib.parse import quote

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from hub.edge import files
from hub.edge.breaker import Breaker
from hub.errors import EdgeError

ATTEMPTS = 4
"""How often one call is tried at the most."""
LONGEST_WAIT_SECONDS = 5.0
"""The longest wait between two tries, whatever the server asks for."""
ANSWER_LIMIT = 1 << 20
"""The most bytes of an answer, where a call does not say otherwise."""

_TOO_MANY = 429
_SERVER_FAULT = 500
_DIGITS = 6
_BACKOFF = wait_exponential_jitter(multiplier=0.2, max=LONGEST_WAIT_SECONDS, jitter=0.2)

ResultT = TypeVar("ResultT")


class CallError(EdgeError):
    """A call failed; the text says which and why, and nothing of what was sent or answered."""


class Unavailable(CallError):
    """The server cannot be reached or is not well: the call may be made again later."""


class Declined(CallError):
    """The server answered with a status that the call does not expect; ``status`` is it."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class TooLarge(CallError):
    """The answer has more bytes than the call takes."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call: ``purpose`` says in errors what it is for, such as "ask for the permit".

    ``path`` is below the interface's base address. ``accept`` are the statuses that are answers;
    any other is an error. ``seconds`` is how long one try may take as a whole, where the system's
    own setting does not do.
    """

    purpose: str
    method: str
    path: str
    content: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    accept: frozenset[int] = frozenset({200})
    most_bytes: int = ANSWER_LIMIT
    seconds: float | None = None


class Answer(NamedTuple):
    """What a server answered, whole; header names are in lower case."""

    status: int
    content: bytes
    headers: Mapping[str, str]


class Fetched(NamedTuple):
    """A file that was fetched: its size in bytes, and its SHA-256 in hex."""

    size: int
    digest: str
    headers: Mapping[str, str]


class _Passing(Exception):
    """A fault that may pass; ``pause`` is how many seconds the server asks to wait."""

    def __init__(self, reason: str, pause: float = 0.0) -> None:
        super().__init__(reason)
        self.pause = pause


class Caller:
    """Makes calls to one interface, below its base address; an asynchronous context manager."""

    def __init__(  # noqa: PLR0913 - what a caller is given
        self,
        url: str,
        *,
        timeout_seconds: float,
        breaker: Breaker,
        attempts: int = ATTEMPTS,
        ca_file: Path | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Make it; nothing is connected yet.

        Raises:
            EdgeError: the file of trusted certificates cannot be used.
        """
        # It logs addresses, whose queries may name a person.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        logging.getLogger("httpcore").setLevel(logging.WARNING)
        self._seconds = timeout_seconds
        self._breaker = breaker
        self._attempts = attempts
        self._sleep = sleep
        self._base = url.rstrip("/") + "/"
        self._client = httpx.AsyncClient(
            verify=_trusted(url, ca_file),
            timeout=timeout_seconds,
            trust_env=False,
            follow_redirects=False,
            headers={"accept-encoding": "identity", "user-agent": "renkei-hub"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def call(self, call: Call) -> Answer:
        """Make a call, and give its answer whole.

        Raises:
            Unavailable: all tries met a fault that may pass, or the breaker is open.
            Declined: the server gave a status that is no answer.
            CallError: anything else, such as an answer that is too large.
        """

        async def once() -> Answer:
            async with self._answered(call) as response:
                parts = [part async for part in _body(response, call)]
                return Answer(response.status_code, b"".join(parts), dict(response.headers))

        return await self._tried(call, once)

    async def fetch(self, call: Call, path: Path) -> Fetched:
        """Make a call, and write its answer into a file, whole or not at all.

        Raises:
            CallError: as for ``call``.
            EdgeError: the folder or disk cannot be used.
        """
        temporary = files.temporary_name(path)

        async def once() -> Fetched:
            async with self._answered(call) as response:
                hasher, size = hashlib.sha256(), 0
                with (
                    files.mapped("cannot write", path),
                    os.fdopen(files.create_file(temporary), "wb") as file,
                ):
                    async for part in _body(response, call):
                        hasher.update(part)
                        size += len(part)
                        file.write(part)
                    file.flush()
                    os.fsync(file.fileno())
                return Fetched(size, hasher.hexdigest(), dict(response.headers))

        try:
            fetched = await self._tried(call, once)
        except BaseException:
            files.remove(temporary)
            raise
        files.rename(temporary, path)
        return fetched

    async def _tried(self, call: Call, once: Callable[[], Awaitable[ResultT]]) -> ResultT:
        retrying = AsyncRetrying(
            sleep=self._sleep,
            stop=stop_after_attempt(self._attempts),
            wait=_pause,
            retry=retry_if_exception_type(_Passing),
            reraise=True,
        )
        try:
            return await retrying(self._attempt, call, once)
        except _Passing as error:
            times = f"{self._attempts} times" if self._attempts > 1 else "once"
            raise Unavailable(f"cannot {call.purpose}: {error} (tried {times})") from error

    async def _attempt(self, call: Call, once: Callable[[], Awaitable[ResultT]]) -> ResultT:
        if not self._breaker.may_try():
            left = self._breaker.seconds_left()
            raise Unavailable(f"cannot {call.purpose}: not tried for another {left:.0f} s")
        try:
            with _mapped(call):
                async with asyncio.timeout(call.seconds or self._seconds):
                    result = await once()
        except _Passing:
            self._breaker.failed()
            raise
        except CallError:
            self._breaker.worked()  # it answered, if not as we like
            raise
        except BaseException:
            self._breaker.abandoned()
            raise
        self._breaker.worked()
        return result

    @asynccontextmanager
    async def _answered(self, call: Call) -> AsyncIterator[httpx.Response]:
        if any(part in {"", ".", ".."} for part in call.path.split("/")):
            raise CallError(f"cannot {call.purpose}: the path of the call is wrong")
        request = self._client.build_request(
            call.method,
            self._base + quote(call.path),
            content=call.content or None,
            headers=call.headers,
            params=call.query or None,
        )
        response = await self._client.send(request, stream=True)
        try:
            _judge(response, call)
            yield response
        finally:
            await response.aclose()


def _trusted(url: str, ca_file: Path | None) -> ssl.SSLContext:
    if not url.startswith("https:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody, and reads no files
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise EdgeError(f"the certificates in {ca_file} cannot be used: {reason}") from error


def _pause(state: RetryCallState) -> float:
    """Wait longer each time, with jitter, and as long as the server asks for within the limit."""
    asked = 0.0
    if state.outcome is not None and isinstance(error := state.outcome.exception(), _Passing):
        asked = error.pause
    return max(_BACKOFF(state), min(asked, LONGEST_WAIT_SECONDS))


def _judge(response: httpx.Response, call: Call) -> None:
    status = response.status_code
    if status in call.accept:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise CallError(f"cannot {call.purpose}: the answer is compressed")
        return
    if status == _TOO_MANY or status >= _SERVER_FAULT:
        raise _Passing(f"the server answered {status}", _asked_pause(response))
    raise Declined(f"cannot {call.purpose}: the server answered {status}", status)


def _asked_pause(response: httpx.Response) -> float:
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else 0.0


async def _body(response: httpx.Response, call: Call) -> AsyncIterator[bytes]:
    size = 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > call.most_bytes:
            raise TooLarge(f"cannot {call.purpose}: the answer has over {call.most_bytes} bytes")
        yield part


@contextmanager
def _mapped(call: Call) -> Iterator[None]:
    """Sort what httpx and time say into faults that may pass and those that will not."""
    try:
        yield
    except (TimeoutError, httpx.TimeoutException) as error:
        raise _Passing("there was no answer in time") from error
    except (httpx.LocalProtocolError, httpx.UnsupportedProtocol) as error:
        raise CallError(f"cannot {call.purpose}: {type(error).__name__}") from error
    except httpx.TransportError as error:
        if _is_untrusted(error):
            reason = "the server's certificate is not trusted"
            raise CallError(f"cannot {call.purpose}: {reason}") from error
        kind = "cannot be reached" if isinstance(error, httpx.ConnectError) else "broke off"
        raise _Passing(f"the server {kind}") from error


def _is_untrusted(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
