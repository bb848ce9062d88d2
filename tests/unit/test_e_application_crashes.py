"""A courier of applications that is stopped or dies at any step, and goes on."""

import asyncio
import functools
import shutil
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.e_application.courier import carry
from adapters.e_application.interface import Interface
from adapters.e_application.memory import Memory
from adapters.e_application.outcomes import name_of
from adapters.e_application.store import Report
from hub.edge import files
from hub.errors import EdgeError
from tests.application_rig import Office, received, served

pytestmark = pytest.mark.unit


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with served(tmp_path) as made:
        yield made


class Death(BaseException):
    """The process is gone."""


class Tripwire:
    """Counts the ends of steps, and dies at one of them; after that nothing has an effect."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.passed = 0
        self.fatal: int | None = None
        self._dead = False
        for name in ("write_synced", "remove", "rename"):
            patch.setattr(files, name, self._watched(getattr(files, name)))
        for name in ("take_up", "reach", "judge"):
            patch.setattr(Memory, name, self._watched(getattr(Memory, name)))
        for name in ("page", "fetch", "addressee", "report"):
            patch.setattr(Interface, name, self._awaited(getattr(Interface, name)))

    def set(self, fatal: int | None) -> None:
        self.passed, self.fatal, self._dead = 0, fatal, False

    def boundary(self, *, counts: bool = True) -> None:
        if self._dead:
            raise Death
        if not counts:
            return
        self.passed += 1
        if self.passed == self.fatal:
            self._dead = True
            raise Death

    def _watched(self, real: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(real)
        def step(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - any function
            self.boundary(counts=False)
            result = real(*args, **named)
            self.boundary()
            return result

        return step

    def _awaited(self, real: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        @functools.wraps(real)
        async def step(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - any function
            self.boundary(counts=False)
            result = await real(*args, **named)
            self.boundary()
            return result

        return step


def play(wire: Tripwire, office: Office, fatal: int | None) -> int:
    """Carry an application to its end, dying once; count the ends of steps."""
    number = office.apply()
    wire.set(fatal)
    died = False
    for _ in range(3):
        try:
            office.go()
        except Death:
            died = True
            wire.set(None)
            office.go()
        for path in office.folders.to_hub.glob("SHINSEI_*.zip"):
            assert not (office.folders.processed / path.name).exists()
            path.rename(office.folders.processed / path.name)
    assert died == (fatal is not None)
    assert office.reports() == [received(number), Report(number, "processed", "", "")]
    assert len(list(office.folders.processed.iterdir())) == 1
    assert office.waiting() == []
    left = {path.name for path in (office.folder / "journals").iterdir()}
    assert left <= {f"memory.sqlite3{end}" for end in ("", "-wal", "-shm")}
    assert office.told == []
    return wire.passed


@pytest.mark.slow
def test_a_courier_that_dies_at_any_step_goes_on(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = Tripwire(monkeypatch)
    boundaries = play(wire, office.begun_anew("0"), None)
    assert boundaries > 12
    for fatal in range(1, boundaries + 1):
        play(wire, office.begun_anew(str(fatal)), fatal)


def test_a_lost_memory_fetches_nothing_twice(office: Office) -> None:
    number = office.apply()
    office.go()
    shutil.rmtree(office.folder / "journals")
    rig = office.read()
    office.go(3)
    assert [report.state for report in office.reports()] == ["received", "processed"]
    assert len(rig.broker.queue("hub")) == 1
    assert office.waiting() == []
    assert number


def test_the_courier_ends_at_once_and_leaves_nothing_half_written(office: Office) -> None:
    office.apply()
    office.serving.manners.slow_seconds = 30.0

    async def ended() -> None:
        task = asyncio.create_task(carry(office.errand()))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 2)

    asyncio.run(ended())
    assert office.waiting() == []


def test_what_a_dead_courier_left_half_written_is_removed(office: Office) -> None:
    fetched = office.folder / "journals" / "memory.sqlite3.package"
    temporary = office.folders.to_hub / f".{name_of('R9')}.tmp"
    fetched.parent.mkdir()
    for path in (fetched, temporary):
        path.write_bytes(b"half")
    office.go()
    assert not fetched.exists()
    assert not temporary.exists()


def test_what_cannot_be_written_is_an_edge_error(office: Office) -> None:
    office.apply()
    shutil.rmtree(office.folders.to_hub)
    with pytest.raises(EdgeError):
        office.go()
