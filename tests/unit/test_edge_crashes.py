"""A process that dies at any step, and begins again: every record once, in order.

Each test counts the step boundaries of an undisturbed run, then repeats the run once for each
of them, dying there: before or after every change to a folder, file or journal and every call
of the broker, and in the middle of a file and of a batch. After the death nothing has an
effect any more, as in a process that is gone.
"""

import functools
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hub.edge import files, inbound, receipting
from hub.edge.journal import Journal
from hub.message import ReleaseOrder, encode_release
from tests.edge_rig import ALPHA, BETA, CREATED, Rig, copy_of, use_test_layouts
from tests.fakes import FakeLink

pytestmark = pytest.mark.unit

FILE_STEPS = ("make_folder", "append_line", "write_synced", "remove", "rename", "sync_folder")
JOURNAL_STEPS = ("begin", "confirm", "finish", "placed", "deliver", "named", "receipted")
LINK_STEPS = ("take", "publish", "ack")


class Death(BaseException):
    """The process is gone."""


class Tripwire:
    """Counts step boundaries, and dies at one of them."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.passed = 0
        self.fatal: int | None = None
        self._dead = False
        for owner, names in ((files, FILE_STEPS), (Journal, JOURNAL_STEPS), (FakeLink, LINK_STEPS)):
            for name in names:
                patch.setattr(owner, name, self._watched(getattr(owner, name)))
        patch.setattr(FakeLink, "_store", self._watched(FakeLink._store))

    def set(self, fatal: int | None) -> None:
        self.passed, self.fatal, self._dead = 0, fatal, False

    def boundary(self) -> None:
        if self._dead:
            raise Death
        self.passed += 1
        if self.passed == self.fatal:
            self._dead = True
            raise Death

    def _watched(self, real: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(real)
        def step(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - any function of the edge
            self.boundary()
            if real.__name__ == "write_synced":
                path, chunks, *rest = args
                result = real(path, map(self._between, chunks), *rest, **named)
            else:
                result = real(*args, **named)
            self.boundary()
            return result

        return step

    def _between(self, chunk: bytes) -> bytes:
        self.boundary()
        return chunk


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Tripwire:
    use_test_layouts(monkeypatch)
    monkeypatch.setattr(inbound, "BATCH", 3)
    monkeypatch.setattr(receipting, "RECEIPTS_AT_ONCE", 3)
    return Tripwire(monkeypatch)


@dataclass(frozen=True)
class Scene:
    """What there is at the start, the work, and what must be so at its end."""

    start: Callable[[Rig], None]
    run: Callable[[Rig], None]
    check: Callable[[Rig], None]
    between: Callable[[Rig], None] = lambda _: None


def die_everywhere(wire: Tripwire, folder: Path, scene: Scene) -> int:
    """Play a scene undisturbed, then once for each boundary with a death there; count them."""
    play(wire, folder / "0", scene, None)
    boundaries = wire.passed
    for fatal in range(1, boundaries + 1):
        assert play(wire, folder / str(fatal), scene, fatal)
        shutil.rmtree(folder / str(fatal))
    return boundaries


def play(wire: Tripwire, folder: Path, scene: Scene, fatal: int | None) -> bool:
    """Play a scene, and begin the work again after a death; tell whether there was one."""
    rig = Rig(folder)
    wire.set(None)
    scene.start(rig)
    wire.set(fatal)
    died = False
    try:
        scene.run(rig)
    except Death:
        died = True
        wire.set(None)
        scene.between(rig)
        scene.run(rig)
    passed = wire.passed
    scene.check(rig)
    wire.passed = passed
    return died


HEAD = "H,alpha.notes,2026-04-01T09:00:00+09:00,D,T,S\r\n"
SOUND = [(str(house), f"{house}{who}", "v1") for house in range(1, 5) for who in (1, 2)]
NEWER = [(house, person, "v2") for house, person, _ in SOUND]


def inbound_scene(rig: Rig) -> None:
    rows = [*SOUND[:3], ("2", "29", "REFUSE"), *SOUND[3:]]
    first = rig.give("notes_1.csv", rows).read_bytes()
    rig.give_bytes("notes_2.csv", (HEAD + "D,1,11,a\r\nT,2\r\n").encode())
    rig.give_bytes("notes_3.csv", first)
    rig.give("notes_4.csv", [*NEWER, ("9", "91", "REFUSE")])


def inbound_check(rig: Rig) -> None:
    expected = [(person, note) for _, person, note in [*SOUND, *NEWER]]
    assert rig.sent() == expected
    assert rig.names("alpha", "to-hub") == []
    assert rig.names("alpha", "processed") == [
        "notes_1.csv",
        "notes_3.csv",
        "notes_3.csv.repeated.json",
        "notes_4.csv",
    ]
    assert rig.names("alpha", "rejects") == [
        "notes_1.csv.rejects.csv",
        "notes_4.csv.rejects.csv",
    ]
    listed = (rig.at("alpha", "rejects") / "notes_1.csv.rejects.csv").read_text(encoding="utf-8")
    assert listed.splitlines()[1:] == ["5,4,note,is not wanted"]
    assert rig.names("alpha", "set-aside") == ["notes_2.csv", "notes_2.csv.reason.json"]
    with Journal(rig.site("alpha").journal) as journal:
        assert journal.unplaced() == []


@pytest.mark.slow
def test_every_record_goes_in_once_wherever_the_process_dies(
    wire: Tripwire, tmp_path: Path
) -> None:
    scene = Scene(inbound_scene, lambda rig: rig.run(ALPHA, seconds=2), inbound_check)
    assert die_everywhere(wire, tmp_path, scene) > 130


def outbound_scene(rig: Rig) -> None:
    for number in range(10):
        note = "UNWRITABLE" if number == 5 else f"n{number}"
        rig.broker.put("out.beta", copy_of(number, note, person=str(1 + number % 3)))
    rig.broker.put("out.beta", copy_of(2, "n2", person="3"))


def outbound_check(rig: Rig) -> None:
    assert [name for name in rig.names("beta", "from-hub") if name.startswith(".")] == []
    assert written_and_read(rig) == [
        (str(1 + number % 3), f"n{number}") for number in range(10) if number != 5
    ]
    assert set(rig.receipts()) == {
        (f"m-{number}", "unwritable" if number == 5 else "delivered") for number in range(10)
    }
    assert not rig.broker.queue("out.beta")
    assert len(rig.names("beta", "set-aside")) == 1
    with Journal(rig.site("beta").journal) as journal:
        assert journal.unnamed() == []


def written_and_read(rig: Rig) -> list[tuple[str, str]]:
    """Give what ``beta`` has read already, and then what it has yet to read."""
    take_away(rig)
    shutil.rmtree(rig.at("beta", "from-hub"))
    rig.at("beta", "read").rename(rig.at("beta", "from-hub"))
    return rig.written()


def take_away(rig: Rig) -> None:
    """Let ``beta`` read: it takes the files away, and may never see a name twice."""
    read = rig.at("beta", "read")
    read.mkdir(parents=True, exist_ok=True)
    for path in rig.at("beta", "from-hub").glob("*.csv"):
        assert not (read / path.name).exists()
        path.rename(read / path.name)


@pytest.mark.slow
@pytest.mark.parametrize("between", [lambda _: None, take_away], ids=["left", "taken-away"])
def test_every_message_is_in_one_file_once_wherever_the_process_dies(
    wire: Tripwire, tmp_path: Path, between: Callable[[Rig], None]
) -> None:
    scene = Scene(outbound_scene, lambda rig: rig.run(BETA, seconds=2), outbound_check, between)
    assert die_everywhere(wire, tmp_path, scene) > 100


def release_scene(rig: Rig) -> None:
    rig.broker.put("out.beta", copy_of(1, "𠮷"))
    rig.run(BETA, seconds=2, encoding="cp932")
    what = ReleaseOrder(sender="alpha", id="m-1", flow="F1")
    rig.broker.put("out.beta", encode_release("release-1", what, "/systems/hub", CREATED))
    rig.broker.put("out.beta", copy_of(2, "n2"))


def release_check(rig: Rig) -> None:
    take_away(rig)
    records = [
        line
        for path in sorted(rig.at("beta", "read").glob("*.csv"))
        for line in path.read_bytes().decode("cp932").splitlines()
        if line.startswith("D,")
    ]
    assert sorted(records) == ["D,1,n2", "D,1,〓"]
    assert set(rig.receipts()) == {("m-1", "unencodable"), ("m-1", "marked"), ("m-2", "delivered")}
    assert not rig.broker.queue("out.beta")


@pytest.mark.parametrize("between", [lambda _: None, take_away], ids=["left", "taken-away"])
def test_a_release_is_carried_out_once_wherever_the_process_dies(
    wire: Tripwire, tmp_path: Path, between: Callable[[Rig], None]
) -> None:
    work = Scene(
        release_scene,
        lambda rig: rig.run(BETA, seconds=2, encoding="cp932"),
        release_check,
        between,
    )
    assert die_everywhere(wire, tmp_path, work) > 20
