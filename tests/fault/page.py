"""Writes the table of ``docs/reliability.md`` from what drills noted in ``var/fault``.

``python -m tests.fault.page`` is the end of ``make fault``. Rows of drills that were not run are
not there; the prose around the table is nobody's but the page's.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fault.results import Result, noted, place, summary
from tests.pages import between

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN = "<!-- drills: written by make fault -->"
END = "<!-- drills: end -->"
HEADER = (
    "| drill | ledger | faults | of them kills | messages | lost | doubled | set aside | "
    "recovery median | 99 % | longest |\n"
    "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n"
)


@dataclass(frozen=True, slots=True)
class Row:
    """All runs of one drill together."""

    drill: str
    ledger: str
    results: Sequence[Result]

    def __str__(self) -> str:
        """Give the row of the table."""
        every = self.results
        recovery = summary([seconds for one in every for seconds in one.recovery])
        took = [f"{recovery[key]:.1f} s" if recovery else "–" for key in ("median", "p99", "max")]
        names = ("times", "kills", "messages", "lost", "doubled", "aside")
        sums = [f"{sum(getattr(one, name) for one in every):,}" for name in names]
        return "| " + " | ".join([self.drill, self.ledger or "–", *sums, *took]) + " |\n"


def rows(results: Iterable[Result]) -> list[Row]:
    """Put the runs of each drill together, in the order in which they were first run."""
    found: dict[tuple[str, str], list[Result]] = {}
    for one in results:
        found.setdefault((one.drill, one.ledger), []).append(one)
    return [Row(*key, every) for key, every in found.items()]


def table(results: Sequence[Result]) -> str:
    """Give the table, and where, when and on what its rows were seen."""
    body = "".join(map(str, rows(results)))
    notes = "".join(f"- {line}\n" for line in _notes(results))
    return f"{'; '.join(_seen(results))}.\n\n{HEADER}{body}" + (f"\n{notes}" if notes else "")


def _seen(results: Sequence[Result]) -> Iterator[str]:
    days = sorted({one.on for one in results})
    yield f"Seen {days[0]}" if len(days) == 1 else f"Seen {days[0]} to {days[-1]}"
    yield from sorted({one.machine for one in results if one.machine})
    yield from sorted({one.broker for one in results if one.broker})
    yield f"seeds {', '.join(sorted({one.seed for one in results if one.seed}, key=int))}"
    kills = sum(one.kills for one in results)
    yield f"{sum(one.times for one in results):,} faults, {kills:,} of them kills"


def _notes(results: Sequence[Result]) -> list[str]:
    """Give what drills say of themselves, each once."""
    return list(dict.fromkeys(f"{one.drill}: {one.note}" for one in results if one.note))


def filled(page: str, results: Sequence[Result]) -> str:
    """Put the table between the page's marks.

    Raises:
        ValueError: the page lacks them.
    """
    return between(page, BEGIN, END, table(results))


def main() -> int:
    """Write the page anew; say so where there is nothing to write."""
    file = place(long=True)
    results = list(noted(file)) if file.exists() else []
    if not results:
        sys.stderr.write(f"no drill has noted anything in {file}: the page stays as it is\n")
        return 0
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
    sys.stderr.write(f"{PAGE} is written from {len(results)} results\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
