"""The intermediate server of the simulation and its courier, on one folder each, for tests."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from adapters.intermediate_server.courier import Rounds
from adapters.intermediate_server.interface import Interface, form
from adapters.intermediate_server.memory import Memory
from adapters.intermediate_server.server import Outcome, Server
from adapters.intermediate_server.store import Store
from adapters.simulation.misbehaviour import Misbehaviour
from adapters.simulation.serving import Asked, Reply, Serving
from hub.breaker import Breaker
from hub.edge.folders import Folders
from hub.edge.http.calls import Caller, CallError
from mappings import intermediate_server as mapping

SECRET = "a login"  # noqa: S105 - made for the tests
PERSON = "000000000012345"
UNIFIED = "100000000012345"


def inquiry(record: str = "m-1", **changes: str) -> bytes:
    """Make an inquiry that the list permits."""
    values = dict.fromkeys((one.field for one in form(mapping.INQUIRIES).layout.columns), "")
    values |= {
        "message_id": record,
        "numbering_scheme": "01",
        "addressee_number": PERSON,
        "unified_number": UNIFIED,
        "requested_at": "2026-04-01T09:00:00.123+09:00",
        "department_code": "KOUKI",
        "user_id": "S0301",
        "inquirer_code": "9917201000000001",
        "undisclosed": "0",
        "business_code": "JM01",
        "procedure_code": "JT0117",
        "provider_code": "9900000000000002",
        "information_code": "TM0117",
        "condition": "1",
    }
    return form(mapping.INQUIRIES).encoder(None).record(values | changes)


def code_request(record: str = "c-1") -> bytes:
    """Make a code request."""
    values = {
        "message_id": record,
        "addressee_number": PERSON,
        "unified_number": UNIFIED,
        "request_id": "Q-1",
        "requested_at": "2026-04-01T09:00:00.123+09:00",
    }
    return form(mapping.CODE_REQUESTS).encoder(None).record(values)


async def _at_once(_seconds: float) -> None:
    await asyncio.sleep(0)


@dataclass
class Network:
    """A server that runs, and rounds of a courier against it."""

    home: Path
    folder: Path
    server: Server
    serving: Serving
    asked: list[Asked] = field(default_factory=list)
    replies: Callable[[Asked], Reply | None] = lambda _asked: None
    elsewhere: Path | None = None

    @property
    def drive(self) -> Path:
        return self.elsewhere or self.folder / "drive"

    def use(self, drive: Path) -> None:
        """Let the courier work on the drive of an adapter."""
        self.elsewhere = drive

    def move(self, folder: Path) -> None:
        """Go on with another drive and a memory without entries, at the same server."""
        self.folder = folder
        Folders(self.drive).make()

    def give(self, name: str, content: bytes) -> None:
        (self.drive / "from-hub" / name).write_bytes(content)

    def waiting(self) -> list[str]:
        return sorted(path.name for path in (self.drive / "from-hub").iterdir())

    def results(self) -> list[str]:
        return sorted(path.name for path in (self.drive / "to-hub").iterdir())

    def result(self, name: str, layout: str = mapping.INQUIRY_RESULTS) -> dict[str, str]:
        return form(layout).values((self.drive / "to-hub" / name).read_bytes())

    def received(self, family: str = "SKI") -> list[str]:
        layout = mapping.INQUIRIES if family == "SKI" else mapping.CODE_REQUESTS
        found = sorted((self.home / "server" / "from-hub").glob(f"{family}_*.xml"))
        return [form(layout).values(path.read_bytes())["message_id"] for path in found]

    def times_received(self, record: str) -> int:
        """Count the documents with this レコード識別番号 that the server took."""
        folder = self.home / "server" / "from-hub"
        said = f"<RecordId>{record}</RecordId>".encode()
        return sum(said in path.read_bytes() for path in folder.glob("*.xml"))

    def calls(self) -> list[str]:
        return [f"{one.method} {one.path}" for one in self.asked]

    def rounds(self, times: int = 1, *, attempts: int = 1) -> Sequence[CallError | None]:
        """Run a courier for so many rounds, from its memory on, and give what went wrong."""
        return asyncio.run(self._rounds(times, attempts))

    async def _rounds(self, times: int, attempts: int) -> Sequence[CallError | None]:
        with Memory(self.folder / "memory.sqlite3") as memory:
            async with Caller(
                self.serving.url,
                timeout_seconds=5,
                breaker=Breaker(),
                attempts=attempts,
                sleep=_at_once,
            ) as caller:
                rounds = Rounds(self.drive, memory, Interface(caller, SECRET))
                return [await rounds.go() for _ in range(times)]


@contextmanager
def network(
    folder: Path,
    *,
    outcome: Outcome = Outcome.RESULT,
    misbehaves: frozenset[Misbehaviour] = frozenset(),
) -> Iterator[Network]:
    """Run a server whose inquiries all end alike."""
    server = Server(Store(folder / "server"), SECRET, misbehaves, lambda _record: outcome)

    def handle(asked: Asked) -> Reply:
        rig.asked.append(asked)
        reply = rig.replies(asked)
        return server.handle(asked) if reply is None else reply

    rig = Network(folder, folder, server, Serving(handle))
    Folders(rig.drive).make()
    with rig.serving:
        yield rig
