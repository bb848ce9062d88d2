"""The files of evidence that commands read and write."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from hub.errors import LedgerError

if TYPE_CHECKING:
    from schemas.evidence.keys import CosignerVerifier, Verifier
    from schemas.evidence.note import SignedNote

ReadT = TypeVar("ReadT")
KeyT = TypeVar("KeyT")

OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out", "-o", help="Write it to this new file, too.", dir_okay=False, show_default=False
    ),
]
NewFileOption = Annotated[
    Path, typer.Option("--out", "-o", help="The new file.", dir_okay=False, show_default=False)
]


def write_new(path: Path, data: bytes) -> None:
    """Write a new file, whole or not at all.

    Raises:
        LedgerError: it cannot be written, or there is one of this name.
    """
    from hub.ledger.years.newfile import NewFile  # noqa: PLC0415 - see hub.cli.main

    with NewFile(path) as file:
        file.write(data)
        file.keep()


def read(path: Path, parse: Callable[[bytes], ReadT]) -> ReadT:
    """Read a file of evidence.

    Raises:
        LedgerError: it cannot be read, or is something else.
    """
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise LedgerError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # what notes and proofs raise
        raise LedgerError(f"{path}: {error}") from None


def read_note(path: Path) -> "SignedNote":
    """Read a signed note; raises as ``read``."""
    from schemas.evidence.note import SignedNote  # noqa: PLC0415 - see hub.cli.main

    return read(path, SignedNote.parse)


def any_log_key(text: str) -> "Verifier":
    """Read a log's public key, in use or retired.

    Raises:
        typer.BadParameter: it is none.
    """
    from schemas.evidence.keys import log_verifier  # noqa: PLC0415 - see hub.cli.main

    return _key(text, log_verifier)


def log_key(texts: Sequence[str]) -> "Verifier":
    """Read a log's public key with those that it had before, as renkei ledger key prints them.

    Raises:
        typer.BadParameter: one is none, or not just one of them is in use.
    """
    from schemas.evidence.keys import NoteError, Verifier  # noqa: PLC0415 - see hub.cli.main

    try:
        return Verifier.with_retired([any_log_key(text) for text in texts])
    except NoteError as error:
        raise typer.BadParameter(str(error)) from None


def cosigner_key(text: str) -> "CosignerVerifier":
    """Read a cosigner's public key.

    Raises:
        typer.BadParameter: it is none.
    """
    from schemas.evidence.keys import CosignerVerifier  # noqa: PLC0415 - as above

    return _key(text, CosignerVerifier.parse)


def _key(text: str, parse: Callable[[str], KeyT]) -> KeyT:
    from schemas.evidence.keys import NoteError  # noqa: PLC0415 - as above

    try:
        return parse(text)
    except NoteError as error:
        raise typer.BadParameter(str(error)) from None
