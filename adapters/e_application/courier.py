"""Fetches applications, files each with whom it is of, and reports what became of it.

``memory`` says how far each has come (``Stage``), and every step may be repeated: a file is
written from its beginning until it is remembered, has one name, and a state is reported until
the interface has taken it. So a courier that is killed anywhere goes on where it was.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from adapters.e_application.interface import Interface, LoginRefused
from adapters.e_application.memory import Memory, Outcome, Remembered, Stage
from adapters.e_application.outcomes import find_outcome, name_of
from hub.breaker import Breaker
from hub.edge import files
from hub.edge.archives import packing
from hub.edge.backoff import Backoff
from hub.edge.folders import Folders
from hub.edge.form import BadFile
from hub.edge.forms.package import Package
from hub.edge.http.calls import Caller, CallError, Declined, TooLarge
from hub.edge.kit import Errand
from hub.errors import EdgeError
from hub.limits import limits
from mappings.e_application import LAYOUT
from schemas.hidden import holds_my_number
from schemas.layout import load_layout
from schemas.numbers import CertificateSerial

REFUSED_SECONDS = 300.0
"""How long nothing is tried after the interface has refused the secret."""
CHUNK = 65_536

_NUMBER = re.compile(r"[0-9A-Za-z-]{1,40}")
_TEMPORARY = files.temporary_name(Path(name_of("*"))).name
_GONE = {404, 409, 410}
_INTERFACE, _APPLICATION = "interface", "application"


async def carry(errand: Errand) -> None:
    """Go round after round (``hub.edge.kit.Courier``)."""
    caller = Caller(
        errand.url,
        timeout_seconds=errand.timeout_seconds,
        breaker=Breaker(),
        trust=errand.trust,
    )
    backoff = Backoff()
    with Memory(errand.memory) as memory:
        async with caller:
            rounds = Rounds(errand, memory, Interface(caller, errand.secret))
            rounds.recover()
            while True:
                pause = await _paused(errand, rounds, backoff)
                await asyncio.sleep(pause)


async def _paused(errand: Errand, rounds: "Rounds", backoff: Backoff) -> float:
    """Go one round, and give the seconds to wait after it."""
    try:
        await rounds.go()
    except LoginRefused as refused:
        errand.tell(_INTERFACE, refused)
        return REFUSED_SECONDS
    except CallError as error:
        errand.tell(_INTERFACE, error)
        return max(errand.poll_seconds, backoff.next())
    errand.tell(_INTERFACE, None)
    backoff.reset()
    return errand.poll_seconds


class Rounds:
    """What the courier does again and again."""

    def __init__(self, errand: Errand, memory: Memory, interface: Interface) -> None:
        self._errand = errand
        self._memory = memory
        self._interface = interface
        self._folders = Folders(errand.drive)
        self._form = Package(load_layout(LAYOUT))
        self._fetched = errand.memory.with_name(f"{errand.memory.name}.package")
        self._told: set[str] = set()

    def recover(self) -> None:
        """Remove what a crash left half-written.

        Raises:
            EdgeError: the folder or the memory cannot be used.
        """
        files.remove(self._fetched)
        whole = {
            files.temporary_name(self._folders.to_hub / name_of(one.number)).name
            for one in self._memory.open_ones()
            if one.stage is Stage.WHOLE
        }
        for name in files.names_in(self._folders.to_hub):
            if fnmatchcase(name, _TEMPORARY) and name not in whole:
                files.remove(self._folders.to_hub / name)

    async def go(self) -> None:
        """Take every application as far as it goes now; one that fails does not hold up others.

        Raises:
            CallError: the interface cannot be used now, or not for one of them: the first error.
            EdgeError: the folder, the disk or the memory cannot be used.
        """
        failed: list[CallError] = []
        for application in self._memory.open_ones():
            await _tried(self._further(application), failed)
        async for number in self._listed():
            await _tried(self._take_up(number), failed)
        if failed:
            raise failed[0]

    async def _listed(self) -> AsyncIterator[str]:
        after = ""
        for _ in range(limits().answer_pages):
            page = await self._interface.page(after)
            for one in page.applications:
                if not self._memory.knows(one.receipt_number):
                    yield one.receipt_number
            if not page.next:
                return
            after = page.next

    # -- fetching ----------------------------------------------------------------------

    async def _take_up(self, number: str) -> None:
        if not _NUMBER.fullmatch(number) or holds_my_number(number):
            self._tell_once("", "the list has a 受付番号 that is none, or may be a 個人番号")
            return
        if self._is_there(number):  # the memory was lost, the files were not
            self._memory.take_up(number, Stage.FILED, "")
            return
        try:
            digest = await self._file(number)
        except Declined as declined:
            if declined.status not in _GONE:
                raise
            self._tell_once(number, "it was listed, and is not there to be fetched")
            return
        finally:
            files.remove(self._fetched)
        self._memory.take_up(number, Stage.WHOLE, digest)
        self._name(number)

    async def _file(self, number: str) -> str:
        """Write the wrapper under its temporary name, and give the digest of the package."""
        content: Iterator[bytes] | None = None
        digest = addressee = ""
        try:
            fetched = await self._interface.fetch(number, self._fetched, limits().zip_bytes)
        except TooLarge as error:
            self._errand.tell(_APPLICATION, error)
        else:
            digest, content = fetched.digest, _chunks(self._fetched)
            addressee = await self._addressee()
        said = packing.receipt(self._form.layout, number, addressee, digest)
        temporary = files.temporary_name(self._folders.to_hub / name_of(number))
        files.write_synced(temporary, packing.wrapper(said, content))
        return digest

    async def _addressee(self) -> str:
        """Find out whose application it is; what cannot be read is set aside by the adapter."""
        try:
            serial = self._form.application(self._fetched)["certificate_serial"]
            CertificateSerial(serial)
        except (BadFile, ValueError):
            return ""
        return await self._interface.addressee(serial)

    def _is_there(self, number: str) -> bool:
        folders = self._folders
        places = (folders.to_hub, folders.processed, folders.set_aside)
        return any(files.exists(place / name_of(number)) for place in places)

    # -- after that --------------------------------------------------------------------

    async def _further(self, application: Remembered) -> None:
        number, stage, outcome = application.number, application.stage, application.outcome
        if stage is Stage.WHOLE:
            self._name(number)
            stage = Stage.FILED
        if stage is Stage.FILED:
            await self._report(number, Outcome("received"), Stage.RECEIVED)
            stage = Stage.RECEIVED
        if stage is Stage.RECEIVED:
            found = find_outcome(self._folders, number)
            if found is None:
                if not self._is_there(number):
                    self._tell_once(number, "its file is neither read nor set aside, but gone")
                return
            self._memory.judge(number, found)
            outcome = found
        await self._report(number, outcome, Stage.CLOSED)

    def _name(self, number: str) -> None:
        path = self._folders.to_hub / name_of(number)
        temporary = files.temporary_name(path)
        if files.exists(temporary):  # else it has its name, and may even be read already
            files.rename(temporary, path)
        self._memory.reach(number, Stage.FILED)

    async def _report(self, number: str, outcome: Outcome, then: Stage) -> None:
        try:
            await self._interface.report(number, outcome)
        except Declined as declined:
            if declined.status not in _GONE:
                raise
            self._tell_once(number, f"its state cannot be reported ({declined.status})")
        self._memory.reach(number, then)

    def _tell_once(self, number: str, reason: str) -> None:
        if number not in self._told:
            self._told.add(number)
            self._errand.tell(_APPLICATION, EdgeError(f"application {number}: {reason}"))


async def _tried(step: Awaitable[None], failed: list[CallError]) -> None:
    try:
        await step
    except LoginRefused:
        raise  # nothing else will go better
    except CallError as error:
        failed.append(error)


def _chunks(path: Path) -> Iterator[bytes]:
    with (
        files.mapped("cannot read", path),
        os.fdopen(files.open_file(path, os.O_RDONLY), "rb") as file,
    ):
        while chunk := file.read(CHUNK):
            yield chunk
