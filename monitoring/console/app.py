"""The application: routes to pages, each request read once, each answer with its headers."""

import hmac
import importlib
import mimetypes
import pkgutil
import time
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from urllib.parse import urlsplit

from anyio import CapacityLimiter, fail_after
from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitoring.console import pages
from monitoring.console.asked import MOST_BYTES, Asked, FormError, form_of
from monitoring.console.guard import Guard
from monitoring.console.headers import headers
from monitoring.console.page import Page
from monitoring.console.views import static_digest, static_files
from monitoring.visits import NOT_FOUND

THREADS = 8
BODY_SECONDS = 10.0
LONGEST_PATH = 2000
LARGEST_HEAD = 16_384
"""Bytes of a head; the server's own limit does not see one that comes in one piece."""
HOME = "/map"
_FIRST = "/me"
PAGE, STATIC = "page", "static"


def every_page() -> tuple[Page, ...]:
    """Give all pages: those of each module of ``monitoring.console.pages``, by their names.

    Raises:
        ValueError: two pages have one name, or one address.
    """
    found: list[Page] = []
    for module in pkgutil.iter_modules(pages.__path__):
        found += importlib.import_module(f"{pages.__name__}.{module.name}").PAGES
    names = [page.name for page in found]
    addresses = [(page.method, page.path) for page in found]
    if len(set(names)) < len(names) or len(set(addresses)) < len(addresses):
        raise ValueError("a page's name or address stands twice")
    return tuple(found)


def application(guard: Guard, found: Sequence[Page]) -> ASGIApp:
    """Make the application that answers with these pages, through the guard."""
    guard.pages = found
    threads: list[CapacityLimiter] = []
    routes = [
        Route(page.path, _endpoint(guard, page, threads), methods=[page.method], name=page.name)
        for page in found
    ]
    paths = {page.path for page in found}
    routes.append(Route("/", _home(HOME if HOME in paths else _FIRST), name="home"))
    routes.append(Route("/static/{digest}/{name}", _static, name="static"))
    inner = Starlette(routes=routes, exception_handlers={HTTPException: _refused})
    inner.router.redirect_slashes = False
    return _outer(inner, guard)


Endpoint = Callable[[Request], Awaitable[Response]]


def _endpoint(guard: Guard, page: Page, threads: list[CapacityLimiter]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        request.scope["state"][PAGE] = page.name
        if not threads:  # made inside the loop that it belongs to
            threads.append(CapacityLimiter(THREADS))
        body = b""
        if page.changes:
            try:
                with fail_after(BODY_SECONDS):
                    body = await _body(request)
            except TimeoutError:
                return PlainTextResponse("too slow\n", 408)
            except FormError:
                return PlainTextResponse("too large\n", 413)
        try:
            asked = _asked(request, body)
        except FormError:
            return PlainTextResponse("no form\n", 400)
        return await run_sync(guard.answer, page, asked, limiter=threads[0])

    return endpoint


def _asked(request: Request, body: bytes) -> Asked:
    head = request.headers
    return Asked(
        method=request.method,
        path=request.scope["path"],
        params={name: str(value) for name, value in request.path_params.items()},
        query=dict(request.query_params),
        fields=form_of(body, head.get("content-type", "")),
        cookies=request.cookies,
        address=request.client.host if request.client else "",
        origin=head.get("origin", ""),
        site=head.get("sec-fetch-site", ""),
    )


async def _body(request: Request) -> bytes:
    """Read a body.

    Raises:
        FormError: it is larger than any form of ours.
    """
    found = b""
    async for piece in request.stream():
        found += piece
        if len(found) > MOST_BYTES:
            raise FormError("the body is too large")
    return found


def _home(path: str) -> Endpoint:
    async def home(_: Request) -> Response:
        return RedirectResponse(path, 303)

    return home


async def _static(request: Request) -> Response:
    request.scope["state"][PAGE] = STATIC
    content = static_files().get(request.path_params["name"])
    is_current = hmac.compare_digest(
        request.path_params["digest"].encode(), static_digest().encode()
    )
    if content is None or not is_current:
        return PlainTextResponse("not found", 404)
    kind, _ = mimetypes.guess_type(request.path_params["name"])
    return Response(content, media_type=kind or "application/octet-stream")


async def _refused(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return PlainTextResponse("there is no such page\n", status)


def _head_bytes(scope: Scope) -> int:
    named = sum(len(name) + len(value) for name, value in scope["headers"])
    return named + len(scope["query_string"])


def _outer(inner: ASGIApp, guard: Guard) -> ASGIApp:
    """Put around everything: the name that was asked for, the headers, the count."""
    url = urlsplit(guard.origin)
    host, is_tls = url.netloc.lower(), url.scheme == "https"
    plain, kept = headers(tls=is_tls, static=False), headers(tls=is_tls, static=True)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        begun = time.perf_counter()
        place = scope["state"] = {PAGE: NOT_FOUND}

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                status = message["status"]
                is_kept = place[PAGE] == STATIC and status == HTTPStatus.OK
                found = MutableHeaders(scope=message)
                found.update(kept if is_kept else plain)
                guard.metrics.answered(place[PAGE], status, time.perf_counter() - begun)
            await send(message)

        if len(scope["path"]) > LONGEST_PATH:  # no route may try to read it as a number
            await PlainTextResponse("there is no such page\n", 404)(scope, receive, headed)
            return
        if _head_bytes(scope) > LARGEST_HEAD:
            await PlainTextResponse("too large\n", 431)(scope, receive, headed)
            return
        if Request(scope).headers.get("host", "").lower() != host:
            await PlainTextResponse("not here\n", 421)(scope, receive, headed)
            return
        await inner(scope, receive, headed)

    return answer
