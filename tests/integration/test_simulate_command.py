"""``renkei simulate`` as a process: it says what to do, goes on, and ends well when asked."""

import signal
from pathlib import Path

import pytest

from tests.demo_rig import Renkei

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_writes_days_until_it_is_asked_to_end(tmp_path: Path, number: int) -> None:
    drive = tmp_path / "drive"
    options = ("--folder", str(drive), "--residents", "60", "--every", "0.2")
    run = Renkei(tmp_path, ("simulate", "tax", *options))
    try:
        run.until(lambda: "day 1," in run.out, "the first day after the load")
        assert run.stopped(number) == 0, run.err
    finally:
        run.end()
    assert run.out.splitlines()[0] == "playing tax, a city of 60 residents"
    assert run.out.splitlines()[-1] == "stopped"
    assert run.err == ""
    assert len(list((drive / "to-hub").glob("ZEI_*.csv"))) >= 2


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("tax", "--port", "1"), 2, "reached by files: it has neither port nor secret"),
        (("taxx",), 1, "did you mean tax?"),
        (("tax", "--misbehave", "rude"), 2, "rude"),
    ],
)
def test_what_was_asked_wrong_is_said(
    tmp_path: Path, arguments: tuple[str, ...], status: int, said: str
) -> None:
    run = Renkei(tmp_path, ("simulate", *arguments))
    try:
        assert run.ended() == status
        assert said in run.err
        assert "Traceback" not in run.err
    finally:
        run.end()


def test_a_served_system_replies_at_its_address(tmp_path: Path) -> None:
    options = ("--folder", str(tmp_path / "own"), "--idle")
    run = Renkei(tmp_path, ("simulate", "e-application", *options))
    try:
        run.until(lambda: "http://127.0.0.1:" in run.out, "its address")
        assert "the secret of this run: " in run.out
        assert run.stopped() == 0, run.err
    finally:
        run.end()
