"""Couriers: begun again when they fail, ended at once when the adapter ends, told of meanwhile."""

import asyncio
import itertools
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.breaker import Breaker
from hub.edge.http import couriers
from hub.edge.http.calls import Call, Caller
from hub.edge.http.couriers import carrying
from hub.edge.kit import Adapter, Courier, Errand
from hub.edge.wall import Wall
from hub.errors import EdgeError, SiteError
from hub.site import SystemSite
from tests.edge_rig import Recorder, Rig, Standing

pytestmark = pytest.mark.unit


@pytest.fixture
def silent_server() -> Iterator[str]:
    """Give the address of a server that takes a connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def site(folder: Path, **changes: Any) -> SystemSite:  # noqa: ANN401 - any setting
    secret = folder / "secret"
    secret.write_text("a login\n")
    secret.chmod(0o600)
    settings: dict[str, Any] = {
        "folder": folder / "drive",
        "journal": folder / "journals" / "alpha.sqlite3",
        "password_file": folder / "unused",
        "url": "http://127.0.0.1:9",
        "secret_file": secret,
    }
    return SystemSite.model_validate(settings | changes)


def adapter(courier: Courier | None) -> Adapter:
    return Adapter("alpha", courier=courier)


def test_a_courier_gets_its_errand_and_the_folders_are_there(tmp_path: Path) -> None:
    met = threading.Event()
    errands: list[Errand] = []

    async def courier(errand: Errand) -> None:
        assert (errand.drive / "from-hub").is_dir()
        errands.append(errand)
        met.set()
        await asyncio.Event().wait()

    with carrying(adapter(courier), site(tmp_path), Recorder()):
        assert met.wait(5)
    (errand,) = errands
    assert errand.url == "http://127.0.0.1:9"
    assert errand.secret == "a login"  # noqa: S105 - made for the test
    assert errand.secret not in repr(errand)
    assert errand.memory == tmp_path / "journals" / "alpha.courier.sqlite3"


def test_it_ends_promptly_in_the_midst_of_a_call(tmp_path: Path, silent_server: str) -> None:
    called = threading.Event()
    ended: list[str] = []

    async def courier(errand: Errand) -> None:
        async with Caller(errand.url, timeout_seconds=60, breaker=Breaker()) as caller:
            called.set()
            try:
                await caller.call(Call("ask", "GET", "things"))
            except asyncio.CancelledError:
                ended.append("in the call")
                raise

    with carrying(adapter(courier), site(tmp_path, url=silent_server), Recorder()):
        assert called.wait(5)
        time.sleep(0.05)  # let the call be on its way
        begun = time.monotonic()
    assert time.monotonic() - begun < 1.0
    assert ended == ["in the call"]
    assert all(thread.name != "courier" for thread in threading.enumerate())


def test_one_that_fails_is_told_of_and_begun_again(tmp_path: Path) -> None:
    begun: list[float] = []
    enough = threading.Event()
    recorder = Recorder()

    async def courier(_errand: Errand) -> None:
        await asyncio.sleep(0)
        begun.append(time.monotonic())
        if len(begun) == 1:
            raise EdgeError("the folder is gone")
        if len(begun) == 2:
            raise LookupError("whose value is secret")
        if len(begun) == 3:
            return
        enough.set()
        await asyncio.Event().wait()

    with carrying(adapter(courier), site(tmp_path), recorder):
        assert enough.wait(10)
    assert recorder.all("trouble") == [
        ("courier", "the folder is gone"),
        ("courier", "the courier failed (LookupError)"),
        ("courier", "the courier ended by itself"),
    ]
    pauses = [later - earlier for earlier, later in itertools.pairwise(begun)]
    assert all(pause >= least for pause, least in zip(pauses, (0.07, 0.14, 0.28), strict=True))


def test_one_that_runs_on_is_well_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(couriers, "STEADY_SECONDS", 0.05)
    recovered = threading.Event()

    class Hearing(Recorder):
        def recovered(self, where: str, seconds: float) -> None:
            super().recovered(where, seconds)
            recovered.set()

    failures = iter([EdgeError("once")])

    async def courier(_errand: Errand) -> None:
        for error in failures:
            raise error
        await asyncio.Event().wait()

    recorder = Hearing()
    with carrying(adapter(courier), site(tmp_path), recorder):
        assert recovered.wait(5)
    assert [where for where, _ in recorder.all("recovered")] == ["courier"]


def test_what_a_courier_tells_is_over_once(tmp_path: Path) -> None:
    told = threading.Event()
    recorder = Recorder()

    async def courier(errand: Errand) -> None:
        for error in (None, EdgeError("down"), EdgeError("down"), None, None):
            errand.tell("interface", error)
        told.set()
        await asyncio.Event().wait()

    with carrying(adapter(courier), site(tmp_path), recorder):
        assert told.wait(5)
    assert recorder.all("trouble") == [("interface", "down")] * 2
    assert [where for where, _ in recorder.all("recovered")] == ["interface"]


@pytest.mark.parametrize("key", ["url", "secret_file"])
def test_without_an_address_or_a_login_nothing_starts(tmp_path: Path, key: str) -> None:
    async def courier(_errand: Errand) -> None:
        await asyncio.sleep(0)

    with (
        pytest.raises(SiteError, match=f"systems.alpha: {key} is missing"),
        carrying(adapter(courier), site(tmp_path, **{key: None}), Recorder()),
    ):
        pytest.fail("it started")


def test_the_loop_of_an_adapter_carries_its_courier(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    runs: list[str] = []
    began = threading.Event()

    async def courier(errand: Errand) -> None:
        runs.append(errand.system)
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            runs.append("ended")

    class Waiting(Standing):
        def current(self) -> Wall:
            assert began.wait(5)
            return super().current()

    settings = site(tmp_path)
    rig.run(
        adapter(courier),
        walls=Waiting("alpha"),
        url=settings.url,
        secret_file=settings.secret_file,
    )
    assert runs == ["alpha", "ended"]
