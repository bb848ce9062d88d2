"""Checks one file of evidence, of whatever kind, and says in words what it proves.

    python -m schemas.evidence.check FILE --key VKEY [--cosigner VKEY] [--entry FILE]

Ends with 0 when it is proved, 1 when not, 2 when it could not be asked so. ``renkei ledger check``
does the same.
"""

import argparse
import json
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from schemas.evidence.audit import BAD, GOOD, NOT_ASKED, add_keys
from schemas.evidence.checkpoint import Checkpoint, open_checkpoint
from schemas.evidence.keys import CosignerVerifier, NoteError, Verifier
from schemas.evidence.merkle import ProofError
from schemas.evidence.note import Cosignature, SignedNote
from schemas.evidence.proof import CONSISTENCY, INCLUSION, ConsistencyProof, InclusionProof

__all__ = ["Checked", "NotProved", "check", "main"]

_NOT_SHOWN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class NotProved(ValueError):
    """The file does not prove anything with these keys; the text says why."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a file proves: ``said`` in words, a line each; ``facts`` for programs."""

    kind: str
    said: tuple[str, ...]
    facts: Mapping[str, object] = field(default_factory=dict)


def check(
    data: bytes,
    verifiers: Sequence[Verifier],
    cosigners: Sequence[CosignerVerifier] = (),
    entry: bytes | None = None,
) -> Checked:
    """Check an inclusion proof, a consistency proof, a checkpoint or any other signed note.

    ``entry`` is needed for an inclusion proof that does not hold its entry.

    Raises:
        NotProved: it proves nothing; the text says why.
    """
    first = data.partition(b"\n")[0]
    try:
        if first == INCLUSION.encode():
            return _inclusion(InclusionProof.parse(data), verifiers, cosigners, entry)
        if first == CONSISTENCY.encode():
            return _consistency(ConsistencyProof.parse(data), verifiers, cosigners)
        return _note(SignedNote.parse(data), verifiers, cosigners)
    except (ProofError, NoteError) as error:
        raise NotProved(str(error)) from None


def _inclusion(
    proof: InclusionProof,
    verifiers: Sequence[Verifier],
    cosigners: Sequence[CosignerVerifier],
    entry: bytes | None,
) -> Checked:
    proved = proof.check(verifiers, cosigners, entry)
    number, log = proved.index + 1, proved.checkpoint
    said = [
        f"Entry {number} is in the log {log.origin}, just as it stands here.",
        _signed(log),
        *_cosigned(proved.cosignatures),
        "The entry says:",
        *_entry_lines(proved.entry),
    ]
    text = proved.entry.decode("utf-8", "replace")
    facts = {**_facts(log, proved.cosignatures), "entry": number, "content": text}
    return Checked("inclusion", tuple(said), facts)


def _consistency(
    proof: ConsistencyProof, verifiers: Sequence[Verifier], cosigners: Sequence[CosignerVerifier]
) -> Checked:
    proved = proof.check(verifiers, cosigners)
    first, second = proved.first, proved.second
    said = [
        f"The log {second.origin} with {second.size} entries begins with the {first.size} entries",
        "of the earlier checkpoint, all of them and in their order.",
        "None of them was changed, left out or exchanged in between.",
        _signed(second),
        *_cosigned(proved.cosignatures),
    ]
    facts = {**_facts(second, proved.cosignatures), "first": first.size}
    return Checked("consistency", tuple(said), facts)


def _note(
    note: SignedNote, verifiers: Sequence[Verifier], cosigners: Sequence[CosignerVerifier]
) -> Checked:
    if (checkpoint := _checkpoint(note)) is not None:
        open_checkpoint(note, verifiers)
        cosignatures = note.cosigned(cosigners)
        said = [_signed(checkpoint), *_cosigned(cosignatures)]
        return Checked("checkpoint", tuple(said), _facts(checkpoint, cosignatures))
    signed_by = [one.name for one in note.verified(verifiers)]
    if not signed_by:
        raise NotProved("no key that was given has signed this file")
    lines = note.text.removesuffix("\n").split("\n")
    said = [f"{signed_by[0]} has signed this text:", *(f"  {_shown(line)}" for line in lines)]
    return Checked("note", tuple(said), {"signed_by": signed_by[0], "text": note.text})


def _checkpoint(note: SignedNote) -> Checkpoint | None:
    try:
        return Checkpoint.parse(note.text)
    except NoteError:
        return None


def _signed(log: Checkpoint) -> str:
    return (
        f"{log.origin} has signed that it has {log.size} entries, with the root {log.root.hex()}."
    )


def _cosigned(cosignatures: Sequence[Cosignature]) -> list[str]:
    return [f"{one.name} has cosigned that at {one.at} (Unix time)." for one in cosignatures]


def _facts(log: Checkpoint, cosignatures: Sequence[Cosignature]) -> dict[str, object]:
    return {
        "log": log.origin,
        "size": log.size,
        "root": log.root.hex(),
        "cosigned": {one.name: one.at for one in cosignatures},
    }


def _entry_lines(entry: bytes) -> list[str]:
    try:
        said = json.loads(entry)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        return [f"  {len(entry)} bytes that are no JSON object"]
    return [
        f"  {_shown(name)}: {_shown(value if isinstance(value, str) else json.dumps(value))}"
        for name, value in said.items()
        if value not in ("", [])
    ]


def _shown(text: str) -> str:
    return "".join("\ufffd" if unicodedata.category(one) in _NOT_SHOWN else one for one in text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Check as the command line says; give the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        entry = None if asked.entry is None else asked.entry.read_bytes()
        checked = check(asked.file.read_bytes(), asked.key, asked.cosigner, entry)
    except OSError as error:
        sys.stderr.write(f"cannot check: {error}\n")
        return NOT_ASKED
    except NotProved as error:
        sys.stdout.write(f"NOT PROVED: {error}\n")
        return BAD
    sys.stdout.write("".join(f"{line}\n" for line in checked.said))
    return GOOD


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m schemas.evidence.check",
        description="Check one file of evidence, and say what it proves.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the proof, checkpoint or note")
    add_keys(parser)
    parser.add_argument(
        "--entry", type=Path, metavar="FILE", help="the entry, where the proof does not hold it"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
