"""The outcomes of attacks: one JSON object a line in ``var/attack``; the page is made of them."""

import datetime as dt
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

from tests.pages import machine, note_line, noted_lines

RESULTS = "RENKEI_ATTACK_RESULTS"
FOLDER = Path(__file__).parents[2] / "var" / "attack"


NO_METRIC = "no: RabbitMQ counts no refused channel operations"
NO_HANDSHAKE = "no: RabbitMQ counts no failed handshakes"
NO_LIMIT = "no: RabbitMQ counts no connections past a limit"
"""Refused logins alone are counted (``tests.attack.logins``)."""


class Party(StrEnum):
    """Who attacks: the parties of the threat model, in the order of ``docs/security.md``."""

    ADAPTER = "a compromised adapter"
    SYSTEM = "a connected system"
    BROKER = "a broker administrator"
    DATABASE = "a database administrator"
    NETWORK = "someone on the network"
    BACKUP = "a lost backup"
    STAFF = "a console user"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attack.

    ``refused`` is what the attacker saw, ``recorded`` where it stands afterwards, ``alerted`` the
    metric that rose. Each is in words; an attack that is not prevented, not recorded or not
    alerted says so, with "no" before the words.
    """

    attack: str
    party: str
    way: str
    refused: str
    recorded: str
    alerted: str
    seconds: float
    test: str
    on: str = field(default_factory=lambda: dt.datetime.now().astimezone().date().isoformat())
    machine: str = field(default_factory=machine)

    def __post_init__(self) -> None:
        silent = [name for name in ("refused", "recorded", "alerted") if not getattr(self, name)]
        if silent:
            message = f"{self.attack} says nothing of: {', '.join(silent)}"
            raise ValueError(message)


def place() -> Path:
    """Say where outcomes go."""
    named = os.environ.get(RESULTS)
    return Path(named) if named else FOLDER / "results.jsonl"


def note(outcome: Outcome) -> None:
    """Append an outcome; several processes may."""
    note_line(place(), asdict(outcome))


def noted(file: Path) -> Iterator[Outcome]:
    """Give the outcomes in a file."""
    for line in noted_lines(file):
        yield Outcome(**line)
