"""Has a process follow files and messages where its site says so; else it loads nothing."""

import importlib.metadata
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from hub.errors import SiteError
from hub.site import Site
from hub.tls import Identity

if TYPE_CHECKING:
    from pathlib import Path

    from hub.sections import TracesSite
    from monitoring.traces.sender import Drain, Tracer

_DISTRIBUTION = "renkei-hub"
_NEEDED = ("opentelemetry.exporter.otlp.proto.http", "opentelemetry.sdk", "requests")


@contextmanager
def tracing(site: Site, process: str, registry: CollectorRegistry) -> Iterator["Tracer | None"]:
    """Give what takes the spans of a process; nothing on a site without traces.

    Raises:
        SiteError: the site names a collector, and what speaks to one is not installed.
    """
    if site.traces is None:
        yield None
        return
    from monitoring.traces.figures import TraceMetrics  # noqa: PLC0415 - few sites have traces
    from monitoring.traces.sender import Tracer  # noqa: PLC0415

    drain = _drain(site, site.traces, process)
    tracer = Tracer(drain, site.traces.ratio, TraceMetrics(registry))
    try:
        yield tracer
    finally:
        tracer.close()


def trace_faults(settings: "TracesSite | None") -> Iterator[str]:
    """Say what a site's traces lack: what has to be installed, a file that is not there."""
    if settings is None or settings.endpoint is None:
        return
    if not all(map(_is_there, _NEEDED)):
        yield (
            "traces.endpoint: what sends traces to a collector is not installed here; run "
            "pip install 'renkei-hub[traces]', or name a file in place of the endpoint"
        )
    if settings.ca_file is not None and not settings.ca_file.is_file():
        yield f"traces.ca_file {settings.ca_file} is not there"


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # nor is what it stands in
        return False


def _drain(site: Site, settings: "TracesSite", process: str) -> "Drain":
    if faults := list(trace_faults(settings)):
        raise SiteError("\n".join(faults))
    resource = {
        "service.name": "renkei",
        "service.instance.id": process,
        "service.version": importlib.metadata.version(_DISTRIBUTION),
    }
    if settings.endpoint is not None:
        from monitoring.traces.otlp import Collector  # noqa: PLC0415 - it takes memory

        return Collector(settings.endpoint, _trusted(site, settings, process), resource)
    from monitoring.traces.lines import Lines  # noqa: PLC0415

    if settings.file is None:
        raise AssertionError  # the site file has one of the two
    return Lines(own_file(settings.file, process), resource)


def own_file(file: "Path", process: str) -> "Path":
    """Give the file of one process: each may have an account of its own.

    >>> own_file(Path("/srv/traces.jsonl"), "hub-2").name
    'traces.hub-2.jsonl'
    """
    return file.with_name(f"{file.stem}.{process}{file.suffix}")


def _trusted(site: Site, settings: "TracesSite", process: str) -> "Path | None":
    if settings.ca_file is not None or site.tls.folder is None:
        return settings.ca_file
    return Identity(site.tls.folder, process).ca
