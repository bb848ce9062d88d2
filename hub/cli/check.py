"""``renkei check``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.options import MaybeSiteOption

if TYPE_CHECKING:
    from hub.statute.findings import Finding

_COLOURS = {"error": "red", "warning": "yellow"}


def check(
    *,
    site: MaybeSiteOption = None,
    routes: Annotated[
        Path | None,
        typer.Option(
            help="A routes folder; by default that of the site, or that of the hub.",
            exists=True,
            file_okay=False,
            show_default=False,
        ),
    ] = None,
    as_object: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Find everything wrong with routes, schemas, layouts, adapters and site, without a broker.

    Every finding has its file and line. Exit status: 0 nothing is wrong, warnings apart;
    1 there are errors.
    """
    from hub.clock import today  # noqa: PLC0415 - see hub.cli.main
    from hub.compose.carriages import carriages  # noqa: PLC0415
    from hub.statute.check import check as found  # noqa: PLC0415

    findings = found(routes, carriages(), today=today(), site=site)
    errors = sum(one.severity == "error" for one in findings)
    if as_object:
        _print_object(findings, errors)
    else:
        _print_lines(findings, errors)
    raise typer.Exit(1 if errors else 0)


def _print_object(findings: "list[Finding]", errors: int) -> None:
    whole = {
        "errors": errors,
        "warnings": len(findings) - errors,
        "findings": [one.as_json() for one in findings],
    }
    typer.echo(json.dumps(whole, ensure_ascii=False))


def _print_lines(findings: "list[Finding]", errors: int) -> None:
    # Errors last, where a person looks first.
    for one in sorted(findings, key=lambda one: one.severity == "error"):
        word = typer.style(str(one.severity), fg=_COLOURS[one.severity])
        typer.echo(f"{word}: {one}")
    warnings = len(findings) - errors
    typer.echo(f"errors: {errors}, warnings: {warnings}" if findings else "nothing is wrong")
