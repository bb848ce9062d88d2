"""Cosignatures: a second party signs what it saw, so that the log cannot show two faces.

The second party checks that the log has only grown since it signed last, and adds a
``cosignature/v1`` (https://c2sp.org/tlog-cosignature) on its own machine. The ledger keeps it with
the checkpoint.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from hub.errors import LedgerError
from hub.ledger.acts import act
from hub.ledger.model import Kind
from hub.ledger.schema import ledger_errors
from hub.ledger.store import DatabaseLedger
from hub.ledger.tables import checkpoints
from hub.message import AccessItems
from schemas.evidence.checkpoint import Checkpoint, open_checkpoint
from schemas.evidence.keys import Cosigner, CosignerVerifier, NoteError, Verifier
from schemas.evidence.merkle import ProofError
from schemas.evidence.note import Signature, SignedNote
from schemas.evidence.proof import ConsistencyProof

COSIGNATURE = "cosignature"
"""The code of the entry by which kept cosignatures are recorded."""


def cosign(  # noqa: PLR0913 - what a second party brings
    note: SignedNote,
    log: Verifier,
    key: Cosigner,
    at: int,
    *,
    previous: SignedNote | None,
    proof: ConsistencyProof | None,
) -> SignedNote:
    """Add a cosignature to a checkpoint.

    Args:
        note: The checkpoint.
        log: The log's key, which must have signed it.
        key: The second party's.
        at: The time, in seconds since 1970-01-01T00:00Z.
        previous: The checkpoint that this party cosigned last; none for the very first.
        proof: That the log only grew since; not needed where it did not grow.

    Raises:
        LedgerError: something is not as it must be; nothing is signed.
    """
    try:
        checkpoint = open_checkpoint(note, [log])
        if previous is not None:
            before = open_checkpoint(previous, [log])
            if not previous.cosigned([key.verifier]):
                raise LedgerError(f"the previous checkpoint was not cosigned by {key.name}")
            _check_growth(before, checkpoint, log, proof)
        return note.with_line(key.sign(note.text, at))
    except (NoteError, ProofError) as error:
        raise LedgerError(f"nothing is cosigned: {error}") from None


def _check_growth(
    before: Checkpoint, now: Checkpoint, log: Verifier, proof: ConsistencyProof | None
) -> None:
    if before == now:
        return
    if now.size <= before.size:
        raise LedgerError(
            f"nothing is cosigned: the checkpoint has {now.size} entries and the one before has "
            f"{before.size}, but they are not the same. Keep both: together they are evidence"
        )
    if proof is None:
        raise LedgerError(
            f"nothing is cosigned: ask the hub for a proof that the log only grew from "
            f"{before.size} to {now.size} entries (renkei ledger consistency {before.size} "
            f"{now.size})"
        )
    proved = proof.check([log])
    if (proved.first, proved.second) != (before, now):
        raise LedgerError("nothing is cosigned: the proof is about other checkpoints")


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a cosigned checkpoint: of whom cosignatures are new in the ledger.

    ``unknown`` are those of keys that the site does not know; they are not kept.
    """

    size: int
    new: tuple[str, ...]
    unknown: tuple[str, ...]


def keep(  # noqa: PLR0913, PLR0917 - what is kept, and who asks
    ledger: DatabaseLedger,
    verifier: Verifier,
    cosigners: Sequence[CosignerVerifier],
    note: SignedNote,
    access: AccessItems,
    at: dt.datetime,
) -> Kept:
    """Keep the cosignatures under a checkpoint of this ledger, and record that.

    Only those of ``cosigners`` are kept, of each the latest.

    Raises:
        LedgerError: it is no checkpoint that the ledger keeps, none of the cosigners has signed
            it, or a signature does not verify.
    """
    try:
        size = open_checkpoint(note, [verifier]).size
        signed = [one.name for one in note.cosigned(cosigners)]
    except NoteError as error:
        raise LedgerError(f"this cosignature is not kept: {error}") from None
    known = {(one.name, one.key_id) for one in cosigners}
    ours = {_key(one) for one in verifier.keys}
    unknown = [one.name for one in note.signatures if _key(one) not in known | ours]
    if not signed:
        raise LedgerError(
            "the checkpoint has no cosignature of anybody whom the site knows"
            f"{f' (it has that of {unknown[0]})' if unknown else ''}: the public keys of "
            "cosigners stand in hub.ledger_cosigners of the site file"
        )
    with ledger_errors("be read"), ledger.engine.connect() as connection:
        number, kept = _kept(connection, size, note)
    merged = _merged(kept, [one for one in note.signatures if _key(one) in known])
    new = sorted(one.name for one in merged.signatures if one not in kept.signatures)
    if new:
        detail = f"checkpoint of {size} entries, by {', '.join(new)}"
        ledger.append([act(Kind.OPERATOR_ACTION, access, at, code=COSIGNATURE, detail=detail)])
        _replace(ledger, number, kept, merged)
    return Kept(size, tuple(new), tuple(unknown))


def newest_cosigned(ledger: DatabaseLedger) -> SignedNote | None:
    """Give the newest kept checkpoint that has a cosignature."""
    # The lines of the hub alone begin with a dash once.
    query = select(checkpoints.c.note).where(checkpoints.c.note.like("%\n\u2014 %\n\u2014 %"))
    query = query.order_by(checkpoints.c.id.desc()).limit(1)
    with ledger_errors("be read"), ledger.engine.connect() as connection:
        note = connection.execute(query).scalar_one_or_none()
    return None if note is None else SignedNote.parse(note)


def _key(one: Signature | Verifier) -> tuple[str, int]:
    return one.name, one.key_id


def _kept(connection: Connection, size: int, note: SignedNote) -> tuple[int, SignedNote]:
    query = select(checkpoints.c.id, checkpoints.c.note).where(checkpoints.c.size == size)
    for number, text in connection.execute(query):
        kept = SignedNote.parse(text)
        if kept.text == note.text:
            return int(number), kept
    raise LedgerError(
        f"this ledger keeps no such checkpoint of {size} entries: have one cosigned that "
        "renkei ledger checkpoint has printed"
    )


def _merged(kept: SignedNote, cosigned: Sequence[Signature]) -> SignedNote:
    """Give the kept note with the latest cosignature of each key."""
    found = {_key(one): one for one in kept.signatures}
    for one in cosigned:
        there = found.get(_key(one))
        # A cosignature begins with its time, so the later one is the greater.
        if there is None or there.signature < one.signature:
            found[_key(one)] = one
    return SignedNote(kept.text, tuple(found.values()))


def _replace(ledger: DatabaseLedger, number: int, old: SignedNote, new: SignedNote) -> None:
    values = update(checkpoints).where(
        checkpoints.c.id == number, checkpoints.c.note == old.encode().decode()
    )
    with ledger_errors("keep the cosignature"), ledger.engine.begin() as connection:
        done = connection.execute(values.values(note=new.encode().decode())).rowcount
    if done != 1:
        raise LedgerError("somebody else has just added a cosignature: add this one again")
