"""Links put in place of folders and files: none is followed, and nothing behind one changes."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.edge import files
from hub.edge.delimited import check_file
from hub.errors import EdgeError
from hub.message import NOTICE_TYPE
from hub.ports import Outgoing, Sent
from tests.edge_rig import ALPHA, BETA, NOTES_IN, Rig, copy_of, use_test_layouts

pytestmark = pytest.mark.unit

ROWS = [("1", "11", "a"), ("1", "12", "REFUSE")]
FOLDERS = ["to-hub", "from-hub", "processed", "set-aside", "rejects", "notices"]
NOTICE = b'{"id": "notice-1", "type": "%s"}' % NOTICE_TYPE.encode()


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    use_test_layouts(monkeypatch)
    return Rig(tmp_path)


def give(rig: Rig) -> None:
    """Give work that puts something into every folder."""
    rig.give("notes_1.csv", ROWS)
    rig.give_bytes("notes_2.csv", b"x\r\n")


def put(rig: Rig) -> None:
    rig.broker.put("out.beta", copy_of(1, "n"))
    rig.broker.put("out.beta", copy_of(2, "UNWRITABLE"))
    rig.broker.put("out.beta", NOTICE)


def linked_away(folder: Path) -> Path:
    """Put a link in place of a folder and give the folder that it leads to."""
    kept = folder.with_name(f"{folder.name}.kept")
    other = folder.with_name(f"{folder.name}.other")
    folder.parent.mkdir(parents=True, exist_ok=True)
    other.mkdir()
    if folder.exists():
        folder.rename(kept)
    folder.symlink_to(other)
    return other


def put_back(folder: Path) -> None:
    folder.unlink()
    kept = folder.with_name(f"{folder.name}.kept")
    if kept.exists():
        kept.rename(folder)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_that_is_a_link_at_the_start_stops_all_until_it_is_real(
    rig: Rig, name: str
) -> None:
    give(rig)
    other = linked_away(rig.at("alpha", name))
    rig.run(ALPHA, seconds=3)
    assert list(other.iterdir()) == []
    assert rig.sent() == []
    troubles = rig.recorder.all("trouble")
    assert {where for where, _ in troubles} == {"station"}
    assert all(name in text and "is a link or no folder" in text for _, text in troubles)
    put_back(rig.at("alpha", name))
    rig.run(ALPHA)
    assert rig.sent() == [("11", "a")]
    assert list(other.iterdir()) == []


@pytest.mark.parametrize("name", ["to-hub", "processed", "set-aside", "rejects"])
def test_a_folder_that_becomes_a_link_takes_nothing_in(rig: Rig, name: str) -> None:
    give(rig)
    rig.give("notes_3.csv", [("3", "31", "c"), ("3", "32", "REFUSE")])
    other: list[Path] = []

    def judge(_message: Outgoing) -> Sent:
        if not other:
            other.append(linked_away(rig.at("alpha", name)))
        return Sent.CONFIRMED

    rig.broker.judge = judge
    rig.run(ALPHA)
    assert list(other[0].iterdir()) == []
    assert {where for where, _ in rig.recorder.all("trouble")} == {"inbound"}
    put_back(rig.at("alpha", name))
    rig.run(ALPHA)
    assert rig.sent() == [("11", "a"), ("31", "c")]
    assert rig.names("alpha", "processed") == ["notes_1.csv", "notes_3.csv"]
    assert len(rig.names("alpha", "rejects")) == 2
    assert list(other[0].iterdir()) == []


@pytest.mark.parametrize("name", ["from-hub", "set-aside", "notices"])
def test_what_goes_out_waits_while_its_folder_is_a_link(rig: Rig, name: str) -> None:
    rig.run(BETA, seconds=1)
    put(rig)
    other: list[Path] = []
    real = rig.broker.clock.now
    begun = real()

    def now() -> float:
        if not other and real() > begun:
            other.append(linked_away(rig.at("beta", name)))
        return real()

    rig.broker.clock.now = now  # type: ignore[method-assign]
    rig.run(BETA, file_seconds=2.0)
    assert list(other[0].iterdir()) == []
    assert {where for where, _ in rig.recorder.all("trouble")} == {"outbound"}
    assert len(rig.broker.queue("out.beta")) == 3
    put_back(rig.at("beta", name))
    rig.run(BETA)
    assert rig.written() == [("1", "n")]
    assert sorted(rig.receipts()) == [("m-1", "delivered"), ("m-2", "unwritable")]
    assert not rig.broker.queue("out.beta")


def symbolic(path: Path, target: Path) -> None:
    path.symlink_to(target)


def hard(path: Path, target: Path) -> None:
    path.hardlink_to(target)


@pytest.mark.parametrize("link", [symbolic, hard])
def test_a_link_in_the_place_of_a_temporary_file_is_replaced(
    rig: Rig, link: Callable[[Path, Path], None]
) -> None:
    rig.run(BETA, seconds=1)
    victim = rig.folder / "victim"
    victim.write_bytes(b"theirs")
    put(rig)
    real = rig.broker.clock.now
    begun = real()
    temporary = rig.at("beta", "from-hub") / ".notes_00000001.csv.tmp"

    def now() -> float:
        if real() > begun and not os.path.lexists(temporary) and not rig.recorder.named:
            link(temporary, victim)
        return real()

    rig.broker.clock.now = now  # type: ignore[method-assign]
    rig.run(BETA, file_seconds=2.0)
    assert victim.read_bytes() == b"theirs"
    assert rig.written() == [("1", "n")]
    assert not (rig.at("beta", "from-hub") / "notes_00000001.csv").is_symlink()


def test_a_link_in_the_place_of_a_file_to_be_written_is_left(rig: Rig) -> None:
    rig.run(BETA, seconds=1)
    final = rig.at("beta", "from-hub") / "notes_00000001.csv"
    final.symlink_to(rig.folder / "nowhere")
    put(rig)
    rig.run(BETA)
    assert not (rig.folder / "nowhere").exists()
    assert final.is_symlink()
    final.unlink()
    assert rig.names("beta", "from-hub") == ["notes_00000002.csv"]
    assert rig.written() == [("1", "n")]


def test_a_link_in_the_place_of_the_day_s_notices_is_not_written_to(rig: Rig) -> None:
    rig.run(BETA, seconds=1)
    victim = rig.folder / "victim"
    victim.write_bytes(b"theirs")
    rig.broker.put("out.beta", NOTICE)
    rig.run(BETA)
    (name,) = rig.names("beta", "notices")
    path = rig.at("beta", "notices") / name
    path.unlink()
    path.symlink_to(victim)
    with pytest.raises(EdgeError):
        files.append_line(path, b"{}")
    assert victim.read_bytes() == b"theirs"


def test_a_file_is_not_read_by_a_link_nor_waited_for_in_a_pipe(rig: Rig) -> None:
    whole = rig.give("notes_1.csv", ROWS)
    link = whole.with_name("notes_2.csv")
    link.symlink_to(whole)
    pipe = whole.with_name("notes_3.csv")
    os.mkfifo(pipe)
    for path in (link, pipe, whole.parent):
        with pytest.raises(EdgeError):
            check_file(path, NOTES_IN)
    assert check_file(whole, NOTES_IN).records == 2


def test_a_path_that_does_not_print_comes_escaped(tmp_path: Path) -> None:
    with pytest.raises(EdgeError) as caught:
        files.names_in(tmp_path / "a\nERROR: all is lost\x1b[2J")
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert "a\\nERROR" in str(caught.value)
    assert files.shown(Path("/税務/a")) == "/税務/a"
