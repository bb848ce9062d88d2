"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

SiteOption = Annotated[
    Path,
    typer.Option(
        "--site",
        help="The site file (TOML); docs/site-file.md explains it.",
        exists=True,
        dir_okay=False,
        show_default=False,
    ),
]
