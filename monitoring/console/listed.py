"""The table of all pages in ``docs/operations/console.md``, written by ``renkei docs``."""

from collections.abc import Sequence

from monitoring.console.page import Page

BEGIN, END = "<!-- pages -->", "<!-- end -->"


def table(pages: Sequence[Page]) -> str:
    """Write the table, by address."""
    rows = [
        f"| `{one.method} {one.path}` | `{one.name}` | `{one.may}` | {_also(one)} |"
        for one in sorted(pages, key=lambda one: (one.path, one.method))
    ]
    return "\n".join(("| address | name | right | also |", "|---|---|---|---|", *rows))


def filled(text: str, pages: Sequence[Page]) -> str:
    """Give the document with the table between its two marks as it must be.

    Raises:
        ValueError: the document has no place for it.
    """
    before, begin_mark, rest = text.partition(BEGIN)
    _, end_mark, after = rest.partition(END)
    if not (begin_mark and end_mark):
        raise ValueError("the document has no place for the table of pages")
    return f"{before}{BEGIN}\n{table(pages)}\n{END}{after}"


def _also(page: Page) -> str:
    said = []
    if page.personal:
        said.append("**personal**")
    if page.step_up:
        said.append("second factor again after ten minutes")
    if page.recorded and not page.changes:
        said.append("each opening recorded")
    return ", ".join(said) or "–"
