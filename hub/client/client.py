"""The client for a system that speaks AMQP itself: publish changes, receive copies."""

import datetime as dt
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from hub.client.address import read_address
from hub.client.events import Event, to_wire, windows
from hub.client.publisher import Publisher, never
from hub.client.receiver import Handler, NoticeHandler, Receiver, Task, log_notice
from hub.client.session import Session, Timing
from hub.edge.numbers import Numbers
from hub.message import AccessItems
from hub.sealing.keys import FolderKeys, Keys
from schemas.canonical import CanonicalMessage


class HubClient:
    """A system's own connection to the hub; ``docs/howto/connect-your-own-system.md`` shows it.

    It connects when first needed, once for publishing and once for each ``receive``, and again
    whenever a connection is lost. ``publish`` may be called from any thread, also inside a
    handler; ``close`` also from a signal handler.
    """

    def __init__(  # noqa: PLR0913 - what a client is given
        self,
        url: str,
        system: str,
        *,
        access: AccessItems | None = None,
        timing: Timing | None = None,
        tls: Mapping[str, str] | None = None,
        certificates: Path | None = None,
    ) -> None:
        """Take the broker's URL and the system's id, which is also its user.

        Args:
            url: ``amqp[s]://<system>:<password>@<host>:<port>/<vhost>``; it is never shown.
                Of several nodes, ``host:port,host:port``, one is chosen at random.
            system: the system's id in the catalogue.
            access: 職員情報, 部署情報, 端末情報, 処理事由, 処理内容 of every event.
            timing: how long things may take.
            tls: ``ca_certs``, ``certfile`` and ``keyfile`` for ``amqps``, in place of that folder.
            certificates: the folder that the operator gave: with it the client logs in by its
                certificate, 個人番号 are encrypted for the hub, and those of copies decrypted.
                Without it none can be sent or received.

        Raises:
            SiteError: the URL is wrong, or of another user.
        """
        self._address = read_address(url, system, tls, certificates)
        self._system = system
        self._access = access or AccessItems()
        self._timing = timing or Timing()
        source = None if certificates is None else FolderKeys(certificates, system)
        self._numbers = Numbers.by(Keys(system, source), takes_plain=never)
        self._closed = threading.Event()
        connect = self._session("publish", self._closed.is_set)
        self._publisher = Publisher(connect, system, self._timing)

    def publish(
        self,
        message_type: str,
        data: CanonicalMessage | dict[str, Any],
        *,
        message_id: str,
        time: dt.datetime | None = None,
        reason: str = "",
    ) -> None:
        """Publish a change; return once the broker has it for good.

        Args:
            message_type: for example ``resident.changed``.
            data: a message of ``schemas``, or a dict with the same fields.
            message_id: names the change for good (``A-Za-z0-9._:-``, at most 80).
            time: when the change happened, with a time zone; absent, now. Give it, so that a
                repetition is the same event.
            reason: 処理事由.

        Raises:
            EventError: the event cannot be sent as it is.
            KeyMissing: there is a 個人番号 in it, and no key of the hub to encrypt it with; nothing
                was sent. Send it again when the operator has given the hub's certificate.
            OutcomeUnknown: not confirmed in time; it may have arrived. Send it again.
            NotSent: it did not arrive in time. Send it again.
            Refused: the broker does not permit it.
            Unroutable: the hub's exchanges and queues are incomplete.
            ClientClosed: the client was closed.
        """
        self.publish_many([Event(message_type, data, message_id, time, reason)])

    def publish_many(self, events: Sequence[Event]) -> None:
        """Publish changes in order, many at a time under way; return once all are confirmed.

        Two changes of one resident are never under way together.

        Raises:
            EventError, KeyMissing: one of them cannot be sent; nothing was sent.
            PublishFailed: as for ``publish``; ``events`` are all that are not confirmed, in
                order and ready to be given to this method again.
            Refused, Unroutable, ClientClosed: as for ``publish``.
        """
        now = dt.datetime.now(dt.UTC)
        wires = [to_wire(event, self._system, self._access, now, self._numbers) for event in events]
        self._publisher.send_all(list(windows(wires)))

    def receive(
        self,
        handle: Handler,
        *,
        stopping: Callable[[], bool] = never,
        on_notice: NoticeHandler = log_notice,
    ) -> int:
        """Receive copies until told to stop, one after another; return how many.

        When ``handle`` returns, the hub gets a receipt and the message is done. When it raises
        ``CannotUse``, the receipt says so. With any other exception this method ends, and the
        message comes again. A message may come more than once: ``(copy.key, copy.flow)`` is
        the same then.

        Args:
            handle: stores a copy; should take less than a heartbeat.
            stopping: asked several times a second.
            on_notice: told what the hub did not take from this system, and why.

        Raises:
            Refused: wrong password, no permission, or no such queue.
            Exception: what ``handle`` or ``on_notice`` raised.
        """

        def over() -> bool:
            return self._closed.is_set() or stopping()

        connect = self._session("receive", over)
        receiver = Receiver(connect, self._publisher, self._system, self._access, self._numbers)
        return receiver.run(Task(handle, on_notice, over))

    def close(self) -> None:
        """Close; a ``receive`` or ``publish`` under way in another thread ends within a second."""
        self._closed.set()
        self._publisher.close()

    def _session(self, purpose: str, stopping: Callable[[], bool]) -> Callable[[], Session]:
        name = f"{self._system} {purpose}"
        return lambda: Session(self._address, self._timing, name, stopping)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"HubClient(system={self._system!r}, broker={str(self._address)!r})"
