"""What the mappings of one adapter may look up: its journal's questions, and the list of persons.

The list for matching (突合, II.3 ③ of the assessment) is the office's own, put into the folder
``matching`` by the office; nothing of it leaves the adapter but the 宛名番号 that was found.
"""

from collections.abc import Sequence
from typing import Protocol

from hub.edge.journal import Journal
from hub.edge.kit import Asked, KnownPerson, Question


class Persons(Protocol):
    """A list of persons that can be looked up."""

    def persons(self, field: str, value: str) -> Sequence[KnownPerson]:
        """Give those whose ``field`` has this value.

        Raises:
            EdgeError: the list cannot be read.
        """
        ...

    def look(self) -> None:
        """Take over a newer list, if there is one.

        Raises:
            EdgeError: the list cannot be read.
        """
        ...


class NoPersons:
    """The list of an adapter that needs none."""

    def look(self) -> None:
        """Take over nothing."""

    def persons(self, field: str, value: str) -> Sequence[KnownPerson]:  # noqa: ARG002 - protocol
        """Give nobody."""
        return ()


class JournalDesk:
    """A desk over a journal and a list of persons (``hub.edge.kit.Desk``)."""

    def __init__(self, journal: Journal, persons: Persons) -> None:
        self._journal = journal
        self._persons = persons

    def asked(self, question: Question) -> Asked | None:
        """Give what the system was asked by this name."""
        return self._journal.asked(question)

    def persons(self, field: str, value: str) -> Sequence[KnownPerson]:
        """Give those in the list whose ``field`` has this value."""
        return self._persons.persons(field, value)
