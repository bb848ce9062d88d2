"""What is wrong with a file: where it stands, what it is, and what was perhaps meant."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hub.statute.lines import Lines, Path


class Severity(StrEnum):
    """An error stops the catalogue from being used; a warning is for people."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. ``line`` counts from 1; ``suggestion`` is a near name, or empty."""

    severity: Severity
    file: str
    line: int
    text: str
    suggestion: str = ""

    def __str__(self) -> str:
        hint = f"; did you mean {self.suggestion}?" if self.suggestion else ""
        return f"{self.file}:{self.line}: {self.text}{hint}"

    def as_json(self) -> dict[str, Any]:
        """Give it as an object for a program."""
        return {
            "severity": str(self.severity),
            "file": self.file,
            "line": self.line,
            "text": self.text,
            "suggestion": self.suggestion,
        }


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong at a place inside a document, before its file and line are known.

    ``value`` is the text at that place, where it can be one of several in an array.
    """

    path: Path
    text: str
    suggestion: str = ""
    value: str = ""
    severity: Severity = Severity.ERROR

    def found(self, file: str, lines: Lines, below: Path = ()) -> Finding:
        """Give it with its file and line; ``below`` is where the document stands in the file."""
        line = lines.of((*below, *self.path), self.value)
        return Finding(self.severity, file, line, self.text, self.suggestion)
