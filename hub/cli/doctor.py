"""``renkei doctor``."""

import json
from typing import Annotated

import typer

from hub.cli.ledger.common import StateOption, site_file
from hub.cli.options import MaybeSiteOption

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red", "unknown": "magenta"}


def doctor(
    *,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Look at a whole installation: what is wrong, and what to run.

    Site file, secrets, files and disks, certificates, broker, ledger, what people do again and
    again, and the processes that run. Nothing is changed. Run it as the hub's account. Exit
    status: 0 nothing is wrong (there may be warnings); 1 something is. With --json: {"ok",
    "findings"}, each finding with "check", "state" (ok, warn, fail, unknown), "text" and "do".
    """
    from rich.console import Console  # noqa: PLC0415 - see hub.cli.main
    from rich.text import Text  # noqa: PLC0415

    from hub.compose.doctor.examine import examine  # noqa: PLC0415
    from hub.compose.doctor.model import Mark  # noqa: PLC0415

    console = Console(soft_wrap=True, highlight=False)
    found = []
    for one in examine(site_file(site, state)):
        found.append(one)
        if as_json:
            continue
        line = Text.assemble(
            (f"{one.mark.value:7}", _STYLES[one.mark]), f" {one.check}: {one.text}"
        )
        console.print(line)
        if one.todo:
            console.print(Text(f"        → {one.todo}"))
    wrong = sum(one.mark is Mark.FAIL for one in found)
    if as_json:
        listed = [
            {"check": one.check, "state": one.mark.value, "text": one.text, "do": one.todo}
            for one in found
        ]
        typer.echo(json.dumps({"ok": not wrong, "findings": listed}, ensure_ascii=False))
    else:
        counted = ", ".join(
            f"{sum(one.mark is mark for one in found)} {mark.value}" for mark in Mark
        )
        console.print(counted)
    if wrong:
        raise typer.Exit(1)
