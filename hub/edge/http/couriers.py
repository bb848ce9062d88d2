"""Runs an adapter's courier beside its loop, in a thread with an event loop of its own.

A courier that fails is told of and begun again after a growing pause; only the end of the
adapter ends it, also in the midst of a call.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hub.edge.backoff import Backoff
from hub.edge.folders import Folders
from hub.edge.http.trust import Trust
from hub.edge.kit import Adapter, Courier, Errand
from hub.edge.observe import EdgeObserver
from hub.edge.troubles import Troubles
from hub.errors import EdgeError, SiteError
from hub.site import SystemSite, read_secret

STEADY_SECONDS = 30.0
"""A courier that ran this long is well again, and has the shortest pause when it fails."""
STOP_SECONDS = 3.0
"""How long the end of a courier is waited for; one that does not end goes with the process."""

_WHERE = "courier"


@contextmanager
def carrying(
    adapter: Adapter,
    settings: SystemSite,
    observe: EdgeObserver,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[None]:
    """Run the courier of an adapter, if it has one, as long as the block takes.

    Raises:
        SiteError: the system's settings lack what a courier needs.
    """
    if adapter.courier is None:
        yield
        return
    troubles = Troubles(observe, monotonic)
    errand = errand_of(adapter.system, settings, troubles)
    runner = _Runner(adapter.courier, errand, Folders(settings.folder), troubles)
    runner.start()
    try:
        yield
    finally:
        runner.stop()


def lacking(settings: SystemSite) -> list[str]:
    """Name what the settings of a system lack that is reached by HTTP."""
    needed = {"url": settings.url, "secret_file": settings.secret_file}
    return [
        f"{key} is missing: this system is reached by HTTP"
        for key, value in needed.items()
        if value is None
    ]


def errand_of(system: str, settings: SystemSite, troubles: Troubles) -> Errand:
    """Make what a courier is given.

    Raises:
        SiteError: the site file does not say where the interface is, or how to log in.
    """
    if settings.url is None or settings.secret_file is None:
        raise SiteError(f"systems.{system}: {'; '.join(lacking(settings))}")

    def tell(where: str, error: Exception | None) -> None:
        if error is None:
            troubles.over(where)
        else:
            troubles.tell(where, error)

    return Errand(
        system=system,
        drive=settings.folder,
        memory=memory_of(settings.journal),
        url=settings.url,
        secret=read_secret(settings.secret_file, given=True).get_secret_value(),
        timeout_seconds=settings.http_timeout_seconds,
        poll_seconds=settings.poll_seconds,
        tell=tell,
        trust=Trust(settings.ca_file, settings.cert_file, settings.key_file),
    )


def memory_of(journal: Path) -> Path:
    """Give the path of a courier's memory: ``<journal's stem>.courier<its suffix>`` beside it."""
    return journal.with_name(f"{journal.stem}.courier{journal.suffix}")


class _Runner:
    """The thread of one courier."""

    def __init__(
        self, courier: Courier, errand: Errand, folders: Folders, troubles: Troubles
    ) -> None:
        self._courier = courier
        self._errand = errand
        self._folders = folders
        self._troubles = troubles
        self._loop = asyncio.new_event_loop()
        self._task = self._loop.create_task(self._again_and_again())
        # A courier that does not end must not keep the process.
        self._thread = threading.Thread(target=self._run, name=_WHERE, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with suppress(RuntimeError):  # the loop is closed: the thread has ended by itself
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(STOP_SECONDS)
        if self._thread.is_alive():
            self._troubles.tell(_WHERE, EdgeError("the courier does not end when it is told to"))

    def _run(self) -> None:
        # Not asyncio.run: that would wait for a name that is being looked up.
        asyncio.set_event_loop(self._loop)
        try:
            with suppress(asyncio.CancelledError):
                self._loop.run_until_complete(self._task)
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            self._loop.close()

    async def _again_and_again(self) -> None:
        backoff = Backoff()
        while True:
            well = self._loop.call_later(STEADY_SECONDS, self._is_well, backoff)
            try:
                self._folders.make(shared=False)
                await self._courier(self._errand)
                error: Exception = EdgeError("the courier ended by itself")
            except Exception as failed:  # noqa: BLE001 - whatever it met, it is begun again
                error = failed if isinstance(failed, EdgeError) else _unexpected(failed)
            finally:
                well.cancel()
            self._troubles.tell(_WHERE, error)
            await asyncio.sleep(backoff.next())

    def _is_well(self, backoff: Backoff) -> None:
        backoff.reset()
        self._troubles.over(_WHERE)


def _unexpected(error: Exception) -> EdgeError:
    """Say what kind of error it was; its text may hold what it met."""
    told = EdgeError(f"the courier failed ({type(error).__name__})")
    told.__cause__ = error
    return told
