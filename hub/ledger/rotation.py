"""Exchanges the keys of a ledger: what its entries say of that, and what must be looked at before.

An exchange is an entry, made while the old key is in use, that names both keys by their ids. Only
then does the new one take its place, so that whoever finds the new one in use finds the entry too.
"""

import re
import time
from collections.abc import Callable, Collection, Iterator
from itertools import pairwise

from sqlalchemy import Connection, Engine, select

from hub.errors import LedgerError
from hub.ledger import head as heads
from hub.ledger.acts import Act, act
from hub.ledger.asides import find
from hub.ledger.beside import KEPT
from hub.ledger.chunks import chunks
from hub.ledger.edge import load_edge
from hub.ledger.leaf import Recorded
from hub.ledger.model import Kind, Pseudonyms
from hub.ledger.recall import case_numbers
from hub.ledger.roster import BEAT_SECONDS
from hub.ledger.rotated import addressee_in
from hub.ledger.schema import ledger_errors
from hub.ledger.store import DatabaseLedger
from hub.ledger.tables import asides, workers
from hub.ledger.vault import vault_of
from hub.ledger.years.holds import Hold, standing
from hub.ledger.years.records import Order, records
from schemas.evidence.note import Signer

LOOKS = 3
"""So many looks at the roster, a beat apart, show whether a worker is alive."""
_DETAIL = re.compile(r"key ([0-9a-f]{8}) retired, ([0-9a-f]{8}) in use", re.ASCII)


def refuse_workers(engine: Engine, pause: Callable[[float], None] = time.sleep) -> None:
    """See that no worker of the hub is alive: one would go on with the old key.

    Raises:
        LedgerError: one is, or the database cannot be read.
    """
    seen = [_counters(engine)]
    while seen[0] and len(seen) < LOOKS:
        pause(BEAT_SECONDS)
        seen.append(_counters(engine))
    moved = {name for one, other in pairwise(seen) for name, _ in other - one}
    if moved:
        names = ", ".join(sorted(moved))
        message = f"the hub is not stopped ({names}): stop renkei up, here and on other machines"
        raise LedgerError(message)


def _counters(engine: Engine) -> frozenset[tuple[str, int]]:
    with ledger_errors("be read"), engine.connect() as connection:
        rows = connection.execute(select(workers.c.name, workers.c.beats))
        return frozenset((row.name, row.beats) for row in rows)


def enter(ledger: DatabaseLedger, which: Act, old: str, new: str, order: Order) -> int:
    """Enter that a key takes another's place, once; give how many entries there are then.

    Raises:
        LedgerError: it cannot be recorded.
    """
    if (old, new) not in {ids_of(one) for one in exchanges(ledger.engine, which)}:
        detail = f"key {old} retired, {new} in use"
        said = act(Kind.OPERATOR_ACTION, order.access, order.at, code=which, detail=detail)
        ledger.append([said])
    ledger.checkpoint()
    return ledger.size()


def exchanges(engine: Engine, which: Act) -> list[Recorded]:
    """Give the entries about exchanges of a kind of key, in order, as far as they are kept."""
    with ledger_errors("be read"), engine.connect() as connection:
        return list(records(connection, Kind.OPERATOR_ACTION, which))


def ids_of(entry: Recorded) -> tuple[str, str]:
    """Give the ids of the key that was retired by an entry, and of the one that came.

    Raises:
        LedgerError: the entry does not say so.
    """
    said = _DETAIL.fullmatch(entry.detail)
    if said is None:
        raise LedgerError(f"entry {entry.number} should be about keys and cannot be read")
    return said[1], said[2]


def put_signer(
    ledger: DatabaseLedger, old: Signer, new: Signer, put: Callable[[Signer], None]
) -> Signer:
    """Let a new key sign the ledger from now on; ``put`` keeps it in place of the old one.

    Nobody appends meanwhile. Once it is done, a process that still has the old key finds that the
    head is sealed by another one, and appends no more.

    Raises:
        LedgerError: the ledger is not as the old key has sealed it, or cannot be written.
    """
    with ledger_errors("record"), ledger.engine.begin() as connection:
        head = heads.locked(connection)
        root = load_edge(connection, head.size).root()
        head.check(root, old.verifier)
        signer = new.in_place_of(old, head.size)
        put(signer)
        heads.write(connection, head.sealed(root, signer))
    return signer


def silent(ledger: DatabaseLedger, pseudonyms: Pseudonyms) -> list[int]:
    """Give the numbers of what was put aside and waits, and does not say about whom it is.

    With another key it could not be seen any more whether something newer has overtaken it.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    with ledger_errors("be read"), ledger.engine.connect() as connection:
        return sorted(_silent(connection, pseudonyms))


def _silent(connection: Connection, pseudonyms: Pseudonyms) -> Iterator[int]:
    states = [one.value for one in KEPT]
    query = select(asides.c.id).where(asides.c.state.in_(states), asides.c.resident != "")
    vault = vault_of(pseudonyms)
    for some in chunks(connection.execute(query).scalars().all()):
        for number, one in find(connection, some).items():
            try:
                says = bool(addressee_in(vault.open(number, one.sealed)))
            except LedgerError:
                says = False
            if not says:
                yield number


def resident_holds(ledger: DatabaseLedger) -> list[Hold]:
    """Give the legal holds that stand for a resident, who has another pseudonym soon."""
    with ledger_errors("be read"), ledger.engine.connect() as connection:
        return [one for one in standing(connection) if one.resident]


def refuse_lost_keys(engine: Engine, which: Act, known: Collection[str]) -> None:
    """See that no key is gone by which entries were made that are still kept.

    Raises:
        LedgerError: one is, or the ledger cannot be read.
    """
    for entry in exchanges(engine, which):
        old, _ = ids_of(entry)
        if old not in known:
            raise LedgerError(_LOST.format(old=old, number=entry.number, file=_FILES[which]))


_FILES = {Act.PSEUDONYM_KEY: "hub.pseudonym_key_file", Act.LEDGER_KEY: "hub.ledger_key_file"}
_LOST = (
    "the key {old}, which was retired by entry {number}, is not in {file} any more: what was "
    "written with it could not be found or checked. Bring its line back from a copy of the file"
)


def was_exchanged(engine: Engine, which: Act) -> bool:
    """Say quickly whether a key was ever exchanged; also where that entry is destroyed by now."""
    with ledger_errors("be read"), engine.connect() as connection:
        return bool(case_numbers(connection, Kind.OPERATOR_ACTION, which))
