"""Makes small ledgers that have everything verification looks at, and takes parts of them away."""

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

from hub.ledger.model import Entry, Kind, commit
from hub.ledger.schema import open_engine
from hub.ledger.store import DatabaseLedger
from hub.ledger.verify.ledger import Verified, verify
from hub.ledger.years.erasure import erase
from hub.ledger.years.records import Order
from hub.ledger.years.retention import Step, destroy, due
from hub.message import AccessItems, MessageKey
from schemas.evidence.note import Cosigner, SignedNote
from tests.samples import CHANGED, PSEUDONYMS, REGISTRY, SIGNER, TAX
from tests.servers.ledgers import execute, opened

NOVEMBER = dt.datetime(2026, 11, 20, 3, 0, 0, 123456, tzinfo=dt.UTC)
DECEMBER = dt.datetime(2026, 12, 3, 3, 0, tzinfo=dt.UTC)
COSIGNER = Cosigner.generate("union.example/witness")
KINDS = tuple(Kind)
LATER = dt.datetime(2034, 1, 15, 3, tzinfo=dt.UTC)
ORDER = Order(AccessItems("職員九", "医療課", "T-09", "保存年限", "retain"), LATER, SIGNER)
BATCH = 37
HELD = MessageKey(REGISTRY, "file-1.150")
NOVEMBER_ROWS, DECEMBER_ROWS = "ledger_entries_202611", "ledger_entries_202612"


def some_entries(begin: dt.datetime, first: int, count: int) -> Iterator[Entry]:
    """Give entries of all kinds about some messages; some have salts, details, no resident."""
    for number in range(first, first + count):
        kind = KINDS[number * 7 % len(KINDS)]
        who = number % 5
        yield Entry(
            kind=kind,
            at=begin + dt.timedelta(seconds=number),
            message=MessageKey(TAX if who == 0 else REGISTRY, f"file-1.{number // 3}"),
            message_type=CHANGED,
            flow=f"I{number % 3}",
            receiver="premium-collection" if number % 2 else "",
            resident=PSEUDONYMS.resident(f"{number // 3:015d}") if who else "",
            code="denied" if kind is Kind.REFUSAL else "",
            detail=f'項目 {number} "a"' if number % 4 == 0 else "",
            basis="番号法 9条1項 別表 85の項",
            access=AccessItems(f"職員{who}", "市民課", "T-01", "転居", CHANGED),
            released=("addressee_number", "name")[: number % 3],
            withheld=("note",) if number % 2 else (),
            **_commitment(number),
        )


def _commitment(number: int) -> dict[str, object]:
    if number % 6 == 0:
        return {}
    return dict(commit(b"body %d" % number, b"%016d" % number)._asdict())


def fill(ledger: DatabaseLedger, november: int = 300, december: int = 300) -> None:
    """Append two months in batches, with some checkpoints."""
    for begin, first, count in ((NOVEMBER, 1, november), (DECEMBER, november + 1, december)):
        new = list(some_entries(begin, first, count))
        for at in range(0, count, BATCH):
            ledger.append(new[at : at + BATCH])
            if at // BATCH % 3 == 0:
                ledger.checkpoint()


def filled(url: str, november: int = 300, december: int = 300) -> None:
    """Make such a ledger; a second party has signed its first checkpoint."""
    with opened(url) as ledger:
        fill(ledger, november, december)
    (row,) = execute(url, "SELECT note FROM ledger_checkpoints WHERE id = 1")
    note = SignedNote.parse(row["note"])
    cosigned = note.with_line(COSIGNER.sign(note.text, 1_790_000_000)).encode().decode()
    execute(url, "UPDATE ledger_checkpoints SET note = :note WHERE id = 1", note=cosigned)


def destroy_november(url: str, folder: Path, step: Step | None = None) -> None:
    """Destroy the first month, as retention does; its certificate goes into a folder."""
    with opened(url) as ledger:
        with ledger.engine.connect() as connection:
            first = due(connection, 7, LATER.date())[0]
        destroy(ledger, first, folder, ORDER, step)


def erase_salts(url: str, message: MessageKey) -> int:
    """Erase the salts of a message's entries; give how many had one."""
    with opened(url) as ledger:
        return len(erase(ledger, message, ORDER))


def change(url: str, statement: str, **values: object) -> None:
    """Change something behind the ledger's back; ``november`` and ``december`` are its months."""
    for name, table in (("november", NOVEMBER_ROWS), ("december", DECEMBER_ROWS)):
        statement = re.sub(rf"\b{name}\b", table, statement)
    execute(url, statement, **values)


def verified(url: str, **asked: object) -> Verified:
    """Verify a ledger with the tests' keys."""
    engine = open_engine(url)
    try:
        return verify(engine, SIGNER.verifier, cosigners=[COSIGNER.verifier], **asked)  # type: ignore[arg-type] - whatever a test asks
    finally:
        engine.dispose()
