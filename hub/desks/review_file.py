"""Writes a month's review report (III.5) into a file, and records that."""

import datetime as dt
from pathlib import Path

from hub.desks.review import said_of
from hub.ledger.acts import Act, act
from hub.ledger.model import Kind
from hub.ledger.store import DatabaseLedger
from hub.ledger.years.newfile import NewFile
from hub.message import AccessItems


def write_review(  # noqa: PLR0913 - what is written where, by whom and when
    ledger: DatabaseLedger,
    month: str,
    content: bytes,
    path: Path,
    *,
    access: AccessItems,
    now: dt.datetime,
) -> str:
    """Write a report into a new file, for this account alone; give its SHA-256.

    It names members of staff, so it leaves the ledger as evidence does: the file gets its name
    once its entry is recorded; before that there is none.

    Raises:
        LedgerError: it cannot be written or is there already, or it cannot be recorded.
    """
    with NewFile(path) as file:
        file.write(content)
        file.settle()
        detail = f"{said_of(month)}: {path.name}"
        digest = file.digest()
        ledger.append(
            [act(Kind.EXPORT, access, now, code=Act.REVIEW, detail=detail, digest=digest)]
        )
        file.keep()
    return digest
