"""A thread that looks around: it goes on, ends with its context, and does not fail unseen."""

from queue import SimpleQueue
from threading import Event

import pytest
from prometheus_client import CollectorRegistry

from hub.compose.lookouts import Lookouts
from hub.compose.watch import checked
from hub.errors import RenkeiError
from monitoring.checks import CheckMetrics
from monitoring.health import Checks

pytestmark = pytest.mark.unit

SOON = 10.0


def test_it_looks_again_and_again_and_ends_in_order() -> None:
    around, looks, ended = Lookouts(), iter(range(3)), Event()
    enough = Event()

    def look() -> None:
        if next(looks, None) is None:
            enough.set()

    with around.each(0.001, look, "figures", patience=SOON, end=ended.set):
        assert enough.wait(SOON)
        assert not ended.is_set()
    assert ended.is_set()
    around.check()


def test_what_fails_on_something_unknown_is_told_without_its_text() -> None:
    around, failed = Lookouts(), Event()

    def look() -> None:
        failed.set()
        raise KeyError("山田")

    with around.each(0.001, look, "figures", patience=SOON):
        assert failed.wait(SOON)
    with pytest.raises(RenkeiError, match=r"figures: KeyError at test_compose_lookouts") as told:
        around.check()
    assert "山田" not in str(told.value)


def test_the_checks_run_at_once_and_again_without_being_asked() -> None:
    registry, runs, says = CollectorRegistry(), SimpleQueue[None](), [""]

    def tried() -> str:
        runs.put(None)
        return says[0]

    checks = Checks(
        {"one": lambda: "", "two": tried},
        CheckMetrics(registry),
        monotonic=iter(range(0, 10**9, 9)).__next__,  # nothing that was found stays fresh
    )
    around = Lookouts()

    def shown() -> list[float | None]:
        return [
            registry.get_sample_value("renkei_health_check_success", {"check": name})
            for name in ("one", "two")
        ]

    with checked(checks, around, seconds=3600):
        runs.get(timeout=SOON)
    assert shown() == [1, 1]
    says[0] = "no"
    with checked(checks, around, seconds=0.001):
        for _ in range(3):
            runs.get(timeout=SOON)
    assert shown() == [1, 0]
    around.check()


def test_after_a_run_in_which_one_failed_the_next_is_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.compose.watch.FAILED_SECONDS", 0.001)
    runs, says = SimpleQueue[None](), iter(["no", "no", ""])

    def tried() -> str:
        runs.put(None)
        return next(says)  # a fourth run would be a fault of the lookout

    checks = Checks({"one": tried}, monotonic=iter(range(0, 10**9, 9)).__next__)
    around = Lookouts()
    with checked(checks, around, seconds=3600):
        for _ in range(3):
            runs.get(timeout=SOON)
    around.check()
    assert runs.empty()
