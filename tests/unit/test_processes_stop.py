"""Being asked to stop: nothing of it is missed, and waiting ends at once."""

import os
import signal
import time
from collections.abc import Iterator
from threading import Event, Timer

import pytest

from hub.stop import Stop

pytestmark = [pytest.mark.unit, pytest.mark.slow]

LONG = 20.0
SOON = 10.0
"""Far from both sides, however busy the machine is."""


@pytest.fixture
def stop() -> Iterator[Stop]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield Stop().on_signals()
    finally:
        signal.set_wakeup_fd(-1)
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_wait_and_is_remembered(stop: Stop, number: int) -> None:
    assert not stop()
    signaller = Timer(0.05, os.kill, (os.getpid(), number))
    signaller.start()
    began = time.monotonic()
    assert stop.wait(LONG)
    assert time.monotonic() - began < SOON
    assert stop()
    assert stop.signal == number
    assert stop.wait(LONG)  # from now on nobody waits any more
    assert time.monotonic() - began < SOON
    signaller.join()


def test_a_wait_that_nobody_ends_takes_its_time(stop: Stop) -> None:
    began = time.monotonic()
    assert not stop.wait(0.05)
    assert time.monotonic() - began >= 0.05


def test_after_a_reset_the_next_request_counts_anew(stop: Stop) -> None:
    stop.ask()
    stop.ask()
    stop.reset()
    assert not stop()
    assert not stop.wait(0.01)
    stop.ask()
    assert stop.wait(LONG)


def test_a_signal_in_the_very_middle_of_waiting_does_no_harm(stop: Stop) -> None:
    """An Event would lock up here: its ``set`` waits for what the same thread holds."""
    deadline = time.monotonic() + 60
    asking = False

    def ask(_number: int, _frame: object) -> None:
        nonlocal asking
        if time.monotonic() > deadline:
            signal.setitimer(signal.ITIMER_REAL, 0)
            pytest.fail("waiting has locked up")
        if not asking:
            asking = True
            stop.ask()
            asking = False

    before = signal.signal(signal.SIGALRM, ask)
    signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.00003)
    try:
        for _ in range(20_000):
            stop.wait(0.00001)
            stop.reset()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("stop")
def test_a_second_signal_ends_the_process_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[int] = []
    signal.raise_signal(signal.SIGTERM)
    monkeypatch.setattr(signal, "raise_signal", raised.append)
    os.kill(os.getpid(), signal.SIGTERM)
    assert raised == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_signal_breaks_off_what_looks_at_no_flag(stop: Stop) -> None:
    began = time.monotonic()
    signaller = Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    signaller.start()
    with pytest.raises(KeyboardInterrupt), stop.interrupting():
        time.sleep(LONG)
    assert time.monotonic() - began < SOON
    assert stop()
    signaller.join()


def test_a_request_made_before_breaks_off_at_the_start(stop: Stop) -> None:
    signal.raise_signal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), stop.interrupting():
        pytest.fail("it went on")


def test_outside_the_block_a_signal_is_only_noted(stop: Stop) -> None:
    with stop.interrupting():
        pass
    signal.raise_signal(signal.SIGTERM)
    assert stop()


class Ends:
    """Takes the place of the process's end."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.at = 0.0
        self.come = Event()

    def __call__(self, status: int) -> None:
        self.status, self.at = status, time.monotonic()
        self.come.set()


def test_so_long_after_being_asked_the_process_ends(
    stop: Stop, caplog: pytest.LogCaptureFixture
) -> None:
    ends = Ends()
    stop.end_within(0.2, ends)
    signal.raise_signal(signal.SIGTERM)
    asked = time.monotonic()
    assert ends.come.wait(LONG)
    assert ends.status == 1
    assert 0.2 <= ends.at - asked < SOON
    assert "what is not acknowledged comes again" in caplog.text


def test_a_signal_that_asks_for_nothing_ends_nothing(stop: Stop) -> None:
    ends = Ends()
    stop.end_within(0.0, ends)
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        signal.raise_signal(signal.SIGUSR1)
        assert not ends.come.wait(1.0)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert not stop()
    signal.raise_signal(signal.SIGTERM)
    assert ends.come.wait(LONG)
