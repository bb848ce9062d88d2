"""Who is bound to which 個人番号 (as its digest), and binding them anew."""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, bindparam, select, update

from hub.errors import LedgerError
from hub.ledger.asides.once import MEANWHILE, change_one
from hub.ledger.beside import Binding
from hub.ledger.chunks import chunks
from hub.ledger.tables import bindings
from hub.ledger.writing import insert_rows

_BOUND = select(bindings.c.resident, bindings.c.digest).where(
    bindings.c.resident.in_(bindparam("residents", expanding=True))
)


def bound(connection: Connection, residents: Collection[str]) -> dict[str, str]:
    """Give the digest of each resident's number, of those who are bound to one."""
    found: dict[str, str] = {}
    for some in chunks(sorted(residents)):
        rows = connection.execute(_BOUND, {"residents": some})
        found.update((resident, digest) for resident, digest in rows)
    return found


def bind(connection: Connection, new: Sequence[Binding], *, stale: bool) -> None:
    """Bind residents anew; ``stale`` says that what is known of them may have changed meanwhile.

    Raises:
        LedgerError: somebody else has bound one of them since.
    """
    if stale:
        now = bound(connection, [one.was or one.resident for one in new])
        if any(now.get(one.was or one.resident, "") != one.before for one in new):
            raise LedgerError(MEANWHILE)
    fresh = sorted((one.resident, one.after) for one in new if not one.before)
    insert_rows(connection, bindings, fresh)
    for one in new:
        if one.before:
            here = bindings.c.resident == (one.was or one.resident)
            values = {"resident": one.resident, "digest": one.after}
            changed = update(bindings).where(here, bindings.c.digest == one.before).values(values)
            change_one(connection, changed)
