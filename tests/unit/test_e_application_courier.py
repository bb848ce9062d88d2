"""The courier of applications against the simulated system, over loopback: also when killed."""

import asyncio
import functools
import hashlib
import itertools
import json
import shutil
import zipfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from adapters.e_application import ADAPTER, courier
from adapters.e_application.courier import Rounds, carry
from adapters.e_application.interface import Interface, LoginRefused
from adapters.e_application.memory import Memory
from adapters.e_application.outcomes import name_of
from adapters.e_application.server import Server
from adapters.e_application.simulator import SIMULATOR, application, attached
from adapters.e_application.store import Report, Store
from adapters.simulation.city import City, CityDay
from adapters.simulation.kit import Service, WrittenFile
from adapters.simulation.misbehaviour import Misbehaviour
from adapters.simulation.serving import Asked, Reply, Serving
from hub.edge import files
from hub.edge.archives.packing import package
from hub.edge.folders import Folders
from hub.edge.form import FileFault
from hub.edge.http.breaker import Breaker
from hub.edge.http.calls import Caller, CallError, Unavailable
from hub.edge.kit import Errand
from hub.errors import EdgeError
from hub.pipeline.verdict import Permitted
from mappings.e_application import LAYOUT
from schemas.application import ApplicationFiled
from schemas.layout import load_layout
from tests.edge_rig import Rig, Standing
from tests.samples import NOW, delivery, judge, shipped

pytestmark = pytest.mark.unit

SYSTEM = ADAPTER.system
SECRET = "a login"  # noqa: S105 - made for the tests
DAY: CityDay = next(City(60).days())


async def _no_wait(_seconds: float) -> None:
    await asyncio.sleep(0)


@dataclass
class Office:
    """The simulated system on loopback, and the courier's side below one folder."""

    folder: Path
    server: Server = field(init=False)
    serving: Serving = field(init=False)
    told: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server = Server(Store(self.theirs), SECRET)
        self.serving = Serving(self._handle)
        self.folders.make()

    def _handle(self, asked: Asked) -> Reply:
        return self.server.handle(asked)

    def begun_anew(self, name: str) -> "Office":
        """Give the same office with nothing in it, still served."""
        self.folder = self.folder.with_name(name)
        self.server = Server(Store(self.theirs), SECRET)
        self.folders.make()
        return self

    @property
    def theirs(self) -> Path:
        return self.folder / "theirs"

    @property
    def folders(self) -> Folders:
        return Folders(self.folder / SYSTEM)

    def errand(self, secret: str = SECRET) -> Errand:
        return Errand(
            SYSTEM,
            self.folders.root,
            self.folder / "journals" / "memory.sqlite3",
            self.serving.url,
            secret,
            timeout_seconds=5.0,
            poll_seconds=0.05,
            tell=lambda where, error: self.told.append((where, str(error))) if error else None,
        )

    def go(self, rounds: int = 1) -> None:
        """Begin a courier, and let it go some rounds."""
        asyncio.run(self._go(rounds))

    async def _go(self, rounds: int) -> None:
        errand = self.errand()
        caller = Caller(
            errand.url, timeout_seconds=5.0, breaker=Breaker(), attempts=2, sleep=_no_wait
        )
        with Memory(errand.memory) as memory:
            async with caller:
                working = Rounds(errand, memory, Interface(caller, SECRET))
                working.recover()
                for _ in range(rounds):
                    await working.go()

    def apply(self, place: int = 0, **values: str) -> str:
        """Let somebody apply, and give the 受付番号."""
        one = DAY.insured[place]
        layout = load_layout(LAYOUT)
        filled = {**application(layout, one), **values}
        self.put(filled["receipt_number"], package(layout, filled, attached(one)))
        self.server.store.issue(filled["certificate_serial"], "12345678901", one.person.number)
        return filled["receipt_number"]

    def put(self, number: str, content: bytes) -> None:
        path = self.theirs / "to-hub" / name_of(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def read(self) -> Rig:
        """Let the adapter read what is there."""
        rig = Rig(self.folder)
        rig.broker.routes[f"in.{SYSTEM}"] = "hub"
        walls = Standing(SYSTEM, shipped())
        rig.run(replace(ADAPTER, courier=None), seconds=3.0, walls=walls)
        return rig

    def waiting(self) -> list[str]:
        return sorted(path.name for path in self.folders.to_hub.iterdir())

    def reports(self) -> list[Report]:
        return self.server.store.reports()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    with made.serving:
        yield made


def received(number: str) -> Report:
    return Report(number, "received", "", "")


def test_an_application_comes_to_the_hub_and_is_reported_on(office: Office) -> None:
    number = office.apply()
    original = (office.theirs / "to-hub" / name_of(number)).read_bytes()
    office.go(2)
    assert office.reports() == [received(number)]
    rig = office.read()
    office.go()
    assert office.reports() == [received(number), Report(number, "processed", "", "")]
    (stored,) = rig.broker.queue("hub")
    event = json.loads(stored.body)
    assert event["type"] == ApplicationFiled.MESSAGE_TYPE
    assert event["data"]["addressee_number"] == DAY.insured[0].person.number
    assert event["data"]["package_digest"] == hashlib.sha256(original).hexdigest()
    verdict = judge().judge(delivery(event, user_id=SYSTEM), NOW)
    assert isinstance(verdict, Permitted)
    (release,) = verdict.releases
    assert release.terms.receiver == "premium-collection"
    with zipfile.ZipFile(office.folders.processed / name_of(number)) as filed:
        assert filed.read("package.zip") == original
    assert office.told == []


def two_days(office: Office) -> list[WrittenFile]:
    days = itertools.islice(City(60).days(), 2)
    return [file for day in days for file in SIMULATOR.write(day, office.theirs)]


def test_a_day_of_applications_is_fetched_once_each(office: Office) -> None:
    written = two_days(office)
    office.go(3)
    rig = office.read()
    office.go(3)
    assert len(rig.broker.queue("hub")) == len(written) > 2
    assert len(office.reports()) == 2 * len(written)
    again = two_days(office)
    assert not any(file.fresh for file in again)


def test_more_applications_than_a_page_has_are_fetched(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.e_application.server.PAGE", 2)
    numbers = [office.apply(place, receipt_number=f"R{place}") for place in range(5)]
    office.go()
    assert office.waiting() == [name_of(number) for number in numbers]


# -- what an application may be ---------------------------------------------------------


def outcome_of(office: Office, number: str) -> tuple[str, str, str]:
    office.go()
    office.read()
    office.go()
    first, last = office.reports()
    assert first == received(number)
    return last[1:]


def test_a_certificate_of_nobody_is_refused_and_reported(office: Office) -> None:
    number = office.apply()
    with office.server.store._database() as database:
        database.execute("DELETE FROM certificate")
    assert outcome_of(office, number) == ("refused", "record-refused", "certificate_serial")
    rejects = office.folders.rejects_for(name_of(number)).read_text(encoding="utf-8")
    assert "leads to no resident" in rejects


def test_a_wrong_my_number_is_refused_and_reported(office: Office) -> None:
    number = office.apply(my_number="123456789010")
    assert outcome_of(office, number) == ("refused", "record-refused", "my_number")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", FileFault.EMPTY),
        (b"PK\x03\x04 and no more", FileFault.TRUNCATED),
        (b"<html>no package</html>", FileFault.STRUCTURE),
    ],
)
def test_a_package_that_cannot_be_read_is_set_aside_and_reported(
    office: Office, content: bytes, code: str
) -> None:
    office.put("R1", content)
    assert outcome_of(office, "R1") == ("refused", code, "")
    assert (office.folders.set_aside / name_of("R1")).is_file()


def test_a_package_over_the_limit_is_not_fetched_and_is_reported(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = office.apply()
    monkeypatch.setattr(courier, "PACKAGE_BYTES", 100)
    assert outcome_of(office, number) == ("refused", FileFault.TOO_LARGE, "")
    assert [where for where, _ in office.told] == ["application"]
    assert (office.folders.set_aside / name_of(number)).stat().st_size < 1000


@pytest.mark.parametrize("number", ["R..1", "R1%2F..%2Fx", "123456789018"])
def test_a_number_that_cannot_name_a_file_is_told_and_left(office: Office, number: str) -> None:
    office.put(number, b"PK")
    sound = office.apply()
    office.go(2)
    assert office.waiting() == [name_of(sound)]
    ((where, told),) = office.told
    assert where == "application"
    assert number not in told


# -- what the interface may do -----------------------------------------------------------


def test_an_expired_token_is_renewed(office: Office) -> None:
    number = office.apply()
    office.server.token_calls = 1
    office.go(2)
    rig = office.read()
    office.go()
    assert len(rig.broker.queue("hub")) == 1
    assert [report.state for report in office.reports()] == ["received", "processed"]
    assert office.server.logins > 4
    assert office.told == []
    assert number not in office.waiting()


def test_a_wrong_secret_is_told_and_tried_again_slowly(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    async def paused(seconds: float) -> None:
        pauses.append(seconds)
        raise asyncio.CancelledError

    monkeypatch.setattr("adapters.e_application.courier.asyncio.sleep", paused)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(carry(office.errand("wrong")))
    assert pauses == [courier.REFUSED_SECONDS]
    assert office.server.logins == 1
    assert office.told == [("interface", "cannot log in: the interface refuses the secret")]


def test_without_a_token_nothing_is_said(office: Office) -> None:
    office.apply()

    async def ask() -> None:
        async with Caller(office.serving.url, timeout_seconds=5, breaker=Breaker()) as caller:
            interface = Interface(caller, "wrong")
            interface._token = "guessed"  # noqa: S105 - it is none
            with pytest.raises(LoginRefused):
                await interface.page("")

    asyncio.run(ask())


def test_a_server_that_is_down_is_told_and_nothing_is_lost(office: Office) -> None:
    number = office.apply()
    office.serving.manners.down = True
    with pytest.raises(Unavailable):
        office.go()
    office.serving.manners.down = False
    office.go()
    assert office.waiting() == [name_of(number)]


def test_an_answer_that_is_cut_off_is_asked_for_again(office: Office) -> None:
    number = office.apply()
    office.serving.manners.truncated = 1
    office.go()
    assert office.waiting() == [name_of(number)]


def test_an_answer_that_was_not_agreed_is_told_without_saying_it(office: Office) -> None:
    office.apply()
    office.server.store.issue(
        application(load_layout(LAYOUT), DAY.insured[0])["certificate_serial"], "secret", "1"
    )
    sound = office.apply(4, receipt_number="Z1")
    with office.server.store._database() as database:
        database.execute("UPDATE certificate SET resident_code = 'secret' WHERE rowid = 1")
    with pytest.raises(CallError, match="not what was agreed") as error:
        office.go()
    assert "secret" not in str(error.value)
    assert office.waiting() == [name_of(sound)]


def misbehaving(office: Office, *kinds: Misbehaviour) -> None:
    office.server.misbehaves = frozenset(kinds)


def test_a_package_that_comes_truncated_is_refused(office: Office) -> None:
    number = office.apply()
    misbehaving(office, Misbehaviour.TRUNCATED)
    assert outcome_of(office, number) == ("refused", "truncated", "")


def test_a_form_in_a_wrong_encoding_is_refused(office: Office) -> None:
    number = office.apply()
    misbehaving(office, Misbehaviour.WRONG_ENCODING)
    assert outcome_of(office, number) == ("refused", "encoding", "")


def test_what_is_listed_twice_or_under_another_number_is_sent_once(office: Office) -> None:
    number = office.apply()
    misbehaving(office, Misbehaviour.DUPLICATE)
    office.go(2)
    rig = office.read()
    office.go()
    assert len(rig.broker.queue("hub")) == 1
    last = {report.number: report for report in office.reports()}
    assert last[number].state == "processed"
    assert last[f"{number}-2"] == Report(f"{number}-2", "refused", "structure", "")


def test_what_is_listed_out_of_order_is_fetched(office: Office) -> None:
    numbers = [office.apply(place, receipt_number=f"R{place}") for place in range(3)]
    misbehaving(office, Misbehaviour.OUT_OF_ORDER)
    office.go()
    assert office.waiting() == [name_of(number) for number in numbers]


def test_an_application_that_was_withdrawn_is_told_and_holds_up_nobody(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, other = office.apply(), office.apply(4, receipt_number="Z1")
    real = Store.package
    monkeypatch.setattr(
        Store, "package", lambda self, asked: None if asked == number else real(self, asked)
    )
    office.go(2)
    assert office.waiting() == [name_of(other)]
    assert office.told == [
        ("application", f"application {number}: it was listed, and is not there to be fetched")
    ]


def test_a_state_that_the_interface_does_not_take_is_told_once(office: Office) -> None:
    number = office.apply()
    office.go()
    office.server.store.report(Report(number, "received", "another", ""))
    office.go(2)
    assert office.told == [
        ("application", f"application {number}: its state cannot be reported (409)")
    ]


def test_a_file_that_somebody_took_away_is_told_once(office: Office) -> None:
    number = office.apply()
    office.go(2)
    (office.folders.to_hub / name_of(number)).unlink()
    office.go(3)
    assert [where for where, _ in office.told] == ["application"]
    assert "gone" in office.told[0][1]


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


def test_a_simulator_is_served_by_itself(tmp_path: Path) -> None:
    SIMULATOR.write(DAY, tmp_path)
    assert SIMULATOR.served
    with SIMULATOR.serve(Service(tmp_path, 0, SECRET)) as serving:
        assert isinstance(serving, Serving)

        async def listed() -> int:
            async with Caller(serving.url, timeout_seconds=5, breaker=Breaker()) as caller:
                return len((await Interface(caller, SECRET).page("")).applications)

        assert asyncio.run(listed()) > 1


def test_a_state_out_of_order_is_not_taken_by_the_system(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert not store.report(Report("R1", "processed", "", ""))
    assert store.report(received("R1"))
    assert store.report(received("R1"))
    assert store.report(Report("R1", "refused", "empty", ""))
    assert not store.report(Report("R1", "refused", "another", ""))
    assert not store.report(Report("R1", "processed", "", ""))
    assert len(store.reports()) == 2


# -- a courier that dies at any step ------------------------------------------------------


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
