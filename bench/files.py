"""From file to file: registry records in, two receivers' files out, everything as in a city.

A whole site runs under ``renkei up`` with every setting as it is by default: the hub, the
ledger's watch, three adapters, and the broker on the same cores. Every record is about somebody
whom both receivers may be told of, so each is read, judged, copied twice, written twice and
receipted twice.
"""

import json
import time
from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import adapters
from adapters.resident_registry.simulator import rows_of
from adapters.simulation.city import City, CityDay
from adapters.simulation.kit import DayFile, header_of, put
from bench.children import Child, running
from bench.measure import Measure
from bench.memory import Memory
from bench.moves import Say
from bench.site import make_site, sealed_twin
from bench.stand import forget
from bench.usage import look
from hub.broker.provide import ProvidedBroker
from hub.compose.checked import load_checked
from hub.compose.ledger import open_ledger
from hub.ledger.model import Kind, Ledger

SENDER, RECEIVERS = "resident-registry", ("premium-collection", "union")
FILES = 10
HOUSEHOLDS_SHARE = 4
"""About every fourth resident of the synthetic city is one of an insured person's household."""
A_SECOND = 3000
START_SECONDS = 8.0
LOOK_SECONDS = 1.0
ENTRIES_A_COPY = 3
"""Accepted, delivered, received."""
STALL_SECONDS = 60.0
TOLD_SECONDS = 30.0
_OPERATOR = ("市民課", "JUKI-T01", "S0101")


def measures(folder: Path, broker: ProvidedBroker, records: int, say: Say) -> Iterator[Measure]:
    """Take the rate from the first file to the last output record, and everybody's memory."""
    plain, vhost = make_site(folder, broker, (SENDER, *RECEIVERS))
    site = sealed_twin(plain)  # as a city has it: every 個人番号 is encrypted
    drives = {system: folder / "drives" / system for system in (SENDER, *RECEIVERS)}
    say(f"writing {FILES} files of {records // FILES:,} records ...")
    waiting = _written(folder / "waiting", records)
    records = sum(waiting.values())
    with running(["hub.cli.main", "up", "--site", str(site)], folder / "up.log") as up:
        time.sleep(START_SECONDS)
        processes = json.loads((folder / "logs" / "processes.json").read_text(encoding="utf-8"))
        pids = {name: int(pid) for name, pid in processes.items()}
        if broker.node is not None:
            pids["broker"] = broker.node.pids["server"]
        before = look(pids)
        with Memory(pids) as memory:
            begun = time.time()
            for file in waiting:
                file.rename(drives[SENDER] / "to-hub" / file.name)
            _wait_for_receipts(site, records, up, say)
        usage = before.until(look(pids))
    ended = max(_last(drives[system]) for system in RECEIVERS)
    for system in RECEIVERS:
        _check(system, drives[system], records)
    rate = records / (ended - begun)
    note = (
        f"{records:,} records in {FILES} files, each to two receivers, in {ended - begun:.0f} s;"
        f" {usage.said()} ({usage.full()})"
    )
    yield Measure(
        "file_to_file_records_per_s",
        rate,
        "records/s",
        f">= {A_SECOND:,}",
        rate >= A_SECOND,
        note=note,
    )
    yield memory.measure()
    with broker.management() as management:
        forget(management, vhost)


def _written(folder: Path, records: int) -> dict[Path, int]:
    """Write the registry's files: only households with somebody insured, none of them cut."""
    day = next(City(records * HOUSEHOLDS_SHARE, seed=7).days())
    households = _insured(day)
    kind = adapters.find(SENDER).inbound[0]
    made = {}
    for number in range(1, FILES + 1):
        file = DayFile(
            f"JUKI_{day.date:%Y%m%d}060000_{number:04d}_full.csv",
            kind.layout,
            kind.message_type,
            header_of(day, 6, _OPERATOR),
            list(_taken(households, records // FILES)),
        )
        written = put(file, folder)
        if written.records < records // FILES:
            raise RuntimeError("the city has too few insured persons for so many records")
        made[written.path] = written.records
    return made


def _insured(day: CityDay) -> Iterator[list[Mapping[str, str]]]:
    insured = {
        group.number
        for group in day.groups()
        if any(entry.person.eligibility is not None for entry in group.entries)
    }
    for number, rows in groupby(rows_of(day), key=itemgetter("group")):
        if number in insured:
            yield list(rows)


def _taken(
    households: Iterator[list[Mapping[str, str]]], least: int
) -> Iterator[Mapping[str, str]]:
    taken = 0
    while taken < least and (rows := next(households, None)):
        taken += len(rows)
        yield from rows


def _wait_for_receipts(site: Path, records: int, up: Child, say: Say) -> None:
    """Wait until both receivers have receipted everything, or nothing moves any more.

    Counting a million receipts would take a core for a while: that is done at the end.
    """
    settings, _ = load_checked(site)
    ledger = open_ledger(settings)
    copies = records * len(RECEIVERS)
    found, changed, told = -1, time.monotonic(), time.monotonic()
    try:
        while found < copies * ENTRIES_A_COPY or _receipts(ledger) < copies:
            time.sleep(LOOK_SECONDS)
            up.check()
            now = ledger.size()
            if now != found:
                found, changed = now, time.monotonic()
            if time.monotonic() - changed > STALL_SECONDS:
                raise RuntimeError(
                    f"{_receipts(ledger):,} of {copies:,} receipts came, and no more:\n{up.tail()}"
                )
            if time.monotonic() - told > TOLD_SECONDS:
                told = time.monotonic()
                say(f"{found:,} of {copies * ENTRIES_A_COPY:,} entries are in the ledger")
    finally:
        ledger.close()


def _receipts(ledger: Ledger) -> int:
    return sum(count.count for count in ledger.counts() if count.kind is Kind.RECEIPT)


def _outputs(drive: Path) -> list[Path]:
    return [path for path in (drive / "from-hub").rglob("*") if path.is_file()]


def _last(drive: Path) -> float:
    """Say when the last file was finished: written whole, then renamed."""
    return max(path.stat().st_ctime for path in _outputs(drive))


def _check(system: str, drive: Path, records: int) -> None:
    """See that the receiver's own reader finds every record."""
    found = sum(1 for _ in adapters.simulator(system).receive(drive))
    if found != records:
        raise RuntimeError(f"{system} has {found:,} records of {records:,}")
