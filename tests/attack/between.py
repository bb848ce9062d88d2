"""Stands on the network between a client and the broker."""

import socket
import threading
from dataclasses import dataclass, field
from typing import Self


@dataclass
class Altering:
    """Stands between a client and the broker, and changes one bit of what passes; a context."""

    target: tuple[str, int]
    after: int
    altered: int = 0
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _open: list[socket.socket] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        for one in self._open:
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                near = self._listener.accept()[0]
            except OSError:
                return
            far = socket.create_connection(self.target)
            self._open += [near, far]
            for source, sink, alters in ((near, far, True), (far, near, False)):
                threading.Thread(
                    target=self._carry, args=(source, sink), kwargs={"alters": alters}, daemon=True
                ).start()

    def _carry(self, source: socket.socket, sink: socket.socket, *, alters: bool) -> None:
        passed = 0
        try:
            while data := bytearray(source.recv(65536)):
                passed += len(data)
                if alters and not self.altered and passed > self.after:
                    data[-1] ^= 1
                    self.altered += 1
                sink.sendall(data)
        except OSError:
            pass  # one end has closed; so does the other
        for one in (source, sink):
            one.close()
