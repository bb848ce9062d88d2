"""Tells an adapter by a file of its own that a question had no answer in time.

The file (layout ``hub.overdue``) goes the way of every file: an ``Inbound`` of the adapter makes
the message of it that says so to the asker.
"""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from hub.edge.delimited import write_file
from hub.edge.form import Header
from hub.edge.journal import Journal
from schemas.layout import load_layout

LAYOUT = "hub.overdue"
PATTERN = "OVERDUE_*.csv"
MOST = 1000
"""Questions told of in one file."""


class Deadlines:
    """Looks for overdue questions; ``look`` is called again and again."""

    def __init__(self, journal: Journal, to_hub: Path, now: Callable[[], dt.datetime]) -> None:
        self._journal = journal
        self._to_hub = to_hub
        self._now = now

    def look(self) -> int:
        """Write a file about the questions that are overdue now, and give their number.

        A crash between file and journal has it written again; the second one finds its questions
        closed.

        Raises:
            EdgeError: the folder or the journal cannot be used.
        """
        now = self._now()
        due = self._journal.overdue(int(now.timestamp()), MOST)
        if not due:
            return 0
        rows = (
            {
                "kind": one.question.kind,
                "key": one.question.key,
                "due_at": dt.datetime.fromtimestamp(one.due_at, dt.UTC).isoformat(),
            }
            for one in due
        )
        path = self._to_hub / f"OVERDUE_{now.astimezone(dt.UTC):%Y%m%d%H%M%S%f}.csv"
        write_file(path, load_layout(LAYOUT), Header(now), rows)
        self._journal.told_overdue([one.question for one in due])
        return len(due)
