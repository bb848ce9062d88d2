"""One package for each connected system: ``find`` gives its adapter.

A package is named like its system, with ``_`` for ``-``, and declares itself by an ``ADAPTER``
(``hub.edge.kit.Adapter``); nothing lists the systems elsewhere. Its ``simulator`` module, with
a ``SIMULATOR``, plays the system in the demo and the tests; a package without one is no adapter.
"""

import difflib
import importlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from hub.edge.kit import Adapter
from hub.errors import SiteError

if TYPE_CHECKING:
    from adapters.simulation.kit import Simulator

__all__ = ["find", "simulator", "systems"]


@cache
def systems() -> tuple[str, ...]:
    """Name every system that has an adapter, in alphabetical order; imports none of them."""
    folders = (Path(place) for place in __path__)
    found = (module for folder in folders for module in folder.glob("*/simulator.py"))
    return tuple(sorted(module.parent.name.replace("_", "-") for module in found))


def find(system: str) -> Adapter:
    """Give the adapter of a system; its package alone is imported, for some need large libraries.

    Raises:
        SiteError: there is none; the text names those whose names are near.
    """
    adapter: Adapter = importlib.import_module(_package(system)).ADAPTER
    return adapter


def simulator(system: str) -> "Simulator":
    """Give the simulator of a system; it needs the extra ``demo``.

    Raises:
        SiteError: there is no such system; the text names those whose names are near.
    """
    found: Simulator = importlib.import_module(f"{_package(system)}.simulator").SIMULATOR
    return found


def _package(system: str) -> str:
    names = systems()
    if system in names:
        return f"{__name__}.{system.replace('-', '_')}"
    near = difflib.get_close_matches(system, names, n=2)
    hint = f"; did you mean {' or '.join(near)}?" if near else f"; there are {', '.join(names)}"
    raise SiteError(f"no adapter is installed for the system {system}{hint}")
