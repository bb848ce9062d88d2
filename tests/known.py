"""What somebody knows of their account at a console that runs."""

import time
from dataclasses import dataclass

from monitoring.console import passwords

TYPING_SECONDS = 10.0
"""For so long at least a code is good."""


@dataclass
class Known:
    """What a person knows of their account; no code is given twice."""

    account: str
    password: str
    secret: str
    last: int = 0

    def code(self) -> str:
        """Give the next code that the console takes, once there is one."""
        step = passwords.STEP_SECONDS
        # Somebody types it, perhaps slowly: it is not taken any more once its next step is over.
        self.last = max(self.last + 1, int(time.time() + TYPING_SECONDS) // step - 1)
        while self.last > int(time.time()) // step + 1:
            time.sleep(0.2)  # a clock has no event to wait for
        return passwords.code_at(self.secret, self.last * step)
