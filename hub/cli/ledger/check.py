"""``renkei ledger check``."""

import json
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.ledger.files import any_log_key, cosigner_key, read


def check_evidence(
    file: Annotated[
        Path,
        typer.Argument(
            help="A proof, a checkpoint, a certificate or another signed note.",
            exists=True,
            dir_okay=False,
            show_default=False,
        ),
    ],
    *,
    keys: Annotated[
        list[str],
        typer.Option(
            "--key",
            metavar="VKEY",
            help="The ledger's public key, or a retired one, from renkei ledger key; more than "
            "one may be given.",
            show_default=False,
        ),
    ],
    cosigners: Annotated[
        list[str] | None,
        typer.Option(
            "--cosigner",
            metavar="VKEY",
            help="A second party's public key: its cosignatures are checked, too.",
            show_default=False,
        ),
    ] = None,
    entry: Annotated[
        Path | None,
        typer.Option(
            help="The entry, for a proof that does not hold it.",
            exists=True,
            dir_okay=False,
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Check one file of evidence, and say in words what it proves. No ledger is needed.

    Exit status: 0 it is proved; 1 it is not, and the text says why.
    """
    from schemas.evidence.check import NotProved, check  # noqa: PLC0415 - see hub.cli.main

    verifiers = [any_log_key(text) for text in keys]
    seconds = [cosigner_key(text) for text in cosigners or ()]
    content = None if entry is None else read(entry, bytes)
    try:
        checked = check(read(file, bytes), verifiers, seconds, content)
    except NotProved as error:
        said = {"proved": False, "why": str(error)}
        typer.echo(json.dumps(said) if as_json else f"NOT PROVED: {error}")
        raise typer.Exit(1) from None
    said = {"proved": True, "kind": checked.kind, **checked.facts}
    typer.echo(json.dumps(said, ensure_ascii=False) if as_json else "\n".join(checked.said))
