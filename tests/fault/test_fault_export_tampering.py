"""2,500 tamperings with an export (``--long``; a hundred otherwise): the audit finds each."""

import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.ledger.leaf import FROM_SQL, LEAF_SQL
from schemas.evidence.audit import audit
from schemas.evidence.tiles import encode_bundle, tiles_of
from tests.evidence.drill import LONG, seeded
from tests.evidence.ledger_rows import months_of
from tests.samples import SIGNER
from tests.servers.ledger_to_verify import filled
from tests.servers.ledgers import opened

pytestmark = pytest.mark.fault

SHORT = 100


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write an export of a whole ledger."""
    path = tmp_path_factory.mktemp("whole") / "ledger.sqlite3"
    folder = path.parent / "export"
    filled(f"sqlite:///{path}")
    with opened(f"sqlite:///{path}") as ledger:
        files = dict(exported(sqlite3.connect(path), ledger.checkpoint(), ledger.size()))
    for place, data in files.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes(data)
    assert audit(folder, [SIGNER.verifier]).good
    return folder


def exported(database: sqlite3.Connection, note: str, size: int) -> Iterator[tuple[str, bytes]]:
    leaves = []
    for table in months_of(database):
        query = f"SELECT {LEAF_SQL} {FROM_SQL.format(entries=table)} ORDER BY e.seq"
        leaves += [content.encode() for (content,) in database.execute(query)]
    yield "checkpoint", note.encode()
    for tile in tiles_of(size):
        ((hashes,),) = database.execute(
            "SELECT hashes FROM ledger_tiles WHERE level = ? AND n = ?", (tile.level, tile.index)
        )
        yield tile.path, hashes
        if tile.level == 0:
            yield tile.bundle().path, encode_bundle(leaves[tile.start : tile.start + tile.width])
    database.close()


def tamper_with_export(rng: random.Random, folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    path, other = rng.sample(files, 2)
    data, others = path.read_bytes(), other.read_bytes()
    at, to = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    what = rng.choice(["flip", "flip", "cut", "drop", "insert", "swap", "copy", "add", "append"])
    match what:
        case "flip":
            at = rng.randrange(len(data))
            one = bytes([data[at] ^ rng.randrange(1, 256)])
            path.write_bytes(data[:at] + one + data[at + 1 :])
        case "cut":
            path.write_bytes(data[:at])
        case "drop":
            path.unlink()
        case "insert":
            path.write_bytes(data[:at] + data[at:to] + data[at:])
        case "swap":
            path.write_bytes(others)
            other.write_bytes(data)
        case "copy":
            path.write_bytes(others)
        case "add":
            (path.parent / f"{rng.randrange(1000):03d}").write_bytes(data)
        case _:
            path.write_bytes(data + bytes([rng.randrange(256)]))
    return what


def test_every_tampering_of_an_export_is_found(
    export: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    rounds = LONG // 4 if request.config.getoption("--long") else SHORT
    before = contents(export)
    tally: Counter[str] = Counter()
    missed = []
    copy = tmp_path / "export"
    for number in range(rounds):
        for again in range(20):
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(export, copy)
            what = tamper_with_export(seeded(number, again), copy)
            if contents(copy) != before:
                break
        else:
            pytest.fail("nothing was ever changed")
        tally[what] += 1
        if audit(copy, [SIGNER.verifier]).good:
            missed.append((number, again, what))
    print(f"\n{rounds} tamperings of an export: {dict(tally)}")  # noqa: T201 - the drill's figures
    assert not missed, f"number, again, what, where: {missed[:20]}"


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
