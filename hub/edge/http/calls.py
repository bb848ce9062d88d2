"""Calls over HTTP to a system's interface: bounded in time and size, tried again, never for ever.

Only what may pass by itself is tried again: no connection, no answer in time, a broken answer,
429 and 5xx. So a call may reach the server twice, and has to be one that may. Redirects are not
followed, the environment's proxies not used, compressed answers not taken.
"""

import asyncio
import hashlib
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, TypeVar
from urllib.parse import quote

import httpx
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt

from hub.breaker import Breaker
from hub.edge import files
from hub.edge.http.call_faults import (
    CallError,
    Declined,
    Passing,
    TooLarge,
    Unavailable,
    judge,
    mapped,
    pause_before_next,
)
from hub.edge.http.trust import Trust
from hub.errors import EdgeError
from hub.limits import limits

__all__ = [
    "Answer",
    "Call",
    "CallError",
    "Caller",
    "Declined",
    "Fetched",
    "TooLarge",
    "Unavailable",
]

ATTEMPTS = 4
"""How often one call is tried at the most."""

ResultT = TypeVar("ResultT")


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
    most_bytes: int = field(default_factory=lambda: limits().answer_bytes)
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


class Caller:
    """Makes calls to one interface, below its base address; an asynchronous context manager."""

    def __init__(  # noqa: PLR0913 - what a caller is given
        self,
        url: str,
        *,
        timeout_seconds: float,
        breaker: Breaker,
        attempts: int = ATTEMPTS,
        trust: Trust | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Make it; nothing is connected yet.

        Raises:
            EdgeError: a file of certificates cannot be used.
        """
        # It logs addresses, whose queries may name a person.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        logging.getLogger("httpcore").setLevel(logging.WARNING)
        self._seconds = timeout_seconds
        self._breaker = breaker
        self._attempts = attempts
        self._sleep = sleep
        self._base = url.rstrip("/") + "/"
        self._trust = trust or Trust()
        self._opened = AsyncExitStack()
        self._stamp = self._trust.stamp()
        self._client = self._new_client()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._opened.aclose()

    def _new_client(self) -> httpx.AsyncClient:
        client = httpx.AsyncClient(
            verify=self._trust.context(self._base),
            timeout=self._seconds,
            trust_env=False,
            follow_redirects=False,
            headers={"accept-encoding": "identity", "user-agent": "renkei-hub"},
        )
        self._opened.push_async_callback(client.aclose)
        return client

    def _current(self, purpose: str) -> httpx.AsyncClient:
        """Give the client with the certificates as they are now; what is under way goes on."""
        stamp = self._trust.stamp()
        if stamp != self._stamp:
            try:
                self._client = self._new_client()
            except EdgeError as error:
                raise CallError(f"cannot {purpose}: {error}") from error
            self._stamp = stamp
        return self._client

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
            wait=pause_before_next,
            retry=retry_if_exception_type(Passing),
            reraise=True,
        )
        try:
            return await retrying(self._attempt, call, once)
        except Passing as error:
            times = f"{self._attempts} times" if self._attempts > 1 else "once"
            raise Unavailable(f"cannot {call.purpose}: {error} (tried {times})") from error

    async def _attempt(self, call: Call, once: Callable[[], Awaitable[ResultT]]) -> ResultT:
        if not self._breaker.may_try():
            left = self._breaker.seconds_left()
            raise Unavailable(f"cannot {call.purpose}: not tried for another {left:.0f} s")
        try:
            with mapped(call.purpose):
                async with asyncio.timeout(call.seconds or self._seconds):
                    result = await once()
        except Passing:
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
        client = self._current(call.purpose)
        request = client.build_request(
            call.method,
            self._base + quote(call.path),
            content=call.content or None,
            headers=call.headers,
            params=call.query or None,
        )
        response = await client.send(request, stream=True)
        try:
            judge(response, call.purpose, call.accept)
            yield response
        finally:
            await response.aclose()


async def _body(response: httpx.Response, call: Call) -> AsyncIterator[bytes]:
    size = 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > call.most_bytes:
            raise TooLarge(f"cannot {call.purpose}: the answer has over {call.most_bytes} bytes")
        yield part
