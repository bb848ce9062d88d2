"""Plays the intermediate server: gives permits, takes inquiries, and answers after a few polls."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from adapters.intermediate_server import ADAPTER
from adapters.intermediate_server.server import Server
from adapters.intermediate_server.store import Store, refused_of
from adapters.simulation.kit import ReceivedRecord, Service
from adapters.simulation.misbehaving import manners_of
from adapters.simulation.played import Played
from adapters.simulation.serving import Serving


@dataclass(frozen=True)
class IntermediateServer(Played):
    """The simulated system; ``folder`` is its own, with what it was sent in ``from-hub``."""

    def receive(self, folder: Path) -> Iterator[ReceivedRecord]:
        """Stream what it was sent, and the inquiries to which it refused their permits."""
        yield from super().receive(folder)
        yield from super().receive(refused_of(folder))

    def serve(self, service: Service) -> AbstractContextManager[object]:
        """Serve the interface as long as the block takes."""
        server = Server(Store(service.folder), service.secret, service.misbehaves)
        return Serving(server.handle, service.port, manners_of(service.misbehaves))


SIMULATOR = IntermediateServer(ADAPTER, served=True)
