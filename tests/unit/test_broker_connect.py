"""Connecting with patience, and giving up at once when asked to stop."""

import time

import pytest
from pydantic import SecretStr

from hub.broker import connect
from hub.broker.connect import connected
from hub.broker.link import LinkSettings
from hub.errors import BrokerUnavailable

pytestmark = pytest.mark.unit

SETTINGS = LinkSettings("127.0.0.1", 1, "v", "u", SecretStr("hunter2"), "n")


class Opener:
    """Fails some times, then opens."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.closed = False

    def __call__(self, _settings: LinkSettings) -> "Opener":
        if self.failures > 0:
            self.failures -= 1
            raise BrokerUnavailable("nobody answers")
        return self

    def close(self) -> None:
        self.closed = True


def test_it_tries_again_until_it_is_open() -> None:
    said: list[str] = []
    opener = Opener(2)
    link = connected(SETTINGS, stopping=lambda: False, say=said.append, open_link=opener)  # type: ignore[arg-type]
    assert link is opener
    assert len(said) == 2
    assert all("nobody answers" in line for line in said)


def test_it_stops_promptly_during_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "FIRST_PAUSE", 20.0)
    monkeypatch.setattr(connect, "LONGEST_PAUSE", 40.0)
    until = time.monotonic() + 0.3
    said: list[str] = []
    began = time.monotonic()
    link = connected(
        SETTINGS,
        stopping=lambda: time.monotonic() > until,
        say=said.append,
        open_link=Opener(10**9),  # type: ignore[arg-type]
    )
    assert link is None
    assert time.monotonic() - began < 10.0
    assert len(said) == 1


def test_it_does_not_even_try_when_already_stopping() -> None:
    opener = Opener(0)
    assert connected(SETTINGS, stopping=lambda: True, open_link=opener) is None  # type: ignore[arg-type]
    assert not opener.closed


def test_a_link_that_opens_while_stopping_is_closed() -> None:
    opener = Opener(0)
    answers = iter([False, True, True])
    link = connected(SETTINGS, stopping=lambda: next(answers), open_link=opener)  # type: ignore[arg-type]
    assert link is None
    assert opener.closed
