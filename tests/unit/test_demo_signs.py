"""Whether a demo is over is read from the journals, and never said too early."""

from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from hub.demo.players import Players
from hub.demo.signs import Signs
from hub.demo.state import DemoState, Parameters
from hub.edge.journal import Journal
from hub.edge.kit import Asked, Question
from hub.edge.questions import unanswered
from hub.ledger.store import DatabaseLedger
from hub.message import MessageKey
from hub.site import Site
from hub.statute.catalogue import load_catalogue

pytestmark = pytest.mark.unit

SYSTEMS = ("tax", "e-application")


class Watched:
    """A site of two systems with journals, one of which is served."""

    def __init__(self, folder: Path) -> None:
        self.journals = {name: folder / f"{name}.sqlite3" for name in SYSTEMS}
        systems = {name: SimpleNamespace(journal=path) for name, path in self.journals.items()}
        state = DemoState(folder, Parameters(50, 0, 1))
        self.players = Players(state, SYSTEMS, 90)
        self.signs = Signs(
            cast("Site", SimpleNamespace(systems=systems)),
            load_catalogue(),
            cast("DatabaseLedger", SimpleNamespace(size=lambda: 7)),
            self.players,
        )

    def ask(self, system: str, key: str, due_after: float | None) -> None:
        with closing(Journal(self.journals[system])) as journal:
            asked = Asked(
                Question("made-up", key), MessageKey("x", key), "1", {}, due_after=due_after
            )
            journal.deliver([], [], 1000, [asked])


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_before_any_journal_nothing_is_read_and_nothing_open(watched: Watched) -> None:
    now = watched.signs.now()
    assert (now.progress.records, now.progress.read, now.progress.entries) == (0, 0, 7)
    assert now.all_read
    assert not watched.signs.may_be_answered()


def test_a_file_that_was_written_has_to_be_read(watched: Watched) -> None:
    watched.players.files["tax"]["a.csv"] = 4
    now = watched.signs.now()
    assert (now.progress.records, now.progress.read) == (4, 0)
    assert not now.all_read


def test_a_question_without_a_deadline_may_be_answered_and_need_not(watched: Watched) -> None:
    watched.ask("tax", "1", None)
    assert watched.signs.may_be_answered()
    assert not watched.signs.has_to_be_answered()


@pytest.mark.parametrize(("system", "due"), [("tax", 60.0), ("e-application", None)])
def test_a_deadline_or_a_server_has_the_demo_wait(
    watched: Watched, system: str, due: float | None
) -> None:
    watched.ask(system, "1", due)
    assert watched.signs.has_to_be_answered()


def test_what_was_told_of_as_overdue_is_no_longer_open(watched: Watched) -> None:
    watched.ask("tax", "1", 60.0)
    watched.ask("tax", "2", None)
    path = watched.journals["tax"]
    assert unanswered(path) == (2, 1)
    with closing(Journal(path)) as journal:
        journal.told_overdue([Question("made-up", "1")])
    assert unanswered(path) == (1, 0)
    assert not watched.signs.has_to_be_answered()
