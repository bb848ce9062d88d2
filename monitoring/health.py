"""What a process says of its own health: alive, able to do its work now, and tried out."""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, NamedTuple

from hub.errors import RenkeiError, placed
from monitoring.checks import CheckMetrics

log = logging.getLogger(__name__)

FRESH_SECONDS = 5.0
"""So long what the checks found is told again: nobody can keep the process busy by asking."""
WITHIN_SECONDS = 8.0
"""So long a run may take; then it is told which check it hangs in."""
_MILLISECONDS = 1000


class Health:
    """Conditions by name; a process is ready while each of them holds.

    It is asked from the endpoint's thread, and told from the process's own.
    """

    def __init__(self, *conditions: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Begin with conditions that do not hold yet."""
        self._lock = threading.Lock()
        self._monotonic = monotonic
        self._troubles = dict.fromkeys(conditions, "not yet")
        self._marks: dict[str, float] = {}

    def holds(self, condition: str) -> None:
        """Say that a condition holds."""
        with self._lock:
            self._troubles[condition] = ""

    def fails(self, condition: str, why: str) -> None:
        """Say that a condition does not hold, and why; the text has no personal data."""
        with self._lock:
            self._troubles[condition] = why or "no"

    def mark(self, what: str) -> None:
        """Note that something was done just now: a batch, a beat."""
        with self._lock:
            self._marks[what] = self._monotonic()

    @property
    def is_ready(self) -> bool:
        """Say whether every condition holds."""
        with self._lock:
            return not any(self._troubles.values())

    def document(self) -> bytes:
        """Give all conditions as JSON: ``{"ready": …, "conditions": {name: "ok" or why not}}``."""
        return _json(self._said())

    def detail(self) -> tuple[bool, bytes]:
        """Say whether all is well, and give the conditions and for how long what was not done."""
        with self._lock:
            now = self._monotonic()
            ages = {what: round(now - at, 1) for what, at in self._marks.items()}
        said = self._said()
        return bool(said["ready"]), _json({**said, "seconds_since": ages})

    def _said(self) -> dict[str, Any]:
        with self._lock:
            said = {name: trouble or "ok" for name, trouble in self._troubles.items()}
        return {"ready": all(trouble == "ok" for trouble in said.values()), "conditions": said}


class Outcome(NamedTuple):
    """How a check ended: ``why`` is empty where all was well."""

    seconds: float
    why: str


Check = Callable[[], str]
"""Tries something, and says what is wrong; empty where nothing is. May raise ``RenkeiError``."""


class Checks:
    """Tries things out, when asked: one run at a time, in a thread of its own."""

    def __init__(
        self,
        checks: Mapping[str, Check],
        metrics: CheckMetrics | None = None,
        *,
        within: float = WITHIN_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._checks = dict(checks)
        self._metrics = metrics
        self._within = within
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._run: Future[dict[str, Outcome]] | None = None
        self._began = 0.0
        self._at = ""
        self._found: dict[str, Outcome] = {}
        self._found_at: float | None = None
        self._failing: dict[str, tuple[str, float]] = {}

    def detail(self) -> tuple[bool, bytes]:
        """Say whether all is well, and give the checks as JSON: ``{name: {ok, ms, why}}``."""
        with self._lock:
            found = self._fresh()
        ok = bool(found) and not any(one.why for one in found.values())
        return ok, _json(
            {
                name: {
                    "ok": not one.why,
                    "ms": round(one.seconds * _MILLISECONDS, 1),
                    "why": one.why,
                }
                for name, one in found.items()
            }
        )

    def _fresh(self) -> dict[str, Outcome]:
        now = self._monotonic()
        if self._found_at is not None and now - self._found_at < FRESH_SECONDS:
            return self._found
        if self._run is None:
            self._began = now
            self._run = self._begun()
        try:
            self._found = self._run.result(self._within)
        except TimeoutError:
            took = self._monotonic() - self._began
            late = {**self._found, self._at: Outcome(took, "it has not ended yet")}
            self._show({self._at: late[self._at]})
            return late
        self._run, self._found_at = None, self._monotonic()
        return self._found

    def _begun(self) -> Future[dict[str, Outcome]]:
        """Begin a run in a thread that no process waits for when it ends: it may hang."""
        run: Future[dict[str, Outcome]] = Future()

        def go() -> None:
            try:
                run.set_result(self._run_all())
            except Exception as fault:  # noqa: BLE001 - whoever asks for the outcome gets it
                run.set_exception(fault)

        threading.Thread(target=go, name="checks", daemon=True).start()
        return run

    def _run_all(self) -> dict[str, Outcome]:
        found: dict[str, Outcome] = {}
        for name, check in self._checks.items():
            self._at = name
            began = self._monotonic()
            why = _tried(name, check)
            found[name] = Outcome(self._monotonic() - began, why)
            self._show({name: found[name]})
        return found

    def _show(self, found: Mapping[str, Outcome]) -> None:
        for name, one in found.items():
            self._log_change(name, one.why)
        if self._metrics is not None:
            for name, one in found.items():
                self._metrics.checked(name, ok=not one.why, seconds=one.seconds)

    def _log_change(self, name: str, why: str) -> None:
        """Log where a check begins to fail, fails for another reason, or ends well again."""
        before, since = self._failing.get(name, ("", self._monotonic()))
        if why == before:
            return
        if why:
            self._failing[name] = (why, since)
            log.warning("the check %s fails: %s", name, why)
        else:
            del self._failing[name]
            seconds = self._monotonic() - since
            log.info("the check %s is well again, %.0f s after it failed", name, seconds)


def _tried(name: str, check: Check) -> str:
    try:
        return check()
    except RenkeiError as error:
        return str(error) or type(error).__name__
    except Exception as error:  # noqa: BLE001 - what fails is said, and never well
        log.error("the check %s failed: %s", name, placed(error))  # noqa: TRY400 - its text
        return f"the check failed: {type(error).__name__}"


def _json(whole: Mapping[str, object]) -> bytes:
    return (json.dumps(whole, ensure_ascii=False) + "\n").encode()
