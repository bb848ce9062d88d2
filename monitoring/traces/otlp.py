"""Sends spans to a collector by OTLP over HTTP; the one module that knows OpenTelemetry.

It is imported only where a site names a collector: it takes 16 MB of memory.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import requests
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from monitoring.traces.lines import SCOPE
from monitoring.traces.told import Told

SECONDS = 5.0
"""How long one request may take, with its tries."""
_PATH = "/v1/traces"
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_SCOPE = InstrumentationScope(SCOPE)


class Collector:
    """A collector at ``endpoint``; ``resource`` says which process tells.

    ``ca_file`` are the certificates that are trusted for it, where it is not on this machine.
    """

    def __init__(self, endpoint: str, ca_file: Path | None, resource: Mapping[str, str]) -> None:
        """Make ready; nothing is asked of it yet."""
        # It would say of each try what went wrong; ``Tracer`` says it once in a while.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        session = requests.Session()
        session.max_redirects = 0  # spans go where the site says, and nowhere else
        session.trust_env = False  # no proxy, no other certificates than the site names
        self._exporter = OTLPSpanExporter(
            endpoint.rstrip("/") + _PATH,
            certificate_file=None if ca_file is None else str(ca_file),
            timeout=SECONDS,
            compression=Compression.NoCompression,
            session=session,
        )
        self._resource = Resource(dict(resource))

    def send(self, spans: Sequence[Told]) -> str:
        """Send them; say that they were not taken, or nothing."""
        made = [_readable(span, self._resource) for span in spans]
        if self._exporter.export(made) is SpanExportResult.SUCCESS:
            return ""
        return "the collector does not answer, or refuses them"

    def close(self) -> None:
        """Give up what is tried again."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]


def _readable(span: Told, resource: Resource) -> ReadableSpan:
    trace = int(span.trace, 16)
    parent = int(span.parent, 16) if span.parent else 0
    return ReadableSpan(
        name=span.step.value,
        context=SpanContext(trace, int(span.span, 16), is_remote=False, trace_flags=_SAMPLED),
        parent=SpanContext(trace, parent, is_remote=True, trace_flags=_SAMPLED) if parent else None,
        resource=resource,
        attributes={fact.value: value for fact, value in span.facts.items()},
        kind=SpanKind.INTERNAL,
        status=Status(StatusCode.ERROR if span.failed else StatusCode.UNSET),
        start_time=span.began,
        end_time=span.ended,
        instrumentation_scope=_SCOPE,
    )
