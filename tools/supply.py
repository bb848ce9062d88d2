"""What the project is made of: licences, bill of materials, known vulnerabilities.

``make supply`` runs it. The bill is CycloneDX 1.6, of what is shipped alone, with the lock's
hashes and each package's licence. Both foreign tools run apart from the project's environment.
"""

import argparse
import datetime as dt
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from tools.licences import Package, Rules, installed

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT, LOCK = ROOT / "pyproject.toml", ROOT / "requirements.lock"
BILL = ROOT / "dist" / "renkei-hub.cdx.json"
ASK_SECONDS = 300.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Check and write everything; give 1 where something does not fit."""
    options = _options().parse_args(arguments)
    packages = installed()
    faults = list(Rules.read(PYPROJECT).faults(packages))
    shipped = [one for one in packages if one.shipped]
    say(f"licences: {len(shipped)} packages are shipped, {len(packages)} are installed")
    if not options.licences:
        faults += _bill(shipped, options.bill)
        faults += [] if options.offline else _audit()
    for fault in faults:
        say(f"does not fit: {fault}")
    return 1 if faults else 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Licences, bill of materials, vulnerabilities.")
    parser.add_argument("--licences", action="store_true", help="check licences and nothing else")
    parser.add_argument("--offline", action="store_true", help="ask nobody for vulnerabilities")
    parser.add_argument("--bill", type=Path, default=BILL, help="where the bill is written")
    return parser


def say(line: str) -> None:
    """Tell a person."""
    sys.stderr.write(f"supply: {line}\n")


# -- the bill of materials -------------------------------------------------------------------


def _bill(shipped: Sequence[Package], to: Path) -> list[str]:
    """Write the bill; say what could not be done."""
    lock = of_lock(LOCK.read_text(encoding="utf-8"), {one.name for one in shipped})
    command = ["cyclonedx-py", "requirements", "-", "--pyproject", str(PYPROJECT)]
    made = _apart("cyclonedx-bom", [*command, "--sv", "1.6", "--output-reproducible"], lock)
    if made is None or made.returncode != 0:
        return [f"no bill of materials: {_why(made)}"]
    bill = with_licences(json.loads(made.stdout), shipped)
    missing = {one.name for one in shipped} - set(_names(bill))
    if missing:
        return [f"the bill lacks {name}" for name in sorted(missing)]
    to.parent.mkdir(exist_ok=True)
    to.write_text(json.dumps(bill, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    say(f"bill of materials: {len(shipped)} packages in {to}")
    return []


def of_lock(lock: str, names: Iterable[str]) -> str:
    """Give the lines of a lock that are about these packages, with their hashes."""
    wanted = set(names)
    kept: list[str] = []
    keeping = False
    for line in lock.splitlines(keepends=True):
        if (named := re.match(r"([A-Za-z0-9._-]+)==", line)) is not None:
            keeping = canonicalize_name(named[1]) in wanted
        if keeping:
            kept.append(line)
    return "".join(kept)


def with_licences(bill: dict[str, Any], packages: Iterable[Package]) -> dict[str, Any]:
    """Give the bill with each package's licence, which a lock does not know."""
    known = {one.name: one.licence for one in packages}
    components = [
        {**one, "licenses": [{"expression": licence}]}
        if (licence := known.get(canonicalize_name(one["name"]), ""))
        else one
        for one in bill["components"]
    ]
    return {**bill, "components": components}


def _names(bill: Mapping[str, Any]) -> Iterator[str]:
    return (canonicalize_name(one["name"]) for one in bill["components"])


# -- vulnerabilities -------------------------------------------------------------------------


def _audit() -> list[str]:
    """Ask the Python packaging advisory database about the lock."""
    command = ["pip-audit", "--requirement", str(LOCK), "--require-hashes", "--disable-pip"]
    asked = _apart("pip-audit", [*command, "--format", "json", "--progress-spinner", "off"])
    try:
        answer = json.loads(asked.stdout) if asked is not None else None
    except ValueError:
        answer = None
    if answer is None:
        say(f"vulnerabilities: not asked ({_why(asked)})")
        return []
    told = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["tool"]["renkei"]
    faults = list(found_in(answer, told.get("vulnerabilities", {}), dt.date.today()))  # noqa: DTZ011
    say(f"vulnerabilities: {len(answer['dependencies'])} packages asked about")
    return faults


def found_in(
    answer: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]], today: dt.date
) -> Iterator[str]:
    """Say what pip-audit found, but for what is known, with a reason, until a day."""
    for package in answer["dependencies"]:
        for one in package.get("vulns", ()):
            exception = known.get(one["id"])
            if exception is not None and exception["reason"] and today <= exception["until"]:
                continue
            fixed = ", ".join(one["fix_versions"]) or "no version"
            yield f"{package['name']} {package['version']}: {one['id']}, mended in {fixed}"


# -- tools of others -------------------------------------------------------------------------


def _apart(
    tool: str, command: Sequence[str], said: str = ""
) -> subprocess.CompletedProcess[str] | None:
    """Run a tool of the group ``supply`` in an environment of its own; None without uv."""
    uv = shutil.which("uv")
    if uv is None:
        return None
    pinned = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["dependency-groups"]["supply"]
    (package,) = [one for one in pinned if one.startswith(f"{tool}==")]
    try:
        return subprocess.run(  # noqa: S603 - our own words alone
            [uv, "tool", "run", "--quiet", "--no-build", "--from", package, *command],
            input=said,
            capture_output=True,
            text=True,
            timeout=ASK_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None


def _why(run: subprocess.CompletedProcess[str] | None) -> str:
    if run is None:
        return "no uv, or no answer in time"
    return (run.stderr.strip().splitlines() or [f"status {run.returncode}"])[-1]


if __name__ == "__main__":
    sys.exit(main())
