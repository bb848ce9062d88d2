"""A collector of traces on this machine: takes OTLP over HTTP, and remembers each span."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


class Seen(NamedTuple):
    """A span as it came; ``process`` is who told it."""

    process: str
    name: str
    trace: str
    span: str
    parent: str
    failed: bool
    facts: dict[str, str | int]


@dataclass
class Collector:
    """What came; ``status`` is what it answers, and ``hangs`` that it never does."""

    endpoint: str = ""
    status: int = 200
    requests: int = 0
    spans: list[Seen] = field(default_factory=list)
    hangs: bool = False
    ended: threading.Event = field(default_factory=threading.Event)

    def take(self, body: bytes) -> None:
        """Take the body of a request."""
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            said = {one.key: one.value.string_value for one in resource.resource.attributes}
            assert said["service.name"] == "renkei"
            for scope in resource.scope_spans:
                self.spans += [_seen(said["service.instance.id"], span) for span in scope.spans]

    def by_name(self, name: str) -> list[Seen]:
        """Give the spans of one step."""
        return [span for span in self.spans if span.name == name]


def _seen(process: str, span: object) -> Seen:
    facts: dict[str, str | int] = {}
    for one in span.attributes:  # type: ignore[attr-defined] # a class made at import
        kind = one.value.WhichOneof("value")
        facts[one.key] = getattr(one.value, kind)
    return Seen(
        process,
        span.name,  # type: ignore[attr-defined]
        span.trace_id.hex(),  # type: ignore[attr-defined]
        span.span_id.hex(),  # type: ignore[attr-defined]
        span.parent_span_id.hex(),  # type: ignore[attr-defined]
        span.status.code == 2,  # type: ignore[attr-defined]
        facts,
    )


@contextmanager
def collecting() -> Iterator[Collector]:
    """Be a collector at a free port."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.requests += 1
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if collector.hangs:
                collector.ended.wait(30)
                return
            if self.path == "/v1/traces" and collector.status == 200:
                collector.take(body)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(collector.status)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield collector
        finally:
            collector.ended.set()
            server.shutdown()
            thread.join()
