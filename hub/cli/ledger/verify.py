"""``renkei ledger verify``."""

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.ledger.common import StateOption, site_file
from hub.cli.ledger.files import log_key, read_note
from hub.cli.options import MaybeSiteOption
from hub.errors import QuestionError

if TYPE_CHECKING:
    from hub.ledger.verify.ledger import Verified
    from hub.site import Site
    from schemas.evidence.audit import AuditReport
    from schemas.evidence.keys import CosignerVerifier, Verifier
    from schemas.evidence.note import SignedNote

_NEXT = (
    "what to do: keep the database and the hub's log as they are, copy both, and do not restore "
    "over them; compare with the newest backup (renkei ledger restore to another place) and with "
    "the other party's export; the hub takes nothing until the ledger verifies again"
)
_NEXT_EXPORT = (
    "what to do: ask for the export anew, over another way; where it is bad again, "
    "renkei ledger verify at the hub says whether the ledger itself is"
)


def verify_ledger(  # noqa: PLR0913 - typer makes an option of each
    *,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    from_export: Annotated[
        Path | None,
        typer.Option(
            "--from-export",
            metavar="DIR",
            help="Verify the files of an export, and not the database.",
            exists=True,
            file_okay=False,
            show_default=False,
        ),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            "--key",
            metavar="VKEY",
            help="The hub's verifier key, for an export, and each retired one with one more; by "
            "default those of the site.",
            show_default=False,
        ),
    ] = None,
    destroyed: Annotated[
        list[str] | None,
        typer.Option(
            "--destroyed",
            metavar="FIRST-LAST",
            help="Entries that an export may lack, as a certificate of destruction says.",
            show_default=False,
        ),
    ] = None,
    since: Annotated[
        Path | None,
        typer.Option(
            "--since",
            metavar="FILE",
            help="An earlier checkpoint: its entries must still be the same, and in the database "
            "only their hashes are looked at.",
            exists=True,
            dir_okay=False,
            show_default=False,
        ),
    ] = None,
    witness: Annotated[
        Path | None,
        typer.Option(
            "--witness",
            metavar="FILE",
            help="A checkpoint that was kept elsewhere, in place of the site's witness: the ledger "
            "must go on from it.",
            exists=True,
            dir_okay=False,
            show_default=False,
        ),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Leave out SQLite's own check of its pages and indexes."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Recompute the whole ledger against the hub's signature, and name the first bad entry.

    Says how many entries there are, the root of their tree, through which entry all is good, how
    fast it was, and what is destroyed or erased. Nothing is changed. The hub may go on meanwhile.

    Exit status: 0 all is good; 1 something is not, or it could not be verified; 2 the command
    line is wrong.
    """
    begun = time.monotonic()
    if from_export is not None:
        trusted = _export_key(site, state, key), _cosigners(site, state)
        ranges = [_range(text) for text in destroyed or ()]
        good = _export(from_export, trusted, ranges, since, json_=as_json)
    else:
        if key or destroyed:
            raise QuestionError("--key and --destroyed are for --from-export")
        good = _database(site_file(site, state), since, witness, begun, quick=quick, json_=as_json)
    if not good:
        raise typer.Exit(1)


# -- the database ----------------------------------------------------------------------------


def _database(  # noqa: PLR0913 - the options
    path: Path,
    since: Path | None,
    witness: Path | None,
    begun: float,
    *,
    quick: bool,
    json_: bool,
) -> bool:
    from hub.compose.ledger import (  # noqa: PLC0415 - see hub.cli.main
        known_cosigners,
        ledger_signer,
        ledger_url,
        read_witness,
    )
    from hub.ledger.schema import open_engine  # noqa: PLC0415
    from hub.ledger.verify.ledger import verify  # noqa: PLC0415
    from hub.site import load_site  # noqa: PLC0415

    settings = load_site(path)
    # Not through the ledger itself, which does not open where its head is not right.
    engine = open_engine(ledger_url(settings))
    try:
        with _bar() as progress:
            found = verify(
                engine,
                ledger_signer(settings).verifier,
                cosigners=known_cosigners(settings),
                since=_note(since),
                witness=_note(witness) or read_witness(settings),
                quick=quick,
                progress=progress,
            )
    finally:
        engine.dispose()
    rate = found.through / max(time.monotonic() - begun, 1e-3)
    typer.echo(json.dumps(_facts(found)) if json_ else "\n".join(_said(found, rate)))
    return found.good and not found.halted


def _facts(found: "Verified") -> dict[str, object]:
    return {
        "good": found.good,
        "size": found.size,
        "root": found.root.hex(),
        "through": found.through,
        "first_bad": found.first_bad,
        "fault": found.fault,
        "halted": found.halted,
        "destroyed": found.destroyed,
        "unfinished": found.unfinished,
        "erased_salts": found.erased_salts,
        "checkpoints": found.checkpoints,
        "unchecked": found.unchecked,
    }


def _said(found: "Verified", rate: float) -> Iterator[str]:
    yield f"{found.size} entries, root {found.root.hex() or 'unknown'}"
    yield f"good through entry {found.through}; {found.checkpoints} checkpoints ({rate:.0f}/s)"
    if found.destroyed:
        ranges = ", ".join(f"{first}-{last}" for first, last in found.destroyed)
        yield f"destroyed, so only their hashes are there: {ranges}"
    for month in found.unfinished:
        yield f"{month} is destroyed and not all gone yet: run renkei ledger retain again"
    if found.erased_salts:
        yield f"erased salts: {found.erased_salts}"
    for what in found.unchecked:
        yield f"not checked: {what}"
    if found.halted:
        yield f"the ledger takes nothing, since an earlier check failed: {found.halted}"
    if found.good:
        yield "good: every row, tile and signature fits"
        return
    if found.first_bad is not None:
        yield f"first bad entry: {found.first_bad}"
    yield f"BAD: {found.fault}"
    yield _NEXT


# -- an export -------------------------------------------------------------------------------


def _export(
    folder: Path,
    trusted: "tuple[Verifier, tuple[CosignerVerifier, ...]]",
    destroyed: Sequence[tuple[int, int]],
    since: Path | None,
    *,
    json_: bool,
) -> bool:
    from schemas.evidence.audit import audit  # noqa: PLC0415 - see hub.cli.main

    key, cosigners = trusted
    with _bar() as progress:
        report = audit(
            folder,
            [key],
            cosigners=cosigners,
            since=_note(since),
            destroyed=destroyed,
            progress=progress,
        )
    said = json.dumps(_export_facts(report)) if json_ else "\n".join(_export_said(report, folder))
    typer.echo(said)
    return report.good


def _range(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9][0-9]{0,17})-([1-9][0-9]{0,17})", text, re.ASCII)
    if match is None or int(match[1]) > int(match[2]):
        raise typer.BadParameter(f"{text} is no range of entries; write it as 1-2500")
    return int(match[1]), int(match[2])


def _export_key(site: Path | None, state: Path | None, keys: list[str] | None) -> "Verifier":
    """Give the key that must have signed the export: the one that is given, or the site's."""
    if keys:
        return log_key(keys)
    from hub.compose.ledger import ledger_signer  # noqa: PLC0415 - see hub.cli.main

    return ledger_signer(_settings(site, state)).verifier


def _cosigners(site: Path | None, state: Path | None) -> "tuple[CosignerVerifier, ...]":
    if site is None and state is None:
        return ()
    from hub.compose.ledger import known_cosigners  # noqa: PLC0415 - see hub.cli.main

    return known_cosigners(_settings(site, state))


def _settings(site: Path | None, state: Path | None) -> "Site":
    from hub.site import load_site  # noqa: PLC0415 - see hub.cli.main

    return load_site(site_file(site, state))


def _export_facts(report: "AuditReport") -> dict[str, object]:
    return {
        "good": report.good,
        "log": report.origin,
        "size": report.size,
        "root": (report.root or b"").hex(),
        "hashes_only": report.hash_only,
        "cosigned_by": [one.name for one in report.cosignatures],
        "first_bad": report.first_bad,
        "fault": report.fault or "",
    }


def _export_said(report: "AuditReport", folder: Path) -> Iterator[str]:
    yield f"{folder}: {report.size} entries of {report.origin or 'an unknown log'}"
    if report.root is not None:
        yield f"root {report.root.hex()}"
    for first, last in report.hash_only:
        yield f"hashes only, since it is said to be destroyed: {first}-{last}"
    for one in report.cosignatures:
        yield f"cosigned by {one.name}"
    if report.good:
        yield "good: every entry, tile and signature fits"
        return
    if report.first_bad is not None:
        yield f"first bad entry: {report.first_bad}"
    yield f"BAD: {report.fault}"
    yield _NEXT_EXPORT


# -- both ------------------------------------------------------------------------------------


def _note(path: Path | None) -> "SignedNote | None":
    return None if path is None else read_note(path)


@contextmanager
def _bar() -> Iterator[Callable[[int], None]]:
    """Show on stderr how far it is, where that is a terminal."""
    from rich.console import Console  # noqa: PLC0415 - see hub.cli.main
    from rich.progress import Progress as Bar  # noqa: PLC0415
    from rich.progress import TextColumn, TimeElapsedColumn  # noqa: PLC0415

    console = Console(stderr=True)
    columns = (TextColumn("{task.completed:,.0f} entries"), TimeElapsedColumn())
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda done: bar.update(task, completed=done)
