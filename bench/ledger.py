"""The ledger: appending with tree and seal, verifying, searching, and the disk it takes."""

import time
from collections.abc import Callable, Iterator

from sqlalchemy import BigInteger, Column, Engine, MetaData, Table, Text, text

from bench.measure import Measure
from bench.searches import slowest
from bench.traffic import ENTRIES_A_MESSAGE, batches
from hub.ledger.model import Entry
from hub.ledger.schema import migrate, open_engine, sqlite_path
from hub.ledger.store import DatabaseLedger
from hub.ledger.verify.ledger import verify
from hub.ledger.writing import insert_rows
from schemas.evidence.note import Signer

BATCH = 1000
"""Entries in one append: what a hub's batch of 500 messages for two receivers makes at once."""
PART = 100
"""Appends that one rate is taken over."""
SMALL = 10_000
TELL_SECONDS = 10.0
KEPT_RATE = 0.9
MOST_BYTES = 700
VERIFY_RATE = 200_000
SEARCH_SECONDS = 0.1
BARE = Table(
    "bare",
    MetaData(),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("said", Text, nullable=False),
)

Say = Callable[[str], None]


class Bench:
    """One ledger that grows; every figure of it is taken on the way."""

    def __init__(self, url: str, say: Say) -> None:
        migrate(url)
        self.url = url
        self.signer = Signer.generate("renkei.bench/ledger")
        self.ledger = DatabaseLedger(url, self.signer)
        self._say = say
        self._messages = 0

    def grow(self, entries: int) -> None:
        """Append until there are so many entries, and say how it goes."""
        begun = told = time.perf_counter()
        while (size := self.ledger.size()) < entries:
            self._append(PART)
            if time.perf_counter() - told > TELL_SECONDS:
                told = time.perf_counter()
                self._say(f"{size:,} entries after {told - begun:.0f} s")

    def rate(self) -> float:
        """Append a part, and give entries a second; making the entries is not counted."""
        return self._append(PART)

    def _append(self, count: int) -> float:
        made = list(batches(count, BATCH, self._messages))
        self._messages += count * (BATCH // ENTRIES_A_MESSAGE)
        begun = time.perf_counter()
        for batch in made:
            self.ledger.append(batch)
        return sum(map(len, made)) / (time.perf_counter() - begun)

    def verify_rate(self) -> float:
        """Verify everything, and give entries a second."""
        begun = time.perf_counter()
        found = verify(self.ledger.engine, self.signer.verifier, quick=True)
        seconds = time.perf_counter() - begun
        if found.fault:
            raise RuntimeError(found.fault)
        return found.size / seconds

    def bytes_an_entry(self) -> float:
        """Give the disk that the ledger takes, indexes included, for each entry."""
        return _bytes(self.ledger.engine) / self.ledger.size()


def raw_rate(url: str) -> float:
    """Insert the same leaves into one bare table, durably, and give rows a second."""
    engine = open_engine(url, make=True)
    rows = [_as_row(entry) for batch in batches(PART, BATCH) for entry in batch]
    numbered = list(enumerate(rows, 1))
    with engine.begin() as connection:
        BARE.create(connection)
    begun = time.perf_counter()
    for start in range(0, len(numbered), BATCH):
        with engine.begin() as connection:
            insert_rows(connection, BARE, numbered[start : start + BATCH])
    seconds = time.perf_counter() - begun
    with engine.begin() as connection:
        BARE.drop(connection)
    engine.dispose()
    return len(rows) / seconds


def _as_row(entry: Entry) -> str:
    return f"{entry.message} {entry.resident} {entry.digest} {entry.basis} {entry.released}"


def _bytes(engine: Engine) -> float:
    path = sqlite_path(engine)
    if path is not None:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return path.stat().st_size
    with engine.connect() as connection:
        return float(
            connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
        )


def measures(kind: str, url: str, entries: int, wanted: int, say: Say) -> Iterator[Measure]:
    """Take all figures of one database; ``wanted`` is the rate of appending to reach."""
    raw = raw_rate(url)
    bench = Bench(url, say)
    bench.grow(SMALL)
    small = bench.rate()
    yield Measure(
        f"ledger_append_{kind}",
        small,
        "entries/s",
        f">= {wanted:,}",
        small >= wanted,
        raw,
        f"at {SMALL:,} entries, {BATCH:,} a batch; beside bare rows without tree, index or seal",
    )
    bench.grow(entries)
    large = bench.rate()
    name = "ledger_append_10m_vs_10k" if kind == "sqlite" else f"ledger_append_{kind}_large"
    yield Measure(
        name,
        large,
        "entries/s",
        "ratio >= 0.9",
        large >= KEPT_RATE * small,
        small,
        f"at {bench.ledger.size():,} entries",
    )
    size = bench.bytes_an_entry()
    suffix = "" if kind == "sqlite" else f"_{kind}"
    yield Measure(f"ledger_bytes_per_entry{suffix}", size, "bytes", "<= 700", size <= MOST_BYTES)
    rate = bench.verify_rate()
    yield Measure(
        f"ledger_verify_per_s{suffix}", rate, "entries/s", ">= 200,000", rate >= VERIFY_RATE
    )
    yield from _searches(kind, bench)
    bench.ledger.close()


def _searches(kind: str, bench: Bench) -> Iterator[Measure]:
    seconds, what = slowest(bench.ledger.engine)
    yield Measure(
        f"ledger_search_slowest_{kind}",
        seconds * 1000,
        "ms",
        "<= 100",
        seconds <= SEARCH_SECONDS,
        note=what,
    )
