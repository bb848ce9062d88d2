"""Writes the table of outcomes in ``docs/security.md`` from what attacks noted in ``var/attack``.

``python -m tests.attack.page`` is the end of ``make attack``. An attack that was not made has no
row; the prose around the table, and the table of threats, are nobody's but the page's.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tests.attack.results import Outcome, Party, noted, place
from tests.pages import between

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
BEGIN = "<!-- attacks: written by make attack -->"
END = "<!-- attacks: end -->"
HEADER = (
    "| party | attack | how | what the attacker saw | recorded | alerted | seconds |\n"
    "|---|---|---|---|---|---|---:|\n"
)
_ORDER = {party.value: place for place, party in enumerate(Party)}


def rows(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Give a row for each attack, by party; of one that was made twice the last."""
    last = {(one.party, one.attack): one for one in outcomes}
    for one in sorted(last.values(), key=lambda one: _ORDER[one.party]):
        words = (one.party, one.attack, one.way, one.refused, one.recorded, one.alerted)
        cells = [" ".join(word.replace("|", "\\|").split()) for word in words]
        yield "| " + " | ".join([*cells, f"{one.seconds:.1f}"]) + " |\n"


def table(outcomes: Sequence[Outcome]) -> str:
    """Give the table, and when and on what its rows were seen."""
    days = sorted({one.on for one in outcomes})
    seen = [f"Seen {days[0]}" if len(days) == 1 else f"Seen {days[0]} to {days[-1]}"]
    seen += sorted({one.machine for one in outcomes if one.machine})
    every = list(rows(outcomes))
    return f"{'; '.join([*seen, f'{len(every)} attacks'])}.\n\n{HEADER}{''.join(every)}"


def filled(page: str, outcomes: Sequence[Outcome]) -> str:
    """Put the table between the page's marks."""
    return between(page, BEGIN, END, table(outcomes))


def main() -> int:
    """Write the page anew; say so where there is nothing to write."""
    file = place()
    outcomes = list(noted(file)) if file.exists() else []
    if not outcomes:
        sys.stderr.write(f"no attack has noted anything in {file}: the page stays as it is\n")
        return 0
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), outcomes), encoding="utf-8")
    sys.stderr.write(f"{PAGE} is written from {len(outcomes)} outcomes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
