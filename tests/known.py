"""What somebody knows of their account at a console that runs."""

import time
from dataclasses import dataclass

from monitoring.console import passwords


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
        now = int(time.time()) // step
        self.last = max(self.last + 1, now - 1)
        while self.last > int(time.time()) // step + 1:
            time.sleep(0.2)  # a clock has no event to wait for
        return passwords.code_at(self.secret, self.last * step)
