"""Taking copies from a system's queue: handled, receipted to the hub, then acknowledged.

Messages are collected while the connection is read and handled outside of that, one after
another. Whatever is not acknowledged when the connection goes comes again, in order.
"""

import datetime as dt
import logging
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from hub.client.errors import CannotUse, PublishFailed
from hub.client.events import Event, own_wire
from hub.client.publisher import TRANSIENT, Publisher, retrying, wait_unless
from hub.client.session import TURN_SECONDS, Session, broker_errors
from hub.client.untyped import Consumer, Queue
from hub.edge.numbers import Numbers
from hub.errors import NumberFault
from hub.message import (
    NOTICE_TYPE,
    RECEIPT_TYPE,
    RECEIPTS_AT_ONCE,
    RELEASE_TYPE,
    AccessItems,
    Copy,
    Envelope,
    Notice,
    Receipt,
    Receipts,
)
from hub.names import outbound_queue
from hub.pauses import pause
from hub.site import HUB_USER

log = logging.getLogger(__name__)

PREFETCH = 50
"""Messages in hand; more brings little for handlers that store what they get."""
SETTLE_SECONDS = 1.0
"""At the latest so long after a handler returned, its receipt is sent."""
_LAST_RECEIPTS_SECONDS = 0.5
"""How long receipts may still take after the call to stop."""

_NOTICE: TypeAdapter[Envelope[Notice]] = TypeAdapter(Envelope[Notice])

Message = Any
"""A message as kombu gives it."""
Handler = Callable[[Copy], None]
NoticeHandler = Callable[[Notice], None]


@dataclass(frozen=True, slots=True)
class Task:
    """What a call of ``receive`` asks for."""

    handle: Handler
    on_notice: NoticeHandler
    stopping: Callable[[], bool]


@dataclass(slots=True)
class _Done:
    """What was handled and is not yet receipted and acknowledged."""

    receipts: list[Receipt] = field(default_factory=list)
    last: Message | None = None
    since: float = field(default_factory=time.monotonic)

    def due(self) -> bool:
        return (
            len(self.receipts) >= RECEIPTS_AT_ONCE
            or time.monotonic() - self.since >= SETTLE_SECONDS
        )


class Receiver:
    """Receives for one system; ``connect`` opens a session, ``publisher`` sends receipts."""

    def __init__(
        self,
        connect: Callable[[], Session],
        publisher: Publisher,
        system: str,
        access: AccessItems,
        numbers: Numbers,
    ) -> None:
        self._numbers = numbers
        self._connect = connect
        self._publisher = publisher
        self._system = system
        self._access = access

    def run(self, task: Task) -> int:
        """Receive until told to stop; return how many copies were handled.

        Raises:
            Refused: the password is wrong, or there is no such queue or no permission.
            Exception: whatever a handler raised; its message comes again.
        """
        handled = 0
        while not task.stopping():
            try:
                taking = retrying(task.stopping)(self._begin, task, handled)
            except TRANSIENT as cause:
                log.info("stopped before the broker could be reached: %s", cause)
                return handled
            try:
                with taking.session:
                    taking.work()
            except (*TRANSIENT, PublishFailed) as cause:
                log.warning("receiving is interrupted and begins again: %s", cause)
                wait_unless(task.stopping, pause(1))
            finally:
                handled = taking.handled
        return handled

    def _begin(self, task: Task, handled: int) -> "_Taking":
        session = self._connect()
        try:
            return _Taking(
                session,
                self._publisher,
                task,
                self._system,
                self._access,
                self._numbers,
                handled,
            )
        except BaseException:
            session.close()
            raise


class _Taking:
    """Taking messages on one connection, until it is over or the connection is gone.

    As many messages are in hand each time. What goes back to a quorum queue goes behind what
    went back earlier and has not been taken again: with fewer in hand than the last time, a
    message that goes back twice would be overtaken by those that went back with it once.
    For the same reason nothing is cancelled at the end: closing gives all back, in order.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - put together in one place only
        self,
        session: Session,
        publisher: Publisher,
        task: Task,
        system: str,
        access: AccessItems,
        numbers: Numbers,
        handled: int,
    ) -> None:
        self._numbers = numbers
        self.session = session
        self.handled = handled
        self._publisher = publisher
        self._task = task
        self._system = system
        self._access = access
        self._inbox: deque[Message] = deque()
        self._done = _Done()
        with broker_errors(f"read {outbound_queue(system)}"):
            consumer = Consumer(
                session.channel,
                queues=[Queue(outbound_queue(system), no_declare=True)],
                auto_declare=False,
                on_message=self._inbox.append,
                prefetch_count=PREFETCH,
            )
            consumer.consume()

    def work(self) -> None:
        """Take, handle, settle; again and again."""
        while not self._task.stopping():
            self.session.wait(TURN_SECONDS)
            try:
                self._handle_inbox()
            finally:
                # Also after a fault: what was handled before it is done.
                self._settle()

    def _handle_inbox(self) -> None:
        if not self._inbox:
            return
        self.session.catch_up(most=PREFETCH)
        self._done.since = time.monotonic()
        while self._inbox and not self._task.stopping():
            self._take(self._inbox.popleft())
            if self._done.due():
                self._settle()
                self.session.catch_up(most=PREFETCH)

    # -- one message -------------------------------------------------------------------

    def _take(self, message: Message) -> None:
        if message.properties.get("user_id") != HUB_USER:
            self._set_aside(message, "it does not come from the hub")
            return
        body = message.body.encode() if isinstance(message.body, str) else bytes(message.body)
        try:
            if message.properties.get("type") == NOTICE_TYPE:
                self._task.on_notice(_notice(body))
            elif message.properties.get("type") == RELEASE_TYPE:
                log.warning("the hub asks to write a message with marks, which only adapters do")
            else:
                self._hand_over(_copy(body, self._numbers))
        except _UnreadableError as error:
            self._set_aside(message, str(error))
        else:
            self._done.last = message

    def _hand_over(self, copy: Copy) -> None:
        result, code = "delivered", ""
        try:
            self._task.handle(copy)
        except CannotUse as reason:
            result, code = "set-aside", reason.code
            log.warning("%s %s of flow %s is set aside: %s", *copy.key, copy.flow, code)
        sender, message_id = copy.key
        self._done.receipts.append(
            Receipt(sender=sender, id=message_id, flow=copy.flow, result=result, code=code)
        )
        self.handled += 1

    def _set_aside(self, message: Message, why: str) -> None:
        # Nobody can be told which message it was; with the dead letters an operator sees it,
        # and it holds up nothing.
        message_id = message.properties.get("message_id", "")
        log.error("the message %.80r goes to the dead letters: %s", message_id, why)
        with broker_errors("reject a message"):
            message.reject(requeue=False)

    # -- receipts and acknowledgements ---------------------------------------------------

    def _settle(self) -> None:
        """Send the receipts, then acknowledge."""
        done, self._done = self._done, _Done()
        if done.receipts:
            self._send(done.receipts)
        if done.last is None:
            return
        with broker_errors("acknowledge"):
            done.last.ack(multiple=True)

    def _send(self, receipts: list[Receipt]) -> None:
        event = Event(
            message_type=RECEIPT_TYPE,
            data=Receipts(receipts=receipts).model_dump(),
            message_id=f"receipts-{uuid.uuid4().hex}",
            time=dt.datetime.now(dt.UTC),
        )
        wire = own_wire(event, self._system, self._access)
        self._publisher.send([wire], stopping=_a_little_later(self._task.stopping), farewell=True)


def _a_little_later(stopping: Callable[[], bool]) -> Callable[[], bool]:
    """Stop so long after the call to stop that receipts for what was handled can get out."""
    called_at: list[float] = []

    def stop() -> bool:
        if not called_at and stopping():
            called_at.append(time.monotonic())
        return bool(called_at) and time.monotonic() - called_at[0] > _LAST_RECEIPTS_SECONDS

    return stop


class _UnreadableError(ValueError):
    """The body is no copy and no notice, or there is a 個人番号 in it that cannot be opened."""


def _copy(body: bytes, numbers: Numbers) -> Copy:
    try:
        return numbers.opened(Copy.model_validate_json(body))
    except ValidationError as error:
        raise _unreadable(error) from None
    except NumberFault as fault:
        message = f"{fault.code}: {fault}"
        raise _UnreadableError(message) from None


def _notice(body: bytes) -> Notice:
    try:
        return _NOTICE.validate_json(body).data
    except ValidationError as error:
        raise _unreadable(error) from None


def _unreadable(error: ValidationError) -> _UnreadableError:
    places = sorted({str(fault["loc"][0]) for fault in error.errors() if fault["loc"]})
    return _UnreadableError(f"it cannot be read ({', '.join(places[:8]) or 'no JSON object'})")


def log_notice(notice: Notice) -> None:
    """Log a notice by id and code."""
    log.warning("the hub did not take %s %s: %s", notice.message_type, notice.id, notice.code)
