"""Writes what a resident is told about the transfers of their data, and records that."""

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from hub.disclosure import as_html, as_json, as_pdf
from hub.disclosure.model import CITY, OFFICE, Disclosure, Maker
from hub.disclosure.transfers import Period, rows_and_views
from hub.errors import LedgerError
from hub.ledger.acts import act
from hub.ledger.model import Kind, Pseudonyms
from hub.ledger.months import all_months
from hub.ledger.schema import ledger_errors
from hub.ledger.search.ask import entries_about
from hub.ledger.store import DatabaseLedger
from hub.ledger.years.newfile import NewFile
from hub.message import AccessItems
from hub.statute.model import Catalogue
from schemas.evidence.checkpoint import Checkpoint
from schemas.evidence.note import SignedNote

CODE = "disclosure"
FORMATS: Mapping[str, Callable[[Disclosure], bytes]] = {
    "html": as_html.render,
    "pdf": as_pdf.render,
    "json": as_json.render,
}
_PRIVATE = 0o700


@dataclass(frozen=True, slots=True)
class Request:
    """What is disclosed: the resident's 宛名番号 as the sending systems write it, and when."""

    addressee_number: str = field(repr=False)
    period: Period = field(default_factory=Period)
    show_staff: bool = False


def read_disclosure(  # noqa: PLR0913 - who asks what of which ledger, and when
    ledger: DatabaseLedger,
    catalogue: Catalogue,
    pseudonyms: Pseudonyms,
    request: Request,
    *,
    access: AccessItems,
    now: dt.datetime,
) -> Disclosure:
    """Record that the ledger is looked at about a resident, and give what it says.

    Raises:
        LedgerError: the ledger cannot be added to or read; nothing is disclosed.
    """
    residents = pseudonyms.residents(request.addressee_number)
    ledger.append([act(Kind.LOG_VIEW, access, now, code=CODE, resident=residents[0])])
    note = ledger.checkpoint()
    size = Checkpoint.parse(SignedNote.parse(note).text).size
    with ledger_errors("be read"), ledger.engine.connect() as connection:
        months = all_months(connection)
        entries = entries_about(connection, residents, size)
        rows, views = rows_and_views(entries, catalogue, request.period)
    gone = (month.month for month in months if month.destroyed)
    return Disclosure(
        city=CITY,
        office=OFFICE,
        addressee_number=request.addressee_number,
        made_at=now,
        made_by=Maker(access.staff, access.department),
        ledger_size=size,
        checkpoint=note,
        start=request.period.start,
        end=request.period.end,
        rows=rows,
        views=views,
        destroyed=tuple(month for month in gone if request.period.meets(month)),
        show_staff=request.show_staff,
    )


def write_disclosure(  # noqa: PLR0913 - what is written where, and by whom
    ledger: DatabaseLedger,
    pseudonyms: Pseudonyms,
    of: Disclosure,
    folder: Path,
    *,
    formats: Collection[str],
    access: AccessItems,
) -> list[Path]:
    """Write a disclosure's files, for this account alone, and record the SHA-256 of each.

    The files get their names once their entries are recorded; before that there are none.

    Raises:
        LedgerError: one cannot be written or is there already, or it cannot be recorded.
    """
    resident = pseudonyms.resident(of.addressee_number)
    _make(folder)
    with ExitStack() as stack:
        files = []
        for name in sorted(formats):
            file = stack.enter_context(NewFile(folder / f"disclosure.{name}"))
            file.write(FORMATS[name](of))
            file.settle()
            files.append(file)
        ledger.append(
            [
                act(
                    Kind.EXPORT,
                    access,
                    of.made_at,
                    code=CODE,
                    detail=file.path.name,
                    digest=file.digest(),
                    resident=resident,
                )
                for file in files
            ]
        )
        for file in files:
            file.keep()
    return [file.path for file in files]


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
    except OSError as error:
        message = f"the folder {folder} cannot be made: {error.strerror}; name another with --out"
        raise LedgerError(message) from None
