"""The review report (III.5) in words: its tables, and the document on paper. Pure."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping

from hub.desks.evidence import Differs
from hub.desks.review import Changed, Counted, Review
from hub.disclosure import as_html, as_pdf
from hub.disclosure.content import Block, Column, Grid, Heading, Pairs, Paragraph
from hub.disclosure.model import CITY, OFFICE
from hub.disclosure.paper import Paper
from hub.ledger.leaf import Recorded
from monitoring.console.shown import Say
from monitoring.console.tables import Cell, Table
from monitoring.console.views import day, when
from monitoring.console.words import Words, every_word

_SHARES = {2: (60, 40), 3: (40, 40, 20), 4: (34, 26, 20, 20), 5: (10, 24, 14, 20, 32)}
"""How wide the columns of a table are on paper, in percent, by their number."""


def signature(t: Words, entry: Recorded | None) -> str:
    """Say whether a report was signed as read, by whom and when."""
    if entry is None:
        return t("review.unsigned")
    return t("review.signed", who=entry.access.staff, at=when(entry.at, t.language))


def tables(report: Review, say: Say) -> list[Table]:
    """Give the tables of a report, refused attempts first."""
    t = say.words
    system_heads = (t("table.sender"), t("table.why"), t("review.times"))
    staff_heads = (t("table.who"), t("table.what"), t("review.times"))
    return [
        Table(t("review.attempts"), system_heads, _refused(report.attempts, say)),
        Table(
            t("review.unusual"),
            (t("table.sender"), t("table.flow"), t("review.night"), t("review.rest")),
            [(say.system(one.sender), one.flow, one.night, one.rest) for one in report.unusual],
        ),
        Table(t("review.decisions"), staff_heads, _named(t, "decision", report.decisions)),
        Table(
            t("review.views"),
            (t("table.who"), t("review.times"), t("review.residents")),
            [(_who(t, one.who), one.views, one.residents) for one in report.views],
        ),
        Table(t("review.exports"), staff_heads, _named(t, "act", report.exports)),
        Table(t("review.logins"), staff_heads, _named(t, "act", report.logins)),
        Table(t("review.operations"), staff_heads, _named(t, "act", report.operations)),
        Table(
            t("review.days"),
            (t("table.day"), t("table.status")),
            [
                (day(dt.date.fromisoformat(one.day), t.language), t(f"day.{one.state}"))
                for one in report.unreconciled
            ],
        ),
        Table(t("review.accounts"), _change_heads(t), _changed(t, "act", report.accounts)),
        Table(t("review.catalogue"), _change_heads(t), _changed(t, "change", report.catalogue)),
        Table(t("review.refusals"), system_heads, _refused(report.refusals, say)),
    ]


def differ_table(t: Words, differ: Iterable[Differs]) -> Table:
    """Give the table of accounts that are not as the ledger says."""
    heads = (t("me.id"), t("review.in-ledger"), t("review.in-console"))
    return Table(t("review.differ"), heads, [tuple(one) for one in differ])


def _refused(found: Iterable[Counted], say: Say) -> list[tuple[Cell, ...]]:
    none = say.words("unknown")
    return [(say.system(one.who) or none, say.why(one.what), one.times) for one in found]


def _named(t: Words, kind: str, found: Iterable[Counted]) -> list[tuple[Cell, ...]]:
    return [(_who(t, one.who), _name(t, kind, one.what), one.times) for one in found]


def _change_heads(t: Words) -> tuple[str, ...]:
    return tuple(t(f"table.{name}") for name in ("entry", "at", "who", "what", "detail"))


def _changed(t: Words, kind: str, found: Iterable[Changed]) -> list[tuple[Cell, ...]]:
    return [
        (one.entry, _when(t, one.at), _who(t, one.who), _name(t, kind, one.what), one.detail)
        for one in found
    ]


def _when(t: Words, at: str) -> str:
    return when(dt.datetime.fromisoformat(at), t.language)


def _who(t: Words, staff: str) -> str:
    return staff or t("unknown")


def _name(t: Words, kind: str, code: str) -> str:
    """Name an act or a decision; what has no name is told by its code."""
    key = f"{kind}.{code}"
    return t(key) if key in every_word() else code


def paper(report: Review, by: Recorded | None, say: Say, at: dt.datetime) -> Paper:
    """Give a report as a document; ``by`` is the entry by which somebody signed it as read."""
    t = say.words
    title = t("review.title", month=report.month)
    return Paper(title, CITY, OFFICE, title, at, tuple(_blocks(report, by, say)))


def _blocks(report: Review, by: Recorded | None, say: Say) -> Iterator[Block]:
    t = say.words
    digest = (t("review.digest"), (report.digest(),))
    yield Pairs(
        t("review.title", month=report.month), ((t("table.status"), (signature(t, by),)), digest)
    )
    if report.attempts:
        yield Paragraph(t("review.attempted"))
    for table in tables(report, say):
        yield Heading(table.label)
        if not table.rows:
            yield Paragraph(t("none"))
            continue
        shares = _SHARES[len(table.heads)]
        columns = tuple(map(Column, table.heads, shares))
        rows = tuple(tuple((str(cell),) for cell in row) for row in table.rows)
        yield Grid(t("review.rows", number=len(rows)), columns, rows)
    yield Paragraph(t("review.night-help"))


WRITERS: Mapping[str, Callable[[Review, Recorded | None, Say, dt.datetime], bytes]] = {
    "pdf": lambda *of: as_pdf.printed(paper(*of)),
    "html": lambda *of: as_html.page(paper(*of)),
    "json": lambda report, *_: report.document(),
}
"""How a report becomes a file, by the file's ending; as JSON it is what is signed."""
