"""``renkei ledger cosign …``: a second party signs what it saw."""

import time
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
from hub.cli.ledger.files import NewFileOption, log_key, read, read_note, write_new
from hub.cli.options import MaybeSiteOption
from hub.errors import SiteError

if TYPE_CHECKING:
    from schemas.evidence.keys import Cosigner

app = typer.Typer(
    help="A second party signs the ledger's checkpoints, so that the past cannot be rewritten.",
    no_args_is_help=True,
)

CheckpointArgument = Annotated[
    Path,
    typer.Argument(
        metavar="CHECKPOINT",
        help="The checkpoint's file.",
        exists=True,
        dir_okay=False,
        show_default=False,
    ),
]


@app.command("key")
def make_key(
    *,
    name: Annotated[
        str,
        typer.Option(
            help="The cosigner's name, such as audit.city.example/2026; no spaces.",
            show_default=False,
        ),
    ],
    out: NewFileOption,
) -> None:
    """Make a cosigner's key on its own machine, and print the public half.

    The file is secret and stays there. The public half goes to the hub's site file
    (hub.ledger_cosigners) and to whoever is to check cosignatures.
    """
    from schemas.evidence.keys import Cosigner, NoteError  # noqa: PLC0415 - see hub.cli.main

    try:
        key = Cosigner.generate(name)
    except NoteError as error:
        raise typer.BadParameter(str(error), param_hint="--name") from None
    write_new(out, f"{key.text()}\n".encode())
    typer.echo(key.verifier.text())


@app.command("sign")
def sign(  # noqa: PLR0913 - typer makes an option of each
    checkpoint: CheckpointArgument,
    *,
    key: Annotated[
        Path,
        typer.Option(
            help="The cosigner's key, from renkei ledger cosign key.",
            exists=True,
            dir_okay=False,
            show_default=False,
        ),
    ],
    log: Annotated[
        list[str],
        typer.Option(
            metavar="VKEY",
            help="The ledger's public key; each of its retired ones with one more --log.",
            show_default=False,
        ),
    ],
    out: NewFileOption,
    previous: Annotated[
        Path | None,
        typer.Option(
            help="The checkpoint that this cosigner signed last.",
            exists=True,
            dir_okay=False,
            show_default=False,
        ),
    ] = None,
    proof: Annotated[
        Path | None,
        typer.Option(
            help="The proof from the one to the other, from renkei ledger consistency.",
            exists=True,
            dir_okay=False,
            show_default=False,
        ),
    ] = None,
    first: Annotated[
        bool, typer.Option("--first", help="This cosigner has never signed this log before.")
    ] = False,
) -> None:
    """Cosign a checkpoint, on the second party's own machine; no ledger is needed.

    The ledger's signature is checked, and that the log has only grown since this cosigner signed
    last. Keep what is written: it is the next time's --previous.
    """
    from hub.ledger.evidence.cosign import cosign  # noqa: PLC0415 - see hub.cli.main
    from schemas.evidence.proof import ConsistencyProof  # noqa: PLC0415

    if first == (previous is not None):
        raise typer.BadParameter("give either --previous or --first")
    signed = cosign(
        read_note(checkpoint),
        log_key(log),
        _cosigner(key),
        int(time.time()),
        previous=None if previous is None else read_note(previous),
        proof=None if proof is None else read(proof, ConsistencyProof.parse),
    )
    write_new(out, signed.encode())
    typer.echo(f"{out}: cosigned; give a copy to the hub for renkei ledger cosign add")


@app.command("add")
def add(  # noqa: PLR0913 - typer makes an option of each
    checkpoint: CheckpointArgument,
    *,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    staff: StaffOption = "",
    department: DepartmentOption = "",
    reason: ReasonOption = "",
) -> None:
    """Keep the cosignatures under a checkpoint of this ledger; that is recorded.

    Only those of keys in the site's hub.ledger_cosigners are kept.
    """
    import datetime as dt  # noqa: PLC0415 - see hub.cli.main

    from hub.compose.ledger import known_cosigners, ledger_signer  # noqa: PLC0415
    from hub.ledger.evidence.cosign import keep  # noqa: PLC0415

    access = asked_by(staff, department, reason, "renkei ledger cosign add")
    with opened(site, state) as (settings, ledger):
        verifier, known = ledger_signer(settings).verifier, known_cosigners(settings)
        note = read_note(checkpoint)
        kept = keep(ledger, verifier, known, note, access, dt.datetime.now(dt.UTC))
    typer.echo(
        f"checkpoint of {kept.size} entries: "
        + (f"kept what {', '.join(kept.new)} signed" if kept.new else "all of it is kept already")
    )
    for name in kept.unknown:
        typer.echo(f"left out, since the site does not know this key: {name}", err=True)


def _cosigner(path: Path) -> "Cosigner":
    from hub.site import read_secret  # noqa: PLC0415 - see hub.cli.main
    from schemas.evidence.keys import Cosigner, NoteError  # noqa: PLC0415

    try:
        return Cosigner(read_secret(path).get_secret_value())
    except NoteError as error:
        raise SiteError(f"the secret {path} is no cosigner's key: {error}") from None
