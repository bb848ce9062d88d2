"""What the courier of applications remembers, so that each is fetched and reported on once.

It holds 受付番号, digests and codes, and nothing
that an application says.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hub.edge.http.memory import CourierMemory

_TABLE = """
CREATE TABLE IF NOT EXISTS application (
    number TEXT PRIMARY KEY,
    stage TEXT NOT NULL,
    digest TEXT NOT NULL,
    outcome TEXT NOT NULL DEFAULT '',
    code TEXT NOT NULL DEFAULT '',
    item TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS application_open ON application (stage) WHERE stage <> 'closed';
"""


class Stage(StrEnum):
    """How far an application has come."""

    WHOLE = "whole"  # its file is whole on disk, under its temporary name
    FILED = "filed"  # the file has its name in to-hub
    RECEIVED = "received"  # the interface was told that it is received
    JUDGED = "judged"  # it is known what became of it
    CLOSED = "closed"  # the interface was told of that too


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an application: ``state`` is ``processed`` or ``refused``.

    ``code`` says why it was refused, and ``item`` the field at fault, if it was one.
    """

    state: str
    code: str = ""
    item: str = ""


@dataclass(frozen=True, slots=True)
class Remembered:
    """An application, its stage, and its digest on receipt (blank where its file was found)."""

    number: str
    stage: Stage
    digest: str
    outcome: Outcome


class Memory(CourierMemory):
    """The memory of the courier of applications (``hub.edge.http.memory``)."""

    def __init__(self, path: Path) -> None:
        """Open it, made anew where it is missing."""
        super().__init__(path, _TABLE)

    def knows(self, number: str) -> bool:
        """Say whether an application was taken up before."""
        return bool(self.read("SELECT 1 FROM application WHERE number = ?", (number,)))

    def open_ones(self) -> list[Remembered]:
        """Give those that are not closed, by 受付番号."""
        rows = self.read(
            "SELECT number, stage, digest, outcome, code, item FROM application"
            " WHERE stage <> 'closed' ORDER BY number"
        )
        return [
            Remembered(number, Stage(stage), digest, Outcome(*outcome))
            for number, stage, digest, *outcome in rows
        ]

    def take_up(self, number: str, stage: Stage, digest: str) -> None:
        """Remember an application whose file is there."""
        self.write(
            "INSERT INTO application (number, stage, digest) VALUES (?, ?, ?)",
            (number, stage, digest),
        )

    def reach(self, number: str, stage: Stage) -> None:
        """Remember that an application has come so far."""
        self.write("UPDATE application SET stage = ? WHERE number = ?", (stage, number))

    def judge(self, number: str, outcome: Outcome) -> None:
        """Remember what became of an application."""
        self.write(
            "UPDATE application SET stage = ?, outcome = ?, code = ?, item = ? WHERE number = ?",
            (Stage.JUDGED, outcome.state, outcome.code, outcome.item, number),
        )
