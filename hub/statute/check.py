"""Everything that is wrong with routes, schemas, layouts, adapters and site, at once.

Pure but for reading the files it is given; no broker and no database. What the adapters can
carry is told by the composition root, so that the catalogue knows no adapter.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

from hub.statute.findings import Finding


@dataclass(frozen=True, slots=True)
class Carriage:
    """What an adapter can carry: ``in`` is from its system to the hub, ``out`` back.

    ``layout`` is the id of the file's layout, or empty where the wire needs none.
    """

    system: str
    direction: Literal["in", "out"]
    message_type: str
    layout: str = ""


def check(
    routes: Traversable | None,
    carriages: Collection[Carriage],
    *,
    today: dt.date,
    site: Path | None = None,
    layouts: Traversable | None = None,
) -> list[Finding]:
    """Find everything that is wrong, sorted by file and line; raises nothing.

    ``routes`` and ``layouts`` are folders, by default those shipped. ``site`` is a site file.
    """
    raise NotImplementedError
