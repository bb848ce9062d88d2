"""The Prometheus endpoint of a process."""

from prometheus_client import CollectorRegistry, start_http_server


def serve(registry: CollectorRegistry, port: int, address: str = "127.0.0.1") -> None:
    """Answer ``/metrics`` on a port, from a thread of its own, while the process lives."""
    start_http_server(port, address, registry)
