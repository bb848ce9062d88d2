"""One simulator alone: it says what to do, writes, answers, checks, misbehaves, and stops."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.simulation.misbehaving import carry, manners_of
from adapters.simulation.misbehaviour import Misbehaviour
from hub.demo import simulate as module
from hub.demo.simulate import Wanted, simulate
from hub.errors import SiteError
from hub.stop import Stop

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)


def played(wanted: Wanted, until: Callable[[str], bool]) -> list[str]:
    """Play until something is said; give all that was said."""
    said: list[str] = []
    stop = Stop()

    def say(line: str) -> None:
        said.append(line)
        if until(line):
            stop.ask()

    guard = threading.Timer(20.0, stop.ask)
    guard.start()
    try:
        simulate(wanted, say, stop)
    finally:
        guard.cancel()
    assert said[-1] == "stopped"
    return said


def test_the_first_lines_say_what_to_do_and_then_the_days_come(tmp_path: Path) -> None:
    wanted = Wanted("tax", tmp_path, residents=60, every=0.0)
    said = played(wanted, lambda line: line.startswith("day 2"))
    assert said[0] == "playing tax, a city of 60 residents"
    assert str(tmp_path / "to-hub") in said[1]
    assert "schemas/layouts/tax.income.toml" in said[2]
    assert "docs/systems/tax.md; Ctrl-C ends it" in said[4]
    days = [line for line in said if line.startswith("day ")]
    assert [day.partition(",")[0] for day in days] == ["day 0", "day 1", "day 2"]
    assert len(list((tmp_path / "to-hub").iterdir())) == 3


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("nonsense\n", "header record"),
        ("H,union.residents,2026-04-01T09:00:00+09:00,,,\n", "no trailer"),
    ],
)
def test_it_ends_its_days_and_goes_on_answering(tmp_path: Path, content: str, reason: str) -> None:
    drop = tmp_path / "from-hub" / "residents_1.csv"
    drop.parent.mkdir()
    drop.write_text(content)
    wanted = Wanted("union", tmp_path, residents=60, days=0, every=0.0)
    said = played(wanted, lambda line: line.startswith("WRONG"))
    assert len([line for line in said if line.startswith("day ")]) == 3
    (wrong,) = [line for line in said if line.startswith("WRONG")]
    assert reason in wrong


def test_idle_it_writes_nothing(tmp_path: Path) -> None:
    played(Wanted("tax", tmp_path, residents=60, idle=True), lambda line: "Ctrl-C" in line)
    assert list((tmp_path / "to-hub").iterdir()) == []


def test_a_folder_that_cannot_be_had_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SiteError, match="file"):
        simulate(Wanted("tax", file), lambda _: None, Stop())


def test_a_served_system_tells_its_address(tmp_path: Path) -> None:
    wanted = Wanted("e-application", tmp_path, idle=True, port=0, secret="geheim")  # noqa: S106 - of a test
    said = played(wanted, lambda line: "Ctrl-C" in line)
    assert any("http://127.0.0.1:" in line for line in said)
    assert not any("geheim" in line for line in said)


# -- misbehaviour --------------------------------------------------------------------------


def made(folder: Path, *names: str) -> list[Path]:
    paths = [folder / name for name in names]
    for path in paths:
        path.write_text("氏名,髙﨑\n" * 20, encoding="utf-8")
    return paths


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    (tmp_path / "to-hub").mkdir()
    (tmp_path / "made").mkdir()
    return tmp_path


def test_a_system_that_is_down_brings_nothing_and_keeps_it(drive: Path) -> None:
    paths = made(drive / "made", "a.csv")
    assert carry(paths, drive, {Misbehaviour.DOWN}) == []
    assert paths[0].exists()
    assert carry(paths, drive) == [drive / "to-hub" / "a.csv"]
    assert not paths[0].exists()


def test_a_truncated_file_ends_in_the_middle(drive: Path) -> None:
    (path,) = made(drive / "made", "a.csv")
    whole = path.read_bytes()
    (got,) = carry([path], drive, {Misbehaviour.TRUNCATED})
    assert whole.startswith(got.read_bytes())
    assert 0 < len(got.read_bytes()) < len(whole)


def test_a_duplicate_has_another_name_and_the_same_content(drive: Path) -> None:
    one, other = carry(made(drive / "made", "a.csv"), drive, {Misbehaviour.DUPLICATE})
    assert (one.name, other.name) == ("a.csv", "a_again.csv")
    assert one.read_bytes() == other.read_bytes()


def test_the_wrong_encoding_is_no_text_of_the_right_one(drive: Path) -> None:
    (got,) = carry(made(drive / "made", "a.csv"), drive, {Misbehaviour.WRONG_ENCODING})
    with pytest.raises(UnicodeDecodeError):
        got.read_text(encoding="utf-8")
    assert got.read_text(encoding="cp932").startswith("氏名,髙﨑")


def test_out_of_order_the_newer_comes_first(drive: Path) -> None:
    paths = made(drive / "made", "a_1.csv", "a_2.csv")
    got = carry(paths, drive, {Misbehaviour.OUT_OF_ORDER})
    assert [path.name for path in got] == ["a_2.csv", "a_1.csv"]


def test_a_slow_file_grows(drive: Path) -> None:
    sizes: list[int] = []
    to_hub = drive / "to-hub" / "a.csv"
    (path,) = made(drive / "made", "a.csv")
    whole = path.stat().st_size
    carry([path], drive, {Misbehaviour.SLOW}, lambda _: sizes.append(to_hub.stat().st_size))
    assert sizes == sorted(sizes)
    assert len(set(sizes)) > 5
    assert sizes[-1] == whole


def test_a_served_system_has_manners_for_each_misbehaviour() -> None:
    good, bad = manners_of(frozenset()), manners_of(frozenset(Misbehaviour))
    assert not good.down
    assert bad.down
    for name in ("slow_seconds", "truncated", "wrongly_encoded"):
        assert getattr(good, name) == 0
        assert getattr(bad, name) > 0


def test_a_misbehaving_simulator_spoils_what_it_writes(tmp_path: Path) -> None:
    bad = frozenset({Misbehaviour.TRUNCATED})
    wanted = Wanted("tax", tmp_path, residents=60, days=0, misbehaves=bad)
    said = played(wanted, lambda line: line.startswith("day 0"))
    assert "misbehaving: truncated" in said[0]
    (file,) = (tmp_path / "to-hub").iterdir()
    assert not file.read_text(encoding="utf-8").endswith("T,60\r\n")
