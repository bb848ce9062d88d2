"""Asks the processes of a site for their metrics, all at the same time.

A process that does not answer gives nothing: what is not known is never shown as 0.
"""

import http.client
import ssl
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from hub.addresses import is_loopback
from hub.errors import SiteError
from hub.processes import worker_names
from hub.site import Site

SECONDS = 2.0
"""How long one process may take to answer."""
MOST_BYTES = 8 << 20
AT_ONCE = 8
WATCH, CONSOLE = "watch", "console"
_OK = 200


class Target(NamedTuple):
    """A process that answers ``/metrics``; with ``tls`` to a certificate of the site only."""

    process: str
    host: str
    port: int
    tls: bool

    @property
    def address(self) -> str:
        """Host and port as one text."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def targets_of(site: Site) -> tuple[Target, ...]:
    """Name every process of a site that has a port for its metrics: hub, watch, adapters, console.

    A worker that was started by hand beside them, on a spare port, is not known here.
    """
    hub, console = site.hub, site.console
    ports = zip(worker_names(hub.workers), (hub.metrics_port, *hub.worker_metrics_ports))  # noqa: B905 - spare ports
    found = [
        *((name, hub.listen, port) for name, port in ports),
        (WATCH, hub.listen, hub.watch_metrics_port),
        *((name, one.listen, one.metrics_port) for name, one in site.systems.items()),
        *([(CONSOLE, console.listen, console.metrics_port)] if console else ()),
    ]
    return tuple(
        Target(name, listen, port, not is_loopback(listen))
        for name, listen, port in found
        if port is not None
    )


class Reading:
    """The samples that one process gave."""

    def __init__(self, text: str) -> None:
        self._samples: defaultdict[str, list[tuple[Mapping[str, str], float]]] = defaultdict(list)
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                self._samples[sample.name].append((sample.labels, sample.value))

    def value(self, name: str, **labels: str) -> float | None:
        """Give the sum of the samples with these labels; none where there is no such sample."""
        found = [
            value
            for said, value in self._samples.get(name, ())
            if all(said.get(label) == wanted for label, wanted in labels.items())
        ]
        return sum(found) if found else None

    def by(self, name: str, label: str) -> dict[str, float]:
        """Give the sums of a metric by one of its labels."""
        found: defaultdict[str, float] = defaultdict(float)
        for said, value in self._samples.get(name, ()):
            found[said.get(label, "")] += value
        return dict(found)


Ask = Callable[[Target], Reading]
"""Asks one process; raises ``OSError``, ``ValueError``, ``HTTPException`` or ``SiteError``."""


class Asker:
    """Asks over HTTP, or with TLS by a context that is made for each connection."""

    def __init__(
        self, context: Callable[[], ssl.SSLContext] | None = None, seconds: float = SECONDS
    ) -> None:
        self._context = context
        self._seconds = seconds

    def __call__(self, target: Target) -> Reading:
        """Ask a process for its metrics.

        Raises:
            SiteError: it wants a certificate, and there is none.
            OSError: it does not answer.
            HTTPException: it answers something else.
            ValueError: its answer cannot be read.
        """
        status, body = self.read(target, "/metrics")
        if status != _OK:
            raise ValueError(f"{target.process} answers {status}")
        return Reading(body.decode())

    def read(self, target: Target, path: str) -> tuple[int, bytes]:
        """Ask a process for anything that it answers; give status and body.

        Raises:
            ValueError: it answers too much; else as for metrics.
        """
        connection = self._connection(target)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read(MOST_BYTES + 1)
        finally:
            connection.close()
        if len(body) > MOST_BYTES:
            raise ValueError(f"{target.process} answers over {MOST_BYTES} bytes")
        return answer.status, body

    def _connection(self, target: Target) -> http.client.HTTPConnection:
        if not target.tls:
            return http.client.HTTPConnection(target.host, target.port, timeout=self._seconds)
        if self._context is None:
            raise SiteError(f"{target.process} wants a certificate: set tls.folder in the site")
        return http.client.HTTPSConnection(
            target.host, target.port, timeout=self._seconds, context=self._context()
        )


def ask_all(targets: Sequence[Target], ask: Ask) -> dict[str, Reading | None]:
    """Ask every process; one that does not answer is there with nothing."""
    if not targets:
        return {}
    with ThreadPoolExecutor(min(AT_ONCE, len(targets)), "figures") as askers:
        asked = {target.process: askers.submit(ask, target) for target in targets}
    found: dict[str, Reading | None] = {}
    for process, answer in asked.items():
        try:
            found[process] = answer.result()
        except (OSError, ValueError, http.client.HTTPException, SiteError):
            found[process] = None
    return found
