"""Pages whose table a run writes: its results, one JSON object a line, and the page's marks.

``tests/fault`` writes ``docs/reliability.md`` so, ``tests/attack`` ``docs/security.md``.
"""

import json
import os
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def machine() -> str:
    """Name the machine by its processor, cores and system."""
    facts: dict[str, Any] = {}
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        facts.setdefault(name.strip(), value.strip())
    cores = len(os.sched_getaffinity(0))
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return f"{facts.get('model name', platform.machine())}, {cores} cores, {system}"


def note_line(file: Path, result: Mapping[str, Any]) -> None:
    """Append a result to a file; several processes may."""
    file.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(result, ensure_ascii=False) + "\n"
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)


def noted_lines(file: Path) -> Iterator[dict[str, Any]]:
    """Give the results in a file."""
    for line in file.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def between(page: str, begin: str, end: str, table: str) -> str:
    """Put a table between the page's marks.

    Raises:
        ValueError: the page lacks them.
    """
    before, _, rest = page.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        message = f"the page has no {begin} … {end}"
        raise ValueError(message)
    return f"{before}{begin}\n\n{table}\n{end}{after}"
