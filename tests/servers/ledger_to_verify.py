"""Makes small ledgers that have everything verification looks at, and takes parts of them away."""

import datetime as dt
from collections.abc import Iterator

import sqlalchemy as sa

from hub.ledger.model import Entry, Kind, commit
from hub.ledger.months import all_months
from hub.ledger.schema import open_engine
from hub.ledger.store import DatabaseLedger
from hub.ledger.verify import Verified, verify
from hub.message import AccessItems, MessageKey
from schemas.evidence.note import Cosigner, SignedNote
from tests.samples import CHANGED, PSEUDONYMS, REGISTRY, SIGNER, TAX
from tests.servers.ledgers import execute, opened

NOVEMBER = dt.datetime(2026, 11, 20, 3, 0, 0, 123456, tzinfo=dt.UTC)
DECEMBER = dt.datetime(2026, 12, 3, 3, 0, tzinfo=dt.UTC)
COSIGNER = Cosigner.generate("union.example/witness")
KINDS = tuple(Kind)
BATCH = 37


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


def destroy_november(url: str) -> None:
    """Destroy the first month as retention does: an entry that says so, then the rows."""
    with opened(url) as ledger:
        with ledger.engine.connect() as connection:
            first, after = all_months(connection)[:2]
        detail = (
            f"month {first.month} entries {first.first_entry}-{after.first_entry - 1} "
            f"messages {first.first_message}-{after.first_message - 1}"
        )
        ledger.append([destruction("month", detail)])
        number = ledger.size()
    execute(
        url, "UPDATE ledger_months SET destroyed = :n WHERE month = :m", n=number, m=first.month
    )
    execute(url, f"DROP TABLE {first.table}")
    execute(
        url,
        f"DELETE FROM ledger_messages WHERE no < :first AND no NOT IN "  # noqa: S608 - a table of ours
        f"(SELECT message_no FROM {after.table})",
        first=after.first_message,
    )


def erase_salts(url: str, message: MessageKey) -> None:
    """Erase the salts of a message's entries, with an entry that says so."""
    with opened(url) as ledger:
        ledger.append([destruction("salts", f"message {message.sender}/{message.id}")])
        with ledger.engine.begin() as connection:
            for month in all_months(connection):
                erase = (
                    f"UPDATE {month.table} SET salt = NULL WHERE message_no IN "  # noqa: S608 - ours
                    "(SELECT no FROM ledger_messages WHERE sender = :sender AND message_id = :id)"
                )
                connection.execute(sa.text(erase), message._asdict())


def destruction(code: str, detail: str) -> Entry:
    """Give a destruction entry."""
    return Entry(
        kind=Kind.DESTRUCTION,
        at=DECEMBER + dt.timedelta(days=1),
        message=MessageKey("hub", f"destruction-{code}"),
        message_type="",
        code=code,
        detail=detail,
    )


def verified(url: str, **asked: object) -> Verified:
    """Verify a ledger with the tests' keys."""
    engine = open_engine(url)
    try:
        return verify(engine, SIGNER.verifier, cosigners=[COSIGNER.verifier], **asked)  # type: ignore[arg-type] - whatever a test asks
    finally:
        engine.dispose()
