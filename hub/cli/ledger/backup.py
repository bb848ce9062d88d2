"""``renkei ledger backup``, ``restore`` and ``drill``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.ledger.common import (
    DepartmentOption,
    ReasonOption,
    StaffOption,
    StateOption,
    opened,
    site_file,
)
from hub.cli.ledger.files import read_note
from hub.cli.ledger.steps import IdentityOption, ordered, size_said, steps, work_folder
from hub.cli.options import MaybeSiteOption
from hub.errors import LedgerError

if TYPE_CHECKING:
    from hub.ledger.years.restore import Opened
    from hub.site import Site
    from schemas.evidence.keys import Verifier
    from schemas.evidence.note import SignedNote

_JSON = typer.Option("--json", help="Print a JSON object.")


def back_up_ledger(  # noqa: PLR0913 - the options of a command
    file: Annotated[Path, typer.Argument(help="The new file.", show_default=False)],
    *,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    plain: Annotated[
        bool,
        typer.Option("--plain", help="Do not encrypt it: whoever has the file can read it."),
    ] = False,
    staff: StaffOption = "",
    department: DepartmentOption = "",
    reason: ReasonOption = "",
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Write the whole ledger, as it is at one moment, into one encrypted file; the hub goes on.

    It is encrypted to hub.archive_recipients. A plain copy stands beside the site file
    meanwhile, so there must be room for the ledger once more. Nothing is overwritten. Exit
    status: 0 written; 1 it could not be; 2 the command line is wrong.
    """
    if not file.resolve().parent.is_dir():
        message = f"the folder {file.resolve().parent} is not there: make it, or mount its disk"
        raise LedgerError(message)
    with opened(site, state) as (settings, ledger):
        from hub.ledger.years.backup import back_up  # noqa: PLC0415 - see hub.cli.main

        if not plain and not settings.hub.archive_recipients:
            message = (
                "the site names nobody who could read it: make a key with 'renkei ledger "
                "archive-key' and put the public key into hub.archive_recipients; or give --plain"
            )
            raise LedgerError(message)
        order = ordered(settings, staff, department, reason, "ledger backup", plain=plain)
        with work_folder(site, state) as work, steps() as step:
            made = back_up(ledger, file, work, order, step)
    facts = {
        "file": str(made.path),
        "entries": made.size,
        "sha256": made.digest,
        "bytes": made.bytes,
        "plain_bytes": made.plain_bytes,
        "seconds": round(made.seconds, 1),
    }
    said = (
        f"{made.path}: {made.size} entries, {size_said(made.bytes)} "
        f"({size_said(made.plain_bytes)} as a ledger), {made.seconds:.1f} s, SHA-256 {made.digest}"
    )
    typer.echo(json.dumps(facts) if as_json else said)


def restore_ledger(  # noqa: PLR0913 - the options of a command
    file: Annotated[
        Path, typer.Argument(help="The backup.", exists=True, dir_okay=False, show_default=False)
    ],
    *,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    identity: IdentityOption = None,
    since: Annotated[
        Path | None,
        typer.Option(
            "--since",
            help="The newest checkpoint or seal that is kept elsewhere, to see what is missing.",
            exists=True,
            dir_okay=False,
            show_default=False,
        ),
    ] = None,
    accept_loss: Annotated[
        bool,
        typer.Option("--accept-loss", help="Restore although entries are known to be missing."),
    ] = False,
    staff: StaffOption = "",
    department: DepartmentOption = "",
    reason: ReasonOption = "",
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Put a backup where the site's ledger should be and there is none; verify all of it before.

    The hub and its adapters are stopped. Entries after the backup are not in it: what they said
    is forgotten, such as which messages were delivered. They are counted by the newest seal in
    ledger_witness_file and by --since; without either nobody knows how many there were. With
    --accept-loss the witness is put aside. Exit status: 0 restored; 1 it could not be, or
    entries are missing and that was not accepted; 2 the command line is wrong.
    """
    from hub.compose.ledger import known_cosigners, ledger_url, put_aside  # noqa: PLC0415
    from hub.ledger.store import DatabaseLedger  # noqa: PLC0415
    from hub.ledger.years.restore import open_backup, place, restored  # noqa: PLC0415
    from hub.ledger.years.sealed import read_identity  # noqa: PLC0415
    from hub.site import load_site  # noqa: PLC0415 - for all of these see hub.cli.main

    settings = load_site(site_file(site, state))
    order = ordered(settings, staff, department, reason, "ledger restore")
    opener = None if identity is None else read_identity(identity)
    verifier, cosigners = order.signer.verifier, known_cosigners(settings)
    with work_folder(site, state) as work, steps() as step:
        found = open_backup(file, work, opener, verifier, step, cosigners=cosigners)
        notes = _later(settings, since)
        missing = max((_missing(found, note, verifier) for note in notes), default=0)
        if missing and not accept_loss:
            raise LedgerError(_lacks(file, missing))
        url = ledger_url(settings)
        place(found, url, verifier, step)
        if missing:
            put_aside(settings.hub.ledger_witness_file)
        ledger = DatabaseLedger(url, order.signer)
        try:
            ledger.append([restored(order, file, found, _compared(missing, notes))])
        finally:
            ledger.close()
    facts = {"entries": found.size, "sha256": found.digest, "missing": missing if notes else None}
    typer.echo(json.dumps(facts) if as_json else f"restored {found.size} entries, all verified")
    typer.echo(_warned(missing, notes), err=True)


def _later(settings: "Site", since: Path | None) -> "list[SignedNote]":
    """Give what is kept outside the database about how far the ledger had come."""
    from hub.compose.ledger import read_witness  # noqa: PLC0415 - see hub.cli.main

    witness = read_witness(settings)
    found = [] if witness is None else [witness]
    return found if since is None else [*found, read_note(since)]


def _missing(found: "Opened", note: "SignedNote", verifier: "Verifier") -> int:
    from hub.ledger.years.restore import missing_in  # noqa: PLC0415 - see hub.cli.main

    return missing_in(found, note, verifier)


def _lacks(file: Path, missing: int) -> str:
    return (
        f"{file.name} lacks {missing} entries that the hub has signed since: look for a newer "
        "backup, or for the ledger's file itself. Where there is none, --accept-loss restores it; "
        "then ask every receiver which messages it got, since the hub may deliver them again"
    )


def _compared(missing: int, notes: "list[SignedNote]") -> str:
    if not notes:
        return "compared with nothing"
    return f"missing {missing}"


def _warned(missing: int, notes: "list[SignedNote]") -> str:
    if not notes:
        return (
            "WARNING: nothing outside the backup says how far the ledger had come. Entries after "
            "the backup are forgotten, and nobody knows how many. Compare with the newest "
            "checkpoint that an auditor or a second party keeps: renkei ledger verify --since"
        )
    if missing:
        return (
            f"WARNING: {missing} entries are forgotten, for good. Their numbers will be given "
            "again, so the new checkpoints contradict the old ones: tell whoever keeps those"
        )
    return "nothing that was signed and kept outside is missing; what came after that is not known"


def drill_backup(  # noqa: PLR0913 - the options of a command
    *,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    backup: Annotated[
        Path | None,
        typer.Option(
            "--backup",
            help="The backup to try; default: one that is made for it.",
            exists=True,
            dir_okay=False,
            show_default=False,
        ),
    ] = None,
    identity: IdentityOption = None,
    staff: StaffOption = "",
    department: DepartmentOption = "",
    reason: ReasonOption = "",
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Try whether a backup can be restored: into a folder that is thrown away.

    It is decrypted, verified as a whole, written to, and held to the live ledger, which goes on.
    There must be room beside the site file for the ledger three times. The drill is entered in
    the ledger. Exit status: 0 the backup is good; 1 it is not, or could not be tried; 2 the
    command line is wrong.
    """
    with opened(site, state) as (settings, ledger):
        from hub.compose.ledger import known_cosigners  # noqa: PLC0415 - see hub.cli.main
        from hub.ledger.years.restore import drill  # noqa: PLC0415
        from hub.ledger.years.sealed import read_identity  # noqa: PLC0415

        order = ordered(settings, staff, department, reason, "ledger drill")
        opener = None if identity is None else read_identity(identity)
        given = None if backup is None else (backup, opener)
        cosigners = known_cosigners(settings)
        with work_folder(site, state) as work, steps() as step:
            done = drill(ledger, work, order, step, given, cosigners=cosigners)
    facts = {
        "entries": done.size,
        "behind": done.behind,
        "bytes": done.bytes,
        "seconds": {what: round(some, 1) for what, some in done.seconds.items()},
    }
    times = ", ".join(f"{what} {some:.1f} s" for what, some in done.seconds.items())
    said = (
        f"the backup is good: {done.size} entries restored and verified, {size_said(done.bytes)}; "
        f"the ledger has {done.behind} more by now\n{times}"
    )
    typer.echo(json.dumps(facts) if as_json else said)
