"""The files on the demo's drives: was each of its own read, and what did others put there?"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from hub.edge import overdue
from hub.edge.journal import InboundFile, InboundState

_REASON = ".reason.json"


@dataclass(frozen=True, slots=True)
class Drive:
    """One system's drive: ``own`` has the simulator's files with their numbers of records.

    ``set_aside`` gives the code of the reason by file name. On a drive that is ``carried`` to by
    a courier nobody else puts anything: all of its files are held to be good.
    """

    system: str
    own: Mapping[str, int]
    inbound: Iterable[InboundFile]
    set_aside: Mapping[str, str]
    carried: bool = False

    def faults(self) -> Iterator[str]:
        """Name what is wrong with the demo's own files."""
        read = {file.name: file for file in self.inbound if file.name in self.own}
        for name, records in self.own.items():
            file = read.get(name)
            if name in self.set_aside:
                yield f"{self.system}: {name} was set aside ({self.set_aside[name]})"
            elif file is None or file.state == InboundState.READING:
                yield f"{self.system}: {name} was not read to its end"
            elif file.records != records:
                yield f"{self.system}: {name} holds {records} records, {file.records} were read"
            elif file.rejected:
                yield f"{self.system}: {file.rejected} records of {name} were set aside"
        if self.carried:
            yield from self._others()

    def strangers(self) -> Iterator[str]:
        """Tell of files that the demo did not write: they are no fault, but no secret either."""
        if not self.carried:
            yield from self._others(whole=True)

    def _others(self, *, whole: bool = False) -> Iterator[str]:
        for file in self.inbound:
            if file.name in self.own or fnmatchcase(file.name, overdue.PATTERN):
                continue
            if whole or file.rejected:
                yield (
                    f"{self.system}: {file.name}, {file.records} records, "
                    f"{file.rejected} of them set aside"
                )
        for name, code in self.set_aside.items():
            if name not in self.own:
                yield f"{self.system}: {name}, set aside whole ({code})"


def set_aside(folder: Path) -> dict[str, str]:
    """List the files that an adapter has set aside on a drive, with the code of the reason."""
    reasons = sorted((folder / "set-aside").glob(f"*{_REASON}"))
    return {file.name.removesuffix(_REASON): _code(file) for file in reasons}


def _code(file: Path) -> str:
    document = json.loads(file.read_text(encoding="utf-8"))
    return str(document.get("code", "?"))
