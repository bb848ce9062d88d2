"""``renkei targets``."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.options import SiteOption
from hub.errors import RenkeiError

_FOR_ALL = 0o022


def targets(
    site: SiteOption,
    out: Annotated[
        Path | None,
        typer.Option(help="The file to write; by default it is printed.", dir_okay=False),
    ] = None,
) -> None:
    """Name the processes of a site for Prometheus, in the form of its `file_sd_configs`.

    Each has the label `process`, and is asked by https where it speaks TLS. A process without a
    port for its metrics is not there. The file is written whole or not at all, so it may be
    written while Prometheus reads it.
    """
    from hub.site import load_site  # noqa: PLC0415 - see hub.cli.main
    from monitoring.figures.scrape import targets_of  # noqa: PLC0415

    groups = [
        {
            "targets": [one.address],
            "labels": {"process": one.process, "__scheme__": "https" if one.tls else "http"},
        }
        for one in targets_of(load_site(site))
    ]
    text = json.dumps(groups, indent=2) + "\n"
    if out is None:
        typer.echo(text, nl=False)
        return
    written(out, text)
    typer.echo(f"{len(groups)} processes are named in {out}")


def written(out: Path, text: str) -> None:
    """Write a file for Prometheus, which runs as somebody else: whole, or not at all.

    Raises:
        RenkeiError: it cannot be written.
    """
    before = os.umask(_FOR_ALL)
    try:
        temporary = out.with_name(f".{out.name}.tmp")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(out)
    except OSError as error:
        message = f"{out} cannot be written: {error.strerror or error}"
        raise RenkeiError(message) from error
    finally:
        os.umask(before)
