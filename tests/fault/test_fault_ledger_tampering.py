"""Ten thousand tamperings (``--long``; some hundred otherwise): verification finds each of them.

Each round takes a fresh copy of a small ledger, does one thing to it that somebody with the
database or the disk, but without the hub's key, could do, and verifies. What changes nothing that
SQL can read, and no page, is no tampering: the round is done again.
"""

import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.errors import LedgerError
from hub.message import MessageKey
from tests.evidence.drill import LONG, seeded
from tests.evidence.ledger_changes import (
    change_a_value,
    change_the_tables,
    destroy_a_month,
    drop_rows,
    exchange_references,
    insert_a_row,
    move_salts,
    swap_rows,
)
from tests.evidence.ledger_harm import flip_a_bit_of_content, flip_bytes, harm_pages
from tests.evidence.ledger_rewriting import cut_the_end_off, rewrite_a_tile, rewrite_the_tail
from tests.evidence.ledger_rows import dump
from tests.samples import REGISTRY
from tests.servers.ledger_to_verify import destroy_november, erase_salts, filled, verified

pytestmark = pytest.mark.fault

SHORT = 210
Tampering = Callable[[random.Random, Path], None]
TAMPERINGS: tuple[Tampering, ...] = (
    change_a_value,
    change_a_value,
    swap_rows,
    drop_rows,
    insert_a_row,
    exchange_references,
    cut_the_end_off,
    rewrite_the_tail,
    rewrite_a_tile,
    move_salts,
    change_the_tables,
    destroy_a_month,
    flip_bytes,
    flip_a_bit_of_content,
    harm_pages,
)


@pytest.fixture(scope="module")
def ledgers(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Give a whole ledger, and one with a destroyed month and erased salts."""
    folder = tmp_path_factory.mktemp("ledgers")
    paths = [folder / "whole.sqlite3", folder / "after-retention.sqlite3"]
    for path in paths:
        filled(f"sqlite:///{path}")
    erase_salts(f"sqlite:///{paths[1]}", MessageKey(REGISTRY, "file-1.150"))
    destroy_november(f"sqlite:///{paths[1]}", folder)
    for path in paths:
        assert verified(f"sqlite:///{path}").fault == ""
    return paths


def remove(path: Path) -> None:
    for one in path.parent.glob(f"{path.name}*"):
        one.unlink()


def found(path: Path) -> str:
    """Say how verification found it; empty where it did not."""
    try:
        said = verified(f"sqlite:///{path}")
    except LedgerError:
        return "refused"
    return "entry" if said.first_bad else "fault" if said.fault else "halted" if said.halted else ""


def test_every_tampering_of_the_database_is_found(
    ledgers: list[Path], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    rounds = LONG if request.config.getoption("--long") else SHORT
    dumps = {path: dump(path) for path in ledgers}
    tally: Counter[tuple[str, str]] = Counter()
    missed = []
    for number in range(rounds):
        tampering = TAMPERINGS[number % len(TAMPERINGS)]
        # After a destruction nobody can say any more in which order old rows were first used.
        whole = tampering is exchange_references or number // len(TAMPERINGS) % 2 == 0
        source = ledgers[0 if whole else 1]
        for again in range(200):
            copy = tmp_path / "copy.sqlite3"
            remove(copy)
            shutil.copyfile(source, copy)
            tampering(seeded(number, again), copy)
            if dump(copy) != dumps[source]:
                break
        else:
            pytest.fail(f"{tampering.__name__} never changed anything")
        how = found(copy)
        tally[tampering.__name__, how or "MISSED"] += 1
        if not how:
            missed.append((number, again, tampering.__name__, source.name))
    sizes = "\n".join(f"{name:24} {how:8} {n}" for (name, how), n in sorted(tally.items()))
    print(f"\n{rounds} tamperings\n{sizes}")  # noqa: T201 - the figures of the drill
    assert not missed, f"number, again, what, where: {missed[:20]}"
