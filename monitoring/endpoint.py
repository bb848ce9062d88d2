"""The Prometheus endpoint of a process."""

from prometheus_client import CollectorRegistry, start_http_server

from hub.errors import SiteError


def serve(registry: CollectorRegistry, port: int, address: str = "127.0.0.1") -> None:
    """Answer ``/metrics`` on a port, from a thread of its own, while the process lives.

    Raises:
        SiteError: the port cannot be had.
    """
    try:
        start_http_server(port, address, registry)
    except OSError as error:
        message = f"metrics_port {port} cannot be used: {error.strerror}"
        raise SiteError(message) from error
