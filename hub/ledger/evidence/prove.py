"""Makes proofs about the ledger, as files that can be checked without it.

Every proof is checked as its reader will check it before it is handed out, and handing it out is
an entry of its own, which the checkpoint of the proof covers.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from hub.errors import LedgerError, QuestionError
from hub.ledger.acts import act
from hub.ledger.evidence.treeread import hash_reader
from hub.ledger.head import read
from hub.ledger.leaf import Recorded, read_leaf
from hub.ledger.model import Kind
from hub.ledger.months import all_months, kept_since
from hub.ledger.numbers import MessageRef, find_refs
from hub.ledger.reading import leaves
from hub.ledger.schema import ledger_errors
from hub.ledger.store import DatabaseLedger
from hub.ledger.tables import checkpoints, entries, terms
from hub.message import AccessItems
from schemas.evidence.checkpoint import Checkpoint, open_checkpoint
from schemas.evidence.keys import Signer, Verifier
from schemas.evidence.merkle import ProofError, consistency_proof, inclusion_proof
from schemas.evidence.note import NoteError, SignedNote
from schemas.evidence.proof import ConsistencyProof, InclusionProof
from schemas.evidence.tiles import TileError

PROOF, CONSISTENCY = "proof", "consistency"
"""The codes of the entries by which proofs are recorded."""

Point = int | SignedNote | None
"""A state of the log: its size, a checkpoint of it, or as it is now."""


@dataclass(frozen=True, slots=True)
class Proved:
    """An entry, and the proof that it is in the log."""

    entry: Recorded
    proof: InclusionProof


def prove(  # noqa: PLR0913 - which message, and who asks
    ledger: DatabaseLedger,
    verifier: Verifier,
    message_id: str,
    access: AccessItems,
    at: dt.datetime,
    *,
    sender: str = "",
) -> list[Proved]:
    """Prove each entry about a message: acceptance, deliveries, receipts and what else there is.

    Raises:
        QuestionError: several systems have used this id, and ``sender`` does not say which is
            meant; the text names them.
        LedgerError: there is no entry of it, or the ledger cannot be read or was changed.
    """
    refs, numbers = _entries_about(ledger, message_id, sender)
    senders = sorted({ref.sender for ref in refs})
    if len(senders) > 1:
        detail = f"message {message_id} of {', '.join(senders)}: not told which"
        ledger.append([act(Kind.LOG_VIEW, access, at, code=PROOF, detail=detail)])
        raise QuestionError(
            f"several systems have sent a message {message_id}: say --sender with one of "
            f"{', '.join(senders)}"
        )
    if not numbers:
        # Without the id: somebody may have typed a person's number instead.
        detail = "a message of which there is no entry"
        ledger.append([act(Kind.LOG_VIEW, access, at, code=PROOF, detail=detail)])
        raise LedgerError(
            "the ledger has no entry about such a message: there was none, or its month was "
            "destroyed"
        )
    detail = f"message {senders[0]}/{message_id}, {len(numbers)} entries"
    resident = next((ref.resident for ref in refs if ref.resident), "")
    ledger.append([act(Kind.EXPORT, access, at, code=PROOF, detail=detail, resident=resident)])
    note = SignedNote.parse(ledger.checkpoint())
    with _proving(), ledger.engine.connect() as connection:
        return _inclusions(connection, note, numbers, verifier)


def proved(ledger: DatabaseLedger, numbers: Sequence[int]) -> int:
    """Make sure that entries stand in the ledger as the hub signs it now; give its size.

    Nothing leaves the ledger by this, so nothing is recorded.

    Raises:
        LedgerError: one does not, or the ledger cannot be read.
    """
    note = SignedNote.parse(ledger.checkpoint())
    with _proving(), ledger.engine.connect() as connection:
        _inclusions(connection, note, numbers, ledger.verifier)
        return open_checkpoint(note, [ledger.verifier]).size


def consistency(  # noqa: PLR0913, PLR0917 - two states, and who asks
    ledger: DatabaseLedger,
    signer: Signer,
    first: Point,
    second: Point,
    access: AccessItems,
    at: dt.datetime,
) -> ConsistencyProof:
    """Prove that the log only grew from one state to the other; they may come in either order.

    A checkpoint of a size that none is kept of is signed anew, from the tree as it stands.

    Raises:
        LedgerError: a checkpoint is not of this log as it stands, or it cannot be read.
    """
    said = " and ".join(_said(point) for point in (first, second))
    ledger.append([act(Kind.EXPORT, access, at, code=CONSISTENCY, detail=said)])
    now = SignedNote.parse(ledger.checkpoint())
    with _proving(), ledger.engine.connect() as connection:
        notes = [now if one is None else _note(connection, signer, one) for one in (first, second)]
        opened = [(open_checkpoint(note, [signer.verifier]).size, note) for note in notes]
        (begin, earlier), (end, later) = sorted(opened, key=lambda one: one[0])
        if end > read(connection)[0].size:
            raise LedgerError(
                f"the ledger has fewer than the {end} entries of a checkpoint that it has signed: "
                "it was set back. Keep the checkpoint, and run renkei ledger verify"
            )
        hashes = consistency_proof(begin, end, hash_reader(connection, end).range_root)
        made = ConsistencyProof(earlier, later, tuple(hashes))
        made.check([signer.verifier])
    return made


def _entries_about(
    ledger: DatabaseLedger, message_id: str, sender: str
) -> tuple[list[MessageRef], list[int]]:
    """Find a message, and the numbers of the entries about it; these for one sender only."""
    with ledger_errors("be read"), ledger.engine.connect() as connection:
        # There are few senders, and messages are found by sender and id.
        known = connection.execute(select(terms.c.sender).distinct()).scalars().all()
        wanted = [(one, message_id) for one in known if not sender or one == sender]
        found = find_refs(connection, wanted)
        refs = list(found.values())
        is_one = len({ref.sender for ref in refs}) == 1
        return refs, _about(connection, sorted(found)) if is_one else []


def _about(connection: Connection, messages: Sequence[int]) -> list[int]:
    numbers: list[int] = []
    for month in kept_since(all_months(connection), messages[0]):
        entry = entries(month.month).c
        query = select(entry.seq).where(entry.message_no.in_(bindparam("messages", expanding=True)))
        numbers += connection.execute(query, {"messages": list(messages)}).scalars()
    return sorted(numbers)


def _inclusions(
    connection: Connection, note: SignedNote, numbers: Sequence[int], verifier: Verifier
) -> list[Proved]:
    size = open_checkpoint(note, [verifier]).size
    tree = hash_reader(connection, size)
    made: list[Proved] = []
    for number in numbers:
        content = [leaf for _, leaf in leaves(connection, number, number + 1)]
        if not content:
            raise LedgerError(f"entry {number} is gone: run renkei ledger verify")
        path = tuple(inclusion_proof(number - 1, size, tree.range_root))
        proof = InclusionProof(number - 1, path, note, content[0].encode())
        proof.check([verifier])
        made.append(Proved(read_leaf(content[0]), proof))
    return made


def _said(point: Point) -> str:
    if point is None:
        return "the newest"
    size = point if isinstance(point, int) else Checkpoint.parse(point.text).size
    return f"{size} entries"


def _note(connection: Connection, signer: Signer, point: int | SignedNote) -> SignedNote:
    """Give the checkpoint of a size: the kept one with its cosignatures, or a new one."""
    if isinstance(point, SignedNote):
        return point
    if point > read(connection)[0].size:
        raise LedgerError(f"the ledger has fewer than {point} entries")
    query = select(checkpoints.c.note).where(checkpoints.c.size == point)
    kept = connection.execute(query.order_by(checkpoints.c.id).limit(1)).scalar_one_or_none()
    if kept is not None:
        return SignedNote.parse(kept)
    root = hash_reader(connection, point).root()
    text = Checkpoint(signer.name, point, root).text()
    return SignedNote.signed(text, [signer.sign(text)])


@contextmanager
def _proving() -> Iterator[None]:
    try:
        with ledger_errors("be read"):
            yield
    except (NoteError, ProofError, TileError) as error:
        raise LedgerError(
            f"it cannot be proved: {error}. Is the checkpoint one of this ledger? If so, the "
            "ledger was changed: run renkei ledger verify"
        ) from None
