"""Which licence each package has, by its own metadata, and whether that is one we take.

``[tool.renkei.licences]`` of ``pyproject.toml`` lists the licences that are taken, and the
packages whose licence is another or none, each with its reason.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from pathlib import Path
from typing import Any, Self

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = "renkei-hub"

_TOLD = {
    "apache 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd": "BSD-3-Clause",
    "bsd license": "BSD-3-Clause",
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
}
"""SPDX names of what older metadata says in words; a bare "BSD" may be either, both are taken."""

_SPDX = re.compile(r"[A-Za-z0-9.+-]+(?: (?:OR|AND|WITH) [A-Za-z0-9.+-]+)*")


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package, its licence as an SPDX expression (empty: not told), and for whom."""

    name: str
    version: str
    licence: str
    shipped: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """The licences that are taken; by package, what is taken besides and why."""

    taken: frozenset[str]
    exceptions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, pyproject: Path) -> Self:
        """Read ``[tool.renkei.licences]``."""
        told = tomllib.loads(pyproject.read_text(encoding="utf-8"))["tool"]["renkei"]["licences"]
        return cls(frozenset(told["taken"]), told.get("exceptions", {}))

    def faults(self, packages: Iterable[Package]) -> Iterator[str]:
        """Say of each package what does not fit, and of each exception that nothing needs."""
        used = set()
        for package in packages:
            if _is_taken(package.licence, self.taken):
                continue
            exception = self.exceptions.get(package.name)
            if exception is None:
                told = package.licence or "no licence in its metadata"
                yield f"{package.name} {package.version}: {told}"
                continue
            used.add(package.name)
            if package.licence and package.licence != exception["licence"]:
                yield f"{package.name} is {package.licence} now, not {exception['licence']}"
            if package.shipped and not exception.get("shipped", False):
                yield f"{package.name}: {exception['licence']} was for tools alone and is shipped"
        for name in self.exceptions.keys() - used:
            yield f"{name}: an exception that nothing needs"


def installed() -> list[Package]:
    """Give every installed package but our own, by name; those that we ship are marked."""
    shipped = closure(PROJECT)
    found = {canonicalize_name(one.name): one for one in distributions()}
    return [
        Package(name, one.version, licence_of(one), name in shipped)
        for name, one in sorted(found.items())
        if name != PROJECT
    ]


def closure(name: str) -> set[str]:
    """Give all that a package needs at run time, with every extra of its own, and itself."""
    root = distribution(name)
    found: set[str] = set()
    ahead = [(name, extra) for extra in ("", *(root.metadata.get_all("Provides-Extra") or ()))]
    while ahead:
        one, extra = ahead.pop()
        found.add(one)
        try:
            told = distribution(one).requires or ()
        except PackageNotFoundError:
            continue  # another system's; the lock has it, this environment has not
        for requirement in map(Requirement, told):
            if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
                continue
            needed = canonicalize_name(requirement.name)
            if needed not in found:
                ahead += [(needed, other) for other in ("", *requirement.extras)]
    return found


def licence_of(package: Distribution) -> str:
    """Give the licence that a package's metadata states; empty where it states none."""
    metadata = package.metadata
    if "License-Expression" in metadata:
        return metadata["License-Expression"]
    said = [metadata["License"].strip() if "License" in metadata else ""]
    classified = [str(one) for one in metadata.get_all("Classifier") or ()]
    said += [one.rpartition(" :: ")[2] for one in classified if one.startswith("License")]
    for words in said:
        if words.lower() in _TOLD:
            return _TOLD[words.lower()]
        if _SPDX.fullmatch(words):
            return words
    return ""


def _is_taken(licence: str, taken: frozenset[str]) -> bool:
    """Say whether an expression can be met by licences that are taken."""
    if not licence:
        return False
    ways = [way.split(" AND ") for way in licence.strip("()").split(" OR ")]
    return any(all(part.strip("() ") in taken for part in way) for way in ways)
