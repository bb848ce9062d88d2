"""How long a message takes from its sender's publish into its receiver's hands, at a steady pace.

Sender and receiver are processes of their own; both read the machine's monotonic clock. The time
is from handing the message to the sender's client until the receiver's client has it, so it holds
both ways over the network, the broker twice, and what stands between.
"""

import secrets
import time
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.children import running
from bench.events import KIND, RECEIVER, SENDER
from bench.measure import Measure
from bench.moves import HUB, REFERENCES, Say, Way
from bench.stand import ARRIVED, Stand
from bench.usage import Usage, look
from hub.names import inbound_exchange

A_SECOND = 1000
WARM_SECONDS = 3
LINKED_SECONDS = 3.0
"""How long everybody may take to be linked."""
DRAIN_SECONDS = 60.0
P50_MS, P99_MS = 5.0, 25.0


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds, sorted; and how fast it really was sent."""

    times: list[float]
    a_second: float
    usage: Usage

    def at(self, share: float) -> float:
        """Give the time that this share of the messages stays within."""
        return self.times[min(int(len(self.times) * share), len(self.times) - 1)]

    def said(self) -> str:
        """Say what the two measures leave out."""
        return f"p50 {self.at(0.5):.2f}, p90 {self.at(0.9):.2f}, p99 {self.at(0.99):.2f} ms"


def latency(stand: Stand, way: Way, seconds: int) -> Latency:
    """Send for so long through the hub, or a bare move in its place.

    Raises:
        RuntimeError: not everything arrived, or it could not be sent fast enough.
    """
    count = A_SECOND * (WARM_SECONDS + seconds)
    sent_file, arrived_file = (stand.folder / f"{name}.times" for name in ("sent", "arrived"))
    stand.purge(ARRIVED, *stand.hub_queues())
    receive = stand.place(RECEIVER).asked(queue=ARRIVED, count=count, times=str(arrived_file))
    send = stand.place(SENDER).asked(
        run=secrets.token_hex(8),
        count=count,
        first=0,
        exchange=inbound_exchange(SENDER),
        key=KIND,
        pace=A_SECOND,
        times=str(sent_file),
    )
    log = stand.folder / "latency.log"
    with (
        way.run(stand) as moving,
        running(["bench.parts.receiver"], log, receive) as receiver,
    ):
        time.sleep(LINKED_SECONDS)
        with running(["bench.parts.sender"], log, send) as sender:
            processes = {**moving.processes, **stand.broker_pids}
            processes |= {"receiver": receiver.pid, "sender": sender.pid}
            time.sleep(WARM_SECONDS)
            before = look(processes)
            time.sleep(seconds - 1)
            usage = before.until(look(processes))
            sender.finished(seconds)
        moving.check()
        receiver.finished(DRAIN_SECONDS)
    return _read(sent_file, arrived_file, count, usage)


def _read(sent_file: Path, arrived_file: Path, count: int, usage: Usage) -> Latency:
    sent = array("q", sent_file.read_bytes())
    pairs = array("q", arrived_file.read_bytes())
    arrived = dict(zip(pairs[::2], pairs[1::2], strict=True))
    if len(sent) != count or len(arrived) != count:
        raise RuntimeError(f"of {count} messages {len(sent)} were sent and {len(arrived)} arrived")
    first = A_SECOND * WARM_SECONDS
    times = sorted((arrived[number] - sent[number]) / 1e6 for number in range(first, count))
    return Latency(times, (count - first - 1) / ((sent[-1] - sent[first]) / 1e9), usage)


def measures(stand: Stand, seconds: int, say: Say) -> Iterator[Measure]:
    """Take the hub's latency, and beside it that of the bare client in its place."""
    bare = _told(stand, REFERENCES["hub_vs_pika"][0], seconds, say)
    hub = _told(stand, HUB, seconds, say)
    note = (
        f"{len(hub.times):,} messages at {hub.a_second:,.0f}/s; {hub.said()}; with a bare pika"
        f" move in the hub's place {bare.said()}; {hub.usage.said()}"
    )
    for name, share, most in (("p50", 0.5, P50_MS), ("p99", 0.99, P99_MS)):
        value = hub.at(share)
        yield Measure(
            f"latency_{name}_ms", value, "ms", f"<= {most:g}", value <= most, bare.at(share), note
        )


def _told(stand: Stand, way: Way, seconds: int, say: Callable[[str], None]) -> Latency:
    taken = latency(stand, way, seconds)
    say(f"{way.name} at {taken.a_second:,.0f}/s: {taken.said()}; {taken.usage.said()}")
    return taken
