"""What a process says of its own health: alive, and whether it can do its work now."""

import json
import threading


class Health:
    """Conditions by name; a process is ready while each of them holds.

    It is asked from the endpoint's thread, and told from the process's own.
    """

    def __init__(self, *conditions: str) -> None:
        """Begin with conditions that do not hold yet."""
        self._lock = threading.Lock()
        self._troubles = dict.fromkeys(conditions, "not yet")

    def holds(self, condition: str) -> None:
        """Say that a condition holds."""
        with self._lock:
            self._troubles[condition] = ""

    def fails(self, condition: str, why: str) -> None:
        """Say that a condition does not hold, and why; the text has no personal data."""
        with self._lock:
            self._troubles[condition] = why or "no"

    @property
    def is_ready(self) -> bool:
        """Say whether every condition holds."""
        with self._lock:
            return not any(self._troubles.values())

    def document(self) -> bytes:
        """Give all conditions as JSON: ``{"ready": …, "conditions": {name: "ok" or why not}}``."""
        with self._lock:
            said = {name: trouble or "ok" for name, trouble in self._troubles.items()}
        ready = all(trouble == "ok" for trouble in said.values())
        whole = {"ready": ready, "conditions": said}
        return (json.dumps(whole, ensure_ascii=False) + "\n").encode()
