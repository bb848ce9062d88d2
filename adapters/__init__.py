"""One package for each connected system: ``find`` gives its adapter.

A package is named like its system, with ``_`` for ``-``, and declares itself by an ``ADAPTER``
(``hub.edge.kit.Adapter``); nothing lists the systems elsewhere. Its ``simulator`` module, with
a ``SIMULATOR``, plays the system in the demo and the tests.
"""

import difflib
import importlib
import pkgutil
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

from hub.edge.kit import Adapter
from hub.errors import SiteError

if TYPE_CHECKING:
    from adapters.simulation.kit import Simulator

__all__ = ["find", "simulator", "systems"]


@cache
def systems() -> tuple[str, ...]:
    """Name every system that has an adapter, in alphabetical order."""
    return tuple(sorted(_adapters()))


def find(system: str) -> Adapter:
    """Give the adapter of a system.

    Raises:
        SiteError: there is none; the text names those whose names are near.
    """
    return _adapters()[_known(system)]


def simulator(system: str) -> "Simulator":
    """Give the simulator of a system; it needs the extra ``demo``.

    Raises:
        SiteError: there is no such system; the text names those whose names are near.
    """
    package = _known(system).replace("-", "_")
    found: Simulator = importlib.import_module(f"{__name__}.{package}.simulator").SIMULATOR
    return found


@cache
def _adapters() -> dict[str, Adapter]:
    packages = (
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
        if module.ispkg
    )
    return {adapter.system: adapter for adapter in map(_declared, packages) if adapter}


def _declared(package: ModuleType) -> Adapter | None:
    adapter = getattr(package, "ADAPTER", None)
    return adapter if isinstance(adapter, Adapter) else None


def _known(system: str) -> str:
    names = systems()
    if system in names:
        return system
    near = difflib.get_close_matches(system, names, n=2)
    hint = f"; did you mean {' or '.join(near)}?" if near else f"; there are {', '.join(names)}"
    raise SiteError(f"no adapter is installed for the system {system}{hint}")
