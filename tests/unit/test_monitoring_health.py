"""Health: conditions, and checks that try things, one run at a time and never without an end."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry

from hub.broker.free import free_ports
from hub.errors import BrokerError
from monitoring.checks import CheckMetrics
from monitoring.endpoint import serve
from monitoring.health import FRESH_SECONDS, Checks, Health

pytestmark = pytest.mark.unit


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def told(checks: Checks | Health) -> tuple[bool, dict[str, dict[str, object]]]:
    ok, document = checks.detail()
    return ok, json.loads(document)


def refusing() -> str:
    raise BrokerError("the broker did not take a probe")


def broken() -> str:
    raise ZeroDivisionError


def well() -> str:
    return ""


def test_conditions_are_told_with_how_long_ago_what_was_done() -> None:
    clock = Clock()
    health = Health("broker", monotonic=clock)
    health.mark("batch")
    clock.now += 12.34
    assert told(health) == (
        False,
        {"ready": False, "conditions": {"broker": "not yet"}, "seconds_since": {"batch": 12.3}},
    )
    health.holds("broker")
    assert told(health)[0]


@pytest.mark.parametrize(
    ("check", "why"),
    [
        (well, ""),
        (lambda: "only 2 % free", "only 2 % free"),
        (refusing, "the broker did not take a probe"),
        (broken, "the check failed: ZeroDivisionError"),
    ],
)
def test_a_check_says_why_whatever_it_meets(check: Callable[[], str], why: str) -> None:
    registry = CollectorRegistry()
    checks = Checks({"one": check, "two": well}, CheckMetrics(registry))
    ok, found = told(checks)
    assert ok == (not why)
    assert found["one"]["why"] == why
    assert found["two"] == {"ok": True, "ms": found["two"]["ms"], "why": ""}
    name = "renkei_health_check_success"
    assert registry.get_sample_value(name, {"check": "one"}) == (0 if why else 1)
    assert registry.get_sample_value(name, {"check": "two"}) == 1


def test_each_change_of_a_check_is_logged_with_its_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    clock, answers = Clock(), iter(["", "away", "away", "broken", "", ""])
    checks = Checks({"one": lambda: next(answers)}, monotonic=clock)
    for _ in range(6):
        told(checks)
        clock.now += 60
    assert [one.getMessage() for one in caplog.records] == [
        "the check one fails: away",
        "the check one fails: broken",
        "the check one is well again, 180 s after it failed",
    ]


def test_what_was_found_a_moment_ago_is_told_again() -> None:
    clock, runs = Clock(), []

    def counted() -> str:
        runs.append(1)
        return ""

    checks = Checks({"one": counted}, monotonic=clock)
    told(checks)
    clock.now += FRESH_SECONDS - 1
    told(checks)
    assert len(runs) == 1
    clock.now += 1
    told(checks)
    assert len(runs) == 2


def test_a_check_that_hangs_is_named_and_no_second_run_begins_meanwhile() -> None:
    hangs, runs = threading.Event(), []

    def hanging() -> str:
        runs.append(1)
        hangs.wait(20)
        return ""

    registry = CollectorRegistry()
    checks = Checks({"one": well, "hangs": hanging}, CheckMetrics(registry), within=0.05)
    for _ in range(3):
        ok, found = told(checks)
        assert not ok
        assert found["hangs"]["why"] == "it has not ended yet"
    assert len(runs) == 1
    assert registry.get_sample_value("renkei_health_check_success", {"check": "hangs"}) == 0
    hangs.set()
    while not told(checks)[0]:
        pass
    assert len(runs) == 1


def test_the_endpoint_tells_what_was_tried() -> None:
    (port,) = free_ports(1)
    answers = {"one": ""}
    checks = Checks({"one": lambda: answers["one"]}, monotonic=iter(range(0, 9999, 9)).__next__)
    serve(CollectorRegistry(), port, health=Health(), checks=checks)
    url = f"http://127.0.0.1:{port}/health/detail"
    with urllib.request.urlopen(url, timeout=5) as answer:
        assert json.load(answer)["one"]["ok"]
    answers["one"] = "no"
    with pytest.raises(urllib.error.HTTPError, match="503") as refused:
        urllib.request.urlopen(url, timeout=5)
    assert json.load(refused.value)["one"]["why"] == "no"
    refused.value.close()
