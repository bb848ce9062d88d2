"""What the courier of inquiries remembers: how far each has come, and which results it has put.

It holds レコード識別番号, 処理通番 and the numbers of permits, and nothing that a document says
of a person; why an inquiry was refused only until its asker has the answer. Entries are kept for
good: a result may be listed again long after.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hub.edge.http.memory import CourierMemory

_TABLES = """
CREATE TABLE IF NOT EXISTS request (
    family TEXT NOT NULL,
    id TEXT NOT NULL,
    stage TEXT NOT NULL,
    processing_number TEXT NOT NULL DEFAULT '',
    permit_number TEXT NOT NULL DEFAULT '',
    said TEXT NOT NULL DEFAULT '',
    at TEXT NOT NULL,
    PRIMARY KEY (family, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS result (
    family TEXT NOT NULL,
    number TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    placed INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (family, number)
) STRICT, WITHOUT ROWID;
"""


class Family(StrEnum):
    """The families of interfaces that are used: inquiries, and codes."""

    SKI = "ski"
    FGU = "fgu"


class Stage(StrEnum):
    """How far a request has come; each is durable before the next call is made."""

    NEW = "new"
    PERMIT_ASKED = "permit-asked"  # the server may have been asked for the permit
    PERMITTED = "permitted"  # its permit is there: the inquiry may leave, and may have left
    REFUSED = "refused"  # there is no permit, and the asker gets the reason
    SENT = "sent"  # the server has it
    ANSWERED = "answered"  # its result is in to-hub


@dataclass(frozen=True, slots=True)
class Request:
    """A request and how far it has come.

    ``processing_number`` and ``permit_number`` are blank until they are known; ``said`` is why it
    was refused, and ``at`` when its stage was reached, as ISO 8601.
    """

    family: Family
    id: str
    stage: Stage
    processing_number: str = ""
    permit_number: str = ""
    said: str = ""
    at: str = ""


class Memory(CourierMemory):
    """The memory of one courier."""

    def __init__(self, path: Path) -> None:
        """Open it, made anew where it is missing.

        Raises:
            EdgeError: it cannot be used.
        """
        super().__init__(path, _TABLES)

    def request(self, family: Family, request_id: str) -> Request | None:
        """Give a request, if it was taken up."""
        query = (
            "SELECT stage, processing_number, permit_number, said, at FROM request"
            " WHERE family = ? AND id = ?"
        )
        rows = self.read(query, (family, request_id))
        if not rows:
            return None
        stage, *rest = rows[0]
        return Request(family, request_id, Stage(stage), *rest)

    def reach(self, request: Request) -> None:
        """Remember a request as it is now."""
        self.write(
            "INSERT OR REPLACE INTO request"
            " (family, id, stage, processing_number, permit_number, said, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                request.family,
                request.id,
                request.stage,
                request.processing_number,
                request.permit_number,
                request.said,
                request.at,
            ),
        )

    def answer(self, family: Family, number: str) -> None:
        """Remember that the request with this 処理通番 has its result."""
        self.write(
            "UPDATE request SET stage = ? WHERE family = ? AND processing_number = ? AND stage = ?",
            (Stage.ANSWERED, family, number, Stage.SENT),
        )

    def is_placed(self, family: Family, number: str) -> bool:
        """Say whether the result with this 処理通番 was put into to-hub."""
        query = "SELECT 1 FROM result WHERE family = ? AND number = ? AND placed = 1"
        return bool(self.read(query, (family, number)))

    def unreadable(self, family: Family, number: str) -> int:
        """Count that a result could not be read, and give how often that was."""
        self.write(
            "INSERT INTO result (family, number, tries) VALUES (?, ?, 1)"
            " ON CONFLICT (family, number) DO UPDATE SET tries = tries + 1",
            (family, number),
        )
        query = "SELECT tries FROM result WHERE family = ? AND number = ?"
        return int(self.read(query, (family, number))[0][0])

    def place(self, family: Family, number: str) -> None:
        """Remember that a result is in to-hub."""
        self.write(
            "INSERT INTO result (family, number, placed) VALUES (?, ?, 1)"
            " ON CONFLICT (family, number) DO UPDATE SET placed = 1",
            (family, number),
        )
