"""The head of the ledger: how much there is of everything, sealed by the hub's signature.

Each append signs the new head, so that a tail that was rewritten with fresh hashes, or cut
off, does not pass without the hub's key. The seal is a checkpoint (C2SP tlog-checkpoint) of the
whole tree with the numbers of rows as its extension lines.
"""

from dataclasses import dataclass, fields, replace

from sqlalchemy import Connection, select, update

from hub.errors import LedgerError
from hub.ledger.tables import head
from schemas.evidence.checkpoint import Checkpoint
from schemas.evidence.note import NoteError, SignedNote, Signer, Verifier, written


@dataclass(frozen=True, slots=True)
class Head:
    """The numbers of rows of each kind, and the seal over them."""

    size: int
    messages: int
    terms: int
    access: int
    cases: int
    checkpoints: int
    seal: str = ""

    def counts(self) -> tuple[str, ...]:
        """Give the extension lines of the seal."""
        names = (one.name for one in fields(self) if one.name not in {"size", "seal"})
        return tuple(f"{name} {getattr(self, name)}" for name in names)

    def sealed(self, root: bytes, signer: Signer) -> "Head":
        """Give the same head with the seal over it and over the tree's root."""
        text = Checkpoint(signer.name, self.size, root, self.counts()).text()
        return replace(self, seal=written(text, [signer.sign(text)]))

    def check(self, root: bytes, verifier: Verifier) -> None:
        """Make sure that the seal is the hub's and says just this.

        Raises:
            LedgerError: it is not.
        """
        if self.size == 0 and not self.seal:
            return
        try:
            note = SignedNote.parse(self.seal)
            said = Checkpoint.parse(note.text)
            signed = note.verified([verifier])
        except NoteError as error:
            raise LedgerError(f"the seal of the ledger's head is broken: {error}") from None
        if not signed:
            raise LedgerError(
                f"the seal of the ledger's head is not by the key {verifier.text()}: the ledger "
                "or the key file is not this site's"
            )
        if said != Checkpoint(verifier.name, self.size, root, self.counts()):
            raise LedgerError("the ledger's head is not what was sealed: run renkei ledger verify")


_NUMBERS = tuple(head.c[one.name] for one in fields(Head))
_GROW = (update(head).where(head.c.id == 1, head.c.fault == "").values(size=head.c.size)).returning(
    *_NUMBERS
)


_READ = select(*_NUMBERS, head.c.fault)
_WRITE = update(head).where(head.c.id == 1)  # executed with a Head's values


def locked(connection: Connection) -> Head:
    """Give the head, and let nobody else append until this transaction ends.

    Raises:
        LedgerError: the ledger is halted by a check that failed, or has no head.
    """
    # A write and not a look, so that SQLite too takes its lock here.
    row = connection.execute(_GROW).one_or_none()
    if row is None:
        fault = connection.execute(select(head.c.fault)).scalar_one_or_none()
        raise LedgerError(halted(fault or "its head is gone"))
    return Head(*row)


def read(connection: Connection) -> tuple[Head, str]:
    """Give the head as it is now, and the fault that halts the ledger, or an empty text.

    Raises:
        LedgerError: there is none.
    """
    row = connection.execute(_READ).one_or_none()
    if row is None:
        raise LedgerError(halted("its head is gone"))
    *numbers, fault = row
    return Head(*numbers), fault


def size(connection: Connection) -> int:
    """Give how many entries there are; none where the head is gone."""
    return connection.execute(select(head.c.size)).scalar_one_or_none() or 0


def write(connection: Connection, new: Head) -> None:
    """Put a new head in place of the one that is locked."""
    connection.execute(_WRITE, {one.name: getattr(new, one.name) for one in fields(Head)})


def set_fault(connection: Connection, fault: str) -> None:
    """Halt the ledger, or let it go on again with an empty text."""
    connection.execute(update(head).where(head.c.id == 1).values(fault=fault))


def halted(fault: str) -> str:
    """Say that the ledger takes nothing, and what to do."""
    return (
        f"the ledger takes nothing, since a check of it failed: {fault}. Run renkei ledger verify; "
        "once the cause is mended it goes on by itself"
    )
