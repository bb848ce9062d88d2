"""``renkei ledger prove`` and ``renkei ledger consistency``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.ledger.common import (
    DepartmentOption,
    ReasonOption,
    StaffOption,
    StateOption,
    asked_by,
    opened,
)
from hub.cli.ledger.files import OutOption, read_note, write_new
from hub.cli.options import MaybeSiteOption
from hub.errors import QuestionError

if TYPE_CHECKING:
    from hub.ledger.evidence.prove import Point, Proved

SUFFIX = ".tlog-proof"


def prove_message(  # noqa: PLR0913 - typer makes an option of each
    message_id: Annotated[
        str, typer.Argument(help="The message's id, as its sender gave it.", show_default=False)
    ],
    *,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    sender: Annotated[
        str,
        typer.Option(
            help="The system that sent it; needed where several have used the id.",
            show_default=False,
        ),
    ] = "",
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="PATH",
            help=f"The folder for the proofs; or, for a single one, a new file {SUFFIX}.",
        ),
    ] = Path(),
    staff: StaffOption = "",
    department: DepartmentOption = "",
    reason: ReasonOption = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Write a proof for each entry about a message: acceptance, deliveries, receipts and so on.

    Each proof is one file with the entry itself in it; renkei ledger check and other tools for
    C2SP tlog-proof check it. That the proofs are handed out is recorded.

    Exit status: 0 they are written; 1 there is no such message, or it could not be done; 2 it
    is not said which sender is meant.
    """
    import datetime as dt  # noqa: PLC0415 - see hub.cli.main

    from hub.compose.ledger import ledger_signer  # noqa: PLC0415
    from hub.ledger.evidence.prove import prove  # noqa: PLC0415

    access = asked_by(staff, department, reason, "renkei ledger prove")
    with opened(site, state) as (settings, ledger):
        verifier = ledger_signer(settings).verifier
        now = dt.datetime.now(dt.UTC)
        made = prove(ledger, verifier, message_id, access, now, sender=sender)
    names = _names(made, out)
    for path, one in zip(names, made, strict=True):
        write_new(path, one.proof.encode())
    if as_json:
        typer.echo(json.dumps([_facts(*one) for one in zip(names, made, strict=True)]))
        return
    for path, one in zip(names, made, strict=True):
        to = f" to {one.entry.receiver}" if one.entry.receiver else ""
        typer.echo(f"{path}: entry {one.entry.number}, {one.entry.kind}{to}")
    typer.echo(f"to check each: renkei ledger check FILE --key {verifier.text()}")


def prove_consistency(  # noqa: PLR0913 - typer makes an option of each
    earlier: Annotated[
        str,
        typer.Argument(
            help="An earlier checkpoint's file, or a number of entries.", show_default=False
        ),
    ],
    later: Annotated[
        str | None,
        typer.Argument(
            help="A later one, likewise; by default the ledger as it is.", show_default=False
        ),
    ] = None,
    *,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    out: OutOption = None,
    staff: StaffOption = "",
    department: DepartmentOption = "",
    reason: ReasonOption = "",
) -> None:
    """Prove that the ledger only grew between two checkpoints, and print the proof.

    The proof holds both checkpoints; renkei ledger check and renkei ledger cosign read it. That
    it is handed out is recorded.

    Exit status: 0 it is proved; 1 it is not: a checkpoint is not of this ledger, or the ledger
    was changed.
    """
    import datetime as dt  # noqa: PLC0415 - see hub.cli.main

    from hub.compose.ledger import ledger_signer  # noqa: PLC0415
    from hub.ledger.evidence.prove import consistency  # noqa: PLC0415

    begin, end = _point(earlier), None if later is None else _point(later)
    access = asked_by(staff, department, reason, "renkei ledger consistency")
    with opened(site, state) as (settings, ledger):
        signer = ledger_signer(settings)
        now = dt.datetime.now(dt.UTC)
        proof = consistency(ledger, signer, begin, end, access, now).encode()
    if out is not None:
        write_new(out, proof)
    typer.echo(proof.decode(), nl=False)


def _point(text: str) -> "Point":
    return int(text) if text.isascii() and text.isdecimal() else read_note(Path(text))


def _names(made: "list[Proved]", out: Path) -> list[Path]:
    if out.suffix != SUFFIX:
        return [out / f"entry-{one.entry.number}-{one.entry.kind}{SUFFIX}" for one in made]
    if len(made) > 1:
        raise QuestionError(f"there are {len(made)} entries about the message: name a folder")
    return [out]


def _facts(path: Path, one: "Proved") -> dict[str, object]:
    return {
        "file": str(path),
        "entry": one.entry.number,
        "kind": one.entry.kind,
        "receiver": one.entry.receiver,
    }
