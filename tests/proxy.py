"""A TCP proxy to the broker whose connections can be cut, held, delayed or deafened.

What a connection says first names its user, so that trouble can be made for one user alone.
"""

import contextlib
import re
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum
from typing import Self

_PLAIN = re.compile(rb"PLAIN\x00{2,3}.\x00([a-z0-9-]+)\x00", re.DOTALL)
"""What an AMQP client's login (mechanism, then length and response) says of its user."""
_CHUNK = 65_536
_TURN_SECONDS = 0.02


class Trouble(Enum):
    """What becomes of the connections, those that are open and those that are made."""

    NONE = "none"
    CUT = "cut"
    """They end at once; so does each new one."""
    HELD = "held"
    """Nothing passes; it arrives when the trouble is over."""
    DELAYED = "delayed"
    """Everything arrives late, in order."""
    SWALLOWED = "swallowed"
    """Bytes are taken and never arrive; such a connection stays deaf for good."""


class Proxy:
    """Stands between clients and a broker; a context manager.

    ``deafen`` swallows what the broker says to the connections that are open now; ``hold``
    keeps back what they say to it, until ``release``; ``say`` speaks to them in its place, and
    ``alter`` changes a byte of what they say. ``make`` makes trouble for
    some users or all, also on the connections that come, until ``heal``.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._pairs: list[_Pair] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._accept)
        self._at_hand = _AtHand()
        self.connections = 0

    def deafen(self) -> None:
        for pair in self._pairs:
            pair.down.swallows = True

    def hold(self) -> None:
        for pair in self._pairs:
            pair.up.held = True

    def release(self) -> None:
        for pair in self._pairs:
            pair.up.held = False

    def alter(self) -> None:
        """Change one byte of what the clients say next."""
        for pair in self._pairs:
            pair.up.alters = True

    def say(self, data: bytes) -> None:
        """Say something to the clients in the broker's name, between two of its own words."""
        for pair in self._pairs:
            pair.down.take(data, 0.0)

    def cut(self) -> None:
        for pair in self._pairs:
            pair.over.set()

    def make(self, trouble: Trouble, users: Collection[str] = (), delay: float = 0.0) -> None:
        """Make trouble for these users' connections, or for all where none is named."""
        self._at_hand = _AtHand(trouble, frozenset(users), delay)
        for pair in self._pairs:
            pair.at_hand = self._at_hand

    def heal(self) -> None:
        self.make(Trouble.NONE)

    def _accept(self) -> None:
        while not self._stop.is_set():
            if not select.select([self._listener], [], [], 0.05)[0]:
                continue
            near = self._listener.accept()[0]
            self.connections += 1
            try:
                far = socket.create_connection(self._target)
            except OSError:
                near.close()  # nobody listens there: a client hears as much
                continue
            pair = _Pair(near, far, self._at_hand)
            self._pairs = [one for one in self._pairs if one.is_alive()] + [pair]
            pair.start()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._listener.close()
        self.cut()
        for pair in self._pairs:
            pair.join()


@dataclass(frozen=True)
class _AtHand:
    """The trouble that there is now, and for whom."""

    trouble: Trouble = Trouble.NONE
    users: frozenset[str] = frozenset()
    delay: float = 0.0

    def concerns(self, user: str) -> bool:
        return self.trouble is not Trouble.NONE and (not self.users or user in self.users)


@dataclass
class _Stream:
    """One direction of a connection, with what is on its way."""

    swallows: bool = False
    held: bool = False
    alters: bool = False
    kept: deque[tuple[float, bytes]] = field(default_factory=deque)

    def take(self, data: bytes, delay: float) -> None:
        if not self.swallows:
            self.kept.append((time.monotonic() + delay, data))

    def due(self) -> bytes:
        """Give what is to arrive now."""
        found = b""
        now = time.monotonic()
        while self.kept and not self.held and self.kept[0][0] <= now:
            found += self.kept.popleft()[1]
        if found and self.alters:
            self.alters = False
            found = found[:-1] + bytes([found[-1] ^ 1])
        return found


class _Pair(threading.Thread):
    """One connection through the proxy. What is held still arrives after the client has left."""

    def __init__(self, near: socket.socket, far: socket.socket, at_hand: _AtHand) -> None:
        super().__init__()
        self.near, self.far, self.at_hand = near, far, at_hand
        self.up, self.down = _Stream(), _Stream()
        self.over = threading.Event()
        self._user = ""
        self._said = b""

    def run(self) -> None:
        near_open = far_open = True
        while not self.over.is_set() and far_open and (near_open or self.up.kept):
            trouble = self._trouble()
            if trouble is Trouble.CUT:
                break
            sources = [self.far, self.near] if near_open else [self.far]
            readable = select.select(sources, [], [], _TURN_SECONDS)[0]
            delay = self.at_hand.delay if trouble is Trouble.DELAYED else 0.0
            if self.near in readable:
                data = _received(self.near)
                near_open = bool(data)
                self._listen(data)
                self.up.take(data, delay)
            if self.far in readable:
                data = _received(self.far)
                far_open = bool(data)
                self.down.take(data, delay)
            if trouble is not Trouble.HELD:
                far_open = self._pass_on(near_open=near_open) and far_open
        self.near.close()
        self.far.close()

    def _trouble(self) -> Trouble:
        trouble = self.at_hand.trouble if self.at_hand.concerns(self._user) else Trouble.NONE
        if trouble is Trouble.SWALLOWED:
            self.up.swallows = self.down.swallows = True
        return trouble

    def _listen(self, data: bytes) -> None:
        if not self._user and len(self._said) < _CHUNK:
            self._said += data
            if found := _PLAIN.search(self._said):
                self._user = found[1].decode()

    def _pass_on(self, *, near_open: bool) -> bool:
        """Send what is due; say whether the broker still takes it."""
        said, answered = self.up.due(), self.down.due()
        try:
            self.far.sendall(said)
        except OSError:
            return False
        if said and not near_open:
            time.sleep(0.3)  # nobody waits for the answer to what came late
        if near_open:
            with contextlib.suppress(OSError):
                self.near.sendall(answered)
        return True


def _received(from_socket: socket.socket) -> bytes:
    try:
        return from_socket.recv(_CHUNK)
    except OSError:
        return b""
