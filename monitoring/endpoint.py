"""The HTTP endpoint of a process: ``/metrics``, ``/health/live``, ``ready`` and ``detail``.

``/health/ready`` answers 200 while the process can do its work, and 503 with the reason while
it cannot; ``/health/live`` answers 200 as long as the process answers at all. ``/health/detail``
says more: of the watch what it tried out just now, of others their conditions and how long ago
they last did what.
"""

import ssl
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, make_wsgi_app

from hub.errors import SiteError
from monitoring.health import Checks, Health
from monitoring.serving import EndpointServer

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

LIVE, READY, DETAIL = "/health/live", "/health/ready", "/health/detail"


def serve(  # noqa: PLR0913 - what an endpoint is made of
    registry: CollectorRegistry,
    port: int,
    address: str = "127.0.0.1",
    *,
    health: Health | None = None,
    checks: Checks | None = None,
    context: Callable[[], ssl.SSLContext] | None = None,
) -> None:
    """Answer on a port, from a thread of its own, while the process lives.

    Without ``health`` there are metrics only; any other path is not found. ``checks`` are what
    ``/health/detail`` tries. With ``context``, which is asked for each connection, it is https,
    and to clients with a certificate alone.

    Raises:
        SiteError: the port cannot be had at that address, or there is no certificate.
    """
    try:
        if context is not None:
            context()
        server = EndpointServer((address, port), context)
    except OSError as error:
        message = f"metrics_port {port} cannot be used at {address}: {error.strerror}"
        raise SiteError(message) from error
    server.set_app(_app(registry, health, checks))
    threading.Thread(target=server.serve_forever, name="endpoint", daemon=True).start()


def _app(
    registry: CollectorRegistry, health: Health | None, checks: Checks | None
) -> "WSGIApplication":
    metrics = make_wsgi_app(registry)

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path in {"", "/", "/metrics"}:
            answered: Iterable[bytes] = metrics(environ, start_response)
            return answered
        if health is None or path not in {LIVE, READY, DETAIL}:
            start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
            return [b"there is /metrics, /health/live, /health/ready and /health/detail\n"]
        if path == DETAIL:
            is_good, document = (checks or health).detail()
        else:
            is_good, document = path == LIVE or health.is_ready, health.document()
        status = "200 OK" if is_good else "503 Service Unavailable"
        start_response(status, [("Content-Type", "application/json; charset=utf-8")])
        return [document]

    return answer
