"""The manual that the console has: the pages of ``docs/operations``, as they are.

In a wheel they stand in this package, in ``manual_pages``; in the project's folder in their own.
"""

import posixpath
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from monitoring.console.marked import Marked, marked
from monitoring.rules.alerts import alerts

ALERTS = "alerts"
"""The folder of the alerts' pages, and the name of the page about reading one."""
ADDRESS = "/help"
_HERE = Path(__file__).parent
_IN_WHEEL = _HERE / "manual_pages"
_IN_PROJECT = _HERE.parent.parent / "docs" / "operations"


class Guide(NamedTuple):
    """A page that is no alert's, by its name in the address."""

    name: str
    title: str


def folder() -> Path:
    """Give the folder that has the pages."""
    return _IN_WHEEL if _IN_WHEEL.is_dir() else _IN_PROJECT


@cache
def files() -> MappingProxyType[str, str]:
    """Give the file of each page below the folder, such as ``alerts/RenkeiGap.md``, by its name."""
    root = folder()
    found = {path.stem: path.name for path in sorted(root.glob("*.md"))}
    for path in sorted((root / ALERTS).glob("*.md")):
        found[ALERTS if path.stem == "index" else path.stem] = f"{ALERTS}/{path.name}"
    return MappingProxyType(found)


def manual_page(name: str) -> Marked | None:
    """Give a page by its name; none where there is no such page."""
    file = files().get(name)
    return None if file is None else _read(file)


@cache  # by the files that there are: names come from whoever types an address
def _read(file: str) -> Marked:
    text = (folder() / file).read_text(encoding="utf-8")
    return marked(text, lambda link: address(link, file))


def address(link: str, file: str) -> str | None:
    """Give the address in the console of what a page's link leads to; none where it has no such.

    >>> address("../retries.md#how", "alerts/RenkeiGap.md")
    '/help/retries#how'
    """
    path, mark, anchor = link.partition("#")
    if not path:
        return link
    meant = posixpath.normpath(posixpath.join(posixpath.dirname(file), path))
    names = {one: name for name, one in files().items()}
    return f"{ADDRESS}/{names[meant]}{mark}{anchor}" if meant in names else None


@cache
def guides() -> tuple[Guide, ...]:
    """Give the pages that are no alert's, the one about reading an alert first."""
    of_alerts = {one.name for one in alerts()}
    found = [
        Guide(name, page.title)
        for name in files()
        if name not in of_alerts and (page := manual_page(name)) is not None
    ]
    return tuple(sorted(found, key=lambda one: (one.name != ALERTS, one.name)))
