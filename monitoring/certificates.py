"""When the certificates end that a process uses, read anew at each scrape: they are renewed."""

import datetime as dt
import logging
from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Gauge

from hub.errors import SiteError

log = logging.getLogger(__name__)

Ends = Callable[[], dt.datetime]
"""Reads when a certificate ends; raises ``SiteError`` where it cannot be read."""


class CertificateMetrics:
    """Shows each certificate by what it is for: own, authority, revocation-list, encryption.

    What a server shows at its handshakes stands under the server's name.
    """

    def __init__(self, registry: CollectorRegistry, certificates: Mapping[str, Ends]) -> None:
        self._ends = Gauge(
            "renkei_certificate_expiry_timestamp_seconds",
            "When a certificate or revocation list ends, in seconds since 1970; "
            "0 if it is unreadable, or a server's that has ended.",
            ("certificate",),
            registry=registry,
        )
        for name, read in certificates.items():
            self._ends.labels(name).set_function(_Reading(name, read))

    def shown(self, server: str, ends: dt.datetime) -> None:
        """Show when the certificate ends that a server of the site shows."""
        self._ends.labels(server).set(ends.timestamp())


class _Reading:
    """Reads one; says once that it cannot be read, and then shows it as ended."""

    def __init__(self, name: str, read: Ends) -> None:
        self._name = name
        self._read = read
        self._trouble = ""

    def __call__(self) -> float:
        try:
            ends = self._read()
        except SiteError as error:
            if str(error) != self._trouble:
                log.warning("when the certificate %s ends cannot be told: %s", self._name, error)
            self._trouble = str(error)
            return 0.0
        self._trouble = ""
        return ends.timestamp()
